"""From raw values to answers: a trained model, and what its inputs went through.

A stream whose value cannot be used, such as a damaged picture, is left out, as one that a sample does not have: the
answer is that of the others, with a warning. Where none is left that the model reads, there is no answer, but an error.

Legend: `B` samples, `S` streams, `A` numbers of a stored answer.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from trivium import modalities
from trivium.data.sources.manifest import TIMES
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.serving.unread import unread
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.tasks import Task

Value = str | bytes | None  # text itself; a path, the bytes of a file or a `data:` URI; None where it is missing
Reasons = list[str | None]  # per row; None where all is well
BATCH = 64
PREPARED = "inputs.json"  # beside the model in a package: see `preparation`


class Predictor:
    """`model`: as `trivium.models.load` gives it;  `prepared`: what `preparation` found.

    task: what the model predicts;  streams: the inputs it knows, in order, with their modality;  read: those of them
    that make a difference to this model.
    """

    def __init__(self, model: Any, prepared: Mapping[str, Any]) -> None:
        from trivium.modalities.spec import Spec, scale_and_shift

        self.model = model
        self.task: Task = model.task
        self.streams: dict[str, str] = {s: prepared["streams"][s]["spec"]["modality"] for s in model.streams}
        self.read: tuple[str, ...] = tuple(model.readers)
        self._specs, self._settings, self._processors, self._tokenizers, self._affine = {}, {}, {}, {}, {}
        for s, about in prepared["streams"].items():
            self._specs[s] = Spec.of(s, about["spec"])
            own = dict(about["processor"])
            self._processors[s] = modalities.processor(own.pop("name"))
            self._settings[s] = self._processors[s].Settings.model_validate(own)
            if about.get("tokenizer") is not None:
                self._tokenizers[s] = self._processors[s].load(about["tokenizer"])
            elif not self._specs[s].discrete:
                self._affine[s] = scale_and_shift(self._specs[s], about["statistics"])

    @classmethod
    def of_strategy(cls, root: Path, strategy: str) -> Predictor:
        """The best seed (validation NLL) of a trained strategy; an update of one, `updates/NAME`, which `trivium
        update` packed; or all of them `together`. Raises: UserError (no such strategy).
        """
        from trivium import models
        from trivium.comparison.together import NAME

        if strategy == NAME and not (root / "models" / NAME).exists():
            from trivium.serving.together import Together

            return Together(root)
        if (packed := root / "models" / strategy / PREPARED).exists():
            return cls.of_package(packed.parent)
        folder, seed = best(root, strategy)
        return cls(models.load(folder), preparation(root, seed, folder))

    @property
    def cells(self) -> dict[str, list[str]]:
        """The columns of each stream of tables."""
        return {s: self._tokenizers[s].names for s, spec in self._specs.items() if spec.kind == "columns"}

    @classmethod
    def of_package(cls, folder: str | Path) -> Predictor:
        """What `trivium.serving.package.write` made: stands alone, wherever it lies."""
        from trivium import models

        return cls(models.load(folder), read_json(Path(folder) / PREPARED))

    def table(self, rows: Sequence[Mapping[str, Value]], root: str | Path = ".") -> dict[str, list[Any]]:
        """Columns of what `Task.answered` gives, then `warning` and `error`; None where there is nothing."""
        stored, warnings, errors = self.answers(rows, root)
        good = np.array([error is None for error in errors], bool)
        found: dict[str, list[Any]] = {}
        for name, values in self.task.answered(stored[good]).items():
            there = iter(values)
            found[name] = [next(there) if fine else None for fine in good]
        return found | {"warning": warnings, "error": errors}

    def answers(self, rows: Sequence[Mapping[str, Value]], root: str | Path = ".",
                ) -> tuple[np.ndarray, Reasons, Reasons]:
        """Stored answers (see `Task.stored`), float64 [B, A], NaN where there is none; warnings: which streams were
        left out, and why; errors: why there is no answer.

        rows: a value per stream, and optionally `start` and `end`, seconds, of the recording
        root: what relative paths are relative to
        """
        import torch

        parts, warnings, errors = [np.zeros((0, self.task.width))], Reasons(), Reasons()
        reads = [s in self.read for s in self.streams]
        nothing = f"sample has no {' or '.join(self.read)}, and the model reads nothing else"
        with torch.inference_mode():
            for start in range(0, len(rows), BATCH):
                inputs, present, broken = self._inputs(rows[start:start + BATCH], Path(root))
                parts.append(self.task.stored(self.model(inputs, present)))
                lost = [not any(here) for here in present[:, reads]]
                parts[-1][lost] = np.nan
                told = ["; ".join(why) or (nothing if gone else None) for why, gone in zip(broken, lost, strict=True)]
                warnings += [None if gone else why for why, gone in zip(told, lost, strict=True)]
                errors += [why if gone else None for why, gone in zip(told, lost, strict=True)]
        return np.concatenate(parts), warnings, errors

    def _inputs(self, rows: Sequence[Mapping[str, Value]], root: Path,
                ) -> tuple[dict[str, Tensor], Tensor, list[list[str]]]:
        """Tensors as `trivium.data.store.Store.batch` makes them; presence bool [B, S]; per row, which values cannot be
        used, and why: they are not present.
        """
        import torch

        broken: list[list[str]] = [[] for _ in rows]
        present = torch.tensor([[not missing(row.get(m)) for m in self.streams] for row in rows])
        inputs: dict[str, Tensor] = {}
        for k, m in enumerate(self.streams):
            there = [i for i in range(len(rows)) if present[i, k] and m in self.read]  # of others nothing is said
            kind = self._specs[m].kind
            if kind == "counts":
                inputs[m] = self._counts(m, [row.get(m) if present[i, k] else "" for i, row in enumerate(rows)])
                continue
            x = torch.zeros(len(rows), *self._specs[m].shape, dtype=torch.int64 if kind == "tokens" else torch.float32)
            if self._specs[m].discrete and there:
                x[there] = self._encode(m, [rows[i][m] for i in there], there, broken).to(x.dtype)
                for i in there:
                    present[i, k] = present[i, k] and not any(why.startswith(f"{m} ") for why in broken[i])
                x[~present[:, k]] = 0
            elif there:
                raw = {}
                for i in there:
                    try:
                        raw[i] = self._decode(m, rows[i], root)
                    except ValueError as error:
                        broken[i].append(str(error))
                        present[i, k] = False
                if raw:
                    scale, shift = self._affine[m]
                    x[list(raw)] = torch.addcmul(shift, torch.from_numpy(np.stack(list(raw.values()))).float(), scale)
            inputs[m] = x
        return inputs, present, broken

    def _counts(self, m: str, values: list[Any]) -> Tensor:
        """int64 [B, L, 2]: ids and counts of the n-grams of texts."""
        import torch

        texts = [_text(value) for value in values]
        return torch.from_numpy(self._processors[m].encode(texts, self._settings[m], self._specs[m])).long()

    def _encode(self, m: str, values: list[Any], there: Sequence[int], broken: list[list[str]]) -> Tensor:
        """[B, ...] of texts, and of the cells of tables. there: their rows;  broken: gets why one cannot be used."""
        import torch

        texts = [_text(value) for value in values]
        judge = getattr(modalities.get(self.streams[m]), "errors", None)
        if judge is not None:
            for k, error in enumerate(judge(pa.array(texts, pa.string()))):
                if error:
                    broken[there[k]].append(f"{m} {texts[k][:60]!r} cannot be used: {error}")
                    texts[k] = "{}"
        if self._specs[m].kind == "columns":
            for row, told in zip(there, unread(m, self._tokenizers[m], texts), strict=True):
                broken[row] += told
        return torch.from_numpy(self._processors[m].encode(texts, self._tokenizers[m], self._specs[m]))

    def _decode(self, m: str, values: Mapping[str, Any], root: Path) -> np.ndarray:
        """Raises: ValueError (why it cannot be used; what `validate` puts in quarantine is not answered either)."""
        value, kind = values[m], modalities.get(self.streams[m])
        name = repr(value[:60]) if isinstance(value, str) else "the given bytes"
        try:
            start, end = (_seconds(values.get(key), key) for key in TIMES)
            with tempfile.TemporaryDirectory() as scratch:
                path = str(_as_file(value, Path(scratch)) or root / value)
                if problem := kind.probe(path, "", start, end).get("error"):
                    raise ValueError(problem)
                return self._processors[m].decode(path, "", start, end, self._settings[m])
        except Exception as error:  # whatever a decoder makes of a damaged file, the other rows have their answer
            why = error if isinstance(error, ValueError) else f"cannot be decoded: {error or type(error).__name__}"
            raise ValueError(f"{m} {name} cannot be used: {why}") from None


def best(root: Path, strategy: str) -> tuple[Path, int]:
    """Folder and number of the best seed (see `Trained.best`). Raises: UserError."""
    from trivium.training.records import Trained  # which a package does without

    trained = Trained.of(strategy, root)
    if trained is None:
        found = {each.parent.name: Trained.read(each) for each in root.glob("models/*/training.json")}
        known = sorted(name for name, one in found.items() if not one.skipped)  # those have no model
        near = difflib.get_close_matches(strategy, list(found), n=1)
        raise UserError(f"There is no trained strategy `{strategy}` in {root / 'models'}; "
                        + (f"did you mean `{near[0]}`? Trained: " if near else "trained: ")
                        + f"{', '.join(known) or 'none (run `dvc repro` first)'}.")
    if trained.skipped:
        raise UserError(f"There is no model of `{strategy}`: {trained.skipped.sentence}")
    seed = trained.best.seed
    return root / "models" / strategy / f"seed_{seed}", seed


def preparation(root: Path, seed: int, model: Path) -> dict[str, Any]:
    """What raw values went through before the `model` of `seed` saw them, as one JSON value: seed and `streams`:
    per stream its spec, processor, statistics (mean, deviation; or null) and tokenizer (JSON, or null; of a table, what
    its columns are scaled by).

    Raises: UserError (no features, or others than the model was trained on).
    """
    from trivium.training.records import Trained

    store = Store(Trained.read(model.parent / "training.json").start, root)
    if read_json(model / "model.json")["features"] != store.digest:
        raise UserError(f"{model} was trained on other features than data/features holds now: labels, tokenizer or "
                        "statistics have changed since. Run `dvc repro` to train it anew, or `dvc checkout` to go "
                        "back to the features of dvc.lock.")
    streams = {s: {"spec": read.spec, "processor": read.encoder["processor"], "statistics": read.statistics[seed],
                   "tokenizer": fitted.read_text(encoding="utf-8")
                   if (fitted := store.tokenizer(s, seed)).exists() else None}
               for s, read in store.reads.streams.items()}
    return {"seed": seed, "streams": streams}


def columns(task: Task) -> dict[str, type]:
    """The columns of `Predictor.table`: `object` for texts, `float` for numbers."""
    one = task.answered(np.zeros((1, task.width)))
    kinds: dict[str, type] = {name: object if isinstance(values[0], str) else float for name, values in one.items()}
    return kinds | {"warning": object, "error": object}


def data_uri(path: Path, kind: str) -> str:
    """The file's content as a `data:` URI, e.g. of kind `image/png`."""
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _seconds(value: Any, key: str) -> float | None:
    if missing(value):
        return None
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{key} is {value!r}, not a number of seconds") from None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def missing(value: Any) -> bool:
    return value is None or value != value or value in ("", b"")  # NaN is unequal to itself


def _as_file(value: Any, scratch: Path) -> Path | None:
    """A file with the content of bytes or of a `data:` URI; None for a path."""
    if isinstance(value, str) and not value.startswith("data:"):
        return None
    if isinstance(value, str):
        try:
            value = base64.b64decode(value.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not valid base64 ({error})") from None
    path = scratch / "value"
    path.write_bytes(bytes(value))
    return path
