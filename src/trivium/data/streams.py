"""What can be wrong with `data.streams` in params.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trivium import modalities
from trivium.data.settings import OFFERED, Data, Stream
from trivium.settings import parts

# Columns, tables and options that stand beside those of the streams; parts of a network; what torch's modules that hold
# other modules by name call their own.
NAMES = """sample label labels group domain language split weight y duplicate_group id start end rows samples quarantine
error out help fusion head apply bfloat16 buffers children clear compile cpu cuda double eval float forward half ipu
items keys modules mtia parameters pop to train training type update values xpu"""
TAKEN = frozenset(NAMES.split())


def wrong(data: Data) -> list[str]:
    """A sentence each."""
    known = modalities.names()
    found = [f"`data.streams.{s}.modality`: there is no modality `{one.modality}`; {parts.nearest(one.modality, known)}"
             for s, one in data.streams.items() if one.modality not in known]
    found += [f"`data.streams.{s}`: something else is called so already: choose another name, such as `my_{s}`."
              for s in data.streams if s in TAKEN or _beside(s, data.streams)]
    found += [f"`data.streams.{s}` is {one.modality}, but {s} is the name of another modality: choose another name."
              for s, one in data.streams.items() if data.source == "manifest" and s in known and s != one.modality]
    for s, one in data.streams.items():
        if one.columns and one.modality != "table":
            found.append(f"`data.streams.{s}.columns`: only a table has several, and {s} is {one.modality}: name one "
                         "`column`.")
        elif one.columns and one.column:
            found.append(f"`data.streams.{s}` names a `column` and `columns`: put all of them into `columns`.")
        found += [f"`data.streams.{s}.columns` names `{name}` twice." for name in dict.fromkeys(one.columns)
                  if one.columns.count(name) > 1]
    found += [f"`data.streams.{s}.anonymise`: {s} is {one.modality}, and only texts and tables can be anonymised: take "
              "it out." for s, one in data.streams.items() if one.anonymise and one.modality not in ("text", "table")]
    if data.source == "manifest":
        own = {s: read_from(s, one) for s, one in data.streams.items() if not one.table}
        return found + same_column(own, data.streams)
    found += [f"`data.streams.{s}.anonymise`: `data.source: {data.source}` is about nobody, and only data of your own "
              "are anonymised: take it out." for s, one in data.streams.items() if one.anonymise]
    offered = OFFERED.get(data.source, OFFERED["digits"])
    return found + [f"`data.streams.{s}` is {one.modality}, but `data.source: {data.source}` offers the streams "
                    f"{', '.join(offered)} alone, {_each(offered)}: leave `{s}` out, or bring your own "
                    "data (docs/bring-your-own-data.md)." for s, one in data.streams.items()
                    if one.modality in known and offered.get(s) != one.modality]


def warnings(data: Data) -> list[str]:
    """Of lists of names that DVC does not watch, so that a change of one changes nothing."""
    watched = Path(data.watch).resolve()
    return [f"params.yaml: `data.streams.{s}.anonymise.names`: DVC does not watch {one.anonymise.names}. After you "
            "have changed it, run `dvc repro --force ingest`." for s, one in data.streams.items()
            if one.anonymise and one.anonymise.names
            and not Path(one.anonymise.names).resolve().is_relative_to(watched)]


def _each(offered: Mapping[str, str]) -> str:
    return "each of the modality of its name" if all(s == modality for s, modality in offered.items()) else (
        ", ".join(f"{s} of modality {modality}" for s, modality in offered.items()))


def read_from(name: str, stream: Stream) -> tuple[str, ...]:
    """The columns of the manifest that a stream is read from."""
    return stream.columns or (stream.column or name,)


def same_column(columns: Mapping[str, Sequence[str]], streams: Mapping[str, Stream]) -> list[str]:
    """columns: of each stream. A video has pictures and sound: one stream of each may be read from its column."""
    seen = {column for s, own in columns.items() if streams[s].modality == "video" for column in own}
    heard = {s for s, own in columns.items() if streams[s].modality == "audio" and seen & {*own}}
    return [words for side in (False, True)
            for words in _twice({s: own for s, own in columns.items() if (s in heard) is side})]


def _twice(columns: Mapping[str, Sequence[str]]) -> list[str]:
    first: dict[str, str] = {}
    return [f"`data.streams`: `{other}` and `{s}` are both read from the column `{column}`: name another `column` for "
            "one of them, or leave it out." for s, own in columns.items() for column in dict.fromkeys(own)
            if (other := first.setdefault(column, s)) != s]


def _beside(name: str, streams: Iterable[str]) -> bool:
    """Whether a column that stands beside some stream's values is called so."""
    return any(name in (f"has_{s}", f"{s}_start", f"{s}_end", f"{s}_digest") for s in streams)
