"""From raw values to answers with torch: a trained model, and what its inputs went through.

A stream whose value cannot be used, such as a damaged picture, is left out, as one that a sample does not have: the
answer is that of the others, with a warning. Where none is left that the model reads, there is no answer, but an error.
`trivium.runtime` does the same with an exported model.
"""

from __future__ import annotations

import base64
import difflib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.data.meta import Meta
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.runtime.answering import Answering
from trivium.runtime.inputs import Inputs
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.serving.together import Together

PREPARED = "inputs.json"  # beside the model in a package: see `preparation`


class Predictor(Answering):
    """`model`: as `trivium.models.load` gives it;  `prepared`: what `preparation` found."""

    def __init__(self, model: Any, prepared: Mapping[str, Any]) -> None:
        self.model, self.task, self.seed = model, model.task, int(prepared.get("seed", 0))
        self.inputs = Inputs(prepared["streams"], model.streams)
        self.streams, self.read = self.inputs.streams, tuple(model.readers)

    @classmethod
    def of_strategy(cls, root: Path, strategy: str) -> Predictor | Together:
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

    @classmethod
    def of_package(cls, folder: str | Path) -> Predictor:
        """What `trivium.serving.package.write` made: stands alone, wherever it lies."""
        from trivium import models

        return cls(models.load(folder), read_json(Path(folder) / PREPARED))

    def computed(self, inputs: dict[str, np.ndarray], present: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            tensors = {s: torch.from_numpy(x) for s, x in inputs.items()}
            return self.task.stored(self.model(tensors, torch.from_numpy(present)))


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
    its columns are scaled by); where its texts are anonymised, by which rules; and where placeholders were taken for
    missing, their digests.

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
    meta = Meta.checked(read_json(store.folder / "features.json")["meta"], store.folder)
    anonymised, placeholders = meta.anonymised or {}, meta.placeholders or {}
    for s in anonymised.keys() & streams.keys():
        streams[s]["anonymised"] = anonymised[s].rules.model_dump(mode="json")
    for s in placeholders.keys() & streams.keys():
        streams[s]["placeholders"] = list(placeholders[s])
    return {"seed": seed, "streams": streams}


def data_uri(file: Path | io.BytesIO, kind: str) -> str:
    """The file's content as a `data:` URI, e.g. of kind `image/png`."""
    content = file.read_bytes() if isinstance(file, Path) else file.getvalue()
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
