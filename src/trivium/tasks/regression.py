"""One or several numbers per sample. An answer is a normal distribution of each: its mean and the logarithm of its
deviation, in the unit of the target.

Heads learn targets that are scaled to mean 0 and deviation 1 on train. What calibration fits is the deviation of the
residuals on validation; the intervals of predictions are split-conformal, see `numbers.half_widths`.

Legend: `N` rows, `B` samples, `K` targets, `C` outputs (K), `R` weightings; answers are [B, 2 K].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from trivium.settings.base import Section
from trivium.settings.errors import UserError
from trivium.settings.parts import nearest
from trivium.tasks import cells as written
from trivium.tasks import numbers
from trivium.tasks.base import Array, Reasons
from trivium.tasks.links import Squares
from trivium.tasks.metric import Metric, decimals, plainly
from trivium.tasks.normal import LEAST, Normal
from trivium.tasks.numbers import Outcome
from trivium.tasks.shown import QUARTERS, Numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from trivium.tasks.links import Link

Loss = Literal["mse", "mae", "huber", "cosine"]
STRATA, IN_EACH = 10, 10  # at most, and rows that each holds at least
FINEST = 1e-5  # deviation over the largest size: less is lost in the rounding of 32 bits


class Settings(Section):
    """units: target -> unit, such as {price: EUR}.  loss: what training minimises.  interval: share of new targets that
    the interval of a prediction shall hold, 0.5-0.99.
    """

    units: dict[str, str] = Field(default_factory=dict)
    loss: Loss = "mse"
    interval: Annotated[float, Field(ge=0.5, le=0.99)] = 0.9


class Regression(Numbers, Normal):
    """targets: name -> unit ("" without); a target is float32 [B, K].  loss: what training minimises.  interval: share
    of new targets that intervals shall hold.

    scale: deviations of all rows [K], for decimals and the unit of likelihoods; nothing learns from them.
    mean, deviation, quarters: of the targets on train, [K], [K] and [3] (the first target's quartiles); see `fitted`.
    half: half the width of intervals [K]; see `decided`.
    """

    name = "regression"
    score_words, score_percent = "R²", False
    primary = "r2"
    beside = ("mae", "rmse", "coverage")
    ranks = ("r2", "mae", "rmse", "spearman", "nll")

    def __init__(self, targets: Mapping[str, str], loss: Loss = "mse", mean: Sequence[float] = (),
                 deviation: Sequence[float] = (), quarters: Sequence[float] = (), interval: float = 0.9,
                 scale: Sequence[float] = (), half: Sequence[float] = ()) -> None:
        self.targets, self.objective, self.outputs = dict(targets), loss, len(targets)
        self.interval, self.half = interval, tuple(half)
        self.mean, self.deviation = tuple(mean) or (0.0,) * self.outputs, tuple(deviation) or (1.0,) * self.outputs
        self.quarters, self.sizes = tuple(quarters), tuple(scale)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        return cls(**about)

    def plain(self) -> dict[str, Any]:
        fit = {"mean": list(self.mean), "deviation": list(self.deviation), "quarters": list(self.quarters)}
        known = {"scale": list(self.sizes), "half": list(self.half)}
        targets = [[name, unit] for name, unit in self.targets.items()]  # which JSON files would sort
        return ({"name": self.name, "targets": targets, "loss": self.objective, "interval": self.interval}
                | (fit if self.quarters else {}) | {key: value for key, value in known.items() if value})

    @property
    def scale(self) -> tuple[float, ...]:
        return self.sizes or self.deviation

    @classmethod
    def read(cls, cells: pa.ChunkedArray, columns: Sequence[str], settings: Settings) -> tuple[pa.Array, Reasons]:
        """list<double>[K]: a number, or those of a list or of several columns."""
        import pyarrow as pa

        found, reasons = written.numbers(cells, _names(columns, written.lengths(cells)))
        wrong = np.zeros(len(found), bool)
        wrong[list(reasons)] = True
        offsets = pa.array(np.arange(len(found) + 1, dtype=np.int32) * found.shape[1])
        return pa.ListArray.from_arrays(offsets, pa.array(found.ravel()), mask=pa.array(wrong)), reasons

    @classmethod
    def over(cls, values: pa.Array, columns: Sequence[str], settings: Settings, fewest: int) -> tuple[Self, list[str]]:
        usable = values.drop_null()
        if not len(usable):
            raise UserError(f"the target {_listed(columns)} has no number in any row: there is nothing to predict")
        names = _names(columns, len(usable[0]))
        taken = {"id", "warning", "error", *(f"{name}{end}" for name in names for end in ("_low", "_high"))}
        if clash := sorted(taken & set(names)):
            raise UserError(f"a target cannot be called `{clash[0]}`, since predictions have another column of this "
                            "name: rename the column of the data")
        for name in settings.units:
            if name not in names:
                raise UserError(f"params.yaml: `task.units`: there is no target `{name}`; {nearest(name, names)}")
        if settings.loss == "cosine" and len(names) == 1:
            raise UserError(f"params.yaml: `task.loss`: `cosine` is about the direction of several numbers, and there "
                            f"is one target, `{names[0]}`: choose mse, mae or huber")
        y = usable.flatten().to_numpy().reshape(-1, len(names))
        warnings = []
        for name, own in zip(names, y.T, strict=True):
            if own.min() == own.max():
                raise UserError(f"the target `{name}` has one value, {own[0]:.10g}, in all rows: there is nothing to "
                                "predict")
            if own.std() < FINEST * np.abs(own).max():
                warnings.append(f"the values of the target `{name}` differ by so little of their size ({own.min():.10g}"
                                f" to {own.max():.10g}) that 32 bits cannot tell them apart well: subtract a constant")
        return cls({name: settings.units.get(name, "") for name in names}, settings.loss, interval=settings.interval,
                   scale=y.std(0).tolist()), warnings

    def encode(self, cells: pa.ChunkedArray) -> np.ndarray:
        return written.numbers(cells, list(self.targets))[0].astype(np.float32)

    def column(self, y: np.ndarray) -> pa.Array:
        """list<float>."""
        import pyarrow as pa

        offsets = pa.array(np.arange(len(y) + 1, dtype=np.int32) * self.outputs)
        return pa.ListArray.from_arrays(offsets, pa.array(np.asarray(y, np.float32).ravel()))

    def numbers(self, column: pa.ChunkedArray | pa.Array) -> np.ndarray:
        flat = written.whole(column).flatten().to_numpy(zero_copy_only=False)
        return flat.astype(np.float32).reshape(-1, self.outputs)

    def strata(self, y: np.ndarray) -> np.ndarray:
        """Tenths of the first target, or fewer parts where rows are few; equal targets are in one."""
        count = min(STRATA, max(1, len(y) // IN_EACH))
        rank = np.searchsorted(np.sort(y[:, 0]), y[:, 0], "left")
        return rank * count // max(1, len(y))

    @property
    def categories(self) -> tuple[str, ...]:
        return ()

    def tally(self, y: np.ndarray) -> np.ndarray:
        return np.zeros(0, np.int64)

    def fitted(self, y: np.ndarray) -> Self:
        values = np.asarray(y, np.float64)
        deviation = values.std(0)
        return self._with(mean=values.mean(0).tolist(), deviation=np.where(deviation > 0, deviation, 1.0).tolist(),
                          quarters=np.quantile(values[:, 0], [0.25, 0.5, 0.75]).tolist())

    def words(self, target: Any) -> str:
        """`12.5 EUR`, or `price 12.5 EUR, area 80 m²`."""
        values = [float(value) for value in np.atleast_1d(np.asarray(target))]
        said = [f"{plainly(value, decimals(size))} {unit}".rstrip()
                for value, size, unit in zip(values, self.scale, self.targets.values(), strict=True)]
        return said[0] if len(said) == 1 else ", ".join(f"{name} {one}" for name, one in zip(self.targets, said,
                                                                                           strict=True))

    def example(self, samples: int) -> Tensor:
        import torch

        return torch.zeros(samples, self.outputs)

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Half the square, the absolute value or Huber's loss of the scaled difference, mean over the targets; or

        cosine: for targets that are an embedding. 1 less the cosine between outputs and scaled targets, and half the
            squared difference of their lengths over K: the cosine alone would leave lengths open.
        """
        from torch.nn import functional

        goal = self._scaled(y)
        if self.objective == "cosine":
            length = outputs.norm(dim=1) - goal.norm(dim=1)
            return 1 - functional.cosine_similarity(outputs, goal, dim=1) + length.square() / (2 * self.outputs)
        each = {"mse": lambda: functional.mse_loss(outputs, goal, reduction="none") / 2,
                "mae": lambda: functional.l1_loss(outputs, goal, reduction="none"),
                "huber": lambda: functional.huber_loss(outputs, goal, reduction="none")}[self.objective]()
        return each.mean(1)

    def distilled(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """The loss where the teacher's prediction is the target. Nothing is softened: numbers have no temperature."""
        return self.losses(outputs, answers.chunk(2, -1)[0])

    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """By quarters of the first target on train."""
        import torch

        edges = torch.as_tensor(self.quarters, dtype=y.dtype, device=y.device)
        place = torch.bucketize(y[:, 0].contiguous(), edges)
        return {name: place == k for k, name in enumerate(QUARTERS) if bool((place == k).any())}

    def told(self, target: Any, support: float) -> str:
        """`12.5 ± 3.1 EUR`."""
        if not self.half:
            return self.words(target)
        said = [f"{plainly(value, decimals(half))} ± {plainly(half, decimals(half))} {unit}".rstrip()
                for value, half, unit in zip(np.atleast_1d(np.asarray(target)).tolist(), self.half,
                                             self.targets.values(), strict=True)]
        return said[0] if len(said) == 1 else ", ".join(
            f"{name} {one}" for name, one in zip(self.targets, said, strict=True))

    def decided(self, answers: Tensor, y: Tensor) -> Self:
        """With the half widths of intervals."""
        residuals = (answers.double().chunk(2, -1)[0] - y.double()).cpu().numpy()
        return self._with(half=numbers.half_widths(residuals, self.interval).tolist())

    def link(self, y: np.ndarray) -> Link:
        """Least squares, whatever a network's loss is."""
        goal = (np.asarray(y, np.float64) - self.mean) / self.deviation

        def judged(scores: np.ndarray, y: np.ndarray) -> float:
            import torch

            return self.calibrated_nll(torch.from_numpy(scores), torch.from_numpy(np.asarray(y)))

        return Squares(goal, judged)

    def nothing(self, y: np.ndarray) -> np.ndarray:
        """The mean, or the median where the loss is the absolute value; of scaled targets."""
        middle = (np.median if self.objective == "mae" else np.mean)(np.asarray(y, np.float64), axis=0)
        return ((middle - self.mean) / self.deviation).astype(np.float32)

    @property
    def metrics(self) -> dict[str, Metric]:
        return numbers.metrics(dict(self.targets), self.scale)

    def stored(self, answers: Tensor) -> Array:
        """The predictions, half the widths of their intervals and the deviations of the normal distributions, [B, 3 K].
        Without `decided`, intervals are those of the normal distributions.
        """
        mean, log_deviation = (part.double().cpu().numpy() for part in answers.chunk(2, -1))
        deviation = np.exp(log_deviation)
        half = self.half or NormalDist().inv_cdf((1 + self.interval) / 2) * deviation
        return np.concatenate([mean, np.broadcast_to(half, mean.shape), deviation], -1)

    def prediction(self, stored: np.ndarray) -> np.ndarray:
        return stored[:, : self.outputs].astype(np.float32)

    def outcome(self, stored: np.ndarray, y: np.ndarray) -> Outcome:
        stored = np.asarray(stored, np.float64)
        if stored.ndim != 2 or stored.shape[1] != 3 * self.outputs:
            raise ValueError(f"answers of {self.outputs} targets are stored as [B, {3 * self.outputs}]; "
                             f"got {stored.shape}.")
        mean, half, deviation = np.split(stored, 3, 1)
        return numbers.outcome(mean, half, deviation, y, self.scale)

    def constant(self, train: np.ndarray, y: np.ndarray) -> Outcome:
        """Of the mean of train and the deviation around it; where absolute errors are measured, of the median."""
        values, shape = np.asarray(train, np.float64), (len(y), 1)
        mean = values.mean(0)
        deviation = np.maximum(values.std(0), LEAST * np.asarray(self.scale))
        half = numbers.half_widths(values - mean, self.interval)
        found = self.outcome(np.tile(np.concatenate([mean, half, deviation]), shape), y)
        return replace(found, central=np.tile(np.median(values, 0), shape))

    def constant_words(self, train: np.ndarray) -> str:
        return f"{self.words(train.mean(0))} (the mean of train) or {self.words(np.median(train, 0))} (its median)"

    def null_words(self, metric: Metric, constant: str, value: float) -> str:
        middle = "median" if metric.key == "mae" else "mean"
        return f"always answering the {middle} of train ({metric.level(value)})"

    def weighted(self, result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        return numbers.weighted(result, weights, names)

    def table(self, result: Outcome) -> dict[str, dict[str, float]]:
        """Error, bias and coverage of each target in its unit, and of each quarter of the first."""
        first = result.y[:, 0]
        place = np.searchsorted(self.quarters or np.quantile(first, [0.25, 0.5, 0.75]), first)
        return numbers.table(result, list(self.targets), {name: place == k for k, name in enumerate(QUARTERS)})


def _names(columns: Sequence[str], length: int) -> list[str]:
    """Of K targets: the columns, or one column's with a number where it holds lists."""
    if len(columns) > 1 or length == 1:
        return list(columns)
    return [f"{columns[0]} {k + 1}" for k in range(length)]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


TASK = Regression
