"""Regions of a picture, as the end of its value: `img/a.png#xywh=10,20,30,40`, or several with `;` between.

They are pixels of the picture as it is shown: left, top, width and height (W3C Media Fragments).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

ONE = r"\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?){3}"
MARK = re.compile(rf"#xywh=({ONE}(?:;{ONE})*)$")
ROUNDING = 1.0  # pixels that a region may reach beyond its picture
Box = tuple[float, float, float, float]


def split(value: str) -> tuple[str, tuple[Box, ...]]:
    """The value without its regions, and these."""
    found = MARK.search(value)
    if not found:
        return value, ()
    boxes = [tuple(float(number) for number in one.split(",")) for one in found[1].split(";")]
    return value[: found.start()], tuple((x, y, width, height) for x, y, width, height in boxes)


def marked(value: str, boxes: Sequence[Sequence[float]]) -> str:
    """The opposite of `split`."""
    return f"{value}#xywh=" + ";".join(",".join(f"{number:g}" for number in box) for box in boxes) if boxes else value


def together(values: Sequence[str]) -> str:
    """One value with the regions of all that are of the same picture as the first."""
    parts = [split(value) for value in values]
    return marked(parts[0][0], [box for plain, boxes in parts if plain == parts[0][0] for box in boxes])


def cut(image: Any, boxes: Sequence[Box]) -> Any:
    """The part of a Pillow image that holds all regions; what is in none of several is white.

    Raises: ValueError (a region lies outside of the picture).
    """
    if not boxes:
        return image
    from PIL import Image

    whole = [_inside(image, box) for box in boxes]
    left, top = min(one[0] for one in whole), min(one[1] for one in whole)
    right, bottom = max(one[2] for one in whole), max(one[3] for one in whole)
    if len(whole) == 1:
        return image.crop((left, top, right, bottom))
    colours = image.convert("RGBA")
    canvas = Image.new("RGBA", (right - left, bottom - top), "white")
    for one in whole:
        canvas.paste(colours.crop(one), (one[0] - left, one[1] - top))
    return canvas


def _inside(image: Any, box: Box) -> tuple[int, int, int, int]:
    x, y, width, height = box
    if x + width > image.width + ROUNDING or y + height > image.height + ROUNDING:
        raise ValueError(f"its region at {x:g}, {y:g} of {width:g} x {height:g} pixels reaches beyond the picture, "
                         f"which has {image.width} x {image.height}")
    left, top = min(round(x), image.width - 1), min(round(y), image.height - 1)
    return (left, top, min(max(left + 1, round(x + width)), image.width),
            min(max(top + 1, round(y + height)), image.height))
