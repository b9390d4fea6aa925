"""What a value of a stream of pictures or sounds names.

    img/a.png                         a path, seen from the table
    zip://photos.zip::a/b.png         a member of an archive; or zip://photos.zip/a/b.png
    tar://shard-000.tar::a.png
    s3://bucket/key.png               an address of fsspec; an archive may have one as well: zip://s3://bucket/x.zip::a.png
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trivium.modalities.media import regions

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two letters or more: one is a drive of Windows
ARCHIVES = ("zip", "tar")
SPLIT = re.compile(r"(.*?\.(?:zip|tar|tgz|tar\.[a-z0-9]+))/(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Place:
    """outer: a path or an address, of the file or of the archive that it is in.  kind: `zip`, `tar`, or ""."""

    outer: str
    kind: str = ""
    member: str = ""

    @property
    def remote(self) -> bool:
        return scheme(self.outer) not in ("", "file")

    def __str__(self) -> str:
        return f"{self.kind}://{self.outer}::{self.member}" if self.kind else self.outer


def scheme(value: str) -> str:
    found = SCHEME.match(value)
    return found[1].lower() if found else ""


def parse(value: str) -> Place:
    """Raises: ValueError (an archive without a member; a member's name that leads out of it)."""
    value, _ = regions.split(value)
    kind = scheme(value)
    if kind not in ARCHIVES:
        return Place(value)
    rest = value.partition("://")[2].replace("\\", "/")
    outer, mark, member = rest.rpartition("::")
    if not mark:
        found = SPLIT.fullmatch(rest)
        outer, member = found.groups() if found else ("", "")
    if not outer or not member:
        raise ValueError(f"names no file in an archive: write {kind}://ARCHIVE::FILE, such as "
                         f"{kind}://photos.{kind}::a/b.png")
    name = plain(member)
    if not name:
        raise ValueError("its name leads out of the archive (`..`), and such a file is not read")
    return Place(outer, kind, name)


def plain(member: str) -> str:
    """The name of a member without `./` and the like, and with `/` where Windows wrote its own; "" where it has `..`,
    and of nothing.
    """
    parts = [part for part in member.replace("\\", "/").split("/") if part not in ("", ".")]
    return "" if ".." in parts else "/".join(parts)
