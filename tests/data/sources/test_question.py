import pytest

from trivium.data.sources.question import note, refuse
from trivium.settings.errors import UserError


def test_lists_are_refused() -> None:
    for found in (["['a']", "['a', 'b']", "['b', 'a']"], ['["a"]', '["a", "b"]', "none"], ["{a}", "{a, b}"]):
        with pytest.raises(UserError, match="m.csv: column `tags` holds lists .*, and every combination would be a cl"
                                            "ass of its own. .* set `task: multilabel` in params.yaml"):
            refuse(found, "tags", "m.csv")


def test_quantities_are_refused() -> None:
    prices = [f"{i * 1.37:.2f}" for i in range(21)]
    with pytest.raises(UserError, match=r"holds 21 different decimal numbers \(`0.00`, `1.37`, `2.74`\), which look"
                                        ".* Set `task: regression` in params.yaml"):
        refuse(prices, "price", "p.csv")
    with pytest.raises(UserError, match="21 different numbers such as `0,00`, .* Write them with a decimal point"):
        refuse([price.replace(".", ",") for price in prices], "price", "p.csv")


@pytest.mark.parametrize(("form", "unit"), [
    ("{:.1f} EUR", "EUR"), ("€{:,.1f}", "€"), ("{:.0f} m²", "m²"), ("$ {:.2f}", "[$]"), ("{:.0f}%", "%")])
def test_quantities_with_a_unit_are_refused(form: str, unit: str) -> None:
    prices = [form.format(i * 2000 + 0.5) for i in range(21)]
    with pytest.raises(UserError, match=f"holds 21 different numbers with `{unit}` .* Write the numbers alone, .*"
                                        f"units: .price: {unit}"):
        refuse(prices, "price", "p.csv")
    refuse(prices[:20], "price", "p.csv")


def test_numbers_with_marks_between_thousands_are_refused() -> None:
    prices = [f"{2000.5 + 311 * i:,.2f}" for i in range(21)]
    with pytest.raises(UserError, match=r"holds 21 different numbers such as `2,000.50`, .* Write them with a decimal "
                                        "point and nothing between the digits, such as 1234.5, and set `task: regr"):
        refuse(prices, "price", "p.csv")


def test_more_classes_than_can_be_compared() -> None:
    with pytest.raises(UserError, match=r"has 1,001 different labels \(`0`, `1`, `2`, ...\); at most 1,000 classes can "
                                        "be compared. They are numbers: .* set `task: regression`"):
        refuse([str(i) for i in range(1001)], "price", "p.csv")
    with pytest.raises(UserError, match="If a cell holds several tags, set `task: multilabel`"):
        refuse([f"c{i}" for i in range(1001)], "name", "p.csv")
    refuse([f"c{i}" for i in range(1000)], "name", "p.csv")


@pytest.mark.parametrize("found", [["a|b", "b|a", "a", "b"], ["x;y", "y;z", "x", "z;x"]])
def test_several_tags_are_asked_about(found: list[str]) -> None:
    refuse(found, "tags", "m.csv")
    said = note(found, "m.csv: column `tags`")
    assert said.startswith("m.csv: column `tags` has labels with `") and "set `task: multilabel`" in said


def test_many_whole_numbers_are_asked_about() -> None:
    found = [str(i) for i in range(21)]
    refuse(found, "age", "m.csv")
    assert note(found, "m.csv: column `age`") == (
        "m.csv: column `age` has 21 different whole numbers, and each is a class of its own. If they are a quantity, "
        "set `task: regression` in params.yaml.")
    assert note(found[:20], "m.csv: column `age`") == ""


@pytest.mark.parametrize("found", [
    [f"{k}{seat}" for k in range(9) for seat in "ABC"], [f"A{k}" for k in range(30)],
    [f"{k}.{k}.{k}" for k in range(30)],
    ["cat", "dog"], ["[positive]", "[negative]"], ["1.0.2", "1.1.0"], [str(i) for i in range(20)],
    [f"{i / 2:.1f}" for i in range(1, 11)], ["animal|cat", "thing|car"], ["a, b", "c, d"], ["b|w", "colour"],
])
def test_classes_are_not(found: list[str]) -> None:
    refuse(found, "label", "m.csv")
    assert note(found, "m.csv: column `label`") == ""
