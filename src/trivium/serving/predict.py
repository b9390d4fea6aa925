"""`trivium predict`: labels for one sample or for a table."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.data.sources.manifest import TIMES
from trivium.errors import UserError
from trivium.serving.predictor import BATCH, Predictor, Value

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5  # most probable classes of a single sample


def predict_sample(root: Path, strategy: str, sample: Mapping[str, Value]) -> str:
    """The most probable classes, one a line. Paths are relative to the current folder. Raises: UserError."""
    predictor = Predictor.of_strategy(root, strategy)
    useless = [m for m, value in sample.items() if value and m not in predictor.modalities]
    if useless:
        raise UserError(f"{strategy} was trained without {', '.join(useless)}: "
                        f"it knows {', '.join(predictor.modalities)}.")
    found = predictor.probabilities([sample])[0]
    lines = [f"{predictor.classes[k]}  {found[k]:.3f}" for k in found.argsort(kind="stable")[::-1][:SHOWN]]
    return "\n".join(lines)


def predict_table(root: Path, strategy: str, manifest: Path, out: Path | None) -> None:
    """CSV to `out`, or to standard output: id, label, probability of each class. Raises: UserError."""
    from trivium.progress import Progress

    predictor = Predictor.of_strategy(root, strategy)
    frame = read(manifest, predictor.modalities, _names(root))
    known = [name for name in (*predictor.modalities, *TIMES) if name in frame]
    keys = frame["id"].tolist() if "id" in frame else list(range(1, len(frame) + 1))
    rows = frame[known].to_dict("records")
    scratch = out.with_name(out.name + ".part") if out else None
    header = ["id", "label", *(f"probability_{label}" for label in predictor.classes)]
    try:
        with scratch.open("w", encoding="utf-8", newline="") if scratch else nullcontext(sys.stdout) as file, \
                Progress(f"predict {strategy}", len(rows), "row") as progress:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(header)
            for start in range(0, len(rows), BATCH):
                found = predictor.probabilities(rows[start:start + BATCH], manifest.parent, first=start)
                for key, one in zip(keys[start:], found, strict=False):
                    table.writerow([key, predictor.classes[one.argmax()], *(f"{p:.6f}" for p in one)])
                progress.add(len(found))
        if scratch and out:
            scratch.replace(out)
    finally:
        if scratch:
            scratch.unlink(missing_ok=True)


def read(path: Path, modalities: Sequence[str], names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A CSV, JSONL or Parquet file with `id`, the modalities and `start` and `end` as columns, empty cells as None.

    names: what params.yaml calls the columns ("text": "caption"). Raises: UserError.
    """
    import pandas as pd

    readers: dict[str, Any] = {
        ".csv": lambda: pd.read_csv(path, dtype=str, keep_default_na=False),
        ".jsonl": lambda: pd.read_json(path, lines=True, dtype=False), ".parquet": lambda: pd.read_parquet(path)}
    if not path.is_file():
        raise UserError(f"{path} does not exist.")
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: a table is a .csv, .jsonl or .parquet file.")
    try:
        frame = readers[path.suffix.lower()]()
    except (ValueError, OSError) as error:  # of pandas and Arrow too
        raise UserError(f"{path} cannot be read: {error}") from None
    renamed = {name: key for key, name in (names or {}).items() if name in frame and key not in frame}
    frame = frame.rename(columns=renamed)
    if not any(m in frame for m in modalities):
        raise UserError(f"{path} has none of the columns {', '.join(modalities)}; it has {', '.join(map(str, frame))}.")
    return frame


def _names(root: Path) -> dict[str, str]:
    """What `data.manifest` in params.yaml calls the columns."""
    from trivium.config import load

    config = load(root / "params.yaml").data
    return {key: name for key in ("id", *config.modalities, *TIMES) if (name := getattr(config.manifest, key, ""))}
