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
    size = file.stat().st_size if isinstance(file, Path) else file.getbuffer().nbytes
    if not size:
        return "the file is empty"
    return "not a video, or cut off before its index, or of a format that PyAV cannot read"
