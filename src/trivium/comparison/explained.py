"""The test samples that changed most between strategies, and what each strategy's answer to them rests on.

Of the few that every strategy explained in `evaluate` (see `trivium.evaluation.explained`); no model is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trivium.data.out import Out, Part
from trivium.data.tables import rounded
from trivium.evaluation import answers, pictures
from trivium.evaluation.answers import Answer, Explained

SAMPLES = 3
SEED = 0


class Changed(Part):
    """spread: standard deviation over strategies of how much the answer speaks for the label;  picture: its file."""

    sample: str
    label: str
    spread: float
    picture: str
    strategies: dict[str, Answer]


class Compared(Out):
    """`explained.json`. among: samples that were compared."""

    seed: int
    among: int
    samples: list[Changed]


def most_changed(explained: Sequence[Explained], count: int = SAMPLES) -> dict[int, float]:
    """Place -> spread of the at most `count` samples on which strategies differ most; ties by sample."""
    spread = np.std([[answer.truth for answer in one.answers] for one in explained], axis=0)
    samples = [answer.sample for answer in explained[0].answers]
    return {int(k): float(spread[k]) for k in np.lexsort((samples, -spread))[:count] if spread[k] > 0}


def write(out: Path, titles: Mapping[str, str], root: Path = Path(".")) -> Compared:
    """Write `explained.json` and `changed_<k>.svg` into the folder `out`.

    titles: strategy -> what people call it, in the order of the pictures. Reads `reports/evaluate/<strategy>` below
    `root`.
    """
    read = {name: answers.read(root / "reports/evaluate" / name) for name in titles}
    about = [one for one, _ in read.values()]
    samples = list[Changed]()
    for number, (k, spread) in enumerate(most_changed(about).items()):
        label, sample = about[0].answers[k].label, about[0].answers[k].sample
        given, rows, picture = dict[str, Answer](), [], f"changed_{number}.svg"
        for name, (one, arrays) in read.items():
            answer = one.answers[k]
            given[name] = answer
            verdict = "right" if answer.prediction == label else answer.missed
            said = f"{titles[name]}\n{answer.told}\n{verdict}"
            rows.append(pictures.Row(said, answers.panels(one, arrays, k), answers.panels(one, arrays, k, "rollout")))
        pictures.draw(out / picture, f"{sample}, in truth {label}", rows)
        samples.append(Changed(sample=sample, label=label, spread=spread, picture=picture, strategies=given))
    made = Compared(seed=SEED, among=len(about[0].answers), samples=samples)
    found = Compared.model_validate(rounded(made.plain()))
    found.write(out / "explained.json")
    return found
