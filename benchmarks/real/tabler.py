"""Icons and their search words (text, image).

    python -m benchmarks.real.tabler SOURCE OUT

Rows: 3,772 icons of Tabler. Label: the icon's category, 22 of them with 60 icons or more; search words that contain the
category's name are left out. Group: the first word of the icon's name. Licence: MIT.
Needs: npm (the package @tabler/icons, a 1.3 MB download), resvg-py.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.real.common import Row, draw, large_classes, npm, start

VERSION = "3.52.0"
FEWEST = 60  # icons of a category
LEFT_OUT = ("Brand", "System")  # categories that are no topic


def words(tags: list[object], label: str) -> str:
    """The search words that do not contain the label."""
    return ", ".join(str(tag) for tag in tags if label.lower().rstrip("s") not in str(tag).lower())


def build(source: Path, out: Path) -> list[Row]:
    home = npm("@tabler/icons", VERSION, source)
    icons = json.loads((home / "icons.json").read_text(encoding="utf-8"))
    names = [name for name in large_classes(sorted(icons), lambda name: icons[name]["category"], FEWEST)
             if icons[name]["category"] not in LEFT_OUT]
    pngs = [Path("media") / f"{name}.png" for name in names]
    drawn = draw([(home / f"icons/outline/{name}.svg", out / png) for name, png in zip(names, pngs, strict=True)])
    return [{"id": name, "label": icons[name]["category"], "text": words(icons[name]["tags"], icons[name]["category"]),
             "image": str(png), "group": name.split("-")[0]}
            for name, png, fine in zip(names, pngs, drawn, strict=True) if fine]


if __name__ == "__main__":
    start(build)
