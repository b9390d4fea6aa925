"""What DVC watches, and how a path stands in params.yaml."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from trivium.data.sources.places import OUTS

OTHER_FILES = 20  # files in a watched folder that the manifest does not name, besides as many again as it does


def watch(path: Path, files: set[str], root: Path) -> str:
    """The manifest's folder, where it holds the media and little else, so that a changed one is noticed; else the file.

    DVC cannot watch a folder that it also writes to.
    """
    folder = path.resolve().parent
    outs = [(root / out).resolve() for out in OUTS]
    clash = root.resolve().is_relative_to(folder) or any(
        folder.is_relative_to(out) or out.is_relative_to(folder) for out in outs)
    inside = not any(os.path.normpath(name).startswith("..") for name in files)
    if files and inside and not clash:
        most = 2 * len(files) + OTHER_FILES
        found = list(islice(_walk(folder), most + 1))
        # DVC stops at a link that leads nowhere, and waits for ever for a pipe.
        if len(found) <= most and all(map(os.path.isfile, found)):
            return seen(root, path.parent)
    return seen(root, path)


def _walk(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (os.path.join(where, name) for name in names)


def seen(root: Path, path: Path) -> str:
    """`path` as seen from the root of the repository. One that was given in full and leads elsewhere stays as it is: a
    queued experiment runs in a folder of its own, from where `..` leads to nothing.
    """
    if path.is_absolute() and not Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root)):
        return os.path.normpath(path).replace(os.sep, "/")
    return os.path.relpath(path, root).replace(os.sep, "/")
