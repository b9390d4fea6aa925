"""One long table of recordings: a row for each moment, a column that says which recording it is of (the key), one with
the time, and columns of numbers, which are its channels. Each recording becomes a file, and a row; or, cut into
windows, a row for each window.

What is the same in all rows of a recording, such as its label, becomes a cell of its row. Fewer than three recordings
are cut into stretches, each a file and a group of windows: otherwise there would be too few for the sides of a split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise

import numpy as np
import pyarrow as pa

from trivium.data.sources import rows as read
from trivium.importing import moments
from trivium.importing.asked import Asked, Inline, Row, Rows
from trivium.importing.moments import Part
from trivium.modalities.recordings import clock
from trivium.modalities.recordings.written import content
from trivium.settings.errors import UserError

WORDS = "one long table of recordings (a row for each moment)"
NAME = "series"  # of the column that names the files
KEYS = ("seriesid", "series", "recordingid", "recording", "recordid", "record", "sequenceid", "sequence", "trialid",
        "trial", "episodeid", "episode", "runid", "run", "sessionid", "session", "subjectid", "subject", "patientid",
        "patient", "deviceid", "device", "machineid", "machine", "engineid", "engine", "unitid", "unit", "sampleid",
        "sample", "key", "id")
LABELS = ("label", "labels", "target", "class", "category", "y")
GROUPS = ("group", "speaker", "subject", "patient", "session", "user")
LOOK = 20_000  # rows that tell what the table is
MANY = 8  # rows of each key, on average, at least
FEW = 3  # recordings that a split needs, one for each side
STRETCHES = 50  # that fewer are cut into, at most: enough for shares of 15 %
OVERLAPPING = 4  # windows that a stretch holds, at least, where they overlap: one is lost at each border


@dataclass(frozen=True)
class Roles:
    """Names of columns. key: "" where all is one recording;  fixed: the same in all rows of a recording."""

    key: str
    time: str
    channels: tuple[str, ...]
    fixed: tuple[str, ...]
    label: str = ""  # of `fixed`, or one that changes within a recording


def knows(asked: Asked) -> bool:
    """Whether somebody says so (`--key`, `--window`), or its columns do."""
    if not asked.path.is_file() or asked.path.suffix.lower() not in (".csv", ".tsv", ".parquet"):
        return False
    if asked.key or asked.window:
        return True
    names = read.columns(asked.path)
    if not (time := clock.column(names)):
        return False
    plain = {_plain(name): name for name in names}
    keys = [plain[one] for one in KEYS if one in plain and plain[one] != time]
    head = moments.head(asked.path, names, LOOK)
    if any(len(head[name].unique()) == len(head) for name in keys):  # each row is a sample
        return False
    if keys:
        return _is_key(head, keys[0], time)
    others = [name for name in names if name != time and pa.types.is_string(head[name].type)
              and _is_key(head, name, time)]
    if others:  # the finest of them; not sure enough to go by
        key = max(others, key=lambda name: len(head[name].unique()))
        asked.note(f"each row is taken for a sample. If one `{key}` is a sample, and its rows are moments of a "
                   f"recording, add `--key {key} --time {time}`.")
    return False


def _is_key(head: Part, key: str, time: str) -> bool:
    """Whether rows with the same `key` are moments one after the other."""
    if len(head) < MANY * len(head[key].unique()):
        return False
    same = [part for part in _parts(head, key) if len(part) > 1]
    seconds = [moments.seconds(time, part[time]) for part in same]
    rising = [one is not None and bool((np.diff(one) > 0).mean() > 0.9) for one in seconds]
    return bool(same) and sum(rising) > 0.9 * len(same) and bool(_channels(head, key, time))


def rows(asked: Asked) -> Rows:
    """id, what is fixed, `series`; of windows `start`, `end` and `group` besides. Raises: UserError."""
    roles = _roles(asked)
    changed = stretches = 0
    parts = moments.parts(asked.path, roles.key, [roles.time, *roles.channels, *roles.fixed,
                                                  *([roles.label] if roles.label else [])])
    first = list(islice(parts, FEW))
    few = len(first) < FEW and bool(asked.window) and not asked.whole
    for key, part in chain(first, parts):
        row: Row = {"id": key}
        for name in roles.fixed:
            there = part[name].drop_null().unique()
            changed += len(there) > 1
            row[name] = there[0].as_py() if len(there) else None
        if not asked.window:
            if roles.label:
                row[roles.label] = _label(part, roles, key, asked)
            yield row | {NAME: Inline(content(_written(part, roles)), "series.arrow")}
            continue
        count = 0
        for number, piece in enumerate(_stretches(part, roles, asked, STRETCHES // len(first)) if few else [part], 1):
            stretches += 1
            group = f"{key}-{number:02d}" if few else key if roles.key else ""
            for one in _windows(row, piece, roles, group, asked):
                count += 1
                yield one | ({"id": f"{key}-{count:05d}"} if "start" in one else {})
    if changed:
        asked.note(f"in {changed:,} recordings a column that is the same in others changes; its first value is taken.")
    asked.note(f"channels: {', '.join(roles.channels[:20])}; time: `{roles.time}`; "
               + (f"a row for each `{roles.key}`" if roles.key else "all is one recording")
               + (f", cut into windows of {asked.window:g} s every {asked.step or asked.window:g} s." if asked.window
                  else "."))
    if few:
        asked.note(f"fewer than {FEW} recordings cannot be split, so they are cut into {stretches} stretches, each on "
                   "one side" + ("; windows that would reach into the next are left out" if _overlap(asked) else "")
                   + ". Neighbours may be alike, so results are better than on a new recording. `split.method: time` "
                   "tests on the end.")


def _overlap(asked: Asked) -> bool:
    return 0 < asked.step < asked.window


def _stretches(part: Part, roles: Roles, asked: Asked, most: int) -> Iterator[Part]:
    """A recording in pieces of whole windows, one after the other; as it is, where its times cannot be read."""
    seconds = moments.seconds(roles.time, part[roles.time])
    if seconds is None or len(seconds) < 2 or (np.diff(seconds) <= 0).any():
        yield part
        return
    step = asked.step or asked.window
    windows = max(1, int((seconds[-1] - seconds[0] + np.median(np.diff(seconds)) - asked.window) / step + 1.5))
    each = max(OVERLAPPING if _overlap(asked) else 1, -(-windows // most))
    last = asked.window if _overlap(asked) else step
    begins = np.arange(seconds[0], seconds[-1], (each - 1) * step + last)
    for a, b in pairwise([*np.searchsorted(seconds, begins - 1e-9), len(seconds)]):
        if b > a:
            yield {name: cells.slice(int(a), int(b - a)) for name, cells in part.items()}


def _written(part: Part, roles: Roles) -> dict[str, pa.Array]:
    unit = clock.unit(roles.time)
    made = {"time" + (f"_{unit}" if unit else ""): moments.time(part[roles.time])}
    return made | {name: moments.numbers(part[name]) for name in roles.channels}


def _label(part: Part, roles: Roles, key: str, asked: Asked) -> object:
    found = part[roles.label].drop_null().unique()
    if len(found) > 1:
        raise UserError(f"{asked.source}: the `{roles.label}` of `{key}` changes from `{found[0]}` to `{found[1]}`, so "
                        "a recording has several. Cut it into windows, each with its own: `--window SECONDS`.")
    return found[0].as_py() if len(found) else None


def _windows(row: Row, part: Part, roles: Roles, group: str, asked: Asked) -> Iterator[Row]:
    file = Inline(content(_written(part, roles)), "series.arrow")
    seconds = moments.seconds(roles.time, part[roles.time])
    if seconds is None or not len(seconds) or (np.diff(seconds) <= 0).any():
        yield row | {NAME: file}  # `validate` says why it cannot be read
        return
    usual = float(np.median(np.diff(seconds))) if len(seconds) > 1 else asked.window
    known = any(_plain(name) in GROUPS for name in roles.fixed) and group == row["id"]
    groups = {"group": group} if group and not known else {}
    last, count = float(seconds[-1]) + usual, 0
    while (start := float(seconds[0]) + count * (asked.step or asked.window)) + asked.window <= last + usual / 2:
        a, b = np.searchsorted(seconds, [start - 1e-9, start + asked.window - 1e-9])
        count += 1
        if b <= a:
            continue
        own: Row = {"time": moments.moment(part[roles.time][int(a)])} if group not in ("", row["id"]) else {}
        if roles.label:
            told = part[roles.label].slice(int(a), int(b - a)).drop_null().value_counts()
            best = max(told, key=lambda one: one["counts"].as_py(), default=None)
            own[roles.label] = best["values"].as_py() if best is not None else None
        yield row | own | {NAME: file, "start": round(start, 9), "end": round(start + asked.window, 9)} | groups


def _roles(asked: Asked) -> Roles:
    """Raises: UserError (no such column, no time, no channel, a window that is none)."""
    if asked.window < 0 or asked.step < 0 or (asked.step and not asked.window):
        raise UserError("`--window` and `--step` are seconds above 0, and a step needs a window.")
    path, names = asked.path, read.columns(asked.path)
    wanted = {"key": asked.key, "time": asked.time, "label": asked.label}
    given = {what: read.named(column, names, path) for what, column in wanted.items() if column}
    if lacking := [what for what, found in given.items() if not found]:
        raise UserError(f"{path} has no column `{getattr(asked, lacking[0])}`, which `--{lacking[0]}` names. It has "
                        f"{', '.join(names)}.")
    time = given.get("time") or clock.column(names)
    if not time:
        raise UserError(f"{path} has no column that is called like a time: name it with `--time COLUMN`. It has "
                        f"{', '.join(names)}.")
    plain = {_plain(name): name for name in names if name != time}
    key = given.get("key") or next((plain[one] for one in KEYS if one in plain), "")
    head = moments.head(path, names, LOOK)
    channels = _channels(head, key, time)
    label = given.get("label") or next((plain[one] for one in LABELS if one in plain), "")
    channels = tuple(name for name in channels if name != label)
    for name in (name for name in names if name not in (key, time, label) and _changes(head, key, name)):
        some = [cell for cell in head[name].drop_null()[:50].to_pylist() if isinstance(cell, str)]
        if some and all(map(clock.UNIT.match, some)):
            raise UserError(f"{path}: the column `{name}` holds numbers with a unit, such as `{some[0]}`: write "
                            f"numbers alone, and the unit into the name of the column, as in `{name} (mV)`.")
    if not channels:
        raise UserError(f"{path} has no column of numbers that change within a recording: there is no channel.")
    rest = [name for name in names if name not in (key, time, label, *channels)]
    fixed = [name for name in rest if not _changes(head, key, name)] if key else []
    if spare := [name for name in rest if name not in fixed]:
        asked.note(f"left out, since it changes within a recording and is no number: {', '.join(spare)}.")
    return replace(Roles(key, time, channels, tuple(fixed)), label=label)


def _channels(head: pa.Table, key: str, time: str) -> tuple[str, ...]:
    return tuple(name for name in head.column_names if name not in (key, time) and moments.numeric(head[name])
                 and _changes(head, key, name))


def _changes(head: pa.Table, key: str, name: str) -> bool:
    """Whether a column has several values within most of the recordings, or in all that there is."""
    parts = [part for part in _parts(head, key) if len(part) > 1]
    return 2 * sum(len(part[name].drop_null().unique()) > 1 for part in parts) > len(parts)


def _parts(head: pa.Table, key: str) -> list[pa.Table]:
    """The head by key, as far as keys stand together; 50 at most."""
    if not key:
        return [head]
    code = head[key].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
    order = np.argsort(code, kind="stable")
    begins = np.flatnonzero(np.diff(code[order], prepend=code[order][:1] - 1))
    ends = np.append(begins[1:], len(order))
    return [head.take(pa.array(order[a:b])) for a, b in list(zip(begins, ends, strict=True))[:50]]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
