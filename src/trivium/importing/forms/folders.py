"""A folder for each class, of pictures, sounds, videos or texts; here, or in a zip or tar, which stays one."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

from trivium.importing import folders, splits, trees
from trivium.importing.asked import Asked, Row, Rows
from trivium.settings.errors import UserError

WORDS = "a folder for each class"


def knows(asked: Asked) -> bool:
    return asked.path.is_dir() or (asked.path.is_file() and (asked.path.suffix.lower() == ".zip" or trees.is_tar(
        asked.path.name)))


def rows(asked: Asked) -> Rows:
    """id, label and what is there of image, audio, video and text; split where there are folders for train, val, test.

    Raises: UserError (nothing in it that can be read, no folders of classes).
    """
    path = trees.unpacked(asked.path, asked.into)
    every = list(trees.names(path, asked))
    found = [name for name in every if folders.modality(name)]
    if not every:
        raise UserError(f"{path} is empty.")
    ends = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in every)
    if not found:
        raise UserError(f"{path} holds no pictures, sounds, videos or texts (.txt), but files with "
                        f"{', '.join(end for end, _ in ends.most_common(5))}. See docs/bring-your-own-data.md for the "
                        "forms that can be read.")
    above = folders.root(path, found)
    inner = [PurePosixPath(name[len(above):]).parts for name in found]
    if max(map(len, inner)) == 1:
        raise UserError(f"{path} holds {len(found):,} files and no folders: put those of each class into a folder of "
                        "its own, which has the name of the class, or name a table that lists them.")
    sides = {one[0] for one in inner if len(one) > 1}
    sided = bool(sides) and all(splits.of(side) == splits.KNOWN.get(side.casefold(), "-") for side in sides)
    if len(every) > len(found):
        asked.note(f"other files in {path}, not read: {len(every) - len(found):,}.")
    whole = {name.rpartition(".")[0] for name in found}
    for files in folders.samples(found):
        first = next(iter(files.values()))
        parts = PurePosixPath(first[len(above):]).parts
        side, rest = (parts[0], parts[1:]) if sided and len(parts) > 1 else ("", parts)
        plain = first[len(above):].rpartition(".")[0]
        alone = len(whole) == len(found) or len(files) > 1
        row: Row = {"id": plain if alone else first[len(above):], "label": rest[0] if len(rest) > 1 else None}
        for kind in folders.ENDINGS:
            if kind in files:
                name = files[kind]
                row[kind] = trees.text(path, name) if kind == "text" else trees.cell(path, name)
        yield row | ({"split": splits.of(side)} if sided and len(sides) > 1 else {})
