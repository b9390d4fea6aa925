"""Any number of tags per sample. An answer is the logit of each tag, calibrated by one temperature; a tag is given
where its probability reaches the threshold that validation chose for it (`tags.thresholds`).

Legend: `N` rows, `B` samples, `C` tags, `R` weightings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field, field_validator

from trivium.settings.base import Section
from trivium.settings.errors import UserError
from trivium.tasks import cells as written
from trivium.tasks import losses, tags
from trivium.tasks.base import Array, Reasons
from trivium.tasks.links import Sigmoid
from trivium.tasks.metric import Metric
from trivium.tasks.odds import Odds
from trivium.tasks.shown import Tags
from trivium.tasks.tags import Outcome

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from trivium.tasks.links import Link

MOST = 1000  # tags
NONE = "no tag"


class Settings(Section):
    """loss: what training minimises, one of `losses.TAGS`.  separator: of the tags in a cell."""

    loss: str | dict[str, Any] = "bce"
    separator: Annotated[str, Field(min_length=1)] = ";"

    @field_validator("loss", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        return losses.chosen(value, losses.TAGS)


class MultiLabel(Tags, Odds):
    """tags: in the order of the outputs; a target is uint8 [B, C], 1 where a sample has the tag.

    counts, rows: train rows that have each tag [C], and all of them; see `fitted`.  thresholds: probabilities [C]; see
    `decided`.
    """

    name = "multilabel"
    score_words = "F1 per sample"
    primary = "macro_f1"  # every tag counts the same: micro F1 can be high for who knows the common tags alone
    permuted = ("macro_f1", "micro_f1")
    beside = ("micro_f1", "mean_ap", "ece")
    ranks = ("macro_f1", "micro_f1", "mean_ap", "nll")  # of the others nobody knows the best constant answer
    needs_every_category = False
    empty = " (one that has none of the tags says `[]`)"
    blank = False  # it has none of the tags

    def __init__(self, tags: Sequence[str], loss: str | dict[str, Any] = "bce", separator: str = ";",
                 counts: Sequence[int] = (), rows: int = 0, thresholds: Sequence[float] = ()) -> None:
        self.tags, self.objective, self.separator, self.outputs = tuple(tags), loss, separator, len(tags)
        self._loss = losses.settings(loss, losses.TAGS)
        self.counts, self.rows, self.thresholds = tuple(counts), rows, tuple(thresholds)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        return cls(**about)

    def plain(self) -> dict[str, Any]:
        known = {"counts": list(self.counts), "rows": self.rows, "thresholds": list(self.thresholds)}
        return ({"name": self.name, "tags": list(self.tags), "loss": self.objective, "separator": self.separator}
                | {key: value for key, value in known.items() if value})

    @classmethod
    def read(cls, cells: pa.ChunkedArray, columns: Sequence[str], settings: Settings) -> tuple[pa.Array, Reasons]:
        """list<string>, each tag once: of a cell with separators, a list, or one column per tag."""
        import pyarrow as pa

        found, place, reasons = written.each(cells, partial(written.tags, separator=settings.separator))
        return pa.array(found, pa.list_(pa.string())).take(pa.array(place, mask=place < 0)), reasons

    @classmethod
    def over(cls, values: pa.Array, columns: Sequence[str], settings: Settings, fewest: int) -> tuple[Self, list[str]]:
        """The tags that enough rows have. One that every row has tells nothing, and is left out too."""
        import pyarrow.compute as pc

        usable = values.drop_null()
        counts = {one["values"].as_py(): one["counts"].as_py() for one in pc.value_counts(usable.flatten())}
        if not counts:
            raise UserError(f"no row has a tag in {', '.join(f'`{name}`' for name in columns)}: there is nothing to "
                            "predict")
        few = sorted((tag for tag, count in counts.items() if count < fewest), key=lambda tag: (-counts[tag], tag))
        every = sorted(tag for tag, count in counts.items() if count == len(usable) and tag not in few)
        kept = sorted(set(counts) - set(few) - set(every))
        if not kept:
            raise UserError(f"no tag is in {fewest} rows or more and missing in others, so there is nothing to "
                            "predict: check the label column, or lower validate.min_class_count in params.yaml")
        if len(kept) > MOST:
            raise UserError(f"there are {len(kept):,} tags; at most {MOST:,} can be compared")
        warnings = []
        if few:
            named, one = written.some([f"{tag} ({counts[tag]})" for tag in few]), len(few) == 1
            warnings.append(f"{len(few):,} of {len(counts):,} tags {'is' if one else 'are'} left out of the target, "
                            f"since fewer than {fewest} rows have {'it' if one else 'each'} "
                            f"(validate.min_class_count in params.yaml): {named}")
        if every:
            warnings.append(f"every row has {'this tag' if len(every) == 1 else 'these tags'}, left out of the target: "
                            f"{written.some(every)}")
        return cls(kept, settings.loss, settings.separator), warnings

    def encode(self, cells: pa.ChunkedArray) -> np.ndarray:
        import pyarrow as pa
        import pyarrow.compute as pc

        values = self.read(cells, (), Settings(separator=self.separator))[0]
        return self._hot(pc.list_value_length(values), pc.index_in(values.flatten(), value_set=pa.array(self.tags)))

    def column(self, y: np.ndarray) -> pa.Array:
        """list<int32>: the positions of the tags."""
        import pyarrow as pa

        rows, places = np.nonzero(y)
        offsets = np.concatenate([[0], np.bincount(rows, minlength=len(y)).cumsum()]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(places.astype(np.int32)))

    def numbers(self, column: pa.ChunkedArray | pa.Array) -> np.ndarray:
        import pyarrow.compute as pc

        values = written.whole(column)
        return self._hot(pc.list_value_length(values), values.flatten())

    def _hot(self, lengths: pa.Array, places: pa.Array) -> np.ndarray:
        """uint8 [N, C], 1 at the places of each row; a place may be null."""
        count = lengths.fill_null(0).to_numpy(zero_copy_only=False)
        place = places.fill_null(-1).to_numpy(zero_copy_only=False)
        y = np.zeros((len(count), self.outputs), np.uint8)
        rows = np.repeat(np.arange(len(count)), count)
        y[rows[place >= 0], place[place >= 0]] = 1
        return y

    def strata(self, y: np.ndarray) -> np.ndarray:
        """The rarest tag of each row, so that rare tags are in every split (after Sechidis et al. 2011); one more for
        rows without tags.
        """
        rarest = np.argsort(self.tally(y), kind="stable")
        return np.where(y.any(1), rarest[y[:, rarest].argmax(1)], self.outputs)

    @property
    def categories(self) -> tuple[str, ...]:
        return self.tags

    def tally(self, y: np.ndarray) -> np.ndarray:
        return y.sum(0, dtype=np.int64)

    def words(self, target: Any) -> str:
        """`red, round`, or `no tag`."""
        return ", ".join(self.tags[k] for k in np.flatnonzero(target)) or NONE

    def example(self, samples: int) -> Tensor:
        import torch

        return torch.zeros(samples, self.outputs, dtype=torch.uint8)

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Mean over the tags, so that one learning rate suits any number of them; of the F1 of a batch, the same for
        each sample. See `losses`.

        Where the loss is balanced, outputs are shifted by the logarithm of the weights' ratio (Menon et al. 2021), so
        that the optimum still is the logit of the tag: thresholds are chosen afterwards.
        """
        from torch.nn import functional

        goal = y.to(outputs.dtype)
        if isinstance(self._loss, losses.SoftF1):
            return self.loss(outputs, y).expand(len(y))
        if isinstance(self._loss, losses.Asymmetric):
            return losses.asymmetric(outputs, goal, self._loss).mean(1)
        if isinstance(self._loss, losses.Balanced):
            import torch

            yes, no = (torch.as_tensor(part, dtype=outputs.dtype, device=outputs.device) for part in self._weights())
            each = functional.binary_cross_entropy_with_logits(outputs + (yes / no).log(), goal, reduction="none")
            return (each * torch.where(goal > 0, yes, no)).mean(1)
        each = functional.binary_cross_entropy_with_logits(outputs, goal, reduction="none")
        return (losses.focus(each, self._loss.gamma) if isinstance(self._loss, losses.Focal) else each).mean(1)

    def loss(self, outputs: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
        if isinstance(self._loss, losses.SoftF1):
            return losses.soft_f1(outputs.sigmoid(), y.to(outputs.dtype), weight)
        return super().loss(outputs, y, weight)

    def _weights(self) -> tuple[Array, Array]:
        """Of positives and negatives of each tag, [C]."""
        yes = np.asarray(self.counts or [1] * self.outputs, np.float64)
        weight = losses.effective(np.stack([yes, (self.rows or 2) - yes]), self._loss.beta)
        return weight[0], weight[1]

    def fitted(self, y: np.ndarray) -> Self:
        return self._with(counts=self.tally(y).tolist(), rows=len(y))

    def decided(self, answers: Tensor, y: Tensor) -> Self:
        """With a threshold per tag."""
        return self._with(thresholds=tags.thresholds(self.stored(answers), y.cpu().numpy()).tolist())

    def pooled(self, answers: Tensor, seen: Tensor) -> Tensor:
        """Per tag, the product of experts over what train tells of it: each model counts by what it adds to the log
        odds (Bordley 1982). Without any, train's own.
        """
        import torch

        prior = torch.from_numpy(self._prior(np.asarray(self.counts or [0] * self.outputs), self.rows)).to(answers)
        return prior + torch.where(seen.unsqueeze(-1), answers - prior, 0.0).sum(0)

    def guess(self, answers: Tensor) -> Tensor:
        import torch

        cuts = torch.tensor(self._cuts(), dtype=torch.float64, device=answers.device)
        return (answers.double().sigmoid() >= cuts).to(torch.uint8)

    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """F1 of each sample's tags; 1 where it has none and is given none."""
        given, own = self.guess(answers).double(), y.double()
        both = (given + own).sum(-1)
        return ((2 * given * own).sum(-1) / both.clamp(min=1)).where(both > 0, 1.0)

    def score_of(self, outputs: Tensor, y: Tensor) -> float:
        return self.score(outputs, y)  # at thresholds of 0.5 calibration does not change it

    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """The samples that have each tag, and those without any."""
        own = y > 0
        found = {self.tags[k]: own[:, k] for k in own.any(0).nonzero()[:, 0].tolist()}
        empty = ~own.any(1)
        return found | ({NONE: empty} if bool(empty.any()) else {})

    def link(self, y: np.ndarray) -> Link:
        def judged(scores: np.ndarray, y: np.ndarray) -> float:
            import torch

            return self.calibrated_nll(torch.from_numpy(scores), torch.from_numpy(np.asarray(y)))

        return Sigmoid(np.asarray(y, np.float64), judged)

    def nothing(self, y: np.ndarray) -> np.ndarray:
        """Log odds of each tag; one that no row has, or every one, counts as if half a row differed."""
        return self._prior(self.tally(y), len(y)).astype(np.float32)

    @staticmethod
    def _prior(counts: np.ndarray, rows: int) -> Array:
        return np.log((counts + 0.5) / (rows - counts + 0.5))

    @property
    def metrics(self) -> dict[str, Metric]:
        return tags.METRICS

    def prediction(self, stored: np.ndarray) -> np.ndarray:
        return (np.asarray(stored) >= self._cuts()).astype(np.uint8)

    def _cuts(self) -> Array:
        return np.asarray(self.thresholds or [0.5] * self.outputs)

    def outcome(self, stored: np.ndarray, y: np.ndarray) -> Outcome:
        return tags.outcome(stored, self.prediction(stored), y)

    def constant(self, train: np.ndarray, y: np.ndarray) -> Outcome:
        """Of the shares of train, and the tags that half of it has."""
        share = np.tile(self.tally(train) / len(train), (len(y), 1))
        return tags.outcome(share, share >= 0.5, y)

    def constant_words(self, train: np.ndarray) -> str:
        return self.words(self.tally(train) / len(train) >= 0.5)

    def null_words(self, metric: Metric, constant: str, value: float) -> str:
        if metric.key in self.permuted:
            return super().null_words(metric, constant, value)
        return f"always giving the share of train that has each tag ({metric.level(value)})"

    def weighted(self, result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        """For 10,000 samples, 50 tags and 2,000 weightings mean_ap takes 1 to 3 s of a core, all others 0.3 s."""
        return tags.weighted(result, weights, names, bins)

    def chance(self, result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        return tags.permuted(result, weights, names)

    def table(self, result: Outcome) -> dict[str, dict[str, float]]:
        """Precision, recall, F1, average precision, support and threshold of each tag."""
        return tags.table(result, self.tags, self._cuts().tolist())


TASK = MultiLabel
