"""`trivium predict`: answers to one sample or to a table."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trivium.runtime import table
from trivium.runtime.values import TIMES
from trivium.serving import beside, joined
from trivium.serving.predictor import Predictor


def predict_sample(root: Path, strategy: str, sample: Mapping[str, str | None]) -> str:
    """See `table.sample`. Raises: UserError."""
    return table.sample(Predictor.of_strategy(root, strategy), sample, strategy)


def predict_table(root: Path, strategy: str, manifest: Path, out: Path | None) -> int:
    """See `table.write`; where streams have tables of their own, also `joined`.

    Raises: UserError (no row has an answer; the file or the strategy cannot be used).
    """
    answering = Predictor.of_strategy(root, strategy)
    if joined.tabled(root):
        with tempfile.TemporaryDirectory(prefix="trivium-") as scratch:
            rows, home = joined.join(root, manifest, answering, Path(scratch))
            look = beside.of(root, answering, answering.seed, home)
            return table.answer(answering, rows, home, out, f"predict {strategy}", look, rows.why)
    look = beside.of(root, answering, answering.seed, manifest.parent)
    return table.write(answering, manifest, out, f"predict {strategy}", _names(root), look)


def predict_source(root: Path, strategy: str, source: str, out: Path | None) -> int:
    """As `predict_table`, of new rows in any form that `importing.table` reads."""
    from trivium import importing
    from trivium.data.sources import rows

    path = Path(source)
    plain = path.is_file() and path.suffix.lower() in rows.KINDS
    if plain and (joined.tabled(root) or not importing.of_series(path)):
        return predict_table(root, strategy, path, out)
    with tempfile.TemporaryDirectory(prefix="trivium-") as scratch:
        found = importing.table(source, Path(scratch) / "rows")
        print(*(f"note: {words}" for words in (f"{source} is {found.form}", *found.notes)), sep="\n", file=sys.stderr)
        return predict_table(root, strategy, found.path, out)


def _names(root: Path) -> dict[str, str]:
    """What params.yaml calls the columns."""
    from trivium.data.tables import read_yaml

    data = read_yaml(root / "params.yaml").get("data", {})
    named = {key: data.get("manifest", {}).get(key, "") for key in ("id", *TIMES)}
    return named | {s: stream.get("column") or s for s, stream in data.get("streams", {}).items()}
