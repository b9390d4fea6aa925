"""Examples of a column."""

import pytest

from trivium.cli.roles import _short, _spread


def test_examples_are_spread() -> None:
    assert list(_spread(["test", "train", "val"])) == ["test", "train", "val"]
    assert list(_spread([f"{k}" for k in range(9)])) == ["0", "4", "8"]


@pytest.mark.parametrize(("value", "shown"), [
    ("animals/and/or/other/things/that/are/long", "…s/and/or/other/things/that/are/long"),
    ("/home/a b/pictures of 2024/the first of all.png", "…ctures of 2024/the first of all.png"),
    ("A text and/or several words that are longer than it.", "A text and/or several words that ar…"),
    ("/9j/" + "4AAQ" * 100, "/9j/4AAQ4AAQ4AAQ4AAQ4AAQ4AAQ4AAQ4AA…"),
])
def test_the_end_of_a_path_is_shown_and_the_head_of_a_text(value: str, shown: str) -> None:
    assert len(_short(value)) == 36 and _short(value) == shown
