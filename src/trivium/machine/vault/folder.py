"""A private folder with a copy of the project in which encrypted files are in the clear, for as long as somebody works.

    BASE/lock                          held by its process: what nobody holds is the rest of one that was killed
    BASE/home/anna/project/data/raw    decrypted files
    BASE/home/anna/project/src         links to what is not encrypted
    BASE/home/anna/other               links to the project's neighbours, so that `../other` leads where it should

Work goes on there as the working folder. What it wrote goes back when it ends well, encrypted where it is secret.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from trivium.machine import files
from trivium.machine.vault import places, sealed
from trivium.machine.vault.keys import Key
from trivium.settings.errors import UserError

MEMORY = Path("/dev/shm")
MARK = f"trivium-private-{os.getuid()}-"  # how names of private folders begin
HOME = ".trivium-home"  # a link in the copy to the project itself
ROOM = 3  # times the encrypted files that are read: what is written needs room, too
Signature = tuple[int, int, int]


class Folder:
    """root: the project, absolute.  base: the private folder.  inner: the copy of the project in it."""

    def __init__(self, root: Path, key: Key, parent: Path) -> None:
        self.root, self.key = root, key
        self.base = made(parent)
        self.inner = self.base / root.relative_to(root.anchor)
        self._known = dict[Path, Signature]()
        self._folders = set[Path]()
        try:
            self._link()
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)

    def fetch(self, patterns: Iterable[str]) -> None:
        """Decrypt the files of `patterns`. Raises: UserError (no room; a file that is not encrypted, or damaged)."""
        found = {path for pattern in patterns for path in self.root.glob(f"{pattern}/*" if pattern.endswith("**")
                 else pattern) if path.is_file()}
        secret = sorted(one for path in found if places.secret(one := path.relative_to(self.root)))
        needed, free = ROOM * sum((self.root / one).stat().st_size for one in secret), shutil.disk_usage(self.base).free
        if needed > free:
            raise UserError(f"What is encrypted needs {needed / 1e9:.1f} GB in the clear while a stage runs, and "
                            f"{self.base.parent} has {free / 1e9:.1f} GB free. Name another folder in "
                            "`encryption.folder` of params.yaml; on a disk, it had better be an encrypted one.")
        for one in secret:
            target = self.inner / one
            target.parent.mkdir(parents=True, exist_ok=True)
            sealed.unseal(Path(os.path.relpath(self.root / one)), target, self.key, one.as_posix())
            self._known[one] = _signature(target)
            self._folders.update(one.parents)

    def put_back(self, writes: Iterable[str]) -> None:
        """Bring what was written to the project. writes: folders that were made anew, whose old files go."""
        for name in writes:
            if (self.inner / name).is_dir():
                self._replace(Path(name))
        for path in self._written():
            target = self.root / path
            if places.secret(path):
                with files.whole(target) as scratch:
                    sealed.seal(self.inner / path, scratch, self.key, path.as_posix())
            else:
                with files.whole(target) as scratch:
                    shutil.copy(self.inner / path, scratch)
        for path in self._known:
            if not os.path.lexists(self.inner / path):
                (self.root / path).unlink(missing_ok=True)
        for path in sorted(self._folders - {Path()}):
            if places.secret(path) and not (self.inner / path).exists():
                shutil.rmtree(self.root / path, ignore_errors=True)
        self._neighbours()

    def _replace(self, path: Path) -> None:
        part = (self.root / path).with_name(path.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        for file in _files(self.inner / path):
            target = part / file.relative_to(self.inner / path)
            target.parent.mkdir(parents=True, exist_ok=True)
            name = file.relative_to(self.inner)
            sealed.seal(file, target, self.key, name.as_posix())
            self._known[name] = _signature(file)
        part.mkdir(parents=True, exist_ok=True)  # of an empty one
        shutil.rmtree(self.root / path, ignore_errors=True)
        part.rename(self.root / path)

    def _written(self) -> list[Path]:
        """Files in the copy that are new or changed, but for those of `.cache`."""
        found = [path.relative_to(self.inner) for path in _files(self.inner)]
        return [path for path in found
                if path.parts[0] != ".cache" and self._known.get(path) != _signature(self.inner / path)]

    def _neighbours(self) -> None:
        """Files that were written beside the project."""
        for folder in self.inner.relative_to(self.base).parents:
            for path in (self.base / folder).iterdir():
                if not path.is_symlink() and path not in (self.inner, *self.inner.parents) and path.name != "lock":
                    shutil.move(path, self.root.anchor / folder / path.name)

    def _link(self) -> None:
        self.inner.mkdir(parents=True)
        (self.root / "mlruns").mkdir(exist_ok=True)  # else what is made in it stays here
        (self.inner / HOME).symlink_to(self.root)
        own = {".cache", "data", "models", "reports", *places.WHOLE}
        _links(self.root, self.inner, own)
        for outer in self.root.parents:
            _links(outer, self.base / outer.relative_to(outer.anchor), set())
        for name in (".cache", "data", "models", "reports"):
            (self.inner / name).mkdir()
        for path in places.plain(self.root):
            target, outs = self.inner / path, path.parts[1] in ("code", *places.FIGURES)
            if path.parts[1] == "measured" or not outs:
                target.symlink_to(self.root / path)
            elif (self.root / path).is_dir():  # a copy: a stage may put another folder in its place
                shutil.copytree(self.root / path, target)
            else:
                shutil.copy(self.root / path, target)
        self._known.update((path.relative_to(self.inner), _signature(path)) for path in _files(self.inner))


def clear(parent: Path) -> None:
    """Remove private folders of processes that are no more."""
    for base in parent.glob(f"{MARK}*"):
        try:
            with (base / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(base, ignore_errors=True)
        except OSError:  # somebody works there, or it is somebody else's
            continue


def made(parent: Path) -> Path:
    """A new private folder, whose lock this process and those that it forks hold. Raises: UserError."""
    try:
        with (parent / f".{MARK}lock").open("w") as making:  # else a new one looks like one that nobody holds
            fcntl.flock(making, fcntl.LOCK_EX)
            clear(parent)
            base = Path(tempfile.mkdtemp(prefix=MARK, dir=parent))
            lock = os.open(base / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the process ends
    except OSError as error:
        raise UserError(f"Nothing can be written to {parent}, where files lie in the clear while a stage runs: "
                        f"{error.strerror}. Name another folder in `encryption.folder` of params.yaml.") from None
    return base


def parent(wanted: str) -> Path:
    """Where private folders go."""
    if wanted:
        return Path(wanted).expanduser().absolute()
    if MEMORY.is_dir():
        return MEMORY
    print(f"note: files lie in the clear in {tempfile.gettempdir()} while this runs: this machine has no {MEMORY}. "
          "`encryption.folder` in params.yaml names another place.", file=sys.stderr, flush=True)
    return Path(tempfile.gettempdir())


def _links(there: Path, here: Path, but: set[str]) -> None:
    """Links in `here` to all that is in the folder `there` and has no place in `here` yet."""
    try:
        names = os.listdir(there)
    except OSError:  # not ours to read
        return
    for name in names:
        if name not in but and not os.path.lexists(here / name):
            (here / name).symlink_to(there / name)


def _files(folder: Path) -> list[Path]:
    """All files below `folder`; links are left out."""
    found = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if not path.is_symlink())


def _signature(path: Path) -> Signature:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
