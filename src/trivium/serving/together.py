"""The answers of several strategies, weighed as `trivium.comparison.together` found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trivium import models, tasks
from trivium.comparison import together
from trivium.comparison.out import PATH, Comparison
from trivium.runtime.answering import Answering, Reasons
from trivium.runtime.inputs import Row
from trivium.runtime.statistics import Statistics
from trivium.runtime.values import missing
from trivium.serving.predictor import Predictor, preparation
from trivium.settings.errors import UserError


class Together(Answering):
    """Of the seed whose mean has the lowest validation NLL, below `root`.

    Raises: UserError (nothing was compared, or without `compare.together`; a model is not there, or of other features).
    """

    def __init__(self, root: Path) -> None:
        found = Comparison.found(root / PATH)
        about = found.together if found else None
        if about is None:
            raise UserError(f"There is nothing to predict with together: {root / PATH} does not say how strategies are "
                            "weighed. Set `compare.together: true` in params.yaml and run `dvc repro`.")
        self.seed = int(min(about.seeds, key=lambda key: (about.seeds[key].validation.nll, int(key))))
        chosen = about.seeds[str(self.seed)]
        self.members = {name: _member(root, name, self.seed) for name in chosen.weights}
        self.weighed = chosen
        self.task = tasks.of(chosen.task)
        self.streams, self.read = {}, ()
        for one in self.members.values():
            self.streams |= one.streams
            self.read += tuple(s for s in one.read if s not in self.read)

    @property
    def cells(self) -> dict[str, list[str]]:
        return {s: names for one in self.members.values() for s, names in one.cells.items()}

    def anonymised(self, rows: Sequence[Row]) -> Sequence[Row]:
        """As the data of all members are, which are the same."""
        return next(iter(self.members.values())).anonymised(rows)

    def described(self, rows: Sequence[Row], root: str | Path = ".") -> list[dict[str, Statistics]]:
        """See `Answering.described`."""
        found: list[dict[str, Statistics]] = [{} for _ in rows]
        for one in self.members.values():
            for own, more in zip(found, one.described(rows, root), strict=True):
                own |= more
        return found

    def answers(self, rows: Sequence[Row], root: str | Path = ".") -> tuple[np.ndarray, Reasons, Reasons]:
        """See `Answering.answers`. A strategy that has no answer to a row does not count there."""
        import torch

        told = [one.answers(rows, root) for one in self.members.values()]
        there = np.array([[error is None for error in errors] for _, _, errors in told]).reshape(len(told), len(rows))
        said = torch.stack([self.task.restored(np.nan_to_num(stored, nan=1.0)) for stored, _, _ in told])
        stored = self.task.stored(together.mean(
            self.weighed, list(self.members), said, torch.from_numpy(there), self.task))
        lost: np.ndarray = np.logical_not(there.any(0))
        stored[lost] = np.nan
        warnings, errors = Reasons(), Reasons()
        for row, gone in enumerate(lost):
            silent = [name for name, here in zip(self.members, there[:, row], strict=True) if not here]
            partly = [reason for _, each, _ in told if (reason := each[row])]
            if silent:
                partly.append(f"models of {', '.join(silent)} have no answer to this sample" if len(silent) > 1 else
                              f"model of {silent[0]} has no answer to this sample")
            why = [reason for *_, each in told if (reason := each[row])]
            if all(missing(rows[row].get(s)) for s in self.read):
                why = [f"sample has no {' or '.join(self.read)}, and the models read nothing else"]
            warnings.append(None if gone else "; ".join(dict.fromkeys(partly)) or None)
            errors.append("; ".join(dict.fromkeys(why)) if gone else None)
        return stored, warnings, errors


def _member(root: Path, strategy: str, seed: int) -> Predictor:
    folder = root / "models" / strategy / f"seed_{seed}"
    if not (folder / "model.json").exists():
        raise UserError(f"{folder} is not there: {PATH} is of models that are not here. Run `dvc repro`, which "
                        "compares those of params.yaml, or `dvc checkout`, which brings back those of dvc.lock.")
    return Predictor(models.load(folder), preparation(root, seed, folder))
