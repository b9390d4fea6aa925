"""What a kill, a full disk, a power cut or a bad disk makes of a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[bytes], bytes]


def flipped(place: float) -> Damage:
    """place: 0-1, where in the file one bit turns."""
    def change(content: bytes) -> bytes:
        at = min(len(content) - 1, int(place * len(content)))
        return content[:at] + bytes([content[at] ^ 4]) + content[at + 1:]
    return change


KINDS: dict[str, Damage] = {
    "empty": lambda content: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "without its last byte": lambda content: content[:-1],
    "zeros": lambda content: bytes(len(content)),
    "zeros at its end": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
    "something else": lambda content: bytes(range(256)) * 4,
    "a bit at its beginning": flipped(0.0),
    "a bit in the middle": flipped(0.5),
    "a bit at its end": flipped(1.0),
}


def do(path: Path, kind: str) -> None:
    """In place, as the disk would do it: links to the file, and its times, stay."""
    times, mode = path.stat(), path.stat().st_mode
    path.chmod(mode | 0o200)
    changed = KINDS[kind](path.read_bytes())
    with path.open("r+b") as file:
        file.write(changed)
        file.truncate()
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    path.chmod(mode)
