"""Icons and their search words (text, image): which categories are they in?

    python -m benchmarks.real.fontawesome SOURCE OUT

Rows: 1,363 icons of Font Awesome Free. Tags: all categories of an icon, 53 of them with 20 icons or more. Text: the
icon's name and search words, less those that are a category's name. Group: the first word of the icon's file name.
Licence: CC BY 4.0. Needs: npm (the package @fortawesome/fontawesome-free), resvg-py, PyYAML.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.real.common import Row, draw, npm, start

VERSION = "7.3.1"
FEWEST = 20  # icons of a category


def words(icon: dict[str, Any], categories: set[str]) -> str:
    """The label and the search words that are no category's name."""
    terms = [str(term) for term in (icon.get("search") or {}).get("terms") or []]
    return ", ".join([icon["label"], *(term for term in terms if term.lower() not in categories)])


def build(source: Path, out: Path) -> list[Row]:
    import yaml

    home = npm("@fortawesome/fontawesome-free", VERSION, source)
    icons, kinds = (yaml.safe_load((home / "metadata" / f"{name}.yml").read_text(encoding="utf-8"))
                    for name in ("icons", "categories"))
    listed = {name for kind in kinds.values() for name in kind["icons"]}
    names = sorted(name for name in listed if name in icons and (home / f"svgs/solid/{name}.svg").exists())
    tags = {name: sorted(key for key, kind in kinds.items() if name in kind["icons"]) for name in names}
    size = Counter(key for keys in tags.values() for key in keys)
    names = [name for name in names if any(size[key] >= FEWEST for key in tags[name])]
    pngs = [Path("media") / f"{name}.png" for name in names]
    drawn = draw([(home / f"svgs/solid/{name}.svg", out / png) for name, png in zip(names, pngs, strict=True)])
    said = {word for key in kinds for word in (key, *key.split("-"))}
    return [{"id": name, "label": ";".join(key for key in tags[name] if size[key] >= FEWEST),
             "text": words(icons[name], said), "image": str(png), "group": name.split("-")[0]}
            for name, png, fine in zip(names, pngs, drawn, strict=True) if fine]


if __name__ == "__main__":
    start(build)
