"""A project that is in the clear, or encrypted with another key, encrypted; and a look into encrypted files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from trivium.machine import files, signals
from trivium.machine.vault import places, sealed
from trivium.machine.vault.keys import Key
from trivium.settings.errors import UserError


def encrypt(root: Path, key: Key, private: Path, before: Key | None = None) -> int:
    """Encrypt in place what is kept encrypted and is not yet, or is with the key `before`; returns how many files.

    private: a folder where a file may lie in the clear for a moment.
    A kill leaves each file whole, in one form or the other: the same call goes on. Raises: Unreadable.
    """
    for room in places.ROOMS:  # else the rest of a kill would be encrypted, too, and become a part of an out
        for folder in (root / room, *(path for path in (root / room).rglob("*") if path.is_dir())):
            files.sweep(folder)
    count = 0
    for path in secrets(root):
        name = path.relative_to(root).as_posix()
        if not sealed.is_sealed(path):
            _replace(path, path, key, name)
            count += 1
        elif (found := key_id(path)) != key.id:
            if before is None:
                raise sealed.Unreadable(f"{name} is encrypted with the key {found}, and the key that is given is "
                                        f"{key.id}. `--from FILE` names the file of the first.")
            clear = private / "clear"
            sealed.unseal(path, clear, before, name)
            _replace(clear, path, key, name)
            clear.unlink()
            count += 1
    for name in ("units", "features"):  # what training and preprocessing keep for later, and can make again
        kept = [path for path in (root / ".cache" / name).rglob("*") if path.is_file()]
        if not all(sealed.is_sealed(path) and key_id(path) == key.id for path in kept):
            shutil.rmtree(root / ".cache" / name)
    return count


def decrypt(source: Path, target: Path, key: Key) -> int:
    """Write what is in the file or folder `source`, in the clear, as the new `target`; returns how many files.

    Raises: UserError (there is no `source`, or already a `target`; another key; damage).
    """
    if not source.exists():
        raise UserError(f"There is no {source} here.")
    if target.exists():
        raise UserError(f"{target} is there already. Name a new one.")
    found = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    part = target.with_name(f".{target.name}.{os.getpid()}.part")  # nobody's: what is there goes
    with signals.scratch(part):  # who is interrupted finds no half of it, and may say the same again
        (part if source.is_file() else part / source.name).mkdir(parents=True)
        for path in found:
            there = part / path.relative_to(source.parent)
            there.parent.mkdir(parents=True, exist_ok=True)
            if sealed.is_sealed(path):
                sealed.unseal(path, there, key)
            else:
                shutil.copy(path, there)
        (part / source.name).rename(target)
    return len(found)


def secrets(root: Path) -> Iterator[Path]:
    """The files that are kept encrypted."""
    for room in places.ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.is_file() and places.secret(path.relative_to(root)):
                yield path


def _replace(source: Path, path: Path, key: Key, name: str) -> None:
    with files.whole(path) as scratch:
        sealed.seal(source, scratch, key, name)


def key_id(path: Path) -> str:
    """Of the key that the file at `path` is encrypted with. Raises: Unreadable (it is not)."""
    with path.open("rb") as file:
        return sealed.read_header(file, path).key_id
