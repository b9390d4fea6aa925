"""Where the files are that a manifest names, seen from its folder, and what they hold."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from trivium.data.sources import spelled
from trivium.machine.files import special
from trivium.machine.progress import Progress
from trivium.modalities import media
from trivium.modalities.media import place
from trivium.settings.errors import UserError

OUTS = ("data/raw", "data/valid", "data/aligned", "data/splits", "data/features", "data/reads", "models",
        "reports", "mlruns", ".dvc", ".git", ".cache", ".venv")  # what stages and tools empty and fill
FEW = 8  # folders outside that are named one by one
QUICK, SLACK = 1e-4, 64  # seconds that a file may take as long as there are no threads, and so many files more
BATCH = 10_000  # files that are handed out to threads at a time
NEAR, FAR = 8, 32  # threads: what is far away is waited for


def moved(value: str, folder: Path, home: Path) -> str:
    """A value as seen from `folder` as it is seen from `home`."""
    name = spelled.located(value, folder)
    try:
        there = place.parse(name)
    except ValueError:
        return name
    outer = there.outer if there.remote else os.path.relpath(folder / there.outer, home).replace(os.sep, "/")
    return str(replace(there, outer=outer))


def home(value: str) -> str:
    """The folder of a value's file, or of the archive that it is in; the value itself where that is not on a disk."""
    path = media.on_disk(value)
    return os.path.dirname(path.replace("\\", "/")) if path else value


def on_disk(value: str, folder: Path) -> str:
    """The path, as seen from `folder`, of a value's file or of the archive that it is in; "" of none."""
    path = media.on_disk(value)
    return path and spelled.seen(path, folder)


def refuse_outs(path: Path, values: Iterable[str], root: Path = Path()) -> None:
    """Raises: UserError (the manifest at `path`, or one of `values`, is in a folder under `root` that stages empty)."""
    folders = {"": path.name}
    for name in values:
        folders.setdefault(os.path.dirname(on_disk(name, path.parent)), name)
    outs = {out: (root / out).resolve() for out in OUTS}
    for folder, name in folders.items():
        there = (path.parent / folder).resolve()
        found = next((out for out, where in outs.items() if there.is_relative_to(where)), None)
        if found:
            raise UserError(f"{path}: `{name}` is in {root / found}, which the pipeline empties and fills by itself: "
                            "your only copy would be lost. Move your data elsewhere, such as data/mine, and name it "
                            "there.")


def outside(path: Path, values: Iterable[str], allowed: Iterable[str] = (), project: bool = True) -> dict[Path, str]:
    """Folder -> a value in it, of those `values` of the manifest at `path` whose files lie neither in its folder, nor
    in the project (if that counts), nor in one of the folders `allowed`. Where links lead counts.
    """
    home = path.parent.resolve()
    known = [home, *(Path(one).resolve() for one in allowed)]
    if project:
        known += [Path.cwd().resolve(), *[one for one in (home, *home.parents) if (one / ".dvc").is_dir()][:1]]
    found, judged = dict[Path, str](), dict[str, Path]()
    for value in values:
        name = on_disk(value, path.parent)
        if not name:
            continue
        file = os.path.join(path.parent, name)
        folder = os.path.dirname(os.path.realpath(file) if _is_link(file) else file)
        if folder not in judged:
            there = Path(os.path.realpath(folder))
            if not any(there.is_relative_to(one) for one in known):
                if special(file):  # which is never opened: its row alone goes to quarantine
                    continue
                found.setdefault(there, value)
            judged[folder] = there
    return found


def refuse_outside(path: Path, values: Iterable[str], allowed: Iterable[str]) -> None:
    """Raises: UserError (see `outside`)."""
    for folder, value in outside(path, values, allowed).items():
        raise UserError(f"{path}: `{value}` is in {folder}, which is neither in the folder of the table nor in this "
                        f"project. If that is meant, `trivium use {path}` allows it: it writes the folder into "
                        "data.manifest.outside.")


def gathered(folders: Iterable[Path]) -> list[str]:
    """The folders without those inside of others; of many, the one that holds them all."""
    left = [str(one) for one in sorted(set(folders)) if not any(one.is_relative_to(other) and one != other
                                                              for other in folders)]
    whole = os.path.commonpath(left) if left else ""
    return [whole] if len(left) > FEW and whole != os.sep else left


def _is_link(file: str) -> bool:
    try:
        return os.path.islink(file)
    except ValueError:  # a NUL in the name
        return False


def hashed(names: list[str], folder: Path, stream: str) -> list[str | None]:
    """The digest of each file, seen from `folder`; None where it cannot be read. stream: for the line on progress.

    Raises: UserError (a server that does not answer).
    """
    far = any(not media.is_path(name) and place.scheme(name) not in place.ARCHIVES for name in names)
    digests = list[str | None]()
    with Progress(f"reading {stream}", len(names), "file") as told, ThreadPoolExecutor(FAR if far else NEAR) as threads:
        while len(digests) < len(names):
            if not far:
                _quick(names, folder, digests, told)
            try:
                some = names[len(digests) : len(digests) + BATCH]
                for digest in threads.map(lambda name: _digest(name, folder), some):
                    digests.append(digest)
                    told.add()
            except UserError:
                threads.shutdown(cancel_futures=True)  # the others would wait for the same server
                raise
    return digests


def _quick(names: list[str], folder: Path, digests: list[str | None], told: Progress) -> None:
    """Go on with `digests` as long as a file takes no time to speak of: then threads would only hinder each other."""
    until = time.perf_counter() + QUICK * SLACK
    for name in names[len(digests) :]:
        digests.append(_digest(name, folder))
        if len(digests) % SLACK == 0:
            told.at(len(digests))
        if (now := time.perf_counter()) > until:
            break
        until = min(until + QUICK, now + QUICK * SLACK)
    told.at(len(digests))


def _digest(name: str, folder: Path) -> str | None:
    try:
        return media.digest(name, folder)
    except (OSError, ValueError):  # ValueError: a NUL in the name, or what no archive has
        return None
