import pytest

from trivium.data.sources.question import labels
from trivium.settings.errors import UserError


def test_lists_are_refused() -> None:
    for found in (["['a']", "['a', 'b']", "['b', 'a']"], ['["a"]', '["a", "b"]', "none"], ["{a}", "{a, b}"]):
        with pytest.raises(UserError, match="m.csv: column `tags` holds lists .*, and every combination would be a cl"):
            labels(found, "m.csv: column `tags`")


def test_quantities_are_refused() -> None:
    prices = [f"{i * 1.37:.2f}" for i in range(21)]
    with pytest.raises(UserError, match=r"holds 21 different decimal numbers \(`0.00`, `1.37`, `2.74`\), which look"):
        labels(prices, "p.csv: column `price`")
    with pytest.raises(UserError, match="21 different decimal numbers"):
        labels([price.replace(".", ",") for price in prices], "p.csv: column `price`")


@pytest.mark.parametrize("found", [["a|b", "b|a", "a", "b"], ["x;y", "y;z", "x", "z;x"]])
def test_several_tags_are_asked_about(found: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    labels(found, "m.csv: column `tags`")
    said = capsys.readouterr().out
    assert said.startswith("note: m.csv: column `tags` has labels with `") and "every combination is a class" in said


@pytest.mark.parametrize("found", [
    ["cat", "dog"], ["[positive]", "[negative]"], ["1.0.2", "1.1.0"], [str(i) for i in range(200)],
    [f"{i / 2:.1f}" for i in range(1, 11)], ["animal|cat", "thing|car"], ["a, b", "c, d"], ["b|w", "colour"],
])
def test_classes_are_not(found: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    labels(found, "m.csv: column `label`")
    assert capsys.readouterr().out == ""
