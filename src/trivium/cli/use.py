"""`trivium use DATA`: write into params.yaml what makes the pipeline run on DATA, keeping comments and all the rest.

DATA is `digits`, `symbols` (with a world: `digits:mixed`), `cells`, `waves`, `stamps` (`stamps:fr,es`) or the
path of a manifest. For a manifest the columns are found by their names and values, what is predicted by those of the
label, and the sizes of each encoder's processor by a look at the data; those with published weights are told what they
may be told. Columns that nothing else takes become a table.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from trivium import modalities as kinds
from trivium.cli import carried, columns, edit, enough, facts, gone, sizes, suggested, targets
from trivium.cli.watched import seen, watch
from trivium.data import moments
from trivium.data import settings as known
from trivium.data.settings import STREAMS
from trivium.data.sources import rows
from trivium.data.sources.manifest import REQUIRED, TIMES, find
from trivium.data.sources.places import gathered, on_disk, outside, refuse_outs
from trivium.data.sources.worlds import NAMES
from trivium.params import parse, refuse_empty, refuse_old
from trivium.settings.errors import UserError

CARD = "data/README.md"  # what DVC watches where the data is made here
OFFERED = {s: {"modality": s} for s in STREAMS}
CELLS = {s: {"modality": modality} for s, modality in known.OFFERED["cells"].items()}
WAVES = {s: {"modality": modality} for s, modality in known.OFFERED["waves"].items()}
BOOSTED = {"start": "simple", "strategy": "boosting", "title": "Boosted trees"}  # what a table is to be held to


class Lacks(UserError):
    """A table has no column for what must be there. lacking: `id`, `label`;  names: of the columns that it has."""

    def __init__(self, lacking: Sequence[str], names: Sequence[str], words: str) -> None:
        super().__init__(words)
        self.lacking, self.names = tuple(lacking), tuple(names)


def use(what: str, params: str | Path = "params.yaml", labels: Sequence[str] = (), weight: str | None = None) -> None:
    """Edit `params` in place so that the pipeline runs on `what`, and print what was set.

    labels, weight: columns of a table. Raises: UserError (no such source, world, file or column; no column for the id,
    the label or any stream).
    """
    print(said(edited(what, Path(params), labels, weight, save=True), f"{params} now says"))


def said(changes: Mapping[str, Any], words: str) -> str:
    """The settings below `words`, one a line."""
    return "\n  ".join((words, *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in changes.items())))


def edited(what: str, params: Path, labels: Sequence[str], weight: str | None, save: bool) -> dict[str, Any]:
    """What `params` has to say so that the pipeline runs on `what`. save: whether it then says so. Raises: as `use`."""
    yaml, settings = edit.load(params)
    refuse_empty(settings, str(params))
    refuse_old(settings, str(params))
    name, _, variant = what.partition(":")
    if name in ("digits", "symbols", "waves", "stamps") and (labels or weight):
        raise UserError(f"--label and --weight name columns of a table, and `{name}` brings its own labels.")
    if name in ("digits", "symbols"):
        changes = _world(name, variant, settings)
    elif name == "cells":
        suits = sizes.processors({"text": sizes.SYMBOLS["text"]}, settings)
        changes = {"data.streams": CELLS} | suits | _boosted(settings)
    elif name == "waves":
        changes = {"data.streams": WAVES} | sizes.processors(sizes.WAVES, settings)
    elif name == "stamps":
        changes = {"data.stamps.language": variant} if variant else {}
        changes |= {"data.streams": OFFERED} | sizes.processors(sizes.STAMPS, settings)
    else:
        changes = _manifest(Path(what), params.parent, settings, labels, weight)
        name = "manifest"
    changes = {"data.source": name, "data.watch": CARD, "task": "classification"} | changes
    before = settings["data"]["source"], settings["data"]["manifest"]["path"]
    other = (name, changes.get("data.manifest.path", before[1])) != before
    if other and settings["split"].get("held_out_domain"):
        changes["split.held_out_domain"] = ""  # the name of a domain of the data that was there before
    old, new = (targets.name(one) for one in (settings.get("task", "classification"), changes["task"]))
    if old != new and settings["compare"].get("metric", "auto") != "auto":
        changes["compare.metric"] = "auto"  # the one that was chosen is of another task
    for key, value in changes.items():
        edit.put(settings, key, value)
    parse(settings, str(params))
    if save:
        edit.save(params, yaml, settings)
    return changes


def _world(source: str, world: str, settings: Any) -> dict[str, Any]:
    if world and world not in NAMES:
        near = difflib.get_close_matches(world, NAMES, 1)
        hint = f"did you mean `{source}:{near[0]}`?" if near else f"known: {', '.join(NAMES)}."
        raise UserError(f"There is no world `{world}`; {hint}")
    chosen = {f"data.{source}.world": world} if world else {}
    return chosen | {"data.streams": OFFERED} | sizes.processors(getattr(sizes, source.upper()), settings)


def _manifest(path: Path, root: Path, settings: Any, labels: Sequence[str], weight: str | None) -> dict[str, Any]:
    configured: dict[str, Any] = settings["data"]["manifest"]
    if not path.suffix and not path.exists() and os.sep not in str(path):
        near = difflib.get_close_matches(path.name, ("digits", "symbols", "cells", "waves", "stamps"), 1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise UserError(f"There is no data `{path}`; {hint}DATA is digits, symbols, cells, waves, stamps or the path "
                        "of a CSV, JSONL or Parquet file.")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the table in it (CSV, JSONL or Parquet, one row per sample), or let "
                        f"`trivium import {path}` make one of it.")
    names = rows.columns(path)
    if carried.clocked(path, root, settings["data"]):
        for words in suggested.notes(settings, root):
            print(f"note: {words}")
        watched = settings["data"]["watch"]
        return {"data.manifest.path": seen(root, path), "task": settings.get("task", "classification"),
                "data.watch": watched if watched != CARD else watch(path, {path.name}, root)}
    chosen, named = _chosen(path, settings["data"], root)
    target = targets.label_columns(path, names, labels, chosen.get("label"))
    weight = find(path, names, weight, "--weight") if weight else rows.named(configured.get("weight", ""), names, path)
    chosen = {what: column for what, column in chosen.items() if what != "label"} | (
        {"label": target[0]} if target else {})
    apart = {*target[1:], *([weight] if weight else [])}
    needed = columns.about(path, names, chosen, apart)
    if lacking := [what for what in REQUIRED if what not in needed]:
        what, keys = " and ".join(lacking), " and ".join(f"data.manifest.{one}" for one in lacking)
        short = f" with `trivium use {path} --label COLUMN`, or" if "label" in lacking else ""
        raise Lacks(lacking, names, f"{path} has no column that looks like the {what}. It has {', '.join(names)}: "
                    f"rename one to `{'`, another to `'.join(lacking)}`, or name it{short} as {keys} in params.yaml.")
    kept = {s: (modality, column) for s, (modality, column) in columns.named(path, names, named).items()
            if column not in {*(needed[what] for what in REQUIRED), *apart}}
    found = columns.about(path, names, chosen, {*apart, *(column for _, column in kept.values())})
    target = target or [found["label"]]
    tables = facts.kept(path, names, settings["data"].get("streams") or {})
    held = {rows.named(column, names, path) or column for own in tables.values() for column in own}
    found = {what: column for what, column in found.items() if column not in held or what in REQUIRED}
    streams = columns.streams(path, names, kept, {*found.values(), *held, *apart})
    when, dated = columns.time(path, names, configured.get("time", ""), {
        *found.values(), *apart, *(column for _, column in streams.values())})
    if not tables:
        taken = {*found.values(), *apart, *(column for _, column in streams.values())}
        taken |= {when} if when and any(one in found for one in TIMES) else set()  # when it was cut is no fact
        tables = _facts(path, names, taken, settings)
        held = {column for own in tables.values() for column in own}
    if not streams and not tables:
        raise UserError(f"{path} has no column with a value for {', '.join(kinds.names())}. It has {', '.join(names)}: "
                        "name one of them as the `column` of a stream, under data.streams in params.yaml.")
    table = rows.read(path, sorted({column for _, column in streams.values()}))
    files = {on_disk(value, path.parent) for modality, column in streams.values() if not kinds.is_written(modality)
             for value in table[column].unique().drop_null().to_pylist()} - {""}
    refuse_outs(path, files, root)
    if away := gathered(outside(path, files)):
        print(f"note: files outside of the table's folder are read, too: those in {', '.join(away)}, as "
              "data.manifest.outside in params.yaml says. Others outside are refused.")
    for words in gone.notes(path, streams, table):
        print(f"note: {words}")
    used = {*found.values(), *apart, *(column for _, column in streams.values()), *held, when}
    if spare := [name for name in names if name not in used]:
        print(f"note: not used: {', '.join(spare)}. To use one, name it in params.yaml: as the column of a stream "
              "(data.streams), or under data.manifest (rows of one `group`, such as a speaker, are never on two sides "
              "of a split).")
    if dated:
        print(f"note: {dated}")
        found |= {"time": when} if when else {}
    # What the file does not have goes back to its usual name, which may be absent.
    lost = {what: what if what != "key" else "" for what, column in configured.items()
            if what not in (*found, "path", "weight", "outside") and chosen.get(what, column) not in ("", what)
            and not (what == "time" and rows.named(column, names, path))}
    as_said = {what: column for what, column in found.items() if column == chosen.get(what) and not (
        what == "label" and labels)}
    for what, column in (as_said | {s: column for s, (_, column) in kept.items()}).items():
        if column != what and what in names:
            print(f"note: the {what} is read from `{column}`, as params.yaml says, though {path} has a `{what}` too.")
    if (place := seen(root, path)).startswith("../"):
        print(f"note: {place} is outside of this repository, where experiments of `dvc exp run --queue` do not find "
              f"it: for these, `trivium use {path.resolve()}`.")
    values: dict[str, list[pa.ChunkedArray]] = {}
    for modality, column in streams.values():
        values.setdefault(modality, []).append(table[column])
    label: str | list[str] = target if len(target) > 1 else target[0]
    same = (settings["data"]["source"], configured["path"], configured["label"]) == ("manifest", place, label)
    cells = rows.read(path, target, target)
    labelled = {name: cells[name] for name in target}
    task = targets.settled(labelled, settings.get("task", "classification"), same)
    fewest, limit = (settings["validate"][key] for key in ("min_class_count", "max_bad_fraction"))
    few = enough.notes(path, found["id"], any(one in found for one in TIMES), limit)
    few += enough.of_labels(labelled, task, fewest, limit)
    print(*(f"note: {words}\n" for words in few), sep="", end="")
    return {
        "task": task,
        "data.watch": watch(path, files, root),
        "data.streams": carried.anonymised({s: {"modality": modality} | ({"column": column} if column != s else {})
                                            for s, (modality, column) in streams.items()}
                                           | {s: {"modality": "table", "columns": own} for s, own in tables.items()},
                                           settings["data"].get("streams") or {}),
        "data.manifest.path": place,
        **({"data.manifest.outside": away} if away or configured.get("outside") else {}),
        **{f"data.manifest.{what}": column for what, column in (found | lost | {"label": label}).items()},
        **({"data.manifest.weight": weight or ""} if weight or configured.get("weight") else {}),
        **sizes.processors(sizes.suit(values, path.parent, _spans(path, found)), settings),
        **(_boosted(settings) if tables else {}),
    }


def _facts(path: Path, names: list[str], taken: set[str], settings: Any) -> dict[str, list[str]]:
    """The columns that nothing else takes, as one table; {} where there is none."""
    found = facts.find(path, [name for name in names if name not in taken])
    if found.taken and not facts.read_everywhere(settings):
        print(f"note: {', '.join(found.taken)} could be a table: give each recipe under `pretrain` an encoder for it, "
              "such as {table: rows} with encoder.rows: {modality: table, architecture: ft_transformer}.")
        return {}
    print(*found.words, sep="\n", end="\n" if found.words else "")
    return {facts.NAME: list(found.taken)} if found.taken else {}


def _boosted(settings: Any) -> dict[str, Any]:
    """Trees on simple features among the strategies, where they are not there yet."""
    there = any(isinstance(one, Mapping) and one.get("strategy") == "boosting" for one in settings["train"].values())
    return {} if there or "simple" not in settings["pretrain"] else {"train.boosted": BOOSTED}


def _chosen(path: Path, data: Any, root: Path) -> tuple[dict[str, Any], columns.Streams]:
    """The names of columns in params.yaml, and the streams, without those that a look at another table gave."""
    configured: dict[str, Any] = data["manifest"]
    streams = {str(s): (str(one["modality"]), str(one.get("column") or s))
               for s, one in (data.get("streams") or {}).items() if isinstance(one, Mapping) and "modality" in one
               and one["modality"] != "table"}
    before = root / configured["path"]
    if not configured["path"] or before.resolve() == path.resolve():
        return configured, streams
    try:
        names = rows.columns(before)
        given = columns.about(before, names, {})
    except UserError:  # it is not there any more
        return configured, streams
    text = columns.usual_text(names)  # media are found again
    return ({what: name for what, name in configured.items() if given.get(what) != name},
            {s: one for s, one in streams.items() if one != ("text", text) or s != columns.clean(text, "text")})


def _spans(path: Path, found: dict[str, str]) -> list[float]:
    """Seconds of each row's part of its recording, where the table has both ends of it."""
    if not set(TIMES) <= found.keys():
        return []
    table = rows.read(path, [found[name] for name in TIMES])
    start, end = (moments.read(table[found[name]]) for name in TIMES)  # of what is neither, ingest says in which row
    seconds = end.value - start.value
    return seconds[np.isfinite(seconds)].tolist() if start.dates == end.dates else []
