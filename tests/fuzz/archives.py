"""Zip and tar as people pack them and as no program would: names, sizes, ratios, links, archives in archives."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import struct
import tarfile
import zipfile
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz import checks, made
from trivium.modalities import audio, image, media
from trivium.modalities.media import place
from trivium.settings.errors import UserError

Members = list[tuple[str, bytes]]
Archived = tuple[str, bytes, Members, bool]  # zip or tar; content; what was put into it; whether it is undamaged

NAMES = st.one_of(
    st.sampled_from(("a.png", "a.png", "b/a.wav", "b/c.txt", "x.svg", "./a.png", "../a.png", "/etc/passwd", "a//b.png",
                     "b/", "", ".", "a::b.png", "A.PNG", "n" * 99 + ".png", "n" * 300 + ".png", "e\u0301.png",
                     "\\a.png", "b\\a.png", "inner.zip",
                     "a.zip/b.png", "\x00.png", "a\nb.png", "zip://a.zip::b.png", "\u202epng.a")),
    st.text(max_size=12))
PLAIN = st.one_of(
    st.sampled_from((*made.pictures().values(), *made.sounds().values())), st.binary(max_size=40),
    st.just(bytes(4 << 20)), st.just(gzip.compress(bytes(1 << 20))), st.just(bz2.compress(bytes(1 << 20))))
OTHERS = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
LIES = (0, 1, 2**16, 2**30, 2**31 - 1, 2**32 - 1)
_numbers = itertools.count()


@st.composite
def archives(draw: st.DrawFn, depth: int = 2) -> Archived:
    inner = st.one_of(PLAIN, PLAIN, archives(depth - 1).map(lambda one: one[1])) if depth else PLAIN
    members = [(_writable(draw(NAMES)), draw(inner)) for _ in range(draw(st.integers(0, 5)))]
    kind = draw(st.sampled_from(("zip", "tar")))
    content = _zip(draw, members) if kind == "zip" else _tar(draw, members)
    match draw(st.integers(0, 4)):
        case 0:
            return kind, draw(made.mutated(st.just(content))), members, False
        case 1:
            return kind, _lied(draw, kind, content), members, False
        case 2:
            return draw(st.sampled_from(("zip", "tar"))), content, members, False  # called by another kind
    return kind, content, members, not content.startswith(b"\x1f\x8b")  # a compressed tar is refused


def _writable(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\x00", "0")


def _zip(draw: st.DrawFn, members: Members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members:
            about = zipfile.ZipInfo(name)
            about.compress_type = draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
            file.writestr(about, content)
        file.comment = draw(st.binary(max_size=30))
    return draw(st.sampled_from((b"", b"", b"#!/bin/sh\n"))) + out.getvalue()  # a program that unpacks it


def _tar(draw: st.DrawFn, members: Members) -> bytes:
    out = io.BytesIO()
    how = draw(st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)))
    with tarfile.open(fileobj=out, mode=draw(st.sampled_from(("w", "w", "w", "w:gz"))), format=how) as file:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
        for kind in draw(st.lists(st.sampled_from(OTHERS), max_size=2)):
            about = tarfile.TarInfo("link")
            about.type, about.linkname = kind, draw(st.sampled_from(("link", "/etc/passwd", "a.png", "../a")))
            file.addfile(about)
    return out.getvalue()


def _lied(draw: st.DrawFn, kind: str, content: bytes) -> bytes:
    """One that says something else of the size or the place of a member, or of how many there are."""
    made_up, number = bytearray(content), draw(st.sampled_from(LIES))
    if kind == "tar":
        if len(made_up) >= 512:
            made_up[124:136] = b"%011o\0" % number
            made_up[148:156] = b" " * 8
            made_up[148:156] = b"%06o\0 " % sum(made_up[:512])  # its checksum is right
        return bytes(made_up)
    at = content.find(draw(st.sampled_from((b"PK\1\2", b"PK\5\6", b"PK\3\4"))))
    if at >= 0:
        struct.pack_into("<L", made_up, at + draw(st.sampled_from((8, 12, 16))), number)
        if content[at: at + 4] == b"PK\1\2" and at + 46 <= len(made_up):
            struct.pack_into("<L", made_up, at + draw(st.sampled_from((20, 24, 42))), number)
    return bytes(made_up)


def check(folder: Path, archived: Archived) -> str:
    """Each member is read as it was put in, or refused in a sentence; a picture or sound in it is probed."""
    kind, content, members, whole = archived
    file = f"{next(_numbers)}.{kind}"  # what is open is known by its name, size and time
    (folder / file).write_bytes(content)
    last = {name: inside for called, inside in members if (name := place.plain(called))}
    names, ends = dict.fromkeys(called for called, _ in members), set[str]()
    try:
        for called in dict.fromkeys((*names, "link", "none.png")):
            end = _member(folder, f"{kind}://{file}::{called}", called, last if whole else None)
            assert end == "refused" or place.plain(called) in last or not whole
            ends |= {end} if called in names else set()
    finally:
        (folder / file).unlink()
    return "empty" if not ends else "read in part" if len(ends) > 1 else ends.pop()


def _member(folder: Path, value: str, called: str, expected: dict[str, bytes] | None) -> str:
    own = place.plain(called)
    sure = expected is not None and own in expected and not ("::" in called or "#" in called or called.endswith("/"))
    with checks.bounded():
        there = media.exists(value, folder)
        for part in (image, audio):
            found = part.probe(value, folder)
            assert found and all(found.values())
        try:
            content = media.read(value, folder)
        except (ValueError, UserError) as error:
            assert str(error) and "Traceback" not in str(error) and not sure
            return "refused"
    assert there and (not sure or content == (expected or {})[own])
    return "read"
