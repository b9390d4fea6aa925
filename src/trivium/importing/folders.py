"""What lies in the folders of classes: for the form of that name, and to tell it from tar shards."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath

from trivium.importing import splits, trees
from trivium.importing.asked import Asked
from trivium.modalities.media import archive
from trivium.modalities.videos import ENDINGS as VIDEO

ENDINGS = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"),
    "audio": (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif"),
    "series": (".npy", ".npz", ".arrow", ".feather", ".hea"),
    "video": VIDEO,
    "text": (".txt",),
}
PAPERS = ("readme", "license", "licence", "copying", "changelog", "citation", "authors")
LABELS = ("cls", "label", "class", "json")  # endings of what gives a sample of WebDataset its label


def modality(name: str) -> str:
    """What a file is by its ending; "" of others, and of papers about the data."""
    end = PurePosixPath(name).suffix.lower()
    if PurePosixPath(name).stem.casefold() in PAPERS:
        return ""
    return next((kind for kind, known in ENDINGS.items() if end in known), "")


def in_classes(asked: Asked) -> bool:
    """Whether a tar holds folders of classes, and is no shard of WebDataset: pictures, sounds or texts in more than one
    folder, of which none has a file of its name that gives it a label.
    """
    media, labels, homes = set[str](), set[str](), set[str]()
    try:
        with tarfile.open(asked.path, "r:*") as members:
            for one in members:
                key, end = trees.parts(one.name)
                if one.size > archive.MOST:  # nobody looks for the end of that
                    return False
                if not one.isreg() or trees.spare(key):
                    continue
                if end.rpartition(".")[2] in LABELS:
                    labels.add(key)
                elif modality(one.name):
                    media.add(key)
                    homes.add(key.rpartition("/")[0])
                if key in labels and key in media:
                    return False
    except (tarfile.TarError, EOFError, OSError):
        return False  # whoever reads it as a shard says what is wrong
    return len(homes) > 1 and "" not in homes


def root(path: Path, found: list[str]) -> str:
    """What all files have before their class or their split: `photos/` where an archive was packed with its folder."""
    parts = [PurePosixPath(name).parts for name in found]
    depth = 0
    while all(len(one) > depth + 2 for one in parts) and len({one[depth] for one in parts}) == 1 and not splits.of(
            parts[0][depth]):
        depth += 1
    return "".join(f"{part}/" for part in parts[0][:depth]) if parts else ""


def samples(found: list[str]) -> Iterator[dict[str, str]]:
    """Modality -> file, of each sample: files of one name but for the ending, where each is of another modality."""
    for _, group in groupby(found, lambda name: name.rpartition(".")[0]):
        files = list(group)
        kinds = [modality(name) for name in files]
        if len(set(kinds)) == len(kinds):
            yield dict(zip(kinds, files, strict=True))
        else:
            yield from ({kind: name} for kind, name in zip(kinds, files, strict=True))
