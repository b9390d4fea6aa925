"""One long table of recordings: a row for each moment, a column that says which recording it is of (the key), one with
the time, and columns of numbers, which are its channels. Each recording becomes a file, and a row; or, cut into
windows, a row for each window.

What is the same in all rows of a recording, such as its label, becomes a cell of its row. Fewer than three recordings
are cut into stretches, each a file and a group of windows: otherwise there would be too few for the sides of a split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
import pyarrow as pa

from trivium.data.cut import FEW, Cut
from trivium.data.sources import rows as read
from trivium.data.stretches import STRETCHES
from trivium.importing import moments
from trivium.importing.asked import Asked, Inline, Row, Rows
from trivium.importing.moments import Part
from trivium.importing.windows import Windows, continuous, told
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
    others = [name for name in names if name not in (time, asked.label) and _plain(name) not in LABELS
              and pa.types.is_string(head[name].type) and _is_key(head, name, time)]
    if others:  # the finest of them; not sure enough to go by
        key = max(others, key=lambda name: len(head[name].unique()))
        asked.note(f"each row is taken for a sample. If one `{key}` is a sample, and its rows are moments of a "
                   f"recording, add `--key {key} --time {time}`.")
    elif _regular(head, time):
        asked.note("each row is taken for a sample. If the rows are moments of one recording, cut it into windows: "
                   "`--window SECONDS`.")
    return False


def _regular(head: Part, time: str) -> bool:
    """Whether all rows are moments one after the other, at the usual distance from each other."""
    seconds, wrong = moments.timed(time, head[time])
    steps = np.diff(seconds) if not wrong else np.zeros(0)
    usual = np.median(steps) if len(steps) >= MANY else 0.0
    return bool(usual > 0 and (np.abs(steps - usual) < 0.01 * usual).mean() > 0.9)


def _is_key(head: Part, key: str, time: str) -> bool:
    """Whether rows with the same `key` are moments one after the other."""
    if len(head) < MANY * len(head[key].unique()):
        return False
    same = [part for part in _parts(head, key) if len(part) > 1]
    seconds = [moments.seconds(time, part[time]) for part in same]
    rising = [one is not None and bool((np.diff(one) > 0).mean() > 0.9) for one in seconds]
    return bool(same) and sum(rising) > 0.9 * len(same) and bool(_channels(head, key, time))


def rows(asked: Asked) -> Rows:
    """id, what is fixed, `series`; of windows `start`, `end`, `group`, and of stretches `time` besides.

    Raises: UserError (roles, labels or times that cannot be used; no window fits).
    """
    roles = _roles(asked)
    changed = stretches = made = 0
    parts = moments.parts(asked.path, roles.key, [roles.time, *roles.channels, *roles.fixed,
                                                  *([roles.label] if roles.label else [])])
    first = list(islice(parts, FEW))
    few = len(first) < FEW and bool(asked.window) and not asked.whole
    mean = bool(asked.window and roles.label and first) and continuous(first[0][1][roles.label])
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
        for group, one in _windows(row, part, roles, mean, STRETCHES // len(first) if few else 0, asked):
            made, stretches = made + 1, stretches + group
            yield one
    if asked.window and not made:
        raise UserError(f"{asked.path}: no window of {asked.window:g} s fits into a recording: they are shorter.")
    if changed:
        asked.note(f"in {changed:,} recordings a column that is the same in others changes; its first value is taken.")
    unit = moments.epoch(first[0][1][roles.time]) if first else ""
    asked.note(f"channels: {', '.join(roles.channels[:20])}; time: `{roles.time}`"
               + (f", {unit} since 1970 (UTC)" if unit else "") + "; "
               + (f"a row for each `{roles.key}`" if roles.key else "all is one recording")
               + (f", cut into windows of {asked.window:g} s every {asked.step or asked.window:g} s." if asked.window
                  else "."))
    if mean:
        asked.note(f"`{roles.label}` is a number: each window has its mean.")
    if few:
        uncut = sum(len(list(_cut(asked).of(moments.timed(roles.time, part[roles.time])[0]))) for _, part in first)
        asked.cuts.append(cut := Cut(stretches=stretches, across=max(0, uncut - made) if _cut(asked).overlap else 0))
        asked.note(cut.said)


def _cut(asked: Asked) -> Windows:
    return Windows(asked.window, asked.step or asked.window)


def _windows(row: Row, part: Part, roles: Roles, mean: bool, most: int, asked: Asked) -> Iterator[tuple[bool, Row]]:
    """Each with whether it is the first of a stretch. most: stretches; 0: it is not cut into any.

    Raises: UserError (times that cannot be used, where there is no other recording to go on with).
    """
    seconds, wrong = moments.timed(roles.time, part[roles.time])
    if wrong:
        if most:
            whose = f"`{row['id']}`: " if roles.key else ""
            mend = " Mend it, or sort the rows by time." if len(seconds) else ""
            raise UserError(f"{asked.path}: {whose}{wrong}.{mend}")
        label = {roles.label: told(part[roles.label], mean)} if roles.label else {}
        yield False, row | label | {NAME: Inline(content(_written(part, roles)), "series.arrow")}  # `validate` says why
        return
    known = any(_plain(name) in GROUPS for name in roles.fixed)
    pieces = list(_cut(asked).stretches(seconds, most)) if most else [(0, len(seconds))]
    for number, (a, b) in enumerate(pieces, 1):
        piece = {name: cells.slice(a, b - a) for name, cells in part.items()}
        own = moments.timed(roles.time, piece[roles.time])[0]  # dates count from the first one of each file
        file, new = Inline(content(_written(piece, roles)), "series.arrow"), True
        for start, c, d in _cut(asked).of(own):
            made: Row = {"id": f"{row['id']}@{_shown(float(seconds[a] - own[0]) + start)}", NAME: file,
                         "start": round(start, 9), "end": round(start + asked.window, 9)}
            if roles.label:
                made[roles.label] = told(piece[roles.label].slice(c, d - c), mean)
            if most:
                made |= {"time": moments.moment(piece[roles.time][c]), "group": f"{row['id']}-{number:02d}"}
            elif roles.key and not known:
                made["group"] = row["id"]
            yield new, row | made
            new = False


def _shown(seconds: float) -> str:
    return f"{round(seconds, 6):g}" if abs(seconds) < 1e5 else f"{seconds:.3f}"


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


def _roles(asked: Asked) -> Roles:
    """Raises: UserError (no such column, no time, no channel)."""
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
        asked.note(f"left out, since it changes within a recording and is no number: {', '.join(spare)}."
                   + f" To predict it, add `--label {spare[0]}`." * (not label))
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
