"""`trivium verify`: every file of every out, read to its last byte and held against `dvc.lock`, in the workspace and in
DVC's cache.

DVC itself trusts a file whose size and times are as they were, and one in its cache that nobody may write. A disk that
turns a bit changes neither.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trivium.machine import files
from trivium.machine.progress import Progress
from trivium.machine.workers import cores
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from dvc.output import Output

State = Literal["good", "missing", "other"]


@dataclass(frozen=True)
class File:
    """One that `dvc.lock` knows. path: in the workspace;  cached: where DVC's cache has it, None of what git keeps."""

    out: str
    stage: str
    path: Path
    cached: Path | None
    md5: str


@dataclass(frozen=True)
class Fault:
    """of: file of `out`, or the list of files of a folder, of which only the cache has one.

    here, there: in the workspace and in the cache.
    """

    of: File
    here: State
    there: State

    @property
    def kept(self) -> bool:
        """Whether one of the two is good, so that the other can be made from it."""
        return "good" in (self.here, self.there)

    def words(self) -> tuple[str, str]:
        """What is wrong, and what restores it."""
        one = self.of
        if one.cached is None:
            gone = "is missing" if self.here == "missing" else "is not as dvc.lock has it"
            return gone, f"`git checkout {one.out}` brings the committed one, `dvc repro` makes it again"
        if self.here == "good":
            return (f"is good, and {'missing' if self.there == 'missing' else 'damaged'} in DVC's cache",
                    "`trivium verify --repair` copies it there")
        if self.there == "good":
            gone = "is missing" if self.here == "missing" else "is changed or damaged"
            return gone, "`trivium verify --repair` brings it back from DVC's cache"  # DVC may not see what changed
        what = {("missing", "missing"): "is missing, here and in DVC's cache",
                ("other", "missing"): "is changed or damaged, and missing in DVC's cache",
                ("missing", "other"): "is missing, and damaged in DVC's cache",
                ("other", "other"): "is damaged, here and in DVC's cache"}[self.here, self.there]
        first = "" if self.here == self.there == "missing" else "`trivium verify --repair`, then "
        return what, f"{first}`dvc pull {one.out}`, or `dvc repro` (stage {one.stage})"


def verify(root: Path, mend: bool = False) -> tuple[str, bool]:
    """What was found, a line each, and whether all is well now. mend: restore what can be, drop what is damaged.

    Raises: UserError (nothing was run yet; DVC cannot read dvc.yaml).
    """
    known = _known(root)
    if not known:
        raise UserError("dvc.lock knows of no outs yet: `make repro` runs the pipeline.")
    faults = sorted(_faults(known), key=lambda one: (one.of.out, str(one.of.path)))
    if not faults:
        return f"All {len(known):,} files of the outs are as dvc.lock has them, here and in DVC's cache.", True
    if not mend:
        last = f"Not as dvc.lock has them: {len(faults):,} of {len(known):,} files."
        return "\n".join([*_lines(faults), last]), False
    said = [_mended(root, one) for one in faults]
    _checkout(root, {one.of.out for one in faults if one.there == "good"})
    lost = [one for one in faults if not one.kept]
    last = ("All is as dvc.lock has it now." if not lost else
            f"Lost: {len(lost):,} of {len(known):,} files. `dvc pull` brings them, where a remote has them; `dvc "
            "repro` makes them again.")
    return "\n".join([*said, last]), not lost


def _known(root: Path) -> list[File]:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            return [file for out in repo.index.outs if out.hash_info for file in _files(root, out)]
    except DvcException as error:
        raise UserError(f"DVC cannot read what this project is ({error}). `trivium doctor` may tell more.") from None


def _files(root: Path, out: Output) -> Iterator[File]:
    """Of an out: the file itself; of a folder every file in it, and the list of them that the cache keeps."""
    name, stage, digest = str(out.def_path), str(out.stage.name), str(out.hash_info.value)
    place = root / os.path.relpath(out.fs_path, os.path.abspath(root))

    def cached(md5: str) -> Path | None:
        return Path(out.cache.oid_to_path(md5)) if out.use_cache else None

    if not digest.endswith(".dir"):
        yield File(name, stage, place, cached(digest), digest)
        return
    yield File(name, stage, place, cached(digest), digest)
    listed = list_of(Path(out.cache.oid_to_path(digest)), digest) or _here(place, digest) or []
    for one in listed:
        yield File(name, stage, place / one["relpath"], cached(one["md5"]), one["md5"])


def list_of(path: Path, digest: str) -> list[dict[str, str]] | None:
    """The files of a folder, as DVC's cache lists them; None where there is no such list, or a damaged one."""
    if not path.exists() or md5_of(path) + ".dir" != digest:
        return None
    return list(json.loads(path.read_text(encoding="utf-8")))


def _here(folder: Path, digest: str) -> list[dict[str, str]] | None:
    """The same, made from the workspace; None where that is another folder."""
    found = _list(folder)
    return found if hashlib.md5(packed(found)).hexdigest() + ".dir" == digest else None


def _list(folder: Path) -> list[dict[str, str]]:
    return [{"md5": md5_of(folder / name), "relpath": name} for name in _inside(folder)]


def _inside(folder: Path) -> list[str]:
    """The files in a folder, without what .dvcignore leaves out."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")
                  if path.is_file() and path.suffix != ".pyc" and ".part" not in {
                      Path(part).suffix for part in path.relative_to(folder).parts})


def packed(listed: list[dict[str, str]]) -> bytes:
    """As DVC writes it."""
    return json.dumps(listed, sort_keys=True).encode("utf-8")


def md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _faults(known: list[File]) -> Iterator[Fault]:
    with Progress("verify", len(known), "files") as progress, ThreadPoolExecutor(cores()) as threads:
        for found in threads.map(_fault, known):
            progress.add()
            if found:
                yield found


def _fault(one: File) -> Fault | None:
    if one.md5.endswith(".dir"):
        return _of_folder(one)
    here = _state(one.path, one.md5)
    if one.cached is None:
        return None if here == "good" else Fault(one, here, here)
    same = here != "missing" and one.cached.exists() and one.path.samefile(one.cached)  # a link: it is read once
    there = here if same else _state(one.cached, one.md5)
    return None if here == there == "good" else Fault(one, here, there)


def _of_folder(one: File) -> Fault | None:
    """The list of a folder's files, and what is in the folder that it does not name."""
    there: State = "missing" if one.cached is None or not one.cached.exists() else "good"
    listed = list_of(one.cached, one.md5) if one.cached and there == "good" else None
    if one.cached and listed is None:
        here: State = "missing"
        if one.path.is_dir():
            here = "good" if _here(one.path, one.md5) is not None else "other"
        return Fault(one, here, "missing" if there == "missing" else "other")
    if listed is not None:
        more = set(_inside(one.path)) - {file["relpath"] for file in listed}
        return Fault(one, "other", "good") if more else None
    whole = one.path.is_dir() and _here(one.path, one.md5) is not None
    return None if whole else Fault(one, "other" if one.path.is_dir() else "missing", "missing")


def _state(path: Path, md5: str) -> State:
    if not path.is_file():
        return "missing"
    return "good" if md5_of(path) == md5 else "other"


def _lines(faults: list[Fault]) -> list[str]:
    """A line for each out and sort of fault."""
    groups = dict[tuple[str, tuple[str, str]], list[Fault]]()
    for one in faults:
        groups.setdefault((one.of.out, one.words()), []).append(one)
    lines = []
    for (_, (what, how)), some in groups.items():
        more = f" (and {len(some) - 1:,} more of {some[0].of.out})" if len(some) > 1 else ""
        lines.append(f"{_name(some[0].of)} {what}{more}. {how[:1].upper()}{how[1:]}.")
    return lines


def _name(one: File) -> str:
    return f"{one.out}, the list of its files," if one.md5.endswith(".dir") else str(one.path)


def _mended(root: Path, fault: Fault) -> str:
    """Do for one file what can be done without DVC; what was done, in words."""
    one, name = fault.of, _name(fault.of)
    if one.cached is None:
        return f"{name} {fault.words()[0]}. {fault.words()[1][:1].upper()}{fault.words()[1][1:]}."
    if fault.there == "other":
        _drop(one.cached)
    if fault.here == "good":
        with files.whole(one.cached) as scratch:
            if one.md5.endswith(".dir"):
                scratch.write_bytes(packed(_list(one.path)))
            else:
                shutil.copyfile(one.path, scratch)
        one.cached.chmod(0o444)  # as DVC protects what it keeps
        return f"{name}: DVC's cache has it again."
    if fault.here == "other" and not one.md5.endswith(".dir"):
        _drop(one.path)
    if fault.there == "good":
        return f"{name}: brought back from DVC's cache."
    return (f"{name}: lost, what was damaged is removed. `dvc pull {one.out}` brings it, or `dvc repro` makes it again "
            f"(stage {one.stage}).")


def _drop(path: Path) -> None:
    path.unlink(missing_ok=True)


def _checkout(root: Path, outs: set[str]) -> None:
    """Link what the cache has into the workspace, as DVC does it; it may fail for what is lost."""
    from trivium.experiments.dvc import dvc

    if outs:
        dvc(root, "checkout", "--quiet", "--force", "--allow-missing", *sorted(outs))
