"""Folders that are kept by what they were made from: whole or not at all, and the same files again."""

import os
from pathlib import Path

import pytest

from tests import damage
from tests.helpers import digests
from trivium.machine import cache
from trivium.machine.cache import Cache


def make(kept: Cache, key: str, text: str = "x") -> None:
    with kept.making(key) as folder:
        (folder / "deep").mkdir()
        (folder / "deep/a").write_text(text)
        (folder / "b").write_text("b")


def test_what_was_made_is_taken_again_and_nothing_else(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "kept")
    assert not kept.take("one", tmp_path / "before") and not (tmp_path / "before").exists()
    make(kept, "one")
    assert Cache(tmp_path / "kept").take("one", tmp_path / "out")  # in a process that comes later as well
    assert digests(tmp_path / "out", ".").keys() == {"deep/a", "b"}
    assert (tmp_path / "out/deep/a").read_text() == "x"
    assert not kept.take("other", tmp_path / "none")


def test_files_take_no_room_of_their_own_where_the_disk_allows_it(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "kept")
    make(kept, "one")
    kept.take("one", tmp_path / "out")
    assert (tmp_path / "out/b").samefile(tmp_path / "kept/one/b")


def test_files_are_copied_where_links_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    kept = Cache(tmp_path / "kept")
    make(kept, "one")
    monkeypatch.setattr(cache.os, "link", refused)
    assert kept.take("one", tmp_path / "out")
    assert (tmp_path / "out/deep/a").read_text() == "x"
    assert not (tmp_path / "out/b").samefile(tmp_path / "kept/one/b")


def test_an_out_that_is_removed_leaves_what_is_kept(tmp_path: Path) -> None:
    """As DVC does before a stage runs."""
    kept = Cache(tmp_path / "kept")
    make(kept, "one")
    kept.take("one", tmp_path / "out")
    for file in ("deep/a", "b"):
        (tmp_path / "out" / file).unlink()
    assert kept.take("one", tmp_path / "again") and (tmp_path / "again/deep/a").read_text() == "x"


class Killed(BaseException):
    """As a signal: no `except Exception` sees it."""


@pytest.mark.parametrize("when", ["half way", "at the end"])
def test_what_a_kill_left_half_made_is_never_taken_and_made_anew(tmp_path: Path, when: str) -> None:
    kept = Cache(tmp_path / "kept")
    with pytest.raises(Killed), kept.making("one") as folder:
        (folder / "left").write_text("of a run that was killed")
        if when == "at the end":
            (folder / "b").write_text("b")
        raise Killed
    assert (tmp_path / "kept/one/left").exists()
    again = Cache(tmp_path / "kept")
    assert not again.take("one", tmp_path / "out") and not (tmp_path / "out").exists()
    make(again, "one")
    assert again.take("one", tmp_path / "out")
    assert digests(tmp_path / "out", ".").keys() == {"deep/a", "b"}


def test_what_is_made_again_under_a_key_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """And a kill in between leaves neither."""
    kept = Cache(tmp_path / "kept")
    make(kept, "one", "old")
    kept.take("one", tmp_path / "out")
    with pytest.raises(Killed), kept.making("one"):
        raise Killed
    assert not kept.take("one", tmp_path / "none")
    make(kept, "one", "new")
    kept.take("one", tmp_path / "new")
    assert [(tmp_path / out / "deep/a").read_text() for out in ("out", "new")] == ["old", "new"]


def test_the_oldest_that_nobody_asked_for_go_first(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "kept", most=1)
    for k, name in enumerate("abcd"):
        make(kept, name)
        os.utime(tmp_path / "kept" / name, (k, k))
    later = Cache(tmp_path / "kept", most=1)
    later.take("a", tmp_path / "out")
    later.take("b", tmp_path / "other")
    later.keep()
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"a", "b", "d"}
    assert os.stat(tmp_path / "kept/a").st_mtime > 1e9  # asked for just now
    Cache(tmp_path / "kept", most=0).keep()
    assert list((tmp_path / "kept").iterdir()) == []
    Cache(tmp_path / "nothing").keep()


@pytest.mark.parametrize("name", ["deep/a", "b", "whole"])
@pytest.mark.parametrize("kind", ["empty", "zeros", "a bit at its beginning"])
def test_what_is_damaged_is_not_taken(tmp_path: Path, name: str, kind: str) -> None:
    kept = Cache(tmp_path / "kept")
    make(kept, "one")
    damage.do(tmp_path / "kept/one" / name, kind)
    assert not kept.take("one", tmp_path / "out")
    make(kept, "one")
    assert kept.take("one", tmp_path / "out") and (tmp_path / "out/deep/a").read_text() == "x"
