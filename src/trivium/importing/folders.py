"""What lies in the folders of classes: for the form of that name, and to tell it from tar shards."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path, PurePosixPath

from trivium.importing import splits, trees
from trivium.importing.asked import Asked
from trivium.modalities.videos import ENDINGS as VIDEO

ENDINGS = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"),
    "audio": (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif"),
    "video": VIDEO,
    "text": (".txt",),
}
LOOK = 1000  # files that tell whether these are folders of classes


def modality(name: str) -> str:
    """What a file is by its ending; "" of others."""
    end = PurePosixPath(name).suffix.lower()
    return next((kind for kind, known in ENDINGS.items() if end in known), "")


def in_classes(asked: Asked) -> bool:
    """Whether a tar holds folders of pictures, sounds or texts, and nothing that a sample of WebDataset is made of."""
    if asked.path.suffix.lower() != ".tar":
        return False
    found = list(islice(trees.names(asked.path), LOOK))
    kinds = {modality(name) for name in found}
    return bool(found) and len(kinds) == 1 and kinds != {""} and all("/" in name for name in found) and len(
        {name.rpartition("/")[0] for name in found}) > 1


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
