"""Digests of files are in the order of their names, whether they are read one after the other or by threads."""

from hashlib import blake2b
from pathlib import Path

import pytest

from trivium.data.sources import places


@pytest.mark.parametrize("seconds", [1.0, 0.0])  # that a file may take as long as there are no threads
def test_digests_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(places, "QUICK", seconds)
    monkeypatch.setattr(places, "BATCH", 7)
    names = [f"{k}.bin" for k in range(200)]
    for k in range(200):
        (tmp_path / names[k]).write_bytes(b"%d" % k)
    (tmp_path / names[150]).unlink()
    (tmp_path / names[3]).write_bytes(b"x" * 1_000_000)
    found = places.hashed(names, tmp_path, "signal")
    wanted: list[str | None] = [blake2b(b"%d" % k, digest_size=16).hexdigest() for k in range(200)]
    wanted[150], wanted[3] = None, blake2b(b"x" * 1_000_000, digest_size=16).hexdigest()
    assert found == wanted
