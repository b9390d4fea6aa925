"""The file that a cell of a manifest means, under whatever spelling somebody or some tool has written its name."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from trivium.machine.files import DRIVE, several
from trivium.modalities import media
from trivium.modalities.media import place

MOST = 1 << 16  # names of a folder that are looked through for one in other letters


@dataclass(frozen=True)
class Found:
    """name: of the file, seen from the table's folder; as it was written where there is no such file.
    how: under which other spelling it is there, in a word or two; "" under its own.
    """

    name: str
    how: str = ""


def found(value: str, folder: Path) -> Found:
    """As `relative`; where there is no such file, another spelling of its name under which there is one: accents as one
    sign or as two (Unicode NFC, NFD: file systems differ), signs written as `%20`, small letters as capitals; and of a
    path of another machine its end, as far as it is here.
    """
    name = relative(value, folder)
    try:
        there = place.parse(name)
    except ValueError:
        return Found(name)
    if there.remote:
        return Found(name)
    if not there.kind:
        for one, how in _spellings(name, value, folder):
            if os.path.exists(os.path.join(folder, one)):
                return Found(one, how or _written(value))
        return Found(name)
    outer = found(there.outer, folder)
    there = replace(there, outer=outer.name)
    for one, how in _signs(there.member):
        if media.exists(str(replace(there, member=one)), folder):
            return Found(str(replace(there, member=one)), how or outer.how)
    return Found(str(there))


def located(value: str, folder: Path) -> str:
    """The name alone."""
    return found(value, folder).name


def relative(value: str, folder: Path) -> str:
    """A value of the manifest as seen from `folder`: a path, which may have been written on Windows or be a `file://`
    address; or an archive's path and a member. Other addresses, and what cannot be understood, stay as they are.
    """
    try:
        there = place.parse(value)
    except ValueError:
        return value
    if there.remote:
        return str(there)
    if not there.kind:
        return seen(there.outer, folder)
    return str(replace(there, outer=seen(there.outer, folder)))


def seen(value: str, folder: Path) -> str:
    """A path as seen from `folder`."""
    value = value.replace("\\", "/")
    if value.startswith("file://"):
        value = unquote(value.removeprefix("file://").removeprefix("localhost"))
    if not os.path.isabs(value):
        return value
    here, real = _places(str(folder))
    inside = value.startswith(f"{here}/")  # where a link leads to `folder`, `..` would not lead back over it
    return os.path.relpath(value, here if inside else real).replace(os.sep, "/")


def _written(value: str) -> str:
    """What `relative` has mended in it."""
    if value.startswith("file://"):
        return "file://"
    return "backslashes" if "\\" in value else ""


def _spellings(name: str, value: str, folder: Path) -> Iterator[tuple[str, str]]:
    yield from _signs(name)
    if os.path.isabs(value.removeprefix("file://")) or DRIVE.match(value):
        parts = re.split(r"[/\\]+", unquote(value) if value.startswith("file://") else value)
        for first in range(1, len(parts)):
            end = "/".join(parts[first:])
            if several(end) < several(value):
                break  # of several files in a cell, the last one is as good as any other
            for one, _ in (*_signs(end), (_alike(end, folder), "")):
                if one:
                    yield one, "a path of another machine"
    if one := _alike(name, folder):
        plain, given, mended = (unicodedata.normalize("NFC", text) for text in (name, unquote(name), one))
        yield one, ("Unicode NFC or NFD" if mended == plain else "percent-encoded" if mended == given else
                    "capital letters")


def _alike(name: str, folder: Path) -> str:
    """The name under which the folders and the file of `name` are there, each in its own letters; "" of none."""
    here = ""
    for part in name.split("/"):
        there = os.path.lexists(os.path.join(folder, here, part))
        own = part if there else _letters(os.path.join(folder, here)).get(_folded(part), "")
        if not own:
            return ""
        here = f"{here}/{own}" if here else own
    return here


def _signs(name: str) -> Iterator[tuple[str, str]]:
    for plain, how in ((name, ""), (unquote(name), "percent-encoded")):
        yield plain, how
        for form in ("NFC", "NFD"):
            yield unicodedata.normalize(form, plain), how or "Unicode NFC or NFD"


@functools.lru_cache(1000)
def _letters(folder: str) -> dict[str, str]:
    """Names in a folder by what they are but for capitals; none of two that are then alike."""
    named: dict[str, list[str]] = {}
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count == MOST:
                    return {}
                named.setdefault(_folded(entry.name), []).append(entry.name)
    except OSError:  # no such folder
        return {}
    return {plain: names[0] for plain, names in named.items() if len(names) == 1}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unquote(name)).casefold()


@functools.cache
def _places(folder: str) -> tuple[str, str]:
    """Where `folder` is, and where it really is."""
    return os.path.abspath(folder), os.path.realpath(folder)
