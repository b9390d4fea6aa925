"""What models read: the tensors that a recipe's encoders take, memory-mapped, gathered by row and normalised with the
seed's train statistics.

Legend: `B` samples, `S` streams, `T` tokens or frames, `C` channels, `F` frequency bins, `N` samples of sound.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from trivium import modalities, tasks
from trivium.data import tables, texts, unlabelled
from trivium.data.arrow_file import Column
from trivium.data.ragged import RaggedColumn
from trivium.data.readings import READS, Reads
from trivium.encoders import Described
from trivium.modalities.spec import STATISTICS_AXIS, Spec, scale_and_shift, without_gaps
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

FEATURES = Path("data/features")


@dataclass(frozen=True)
class Batch:
    """inputs: per stream, tokens int64 [B, T], counts int64 [B, L, 2], others float32 [B, *Spec.shape], normalised
    (but for columns), 0 where missing; or, where `encoded`, the encoders' vectors [B, D_s].
    present: bool [B, S] in the order of `Store.streams`;  y: targets [B, *T], int64 of classes, else float32
    weight: float32 [B], how much each sample counts; None where all count the same
    """

    inputs: dict[str, Tensor]
    present: Tensor
    y: Tensor
    encoded: bool = False
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Any) -> Batch:
        """The samples of `index`: a tensor of positions or of booleans, or a slice."""
        return self._each(lambda x: x[index])

    def take(self, index: Tensor) -> Batch:
        """The samples at the positions `index`: twice as fast as `[index]`."""
        return self._each(lambda x: x.index_select(0, index))

    @classmethod
    def joined(cls, parts: Sequence[Batch]) -> Batch:
        """The samples of all `parts`, in their order."""
        import torch

        inputs = {name: joined([part.inputs[name] for part in parts]) for name in parts[0].inputs}
        weights = [part.weight for part in parts if part.weight is not None]
        return cls(inputs, torch.cat([part.present for part in parts]), torch.cat([part.y for part in parts]),
                   parts[0].encoded, torch.cat(weights) if weights else None)

    def to(self, device: Any, non_blocking: bool = False) -> Batch:
        return self._each(lambda x: x.to(device, non_blocking=non_blocking))

    def pin(self) -> Batch:
        """In page-locked memory, from where copies to a GPU do not block."""
        return self._each(lambda x: x.pin_memory())

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch({name: change(x) for name, x in self.inputs.items()}, change(self.present), change(self.y),
                     self.encoded, None if self.weight is None else change(self.weight))


def joined(parts: Sequence[Tensor]) -> Tensor:
    """[B, ...], one after the other; with 0 behind those that are shorter than others along the second axis."""
    import torch

    longest = max(part.shape[1:2] for part in parts)
    whole = []
    for part in parts:
        if part.shape[1:2] != longest:
            missing = part.new_zeros(len(part), longest[0] - part.shape[1], *part.shape[2:])
            part = torch.cat([part, missing], 1)
        whole.append(part)
    return torch.cat(whole)


class Store:
    """What the encoders of `recipe` read, as preprocess left it. Opening reads no tensor.

    device: where batches go.
    streams: names, in order;  specs: Spec per stream;  encoders: what reads each;  task: what is predicted
    Raises: UserError (preprocess did not run for this recipe).
    """

    def __init__(self, recipe: str, root: str | Path = ".", device: torch.device | str = "cpu") -> None:
        self.recipe, self.device = recipe, device
        self.folder = Path(root) / FEATURES
        self.path = path = Path(root) / READS / f"{recipe}.json"
        if not path.exists() or not (self.folder / "features.json").exists():
            raise UserError(f"{path} or what it names in {self.folder} is not there: run `dvc repro preprocess` first.")
        self.reads = Reads.read(path)
        described = tables.read_json(self.folder / "features.json")
        self.encoders = {s: Described.of(read.encoder) for s, read in self.reads.streams.items()}
        self.streams: tuple[str, ...] = tuple(self.reads.streams)
        self.specs = {s: Spec.of(s, read.spec) for s, read in self.reads.streams.items()}
        self.task = tasks.of(described["task"])
        self._table = tables.read(self.folder / "samples.parquet")
        self._y = unlabelled.numbers(self.task, self._table["y"])
        known = "weight" in self._table.column_names
        self._weight = self._table["weight"].to_numpy().astype(np.float32) if known else None
        self._fitted: dict[int, tasks.Task] = {}
        self._present = np.stack([self._table[f"has_{s}"].to_numpy() for s in self.streams], axis=1)
        self._columns: dict[tuple[str, str], Column] = {}
        self._ragged: dict[str, RaggedColumn] = {}
        self._affine: dict[tuple[str, int], tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self._y)

    @property
    def digest(self) -> str:
        """Of all that stands between raw values and tensors: a model of other tensors is another model."""
        return self.reads.digest

    @property
    def inputs(self) -> list[Path]:
        """The files and folders that whoever works with it reads, its encoders' own weights and tokenizers among them.
        """
        found = [self.path, self.folder / "features.json", self.folder / "samples.parquet"]
        for s, read in self.reads.streams.items():
            own = (self.encoders[s].weights, str(self.encoders[s].processor[1].get("tokenizer", "")))
            found += [self.folder / read.features, self.folder / s / "values.parquet",
                      *(Path(one) for one in own if one and Path(one).exists())]
        return [one for one in found if one.exists()]

    @cached_property
    def samples(self) -> list[str]:
        """Names of all samples, by row."""
        return self._table["sample"].to_pylist()

    @cached_property
    def domains(self) -> list[str | None]:
        """Where each sample comes from, by row; None where the data does not say."""
        known = "domain" in self._table.column_names
        return self._table["domain"].to_pylist() if known else [None] * len(self)

    def rows(self, seed: int, split: str) -> np.ndarray:
        """int64, ascending: the rows of `split` (one of `tables.SPLITS`) in the draw of `seed`."""
        if split not in tables.SPLITS:
            raise ValueError(f"no split {split!r}: {', '.join(tables.SPLITS)}")
        return np.flatnonzero(pc.equal(self._table[f"seed_{seed}"], split).to_numpy()).astype(np.int64)

    def labels(self, rows: np.ndarray) -> np.ndarray:
        """The target of each of `rows`, [B, *T]; zeros of those that have none."""
        return self._y[rows]

    def weights(self, rows: np.ndarray) -> np.ndarray | None:
        """float32 [B]: how much each of `rows` counts; None where all count the same."""
        return None if self._weight is None else self._weight[rows]

    def task_at(self, seed: int) -> tasks.Task:
        """The task with what it takes from the train rows of `seed`."""
        if seed not in self._fitted:
            self._fitted[seed] = self.task.fitted(self.labels(self.rows(seed, "train")))
        return self._fitted[seed]

    def has(self, stream: str) -> np.ndarray:
        """bool, by row: whether a sample has `stream`."""
        return self._present[:, self.streams.index(stream)]

    def batch(self, rows: np.ndarray, seed: int, only: Collection[str] | None = None) -> Batch:
        """The samples of `rows` (int64 [B], any order, repeats allowed); `only`: the inputs of these streams."""
        import torch

        rows = np.asarray(rows)
        present = torch.from_numpy(self._present[rows])
        inputs = {s: self._input(s, rows, seed, present[:, i]) for i, s in enumerate(self.streams)
                  if only is None or s in only}
        y, weight = torch.from_numpy(self._y[rows]), self.weights(rows)
        return Batch(inputs, present, y if y.dtype == torch.int64 else y.float(),
                     weight=None if weight is None else torch.from_numpy(weight)).to(self.device)

    def tokenizer(self, stream: str, seed: int) -> Path:
        """The file of what was fitted on train for `seed`: the tokenizer that made the tokens of `stream`, or what its
        columns were scaled by. It is not there where nothing is fitted.
        """
        read = self.reads.streams[stream]
        return self.folder / read.features / f"{read.columns[seed]}.json"

    def texts(self, stream: str, rows: np.ndarray) -> list[str]:
        """The texts of `rows` (int64 [B]) as they are before any processor, empty where a sample has none."""
        return texts.read(self.folder / stream / "values.parquet", rows)

    def encode(self, stream: str, seed: int, said: list[str]) -> Tensor:
        """Texts as `stream`'s processor gives them at `seed`: int64 [B, ...], like the inputs of a batch."""
        import torch

        name, settings = self.encoders[stream].processor
        part, fitted = modalities.processor(name), self.tokenizer(stream, seed)
        made = _tokenizer(str(fitted)) if fitted.exists() else part.Settings.model_validate(settings)
        return torch.from_numpy(part.encode(said, made, self.specs[stream])).long().to(self.device)

    def _input(self, s: str, rows: np.ndarray, seed: int, present: Tensor) -> Tensor:
        import torch

        spec = self.specs[s]
        if spec.kind == "counts":
            return torch.from_numpy(self.ragged(s).gather(rows)).long()
        x = torch.from_numpy(self._column(s, seed).gather(rows)).view(len(rows), *spec.shape)
        if spec.kind == "tokens":
            return x.long()
        if spec.kind not in STATISTICS_AXIS:
            return x
        scale, shift = self._scale_and_shift(s, seed)
        x = without_gaps(x.float().mul_(scale).add_(shift), spec)
        if not bool(present.all()):
            x[~present] = 0.0
        return x

    def ragged(self, stream: str) -> RaggedColumn:
        """The counts of n-grams of a stream of kind `counts`."""
        if stream not in self._ragged:
            self._ragged[stream] = RaggedColumn(self.folder / self.reads.streams[stream].features / "x.arrow")
        return self._ragged[stream]

    def _scale_and_shift(self, s: str, seed: int) -> tuple[Tensor, Tensor]:
        if (s, seed) not in self._affine:
            statistics = self.reads.streams[s].statistics[seed]
            assert statistics is not None
            self._affine[s, seed] = scale_and_shift(self.specs[s], statistics)
        return self._affine[s, seed]

    def _column(self, s: str, seed: int) -> Column:
        read = self.reads.streams[s]
        name = read.columns[seed]
        if (s, name) not in self._columns:
            self._columns[s, name] = Column(self.folder / read.features / "x.arrow", name)
        return self._columns[s, name]


@cache
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)
