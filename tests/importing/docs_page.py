"""The examples of docs/bring-your-own-data.md."""

import re

from tests.helpers import ROOT

PAGE = (ROOT / "docs/bring-your-own-data.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """What stands below a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, kind: str = "") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", section(title), re.S | re.M)
    return [text for own, text in found if own == kind]


def commands(title: str) -> list[str]:
    return [line for block in blocks(title, "sh") for line in block.splitlines()]
