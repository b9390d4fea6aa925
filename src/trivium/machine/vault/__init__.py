"""Encryption at rest: what stages and commands read of an encrypted project is in the clear only while they run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from trivium.machine.vault import folder, keys, places, sealed, settings
from trivium.machine.vault.keeper import Keeper, Units
from trivium.machine.vault.places import EVERYTHING, Part, of_stage
from trivium.machine.vault.sealed import is_sealed
from trivium.machine.vault.settings import Encryption
from trivium.settings.errors import UserError

__all__ = ["EVERYTHING", "Encryption", "Part", "fetch_units", "here", "is_sealed", "of_stage", "on", "opened", "real",
           "refuse", "state"]

_units: Units | None = None  # of the private folder that this process works in
VARIABLE = "TRIVIUM_UNITS"


def on(root: str | Path = ".") -> bool:
    """Whether `root` is a copy of an encrypted project, in the clear."""
    return (Path(root) / folder.HOME).is_symlink()


def real(root: str | Path = ".") -> Path:
    """The project itself, absolute, where `root` may be such a copy."""
    return (Path(root) / folder.HOME).resolve() if on(root) else Path(root).resolve()


def fetch_units(marks: Iterable[str]) -> None:
    """Decrypt the units of training that are kept under these names, where the project is encrypted."""
    for mark in marks if _units else ():
        _units.fetch(mark)  # type: ignore[union-attr]


@contextmanager
def opened(asked: Encryption, part: Part = EVERYTHING) -> Iterator[None]:
    """Work in a copy of the project (the working folder) where what `part` reads is in the clear; nothing happens where
    the project is not encrypted, or this is such a copy already. What was written goes back, encrypted, when the block
    ends without an error; a `sys.exit(0)` is none.

    Raises: UserError (the key is missing or wrong; a file is damaged, or not encrypted; no room).
    """
    root = Path.cwd()
    if on(root):
        yield
        return
    key = keys.given(asked, root)
    if key is None:
        _refuse_sealed(root, part)
        yield
        return
    if os.environ.get("RAY_ADDRESS"):
        raise UserError("An encrypted project is not trained on a cluster, whose nodes would get its files in the "
                        "clear. Unset RAY_ADDRESS, or leave out `--ray`.")
    place = folder.Folder(root, key, folder.parent(asked.folder))
    kept = Units(place.inner / places.UNITS, Path(os.environ.get(VARIABLE, root / places.UNITS)).absolute(), key)
    keeper = Keeper(kept, place.base)
    try:
        place.fetch(part.reads)
        with _inside(place, kept):
            try:
                yield
            except SystemExit as error:
                if error.code:
                    raise
                place.put_back(part.writes)
                raise
            place.put_back(part.writes)
    finally:
        keeper.end()
        place.remove()


def here() -> AbstractContextManager[None]:
    """`opened`, for a command that may read anything of the project in the working folder."""
    return opened(settings.read(Path()))


def state(root: Path) -> str:
    """Which key the project is encrypted with, in words; "" where it is not. Raises: UserError (it is not given)."""
    key = keys.given(settings.read(root), root)
    return f"encrypted with the key {key.id}, which is given" if key else ""


def refuse(what: str) -> None:
    """Raises: UserError where the project in the working folder is encrypted, of which `what` cannot be done."""
    if state(Path()):
        raise UserError(f"{what} is not made for encrypted projects: it would leave files in the clear.")


@contextmanager
def _inside(place: folder.Folder, kept: Units) -> Iterator[None]:
    """Work there: the folder, where Python looks for packages, and git's own place."""
    global _units
    before = dict(os.environ)
    os.environ[VARIABLE] = str(kept.inner)
    if paths := os.environ.get("PYTHONPATH"):
        os.environ["PYTHONPATH"] = os.pathsep.join(os.path.abspath(one) for one in paths.split(os.pathsep))
    sys.path[:] = [os.path.abspath(one) for one in sys.path]
    if tree := next((one for one in (place.root, *place.root.parents) if (one / ".git").exists()), None):
        os.environ["GIT_WORK_TREE"], os.environ["GIT_DIR"] = str(tree), str(tree / ".git")
    os.chdir(place.inner)
    _units = kept
    try:
        yield
    finally:
        _units = None
        os.chdir(place.root)
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _refuse_sealed(root: Path, part: Part) -> None:
    """Raises: UserError where the first file of anything that `part` reads is encrypted: no key is given."""
    for pattern in part.reads:
        found = root.glob(f"{pattern}/*" if pattern.endswith("**") else pattern)
        first = next((path for path in found if path.is_file()), None)
        if first is not None and sealed.is_sealed(first):
            with first.open("rb") as file:
                key_id = sealed.read_header(file, first).key_id
            raise UserError(f"{first.relative_to(root)} is encrypted with the key {key_id}, and no key is given. Set "
                            f"{keys.FILE} to the file that holds it.")
