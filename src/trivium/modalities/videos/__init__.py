"""How a recording of pictures, and the sound beside them, is read by PyAV: `reader` gives pictures by their times,
`sound` what libsndfile cannot read.

A file is trusted as little as any other: only containers that hold their own content are opened (no playlist, which
could name other files or addresses), and what a file claims is bounded before it is decoded.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from trivium.machine.files import absent

MAX_PIXELS = 2**25  # of one frame: 8K is 33 megapixels; some decoders keep 16 of them
FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,flv,ogg,asf,gif,ivf,obu,av1,"
           "nut,dv,mxf,rm,wav,mp3,aac,flac,caf,aiff,amr,ac3,eac3")
ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp", ".flv", ".wmv",
           ".ogv")

HEAD = 512  # bytes that tell what a file is
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free")  # of MP4 and QuickTime, whose index often stands at the end
BEGINS = (b"\x1aE\xdf\xa3", b"FLV", b"OggS", b"\0\0\x01\xba", b"0&\xb2u\x8ef\xcf\x11")  # Matroska, ..., MPEG, ASF
OTHERS = {b"\x89PNG": "a picture (PNG)", b"\xff\xd8\xff": "a picture (JPEG)", b"%PDF": "a PDF", b"PK\x03\x04":
          "a ZIP archive", b"\x1f\x8b": "compressed (gzip)"}


def container(file: Path | io.BytesIO) -> Any:
    """The open container. Raises: ValueError (why it cannot be opened)."""
    import av

    av.logging.set_level(None)  # what decoders say of damaged files is told by us, once
    place = str(file.absolute()) if isinstance(file, Path) else file  # in full: no name is taken for an address
    try:
        return av.open(place, metadata_errors="ignore", container_options={
            "format_whitelist": FORMATS, **({"protocol_whitelist": "file"} if isinstance(file, Path) else {})})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ValueError(why(error, file)) from None


def why(error: Exception, file: Path | io.BytesIO) -> str:
    """What is wrong, in words."""
    if isinstance(file, Path) and not file.exists():
        return absent(file)
    if isinstance(file, Path) and file.is_dir():
        return "this is a folder, not a file"
    head = _head(file)
    if not head:
        return "the file is empty"
    if head[4:8] in BOXES:
        return "is cut off before its index, or damaged"
    if head.startswith(BEGINS) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "is cut off or damaged"
    if kind := next((kind for begin, kind in OTHERS.items() if head.startswith(begin)), ""):
        return f"is {kind}, not a video"
    if b"\0" not in head and head.isascii():
        return "is text, not a video"
    return "not a video, or of a format that PyAV cannot read"


def _head(file: Path | io.BytesIO) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()[:HEAD]
    with file.open("rb") as content:
        return content.read(HEAD)
