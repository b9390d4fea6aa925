"""A written page, read back."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.comparisons import full
from trivium.report.html import write


class Page(HTMLParser):
    """Elements, attributes and text of a page; fails where tags are not closed in order."""

    VOID = ("meta", "img", "br", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th") and self.cells:
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        data = re.sub(r"[ \n]+", " ", data)  # as a browser shows it
        if not {"script", "style"} & set(self.open):
            self.words.append(data)
            if {"td", "th"} & set(self.open):
                self.cells[-1][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def sections(self) -> set[str | None]:
        return {attributes["id"] for attributes in self.of("section")}


def changed(root: Path, **parts: Any) -> Page:
    """The page with other values for keys of parts of the comparison: `verdict={"winner": None}`."""
    path = root / "reports/comparison.json"
    comparison = json.loads(path.read_text())
    for key, values in parts.items():
        comparison[key] = comparison[key] | values if isinstance(values, dict) else values
    path.write_text(json.dumps(full(comparison)))
    return Page(write(root).read_text(encoding="utf-8"))
