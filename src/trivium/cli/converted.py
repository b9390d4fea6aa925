"""What an interrupted `trivium encrypt` leaves behind: files that were as `dvc.lock` has them, and are encrypted now.

DVC finds them changed, and would run their stages again. What they were lies in its cache. The same content gives the
same encrypted bytes: where the old file, encrypted, is not the new one, that is another file, or damaged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.cli.verify import list_of, md5_of, packed
from trivium.data.tables import read_yaml
from trivium.machine import files
from trivium.machine.vault import places, sealed
from trivium.machine.vault.keys import Key
from trivium.settings.errors import UserError
from trivium.stage import KEPT, LOCK

if TYPE_CHECKING:
    from dvc.repo import Repo

BEGUN = ".cache/encrypt.lock"  # dvc.lock as it was when the encryption began: DVC writes it stage by stage at the end


def begin(root: Path) -> None:
    """Keep the lock: for a second call, and for `repair`, since DVC may be killed while it writes it."""
    if (root / LOCK).exists():
        content = (root / LOCK).read_bytes()
        files.write(root / KEPT, content)
        if not (root / BEGUN).exists():
            files.write(root / BEGUN, content)


def end(root: Path) -> None:
    (root / BEGUN).unlink(missing_ok=True)


def stages(root: Path, changed: Mapping[str, list[Any]], key: Key, before: Key | None, private: Path) -> set[str]:
    """Those of the stages which differ from the lock in nothing but files that are encrypted with `key` now.

    changed: what `dvc status` says of each stage.  before: the key that was replaced.  private: where a file may lie
    in the clear for a moment.
    """
    from dvc.repo import Repo

    found = {name: paths for name, said in changed.items() if (paths := _paths(said))}
    if not found:
        return set()
    with Repo(str(root)) as repo:
        old = _Old(root, repo, key, before, private)
        lock = read_yaml(root / LOCK).get("stages", {})
        return {name for name, paths in found.items() if all(old.is_in(lock.get(name, {}), path) for path in paths)}


def _paths(said: list[Any]) -> list[str]:
    """The changed deps and outs; [] where there are none, or more has changed than they: settings, the command."""
    found: list[str] = []
    for each in said:
        if not isinstance(each, dict) or not each.keys() <= {"changed deps", "changed outs"}:
            return []
        for part in each.values():
            if not all(how == "modified" for how in part.values()):
                return []
            found += part
    return found


class _Old:
    """The files of the project as they were before they were encrypted."""

    def __init__(self, root: Path, repo: Repo, key: Key, before: Key | None, private: Path) -> None:
        self.root, self.repo, self.key, self.before, self.private = root, repo, key, before, private
        self.known = dict(self._of_lock(LOCK)) | dict(self._of_lock(BEGUN))  # path -> MD5 that it had
        self.md5 = cache(self._md5)

    def is_in(self, stage: Mapping[str, Any], path: str) -> bool:
        """Whether the lock's entry of a stage has `path` as it was."""
        digest = next((one.get("md5", "") for part in ("deps", "outs") for one in stage.get(part, ())
                       if one["path"] == path), "")
        if not digest.endswith(".dir"):
            return (self.root / path).is_file() and self.md5(path) == digest
        folder = (self.root / path).absolute()
        listed = [{"md5": self.md5(f"{path}/{name}"), "relpath": name}
                  for name in sorted(Path(one).relative_to(folder).as_posix()
                                     for one in self.repo.dvcignore.find(self.repo.fs, str(folder)))]
        return hashlib.md5(packed(listed)).hexdigest() + ".dir" == digest

    def _md5(self, path: str) -> str:
        """The MD5 that the file had; where it is not known to be of an encrypted one, that which it has."""
        here = md5_of(self.root / path)
        old = self.known.get(path, here)
        return old if old != here and self._is_form(path, self._cached(old)) else here

    def _is_form(self, path: str, source: Path) -> bool:
        clear = self.private / "clear"
        if not (places.secret(Path(path)) and sealed.is_sealed(self.root / path) and source.exists()):
            return False
        try:
            if sealed.is_sealed(source):
                if self.before is None:
                    return False
                sealed.unseal(source, clear, self.before, path)
                source = clear
            return sealed.is_form(self.root / path, source, self.key, path)
        except UserError:  # what the cache has is damaged
            return False
        finally:
            clear.unlink(missing_ok=True)

    def _cached(self, md5: str) -> Path:
        return Path(self.repo.cache.local.oid_to_path(md5))

    def _of_lock(self, name: str) -> Iterator[tuple[str, str]]:
        found: dict[str, Any] = {}
        with suppress(UserError):  # cut off: it only tells what to look for
            found = read_yaml(self.root / name)
        for stage in found.get("stages", {}).values():
            for out in stage.get("outs", ()):
                digest = out.get("md5", "")
                if not digest.endswith(".dir"):
                    yield out["path"], digest
                for one in list_of(self._cached(digest), digest) or () if digest.endswith(".dir") else ():
                    yield f"{out['path']}/{one['relpath']}", one["md5"]
