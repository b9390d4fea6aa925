"""The little Markdown that a data card needs: headings, paragraphs, lists, bold, emphasis, code. All else is text."""

from __future__ import annotations

import re

from trivium.drawing.markup import Html, h

_INLINE = re.compile(r"\*\*(?P<b>.+?)\*\*|`(?P<code>.+?)`|(?<!\w)[*_](?P<em>[^*_]+)[*_](?!\w)")
_LIST = re.compile(r"\s*[-*+]\s+")


def render(text: str) -> Html:
    """Headings become `h3` and below, so that they fit under a section's."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        while lines and (match := re.match(r"(#+)\s+(.*)", lines[0])):
            blocks.append(h(f"h{min(len(match[1]) + 2, 6)}", _inline(match[2])))
            lines = lines[1:]
        start = next((number for number, line in enumerate(lines) if _LIST.match(line)), len(lines))
        if start:
            blocks.append(h("p", _inline(" ".join(line.strip() for line in lines[:start]))))
        items: list[str] = []
        for line in lines[start:]:
            if match := _LIST.match(line):
                items.append(line[match.end() :])
            else:
                items[-1] += f" {line.strip()}"
        if items:
            blocks.append(h("ul", [h("li", _inline(item)) for item in items]))
    return Html("".join(blocks))


def _inline(text: str) -> list[Html | str]:
    parts: list[Html | str] = []
    end = 0
    for match in _INLINE.finditer(text):
        parts.append(text[end : match.start()])
        kind = str(match.lastgroup)
        parts.append(h(kind, match[kind]))
        end = match.end()
    return [*parts, text[end:]]
