"""Pictures and sounds that lie in a table: known by how they begin, as bytes or in base64."""

from __future__ import annotations

import base64
import binascii
import re

BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF8", ".gif"), (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"),
    (b"\xff\xf3", ".mp3"), (b"\xff\xf2", ".mp3"), (b"BM", ".bmp"),
)
NAMED = {(b"RIFF", b"WAVE"): ".wav", (b"RIFF", b"WEBP"): ".webp", (b"FORM", b"AIFF"): ".aiff"}  # 4 bytes, and 8 on
DATA = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
CODED = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
SHORTEST = 32  # signs of base64 that can hold a picture or a sound
HEAD = 64  # signs that tell what it is


def ending(content: bytes) -> str:
    """`.png` of a picture in PNG, and so on; "" of what is neither a picture nor a sound that is known."""
    if named := NAMED.get((content[:4], content[8:12])):
        return named
    return next((suffix for start, suffix in BEGINNINGS if content.startswith(start)), "")


def is_coded(cell: str) -> bool:
    """Whether it looks like the base64 of a picture or a sound, with or without `data:image/png;base64,` before it."""
    text = DATA.sub("", cell[:200], count=1)
    if len(cell) < SHORTEST or not CODED.fullmatch(text[:HEAD]):
        return False
    try:
        return bool(ending(_decoded(text[:HEAD])))
    except binascii.Error:
        return False


def decoded(cell: str) -> bytes | None:
    """What base64 stands for; None where it is none."""
    text = cell[found.end():] if (found := DATA.match(cell)) else cell
    try:
        return _decoded(text)
    except (binascii.Error, ValueError):
        return None


def _decoded(text: str) -> bytes:
    plain = re.sub(r"\s+", "", text).rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
