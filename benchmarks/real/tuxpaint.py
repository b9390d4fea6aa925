"""Stamps with a written and a spoken description (text, image, audio).

    python -m benchmarks.real.tuxpaint SOURCE OUT

Rows: 847 stamps of Tux Paint: a drawing or photo, an English sentence, the same in spoken French (most have it). Label:
the folder of the library, 9 of them with 40 stamps or more. Group: sub-folder and the motif that the file name begins
with. Licence: GPL-2, public domain in part.
Needs: apt-get and dpkg (the package tuxpaint-stamps-default 2022.06.04, a 161 MB download), resvg-py, Pillow.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from PIL import Image

from benchmarks.real.common import Row, debian, draw, large_classes, save_square, start

FEWEST = 40  # stamps of a folder
VARIANTS = ("_mirror", "_flip")  # the same stamp the other way round


def group(stamp: Path) -> str:
    """Sub-folder and motif: `animals/cats/cat-2_small` is of the group `animals/cats/cat`."""
    return f"{stamp.parent}/" + re.split(r"[\d_-]+", stamp.name.lower().strip("_-0123456789"))[0]


def build(source: Path, out: Path) -> list[Row]:
    home = debian("tuxpaint-stamps-default", source) / "usr/share/tuxpaint/stamps"
    stamps = {file.relative_to(home).with_suffix("") for file in home.rglob("*")
              if file.suffix in (".png", ".svg") and not file.stem.endswith(VARIANTS)}
    pngs = {stamp: Path("media") / f"{str(stamp).replace('/', '-')}.png"
            for stamp in large_classes(sorted(stamps), lambda stamp: stamp.parts[0], FEWEST)}
    vectors = [stamp for stamp in pngs if not (home / f"{stamp}.png").exists()]
    drawn = dict(zip(vectors, draw([(home / f"{stamp}.svg", out / pngs[stamp]) for stamp in vectors]), strict=True))
    rows: list[Row] = []
    for stamp, png in pngs.items():
        fine = drawn[stamp] if stamp in drawn else save_square(Image.open(home / f"{stamp}.png"), out / png)
        note, clip = home / f"{stamp}.txt", home / f"{stamp}_desc_fr.ogg"
        text = note.read_text(encoding="utf-8", errors="replace").split("\n")[0].strip() if note.exists() else ""
        row = {"id": png.stem, "label": stamp.parts[0], "text": text, "image": str(png) if fine else "",
               "group": group(stamp)}
        if clip.exists():
            row["audio"] = str(png.with_suffix(".ogg"))
            shutil.copyfile(clip, out / row["audio"])
        rows.append(row)
    return rows


if __name__ == "__main__":
    start(build)
