"""`trivium drift`: does what a served model is asked, and answers, still look like what it learned from?

The population stability index (PSI) of counts per bin says how far a statistic is from train's: above 0.1 a moderate
shift, above 0.25 a large one, the convention of credit scoring (Siddiqi 2006, Credit Risk Scorecards). Whether that may
be chance says a Kolmogorov-Smirnov test of numbers and a chi-square test of words, corrected over all statistics
(Benjamini and Hochberg 1995). Drift is what is both: among a million rows any difference is significant, and among a
hundred any PSI is large.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium.machine import files
from trivium.runtime.statistics.reference import NAME, Reference, Sketch, below, gathered, psi
from trivium.serving import drift_page
from trivium.serving.export.reference import read
from trivium.settings.errors import UserError

LEAST = 100  # rows
MODERATE, LARGE = 0.1, 0.25  # PSI
LEVEL = 0.05  # share of false discoveries
NAMED = 6  # statistics in a sentence


@dataclass(frozen=True)
class Compared:
    """One statistic. rows: of the log that have it;  distance: D of Kolmogorov and Smirnov, 0-1, of numbers;  p:
    adjusted, 0-1;  sketch: of the reference;  counts: of the log in its bins, [K].
    """

    where: str
    rows: int
    psi: float
    distance: float | None
    p: float
    sketch: Sketch
    counts: tuple[int, ...]

    @property
    def drifts(self) -> bool:
        return self.psi > MODERATE and self.p < LEVEL


def compared(reference: Reference, lines: list[dict[str, Any]]) -> list[Compared]:
    """Those that drift first, then by PSI. Statistics that fewer than `LEAST` rows have are left out."""
    found = []
    for place, own, given in parts(reference, lines):
        for name, one in own.items():
            if len(values := given.get(name, [])) >= LEAST:
                counts = one.count(values)
                apart = distance(one, np.array(values, float)) if one.grid else None
                p = p_value(one, counts) if apart is None else kolmogorov(apart, sum(one.counts), len(values))
                found.append((f"{place} {name}", one, counts, apart, p))
    adjusted = benjamini_hochberg([p for *_, p in found])
    made = [Compared(where, int(counts.sum()), psi(np.array(one.counts), counts), apart, p, one, tuple(counts.tolist()))
            for (where, one, counts, apart, _), p in zip(found, adjusted, strict=True)]
    return sorted(made, key=lambda c: (not c.drifts, -c.psi))


def parts(reference: Reference, lines: list[dict[str, Any]],
          ) -> list[tuple[str, dict[str, Sketch], dict[str, list[float | str]]]]:
    """Of each stream and of the answer: its name, the reference's sketches, and the log's values by statistic."""
    streams = [(s, own, gathered(line["streams"].get(s, {}) for line in lines)) for s, own in reference.streams.items()]
    return [*streams, ("answer", reference.answer, gathered(line["answer"] for line in lines))]


def lacking(reference: Reference, lines: list[dict[str, Any]]) -> str:
    """What an export of an older version does not have, in a sentence; "" where there is all."""
    own = [f"{place} {name}" for place, known, given in parts(reference, lines) for name in given if name not in known]
    sketches = [one for _, known, _ in parts(reference, lines) for one in known.values()]
    told = []
    if own:
        told.append(f"nothing to compare {', '.join(own)} with")
    if any(not one.names and not one.grid for one in sketches):
        told.append("no quantiles of numbers, so that their bins are tested, which finds less")
    return f"An older version made {NAME}: it has {', and '.join(told)}. Export the model again." if told else ""


def distance(one: Sketch, values: np.ndarray) -> float:
    """The largest difference between the shares of rows that are not above a number, at the numbers of the grid: never
    more than at all numbers, so that the test never finds too much.
    """
    expected = np.array(one.below) / sum(one.counts)
    return float(np.abs(expected - below(one.grid, values) / len(values)).max())


def kolmogorov(apart: float, rows: int, others: int) -> float:
    """Of the two-sample test that both come from one distribution, 0-1; of many rows."""
    from scipy.stats import kstwo

    return float(np.clip(kstwo.sf(apart, max(1, round(rows * others / (rows + others)))), 0, 1))


def p_value(one: Sketch, counts: np.ndarray) -> float:
    """Of the chi-square test that both come from one distribution, 0-1."""
    from scipy.stats import chi2_contingency

    table = np.array([one.counts, counts])
    table = table[:, table.sum(0) > 0]
    return float(chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0


def benjamini_hochberg(p: list[float]) -> list[float]:
    """Adjusted p-values, in the order given."""
    from scipy.stats import false_discovery_control

    return [float(one) for one in false_discovery_control(p)] if p else []


def logged(log: Path, model: str) -> list[dict[str, Any]]:
    """The rows of a log and of LOG.1, which it was moved to when it was full. Raises: UserError."""
    if not log.is_file():
        raise UserError(f"There is no log {log}.")
    found = []
    for file in (Path(f"{log}.1"), log):
        for number, line in enumerate(file.read_text().splitlines() if file.exists() else [], 1):
            try:
                one = json.loads(line)
                other, _, _ = one["model"], one["streams"].items(), one["answer"].items()
            except (ValueError, KeyError, TypeError, AttributeError):
                raise UserError(f"Line {number} of {file} is no line of a log of `Watch`.") from None
            if other != model:
                raise UserError(f"Line {number} of {file} is of another model ({other}; {NAME} is of {model}): name "
                                "the folder of the model that was served, with --folder.")
            found.append(one)
    return found


def drift(log: Path, folder: Path, out: Path | None = None) -> tuple[str, bool]:
    """What to say, and whether there is drift. out: a page with plots. Raises: UserError."""
    reference = read(folder)
    lines = logged(log, reference.model)
    if len(lines) < LEAST:
        return f"{len(lines)} row{'s are' if len(lines) != 1 else ' is'} too few to tell: wait for {LEAST}.", False
    found = compared(reference, lines)
    told = [f"{one.where:30} PSI {one.psi:.2f}  p {one.p:.1e}  drift" for one in found if one.drifts]
    if calm := len(found) - len(told):
        told.append(f"{calm} {'others have' if told else 'statistics have'} no drift.")
    last = "\n".join(filter(None, (lacking(reference, lines), advice(found, len(lines)))))
    if out is not None:
        files.write(out, drift_page.text(found, last, len(lines)))
        told.append(f"The plots are in {out}.")
    return "\n".join([*told, "", last]), any(one.drifts for one in found)


def advice(found: list[Compared], rows: int) -> str:
    """A sentence of what to do: nothing, look, or update."""
    shifted = [one for one in found if one.drifts]
    named = ", ".join(f"{one.where} (PSI {one.psi:.2f})" for one in shifted[:NAMED])
    named += f" and {len(shifted) - NAMED} more" if len(shifted) > NAMED else ""
    if not shifted:
        return f"Nothing to do: {rows:,} rows look like those that the model learned from."
    if shifted[0].psi > LARGE:
        return (f"Much has changed: {named}. See whether these rows are what they should be; if so, label some of them "
                "and run `trivium update`.")
    return f"Something has changed a little: {named}. Look at these rows; there is no need to update yet."
