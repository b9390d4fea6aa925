"""`trivium predict`: labels for one sample or for a table."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa

from trivium.data.sources import rows
from trivium.data.sources.manifest import TIMES, is_written, relative
from trivium.serving.predictor import BATCH, Predictor, Value
from trivium.settings.errors import UserError

SHOWN = 5  # most probable classes of a single sample


def predict_sample(root: Path, strategy: str, sample: Mapping[str, Value]) -> str:
    """The most probable classes, one a line. Paths are relative to the current folder. Raises: UserError."""
    predictor = Predictor.of_strategy(root, strategy)
    useless = [m for m, value in sample.items() if value and m not in predictor.streams]
    if useless:
        raise UserError(f"{strategy} was trained without {', '.join(useless)}: "
                        f"it knows {', '.join(predictor.streams)}.")
    found = predictor.probabilities([sample])[0]
    _warn_of_guesses(predictor, strategy, [sample])
    lines = [f"{predictor.classes[k]}  {found[k]:.3f}" for k in (-found).argsort(kind="stable")[:SHOWN]]
    return "\n".join(lines)


def predict_table(root: Path, strategy: str, manifest: Path, out: Path | None) -> None:
    """CSV to `out`, or to standard output: id, label, probability of each class. Raises: UserError."""
    from trivium.machine.progress import Progress

    predictor = Predictor.of_strategy(root, strategy)
    samples = read(manifest, list(predictor.streams), _names(root)).to_pylist()
    _warn_of_guesses(predictor, strategy, samples)
    keys = [sample.pop("id", row) for row, sample in enumerate(samples, 1)]
    if out and (out.is_dir() or not out.parent.is_dir()):
        raise UserError(f"--out {out} " + ("is a folder: name a file in it." if out.is_dir() else
                                           f"cannot be written: there is no folder {out.parent}."))
    scratch = out.with_name(out.name + ".part") if out else None
    header = ["id", "label", *(f"probability_{label}" for label in predictor.classes)]
    try:
        with scratch.open("w", encoding="utf-8", newline="") if scratch else nullcontext(sys.stdout) as file, \
                Progress(f"predict {strategy}", len(samples), "row") as progress:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(header)
            for start in range(0, len(samples), BATCH):
                found = predictor.probabilities(samples[start:start + BATCH], manifest.parent, first=start)
                for key, one in zip(keys[start:], found, strict=False):
                    table.writerow([key, predictor.classes[one.argmax()], *(f"{p:.6f}" for p in one)])
                progress.add(len(found))
        if scratch and out:
            scratch.replace(out)
    finally:
        if scratch:
            scratch.unlink(missing_ok=True)


def _warn_of_guesses(predictor: Predictor, strategy: str, samples: Sequence[Mapping[str, Value]]) -> None:
    """Say how many samples have nothing that the model reads."""
    empty = sum(not any(sample.get(m) for m in predictor.read) for sample in samples)
    if empty:
        print(f"note: {empty:,} of {len(samples):,} samples have no {' or '.join(predictor.read)}, and {strategy} "
              "reads nothing else: for these it answers without having seen anything.", file=sys.stderr)


def read(path: Path, modalities: Sequence[str], names: Mapping[str, str] | None = None) -> pa.Table:
    """What a CSV, JSONL or Parquet file, read as `ingest` does, has of `id`, the modalities, `start` and `end`.

    names: what params.yaml calls the columns ("text": "caption"). Raises: UserError.
    """
    known = rows.columns(path)
    named = {key: key if key in known else (names or {}).get(key) for key in ("id", *modalities, *TIMES)}
    chosen = {key: name for key, name in named.items() if name in known}
    if not chosen.keys() & set(modalities):
        raise UserError(f"{path} has none of the columns {', '.join(modalities)}; it has {', '.join(known)}.")
    table = rows.read(path, sorted(set(chosen.values())))
    found = {key: table[name] for key, name in chosen.items()}
    for m in (m for m in modalities if m in found and not is_written(m)):
        found[m] = pa.array([value and relative(value, path.parent) for value in found[m].to_pylist()], pa.string())
    return pa.table(found)


def _names(root: Path) -> dict[str, str]:
    """What `data.manifest` in params.yaml calls the columns."""
    from trivium.data.tables import read_yaml

    data = read_yaml(root / "params.yaml").get("data", {})
    named = data.get("manifest", {})
    return {key: name for key in ("id", *data.get("modalities", ()), *TIMES) if (name := named.get(key, ""))}
