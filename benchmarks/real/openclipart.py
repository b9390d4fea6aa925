"""Drawings with a title (text, image).

    python -m benchmarks.real.openclipart SOURCE OUT

Rows: 2,693 drawings of the Open Clip Art Library. Label: the folder of the library, 15 of them with 40 drawings or
more (400 at most of each); words of the title that are in the label are left out. Group: artist and the motif that the
file name begins with, 8 drawings at most of each. Licence: public domain.
Needs: apt-get and dpkg (the package openclipart-svg 0.18, a 25 MB download), resvg-py, Pillow.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.real.common import Row, debian, draw, start

DC = "{http://purl.org/dc/elements/1.1/}"
LEFT_OUT = ("unsorted", "special")  # folders that are no topic
FEWEST, MOST = 40, 400  # drawings of a class
ALIKE = 8  # drawings of a group, at most
SERIES = 8  # drawings of one title, at most: the title of a whole series says nothing of the drawing

words = re.compile(r"[^\W\d_]+").findall


def title_and_artist(svg: bytes) -> tuple[str, str]:
    """What the drawing's own description says; "" where it says nothing."""
    root = ElementTree.fromstring(svg)
    title = next((e.text.strip() for e in root.iter(f"{DC}title") if e.text and e.text.strip()), "")
    artist = next((e.text.strip() for c in root.iter(f"{DC}creator") for e in c.iter(f"{DC}title") if e.text), "")
    return title, artist


def without_label(said: list[str], label: str) -> str:
    """The words but those of the label (its parts are joined by _), with or without an s at the end."""
    told = re.compile("|".join(f"{re.escape(word.rstrip('s'))}s?" for word in label.split("_")), re.I).fullmatch
    return " ".join(word for word in said if not told(word))


def choose(group: dict[Path, str]) -> list[Path]:
    """Drawings of the large classes, few of each group, in the order of their names' hashes; `group`: of each path."""
    alike: dict[str, list[Path]] = {}
    for path in sorted(group, key=lambda path: (hashlib.sha256(path.name.encode()).hexdigest(), path)):
        alike.setdefault(group[path], []).append(path)
    classes: dict[str, list[Path]] = {}
    for path in (path for paths in alike.values() for path in paths[:ALIKE]):
        classes.setdefault(path.parts[0], []).append(path)
    return sorted(path for paths in classes.values() if len(paths) >= FEWEST for path in paths[:MOST])


def build(source: Path, out: Path) -> list[Row]:
    home = debian("openclipart-svg", source) / "usr/share/openclipart/svg"
    files = [path.relative_to(home) for path in home.rglob("*.svg") if path.is_file() and not path.is_symlink()]
    known = {path: title_and_artist((home / path).read_bytes()) for path in sorted(files)
             if path.parts[0] not in LEFT_OUT}
    titles = Counter(title for title, _ in known.values())
    group = {path: f"{artist.lower()}/{(words(path.stem) or ['x'])[0].lower()}" for path, (_, artist) in known.items()}
    chosen = choose(group)
    pngs = [Path("media") / f"{str(path).replace('/', '-')[:-4]}.png" for path in chosen]
    drawn = draw([(home / path, out / png) for path, png in zip(chosen, pngs, strict=True)])
    rows: list[Row] = []
    seen = set()
    for path, png, fine in zip(chosen, pngs, drawn, strict=True):
        if not fine or (digest := hashlib.sha256((out / png).read_bytes()).hexdigest()) in seen:
            continue
        seen.add(digest)
        title, _ = known[path]
        said = words(title if titles[title] <= SERIES else path.stem)
        rows.append({"id": png.stem, "label": path.parts[0], "text": without_label(said, path.parts[0]),
                     "image": str(png), "group": group[path]})
    return rows


if __name__ == "__main__":
    start(build)
