"""A compressed tar of class folders is kept uncompressed, unless it holds far more than it should."""

import gzip
from pathlib import Path

import pytest

from trivium.importing import trees
from trivium.settings.errors import UserError


def test_a_bomb_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST", 1 << 20)
    packed = tmp_path / "zeros.tar.gz"
    with gzip.open(packed, "wb") as file:
        file.write(bytes(8 << 20))  # a thousand times its size
    with pytest.raises(UserError, match="holds more than 200 times its size, which is taken for a decompression bomb"):
        trees.unpacked(packed, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_no_larger_than_it_may_be_is_unpacked(tmp_path: Path) -> None:
    packed = tmp_path / "few.tgz"
    with gzip.open(packed, "wb") as file:
        file.write(bytes(8 << 20))
    plain = trees.unpacked(packed, tmp_path / "out")
    assert plain == tmp_path / "out/few.tar" and plain.read_bytes() == bytes(8 << 20)
