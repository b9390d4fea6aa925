"""A manifest of somebody's own, and what ingest makes of it."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trivium import tasks
from trivium.data import tables
from trivium.data.settings import Manifest, Stream
from trivium.data.sources.manifest import write

MODALITIES = {"photo": "image", "scan": "image", "low": "audio", "high": "audio"}  # of streams that are not called so


def save(rows: list[dict[str, Any]], name: str = "m.csv") -> str:
    path = Path("mine") / name
    if name.endswith("sv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if name.endswith("tsv") else ",")
            writer.writeheader()
            writer.writerows(rows)
    elif name.endswith("l"):
        path.write_text("\n".join(json.dumps({k: v or None for k, v in row.items()}) for row in rows), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return str(path)



def ingest(file: str, streams: tuple[str, ...] = ("text",), task: str = "classification",
           **changes: Any) -> dict[str, list[dict[str, Any]]]:
    """The tables of `file`, whose columns have the usual names but for `changes`."""
    names = {name: changes.get(name, name) for name in Manifest.model_fields if name != "outside"} | {
        "path": changes.get("path", file), **{name: changes.get(name, "") for name in ("weight", "unlabelled")}}
    chosen = {s: Stream(modality=MODALITIES.get(s, s), column=changes.get(s, "")) for s in streams}
    write(Path("raw"), Manifest(**names), 0, chosen, tasks.kind(task))
    return {s: tables.read(f"raw/{s}.parquet").to_pylist() for s in ("labels", *streams)}


def labels(path: str) -> list[str | None]:
    return [row["label"] for row in ingest(path)["labels"]]
