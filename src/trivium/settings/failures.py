"""What a disk or a memory that fails says, for people: of a system's error, however libraries wrap it."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trivium.settings.errors import UserError

AGAIN = "What was finished is kept: run it again, and it goes on."
GONE = (errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.EHOSTDOWN, errno.ENOLINK)  # the whole disk
DISK = {
    errno.ENOSPC: "No space is left on the disk{at}. Free some: `dvc gc --workspace` drops old versions from the "
                  "cache, and `du -sh * .[a-z]* | sort -h` shows what is large. ",
    errno.EDQUOT: "Your quota on this disk is used up{at}. Delete what you do not need (`quota -s` tells how much you "
                  "have), or ask for more. ",
    errno.EROFS: "The disk is read-only{at}. Mount it for writing, or move the project to another one; the system "
                 "makes a disk with errors read-only, and `dmesg` tells of them. ",
    errno.EACCES: "This user may not write there{at}. `ls -ld` shows whose it is; `sudo chown -R \"$USER\" .` in the "
                  "project makes it yours. ",
    errno.EIO: "The disk cannot be read or written{at} (input/output error): it may be about to fail. `dmesg` tells "
               "more; bring your data to safety. ",
    errno.EFBIG: "The file is larger than this disk, or `ulimit -f`, allows{at}. Move the project to another disk, or "
                 "raise the limit. ",
    errno.EMFILE: "Too many files are open{at}. `ulimit -n 4096` allows more. ",
} | dict.fromkeys(GONE, "The disk is not there any more{at}: it was unmounted or pulled out, or its server is down. "
                        "Mount it again. ")
SAME = {errno.EPERM: errno.EACCES, errno.ENFILE: errno.EMFILE}
# What libraries make of an errno: pyarrow, Rust (safetensors, tokenizers), SQLite, libstdc++ (torch, onnx), libsndfile.
NUMBER = re.compile(r"(?:\[[Ee]rrno |os error |system:)(\d+)")
WORDS = {
    "no space left on device": errno.ENOSPC, "database or disk is full": errno.ENOSPC,
    "disk quota exceeded": errno.EDQUOT, "read-only file system": errno.EROFS, "readonly database": errno.EROFS,
    "permission denied": errno.EACCES, "input/output error": errno.EIO,
    "stale file handle": errno.ESTALE, "transport endpoint is not connected": errno.ENOTCONN,
    "no such device": errno.ENODEV,
}
FOREIGN = ("ArrowException", "ArrowIOError", "SafetensorError", "OperationalError", "LibsndfileError", "RuntimeError",
           "MlflowException")  # that may say in words what a disk did
# And where they do not say it: NumPy, SQLite, libsndfile, torch, Pillow. Then the disk is asked, by a file of its own.
UNSAID = re.compile(r"requested and \d+ written|unable to open database file|System error\.|initialization of the flac|"
                    r"Internal psf_|PytorchStreamWriter failed|unexpected pos \d+ vs|write failed|encoder error|"
                    r"disk I/O error")
ASKING = 1 << 20  # bytes
REFUSED = ("The disk did not take what was written{at}: it is full or failing, or was for a moment. `df -h .` shows "
           "how much room there is. ")
MEMORY = re.compile(r"can't allocate memory|std::bad_alloc|Cannot allocate memory|Unable to allocate|out of memory",
                    re.IGNORECASE)
ASKED = re.compile(r"allocate (?:memory: you tried to allocate )?([\d.]+ ?(?:bytes|[KMGTPE]iB))")


def at(error: BaseException, place: object) -> None:
    """Remember where something was written when `error` came; the innermost place counts. A write tells none itself."""
    if not hasattr(error, "trivium_place"):
        error.trivium_place = str(place)  # type: ignore[attr-defined]  # goes along from a worker process


def of_machine(error: BaseException, knob: str = "") -> UserError | None:
    """None where neither the disk nor the memory is to blame. knob: settings that take memory, for the end of a
    sentence that begins with "lower".
    """
    for one in _chain(error):
        if of_memory(one):
            found = ASKED.search(str(one))
            asked = f" ({found.group(1)} more were asked for)" if found else ""
            less = f"In params.yaml, lower {knob}; or close" if knob else "Close"
            return UserError(f"Memory ran out{asked}. {less} other programs, or take a machine with more. {AGAIN}")
    for one in _chain(error):
        if (number := _errno(one)) is not None:
            return UserError(DISK[number].format(at=_place(one, error)) + AGAIN)
    for one in _chain(error):
        if _foreign(one) and UNSAID.search(str(one)):
            broken = errno.EIO if "disk I/O error" in str(one) else 0  # SQLite's, of any errno
            words = DISK.get(_asked(one, error) or broken, REFUSED)
            return UserError(words.format(at=_place(one, error)) + AGAIN)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the newest first."""
    seen = set[int]()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [one.__context__, one.__cause__, getattr(one, "orig", None)]  # orig: of SQLAlchemy
        todo += getattr(one, "exceptions", ())  # of a group


def of_memory(error: BaseException) -> bool:
    """Whether it says that memory ran out, of the machine and not of a GPU."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return type(error).__name__ in FOREIGN and bool(MEMORY.search(str(error)))


def _errno(error: BaseException) -> int | None:
    """That of `DISK` which it is about."""
    number: Any = None
    if isinstance(error, OSError):
        number = error.errno
    if number is None and _foreign(error):
        said = str(error)
        found = NUMBER.search(said)
        number = int(found.group(1)) if found else next(
            (code for words, code in WORDS.items() if words in said.lower()), None)
    number = SAME.get(number, number)
    return number if number in DISK else None


def _foreign(error: BaseException) -> bool:
    return isinstance(error, OSError) or bool({one.__name__ for one in type(error).__mro__} & set(FOREIGN))


def _asked(error: BaseException, outer: BaseException) -> int | None:
    """What the disk answers now to a write at the place; None where it takes it."""
    place = next((place for one in (error, *_chain(outer)) if (place := getattr(one, "trivium_place", None))), ".")
    folder = Path(place).parent
    try:
        with tempfile.TemporaryFile(dir=folder if folder.is_dir() else None) as file:
            file.write(bytes(ASKING))
            file.flush()
            os.fsync(file.fileno())
    except OSError as found:
        return SAME.get(found.errno or 0, found.errno)
    return None


def _place(error: BaseException, outer: BaseException) -> str:
    """The path, as far as anybody knows it."""
    named = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if isinstance(named, bytes):
        named = named.decode("utf-8", "replace")
    where = named or next((place for one in (error, *_chain(outer)) if (place := getattr(one, "trivium_place", None))),
                          "")
    return f" ({where})" if where and not isinstance(where, int) else ""
