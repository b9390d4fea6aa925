"""SVG, an element at a time; whatever is not markup already is escaped."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    import numpy as np

NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")  # an SVG with one is not shown


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """One element around markup, text and lists of both. `class_` is written `class`, `aria_label` is `aria-label`; a
    child or an attribute that is None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{_join(children)}</{name}>")


def drawing(width: float, height: float, *parts: Any) -> str:
    """A whole SVG file of `width` x `height` pixels on white, in a sans-serif font of 12 pixels."""
    drawn = tag("svg", tag("rect", width=width, height=height, fill="white"), parts, xmlns="http://www.w3.org/2000/svg",
                width=width, height=height, viewBox=f"0 0 {width} {height}", font_family="sans-serif",
                font_size=12, fill="#222222")
    return str(drawn).translate(NOT_XML) + "\n"


def bitmap(pixels: np.ndarray, x: float, y: float, width: float, height: float) -> Markup:
    """`pixels`, uint8 [H, W, 3], stretched over a rectangle of an SVG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    return tag("image", x=x, y=y, width=width, height=height, preserveAspectRatio="none",
               style="image-rendering: pixelated", href=f"data:image/png;base64,{content}")


def _join(children: Any) -> Markup:
    if children is None:
        return Markup("")
    if isinstance(children, (list, tuple)):
        return Markup("".join(map(_join, children)))
    return escape(_text(children))


def _text(value: Any) -> Any:
    """Coordinates: a tenth of a pixel is plenty."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
