"""Cells of a CSV that a spreadsheet takes for text: none starts a formula, which could read files or send them away."""

from __future__ import annotations

STARTS = tuple("=+-@\t\r\n＝＋－＠")  # wide ones too: a Japanese Excel takes them for the others


def safe(cell: object) -> object:
    """A text that begins as a formula does gets an apostrophe in front; numbers, and texts of numbers, stay."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(STARTS) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and cell == cell.strip()
