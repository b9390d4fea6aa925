"""The test samples that changed most between strategies, and what each strategy's answer to them rests on.

Of the few that every strategy explained in `evaluate` (see `trivium.evaluation.explained`); no model is asked again.

`explained.json`: seed; among (samples that were compared); samples: [{sample, label, spread (standard deviation over
strategies of `truth`), picture, strategies: name -> {prediction, told, support, truth (how much the answer speaks for
the label, for a class its probability), nats (stream -> sum of its attributions), tokens, rollout}}].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.data.tables import rounded, write_json
from trivium.evaluation import answers, pictures
from trivium.evaluation.answers import Explained

SAMPLES = 3
SEED = 0


def most_changed(explained: Sequence[Explained], count: int = SAMPLES) -> dict[int, float]:
    """Place -> spread of the at most `count` samples on which strategies differ most; ties by sample."""
    spread = np.std([[answer.truth for answer in one.answers] for one in explained], axis=0)
    samples = [answer.sample for answer in explained[0].answers]
    return {int(k): float(spread[k]) for k in np.lexsort((samples, -spread))[:count] if spread[k] > 0}


def write(out: Path, titles: Mapping[str, str], root: Path = Path(".")) -> dict[str, Any]:
    """Write `explained.json` and `changed_<k>.svg` into the folder `out`.

    titles: strategy -> what people call it, in the order of the pictures. Reads `reports/evaluate/<strategy>` below
    `root`.
    """
    read = {name: answers.read(root / "reports/evaluate" / name) for name in titles}
    about = [one for one, _ in read.values()]
    samples = []
    for number, (k, spread) in enumerate(most_changed(about).items()):
        label, sample = about[0].answers[k].label, about[0].answers[k].sample
        entry: dict[str, Any] = {"sample": sample, "label": label, "spread": spread,
                                 "picture": f"changed_{number}.svg", "strategies": {}}
        rows = []
        for name, (one, arrays) in read.items():
            answer = one.answers[k]
            entry["strategies"][name] = answer.model_dump(mode="json", exclude={"sample", "label"})
            verdict = "right" if answer.prediction == label else answer.missed
            said = f"{titles[name]}\n{answer.told}\n{verdict}"
            rows.append(pictures.Row(said, answers.panels(one, arrays, k), answers.panels(one, arrays, k, "rollout")))
        pictures.draw(out / entry["picture"], f"{sample}, in truth {label}", rows)
        samples.append(entry)
    found = rounded({"seed": SEED, "among": len(about[0].answers), "samples": samples})
    write_json(found, out / "explained.json")
    return found
