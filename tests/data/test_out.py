from pathlib import Path

import pytest

from trivium.data.out import Out, Part
from trivium.settings.errors import UserError


class Piece(Part):
    name: str
    half: float | None = None


class Whole(Out):
    pieces: dict[str, Piece]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    made = Whole(pieces={"a": Piece(name="é", half=0.5), "b": Piece(name="")})
    made.write(tmp_path / "w.json")
    assert (tmp_path / "w.json").read_text(encoding="utf-8") == (
        '{\n "pieces": {\n  "a": {\n   "half": 0.5,\n   "name": "é"\n  },\n  "b": {\n   "name": ""\n  }\n }\n}\n')
    assert Whole.read(tmp_path / "w.json") == made == Whole.found(tmp_path / "w.json")
    assert Whole.found(tmp_path / "none.json") is None


@pytest.mark.parametrize(("text", "said"), [
    ('{"pieces": {"a": {"name": "x", "old": 1}}}', r"pieces.a.old: extra inputs are not permitted"),
    ('{"pieces": {"a": {}}}', r"pieces.a.name: field required"),
    ("[]", "its whole content: input should be a valid dictionary"),
])
def test_another_version_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "w.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"w.json was made by another version of Trivium \({said}.*\). Run `dvc r"):
        Whole.read(tmp_path / "w.json")


def test_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"w.json is empty: .* Remove it and run `dvc repro`"):
        Whole.read(tmp_path / "w.json")
