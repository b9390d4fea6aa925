"""What models read: data/features, memory-mapped, gathered by row and normalised with the seed's train statistics.

Legend: `B` samples, `M` modalities, `T` tokens or frames, `C` channels, `F` frequency bins, `N` samples of sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.columns import Column
from trivium.modalities.spec import Spec, scale_and_shift
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

@dataclass(frozen=True)
class Batch:
    """inputs: per modality, tokens int64 [B, T], others float32 [B, *Spec.shape], normalised, 0 where missing;
    present: bool [B, M] in the order of `Store.modalities`; y: int64 [B].
    """

    inputs: dict[str, Tensor]
    present: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Any) -> Batch:
        """The samples of `index`: a tensor of positions or of booleans, or a slice."""
        return Batch({name: x[index] for name, x in self.inputs.items()}, self.present[index], self.y[index])

    def take(self, index: Tensor) -> Batch:
        """The samples at the positions `index`: twice as fast as `[index]`."""
        return Batch({name: x.index_select(0, index) for name, x in self.inputs.items()},
                     self.present.index_select(0, index), self.y.index_select(0, index))

    def to(self, device: Any, non_blocking: bool = False) -> Batch:
        def move(x: Tensor) -> Tensor:
            return x.to(device, non_blocking=non_blocking)

        return Batch({name: move(x) for name, x in self.inputs.items()}, move(self.present), move(self.y))

    def pin(self) -> Batch:
        """In page-locked memory, from where copies to a GPU do not block."""
        inputs = {name: x.pin_memory() for name, x in self.inputs.items()}
        return Batch(inputs, self.present.pin_memory(), self.y.pin_memory())


class Store:
    """The features in `folder`, as preprocess wrote them. Opening reads no tensor.

    device: where batches go.
    specs: Spec per modality, in order;  modalities: their names;  classes: labels, by `y`
    world: known facts about a generated world, else None;  meta: `meta.json` of the aligned data
    Raises: UserError (no features there).
    """

    def __init__(self, folder: str | Path = "data/features", device: torch.device | str = "cpu") -> None:
        self.folder, self.device = Path(folder), device
        if not (self.folder / "features.json").exists():
            raise UserError(f"There are no features in {self.folder}: run `dvc repro preprocess` first.")
        described = tables.read_json(self.folder / "features.json")
        self.specs: dict[str, Spec] = {}
        for m in described["modalities"]:
            spec = described["specs"][m]
            self.specs[m] = Spec(m, spec["kind"], tuple(spec["shape"]), spec["vocab"], tuple(spec["native"]))
        self.modalities: tuple[str, ...] = tuple(self.specs)
        self.classes: tuple[str, ...] = tuple(described["classes"])
        self.meta: dict[str, Any] = described["meta"]
        self.world: dict[str, Any] | None = self.meta.get("world")
        self._statistics = described["statistics"]
        self._names = described["columns"]
        self._table = tables.read(self.folder / "samples.parquet")
        self._y = self._table["y"].to_numpy().astype(np.int64)
        self._present = np.stack([self._table[f"has_{m}"].to_numpy() for m in self.modalities], axis=1)
        self._columns: dict[tuple[str, str], Column] = {}
        self._affine: dict[tuple[str, int], tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self._y)

    @cached_property
    def digest(self) -> str:
        return digest(self.folder)

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

    def has(self, modality: str) -> np.ndarray:
        """bool, by row: whether a sample has `modality`."""
        return self._present[:, self.modalities.index(modality)]

    def batch(self, rows: np.ndarray, seed: int, only: str | None = None) -> Batch:
        """The samples of `rows` (int64 [B], any order, repeats allowed); `only`: one modality's inputs."""
        import torch

        rows = np.asarray(rows)
        present = torch.from_numpy(self._present[rows])
        inputs = {m: self._input(m, rows, seed, present[:, i]) for i, m in enumerate(self.modalities)
                  if only in (None, m)}
        return Batch(inputs, present, torch.from_numpy(self._y[rows])).to(self.device)

    def tokenizer(self, modality: str, seed: int) -> Path:
        """The file of the tokenizer that made the tokens of `modality` for `seed`."""
        return self.folder / f"{modality}.{self._names[modality][seed]}.json"

    def _input(self, m: str, rows: np.ndarray, seed: int, present: Tensor) -> Tensor:
        import torch

        spec = self.specs[m]
        x = torch.from_numpy(self._column(m, seed).gather(rows)).view(len(rows), *spec.shape)
        if spec.kind == "tokens":
            return x.long()
        scale, shift = self._scale_and_shift(m, seed)
        x = x.float().mul_(scale).add_(shift)
        if not bool(present.all()):
            x[~present] = 0.0
        return x

    def _scale_and_shift(self, m: str, seed: int) -> tuple[Tensor, Tensor]:
        if (m, seed) not in self._affine:
            self._affine[m, seed] = scale_and_shift(self.specs[m], self._statistics[m][seed])
        return self._affine[m, seed]

    def _column(self, m: str, seed: int) -> Column:
        name = self._names[m][seed]
        if (m, name) not in self._columns:
            self._columns[m, name] = Column(self.folder / f"{m}.arrow", name)
        return self._columns[m, name]


def digest(folder: str | Path) -> str:
    """Of what stands between raw values and the tensors in `folder`: settings, classes, statistics, tokenizers."""
    files = sorted(Path(folder).glob("*.json"))
    return tables.digest(b"".join(file.name.encode() + bytes.fromhex(tables.digest(file.read_bytes()))
                                  for file in files))
