"""Tables are worked on by pieces; where a piece ends must not show. So tests with a known answer run again on pieces
of three rows.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data import test_alignment, test_validation
from trivium.data import frames, tables
from trivium.data.sources import jsonl

WHOLE = [getattr(module, name) for module in (test_validation, test_alignment) for name in dir(module)
         if name.startswith("test_") and getattr(module, name).__code__.co_varnames[
             :getattr(module, name).__code__.co_argcount] == ("tmp_path",)]


@pytest.mark.parametrize("test", WHOLE, ids=lambda test: test.__name__)
def test_pieces_of_three_rows(test: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PIECE", 3)
    monkeypatch.setattr(tables.pieces, "__defaults__", (None, 3))
    monkeypatch.setattr(frames.Rows.pieces, "__defaults__", (None, 3))
    monkeypatch.setattr(jsonl, "ROWS", 3)
    test(tmp_path)


def test_there_are_such_tests() -> None:
    assert len(WHOLE) > 15
