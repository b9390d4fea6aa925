"""HTML and SVG as nested calls; whatever is not markup already is escaped."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

VOID = {"br", "hr", "img", "input", "link", "meta"}
NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")  # an SVG with one is not shown


class Html(str):
    """Markup. Any other `str` is text from somewhere and is escaped by `h`."""

    __slots__ = ()


def h(name: str, /, *children: Any, **attributes: Any) -> Html:
    """One element. `class_` is written `class`, `aria_label` is `aria-label`; None and False leave something out."""
    written = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Any) -> Html:
    """Children one after the other: markup as it is, text escaped, lists flattened, None dropped."""
    if children is None or children is False:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, (list, tuple)) or hasattr(children, "__next__"):
        return Html("".join(join(child) for child in children))
    return Html(escape(_text(children)))


def drawing(width: float, height: float, *parts: Any) -> str:
    """A whole SVG file of `width` x `height` pixels on white, in a sans-serif font of 12 pixels."""
    drawn = h("svg", h("rect", width=width, height=height, fill="white"), parts, xmlns="http://www.w3.org/2000/svg",
              width=width, height=height, viewBox=f"0 0 {width} {height}", font_family="sans-serif", font_size=12,
              fill="#222222")
    return drawn.translate(NOT_XML) + "\n"


def bitmap(pixels: np.ndarray, x: float, y: float, width: float, height: float) -> Html:
    """`pixels`, uint8 [H, W, 3], stretched over a rectangle of an SVG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    return h("image", x=x, y=y, width=width, height=height, preserveAspectRatio="none",
             style="image-rendering: pixelated", href=f"data:image/png;base64,{content}")


def breakable(name: str) -> Html:
    """A name that may be broken after an underscore or a plus."""
    return Html(escape(name).replace("_", "_<wbr>").replace("+", "+<wbr>"))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: Any) -> str:
    if isinstance(value, float):  # coordinates: a tenth of a pixel is plenty
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
