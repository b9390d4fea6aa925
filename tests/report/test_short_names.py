"""Names beside a chart are cut where they are long, and can still be told apart."""

import pytest

from trivium.drawing.looks import short


@pytest.mark.parametrize(("name", "shown"), [
    ("LP-FT", "LP-FT"),
    ("Joint training from scratch (film)", "Joint training from… (film)"),
    ("Joint training from scratch (concat)", "Joint training fro… (concat)"),
    ("Ensemble of unimodal models from supervised", "Ensemble of unimodal models…"),
    ("One (with an end in brackets that fills all of the line)", "One (with an end in bracket…"),
])
def test_the_end_in_brackets_stays(name: str, shown: str) -> None:
    assert short(name, 28) == shown
    assert len(short(name, 28)) <= 28
