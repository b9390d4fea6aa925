"""`trivium predict`: answers to one sample or to a table."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trivium.runtime import away, table
from trivium.runtime.values import TIMES
from trivium.serving import beside, joined
from trivium.serving.predictor import Predictor
from trivium.settings.errors import UserError


def predict_sample(root: Path, strategy: str, sample: Mapping[str, str | None]) -> str:
    """See `table.sample`. Raises: UserError."""
    return table.sample(Predictor.of_strategy(root, strategy), sample, strategy)


def predict_table(root: Path, strategy: str, manifest: Path, out: Path | None) -> int:
    """See `table.write`; where streams have tables of their own, also `joined`.

    Raises: UserError (no row has an answer; the file or the strategy cannot be used).
    """
    answering = Predictor.of_strategy(root, strategy)
    with away.decoding():
        if joined.tabled(root):
            with tempfile.TemporaryDirectory(prefix="trivium-") as scratch:
                rows, home = joined.join(root, manifest, answering, Path(scratch))
                look = beside.of(root, answering, answering.seed, home)
                return table.answer(answering, rows, home, out, f"predict {strategy}", look, rows.why)
        look = beside.of(root, answering, answering.seed, manifest.parent)
        return table.write(answering, manifest, out, f"predict {strategy}", _names(root), look)


def predict_source(root: Path, strategy: str, source: str, out: Path | None, key: str = "", time: str = "",
                   window: float = 0.0, step: float = 0.0) -> int:
    """As `predict_table`, of new rows in any form that `importing.table` reads; what follows `out` is for its long
    tables.
    """
    from trivium import importing
    from trivium.data.sources import rows

    path = Path(source)
    plain = path.is_file() and path.suffix.lower() in rows.KINDS
    if plain and not (key or window) and (joined.tabled(root) or not importing.of_series(path)):
        _refuse_log(root, path)
        return predict_table(root, strategy, path, out)
    with tempfile.TemporaryDirectory(prefix="trivium-") as scratch:
        found = importing.table(source, Path(scratch) / "rows", key=key, time=time, window=window, step=step,
                                whole=True)
        print(*(f"note: {words}" for words in (f"{source} is {found.form}", *found.notes)), sep="\n", file=sys.stderr)
        return predict_table(root, strategy, found.path, out)


def _refuse_log(root: Path, path: Path) -> None:
    """Raises: UserError (it has a row for each moment and no key; the model reads series and nothing else)."""
    from trivium.data.sources import rows
    from trivium.data.tables import read_yaml
    from trivium.modalities.recordings import clock

    streams = read_yaml(root / "params.yaml").get("data", {}).get("streams", {})
    columns = rows.columns(path)
    if (all(one["modality"] == "series" for one in streams.values()) and clock.column(columns)
            and not any(rows.named(one.get("column") or s, columns, path) for s, one in streams.items())):
        raise UserError(f"{path} has no column {' or '.join(streams)}, but a time: if its rows are moments, add "
                        "`--key COLUMN`, which says what recording each is of, or `--window SECONDS`, with which the "
                        "recordings of training were cut.")


def _names(root: Path) -> dict[str, str]:
    """What params.yaml calls the columns."""
    from trivium.data.tables import read_yaml

    data = read_yaml(root / "params.yaml").get("data", {})
    named = {key: data.get("manifest", {}).get(key, "") for key in ("id", *TIMES)}
    return named | {s: stream.get("column") or s for s, stream in data.get("streams", {}).items()}
