from collections.abc import Iterator
from pathlib import Path

import pytest

from trivium.machine.engines import sent

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # sha256 of "hello"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIVIUM_NODE", str(tmp_path / "node"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def nothing(digest: str) -> Iterator[bytes]:
    raise AssertionError(f"{digest} was there")


def test_files_are_listed_by_their_content(here: Path) -> None:
    (here / "work/data/deep").mkdir(parents=True)
    (here / "work/data/deep/a").write_text("hello")
    (here / "work/b").write_text("")
    found = sent.listed([Path("data"), Path("b"), Path("absent"), Path("/etc/hostname")])
    assert found == {"data/deep/a": HELLO, "b": EMPTY}


def test_a_file_that_changes_is_read_again(here: Path) -> None:
    (here / "work/a").write_text("")
    assert sent.listed([Path("a")]) == {"a": EMPTY}
    (here / "work/a").write_text("hello")
    assert sent.listed([Path("a")]) == {"a": HELLO}


def test_a_node_asks_for_what_it_lacks_and_keeps_what_it_got(here: Path) -> None:
    wanted = {"data/a": HELLO, "data/b": HELLO, "c": EMPTY}
    assert sent.project(wanted, frozenset(), nothing) == [HELLO, EMPTY]
    assert sent.project(wanted, frozenset([EMPTY]), nothing) == [HELLO]
    content = {HELLO: [b"hel", b"lo"], EMPTY: list[bytes]()}
    made = sent.project(wanted, frozenset(content), lambda digest: iter(content[digest]))
    assert isinstance(made, Path) and made.is_relative_to(here / "node")
    assert {str(path.relative_to(made)): path.read_text() for path in made.rglob("*") if path.is_file()} == {
        "data/a": "hello", "data/b": "hello", "c": ""}
    assert sent.project(wanted, frozenset(), nothing) == made
    assert isinstance(sent.project({"elsewhere": HELLO}, frozenset(), nothing), Path)


def test_a_node_keeps_the_projects_that_were_asked_for_last(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent, "MOST", 2)
    for digest, content in (HELLO, b"hello"), (EMPTY, b""), ("0" * 64, b"other"):
        sent.project({"a": digest}, frozenset([digest]), lambda _, content=content: iter([content]))
    assert len(list((here / "node/projects").iterdir())) == 2
    assert sorted(path.name for path in (here / "node/blobs").iterdir()) == ["0" * 64, EMPTY]


def test_large_files_travel_in_pieces(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent, "PIECE", 2)
    (here / "work/a").write_text("hello")
    assert list(sent.pieces("a")) == [b"he", b"ll", b"o"]
