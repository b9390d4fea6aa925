"""HTML and SVG as nested calls; whatever is not markup already is escaped."""

from __future__ import annotations

from html import escape
from typing import Any

from markupsafe import Markup as Html

VOID = {"br", "hr", "img", "input", "link", "meta"}

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


def breakable(name: str) -> Html:
    """A name that may be broken after an underscore or a plus."""
    return Html(escape(name).replace("_", "_<wbr>").replace("+", "+<wbr>"))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: Any) -> str:
    if isinstance(value, float):  # coordinates: a tenth of a pixel is plenty
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
