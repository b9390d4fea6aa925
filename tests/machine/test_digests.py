"""A file that knows its own content."""

import hashlib
from pathlib import Path

import pytest
import torch

from tests import damage
from trivium.machine import digests


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    assert digests.of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_torch_writes_can_be_read_behind_its_seal(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"x": torch.arange(5.0)}, path)
    bare = path.read_bytes()
    assert not digests.sealed(path)
    digests.seal(path)
    assert digests.sealed(path)
    for mmap in (False, True):
        assert torch.load(path, weights_only=True, mmap=mmap)["x"].tolist() == [0, 1, 2, 3, 4]
    content = path.read_bytes()
    assert len(content) == len(bare) + 72
    assert content[-64:].decode() == hashlib.sha256(content[:-72]).hexdigest()


@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_damaged_seal_is_seen(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.pt"
    torch.save({"x": torch.arange(500.0)}, path)
    digests.seal(path)
    damage.do(path, kind)
    assert not digests.sealed(path)


def test_every_bit_counts(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"some content")
    digests.seal(path)
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        assert not digests.sealed(path), at


def test_of_a_folder_what_is_missing_or_changed_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("deep/a", "b", "record.json", ".c.4711.part"):
        (tmp_path / name).write_text(name)
    known = digests.of_folder(tmp_path, "record.json")
    assert list(known) == ["b", "deep/a"] and digests.damaged(tmp_path, known) == ""
    damage.do(tmp_path / "deep/a", "a bit in the middle")
    assert digests.damaged(tmp_path, known) == "deep/a"
    (tmp_path / "b").unlink()
    assert digests.damaged(tmp_path, known) == "b"
