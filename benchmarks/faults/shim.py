"""The disk that fails on purpose (`shim.c`), for Python: compiled, told what to do, asked what it did.

A shim's state is a file that all processes of a trial map; it is written before the trial, and read behind it.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
FORM = struct.Struct("6i4q1024s64s1024s")  # `struct state`
NONE = "There is no C compiler here (gcc or cc), with which the disk that fails is made: install one (gcc)."


class NoCompiler(Exception):
    """What to do, for people."""


@dataclass(frozen=True)
class Fault:
    """error: errno.  forever: all calls from the `nth` on fail, or that one alone.

    paths: only calls that take a path;  removals, reads: nothing can be removed, or read, any more, either.
    """

    error: int
    nth: int
    forever: bool = True
    paths: bool = False
    removals: bool = False
    reads: bool = False


@dataclass(frozen=True)
class Seen:
    """count: calls that write;  failed, named: of these, how many failed, and take a path;  what, where: the first that
    failed.
    """

    count: int
    failed: int
    named: int
    what: str
    where: str


class Shim:
    def __init__(self, home: Path) -> None:
        """home: a folder for the library and the state, outside of what is to fail. Raises: NoCompiler."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            raise NoCompiler(NONE)
        self.library, self.state = home / "shim.so", home / "shim.state"
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", self.library, SOURCE, "-ldl"], check=True)
        self.state.write_bytes(bytes(FORM.size))

    @classmethod
    def there(cls, home: Path) -> Shim:
        """The one that was made in `home`, for a process that it was preloaded into."""
        made = cls.__new__(cls)
        made.library, made.state = home / "shim.so", home / "shim.state"
        return made

    @property
    def environment(self) -> dict[str, str]:
        """Of processes whose disk may fail."""
        return {"LD_PRELOAD": str(self.library), "SHIM_STATE": str(self.state)}

    def arm(self, folder: Path, fault: Fault) -> None:
        self._write(FORM.pack(1, fault.error, fault.forever, fault.paths, fault.removals, fault.reads, fault.nth, 0, 0,
                              0, os.fsencode(folder), b"", b""))

    def disarm(self) -> Seen:
        told = FORM.unpack(self.state.read_bytes())
        count, failed, named = told[7:10]
        what, where = (each.rstrip(b"\0").decode() for each in told[11:])
        self._write(bytes(FORM.size))
        return Seen(count, failed, named, what, where)

    def _write(self, content: bytes) -> None:
        with self.state.open("r+b") as file:  # in place: it is mapped
            file.write(content)
