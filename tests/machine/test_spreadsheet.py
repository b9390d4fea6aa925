import pytest

from trivium.machine.spreadsheet import safe


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", "\r=1", "\n=1", "＝1+1", "--1", "-",
                                  "+ 5", "=HYPERLINK(\"http://a\")", "-1 ", "-٣"])
def test_a_text_that_would_be_a_formula_is_a_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=b", " =1", "'=1", "-5", "+5", "-1.5e-3", "-inf", -5, -1.5, None, "cat"])
def test_numbers_and_plain_texts_stay(cell: object) -> None:
    assert safe(cell) == cell
