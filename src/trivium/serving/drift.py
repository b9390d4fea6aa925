"""`trivium drift`: does what a served model is asked, and answers, still look like what it learned from?

Each statistic's counts per bin are compared with train's. The population stability index (PSI) says how far they are
apart: above 0.1 a moderate shift, above 0.25 a large one, the convention of credit scoring (Siddiqi 2006, Credit Risk
Scorecards). A chi-square test says whether that may be chance, corrected over all statistics (Benjamini and Hochberg
1995). Drift is what is both: among a million rows any difference is significant, and among a hundred any PSI is large.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium.machine import files
from trivium.serving import drift_page
from trivium.serving.export.reference import NAME, Reference, Sketch, gathered, read
from trivium.settings.errors import UserError

LEAST = 100  # rows
MODERATE, LARGE = 0.1, 0.25  # PSI
LEVEL = 0.05  # share of false discoveries


@dataclass(frozen=True)
class Compared:
    """One statistic. rows: of the log that have it;  p: adjusted, 0-1;  sketch: of the reference;  counts: of the log
    in its bins, [K].
    """

    where: str
    rows: int
    psi: float
    p: float
    sketch: Sketch
    counts: tuple[int, ...]

    @property
    def drifts(self) -> bool:
        return self.psi > MODERATE and self.p < LEVEL


def compared(reference: Reference, lines: list[dict[str, Any]]) -> list[Compared]:
    """By PSI, the largest first. Statistics that fewer than `LEAST` rows have are left out."""
    parts = {s: (own, [line["streams"].get(s, {}) for line in lines]) for s, own in reference.streams.items()}
    found = []
    for place, (own, rows) in [*parts.items(), ("answer", (reference.answer, [line["answer"] for line in lines]))]:
        given = gathered(rows)
        found += [(f"{place} {k}", one, one.count(given[k])) for k, one in own.items()
                  if len(given.get(k, [])) >= LEAST]
    adjusted = benjamini_hochberg([p_value(one, counts) for _, one, counts in found])
    return sorted((Compared(where, int(counts.sum()), psi(np.array(one.counts), counts), p, one, tuple(counts.tolist()))
                   for (where, one, counts), p in zip(found, adjusted, strict=True)), key=lambda c: -c.psi)


def psi(expected: np.ndarray, counts: np.ndarray) -> float:
    """Of counts [K]; half a row is added to each bin, so that an empty one is not infinitely far."""
    used = (expected + counts) > 0
    e, c = expected[used] + 0.5, counts[used] + 0.5
    e, c = e / e.sum(), c / c.sum()
    return float(((c - e) * np.log(c / e)).sum())


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
        return f"{len(lines)} rows are too few to tell: wait for {LEAST}.", False
    found = compared(reference, lines)
    told = [f"{one.where:30} PSI {one.psi:.2f}  p {one.p:.1e}{'  drift' if one.drifts else ''}" for one in found]
    if out is not None:
        files.write(out, drift_page.text(found, advice(found, len(lines)), len(lines)))
        told.append(f"The plots are in {out}.")
    return "\n".join([*told, "", advice(found, len(lines))]), any(one.drifts for one in found)


def advice(found: list[Compared], rows: int) -> str:
    """A sentence of what to do: nothing, look, or update."""
    shifted = [one for one in found if one.drifts]
    named = ", ".join(f"{one.where} (PSI {one.psi:.2f})" for one in shifted)
    if not shifted:
        return f"Nothing to do: {rows:,} rows look like those that the model learned from."
    if shifted[0].psi > LARGE:
        return (f"Much has changed: {named}. See whether these rows are what they should be; if so, label some of them "
                "and run `trivium update`.")
    return f"Something has changed a little: {named}. Look at these rows; there is no need to update yet."
