"""Packaged models of other tasks than classes: from a table to answers, in the units and words of the task."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.data.tables import read_json
from trivium.serving import package
from trivium.serving.predict import predict_sample, predict_table
from trivium.serving.predictor import Predictor
from trivium.serving.pyfunc import _load_pyfunc
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression

NAME, SAMPLES = "supervised_frozen", 24
PRICES = np.linspace(100, 330, SAMPLES, dtype=np.float32)
TASKS = {
    "price": (Regression({"price": "EUR"}, scale=[70.0]), PRICES[:, None]),
    "house": (Regression({"rent": "EUR", "area": "m²"}, scale=[70.0, 7.0]), np.stack([PRICES, PRICES[::-1] / 10], 1)),
    "tags": (MultiLabel(["big", "red", "soft"]), np.eye(3, dtype=np.uint8)[np.arange(SAMPLES) % 3]),
    "grades": (Ordinal(["low", "mid", "high"]), np.arange(SAMPLES) % 3),
}
COLUMNS = {
    "price": ["price", "price_low", "price_high"],
    "house": ["rent", "rent_low", "rent_high", "area", "area_low", "area_high"],
    "tags": ["labels", "probability_big", "probability_red", "probability_soft"],
    "grades": ["label", "probability_low", "probability_mid", "probability_high"],
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untrained models, with the thresholds and intervals that validation gives them. To be read only."""
    found = {}
    for name, (task, targets) in TASKS.items():
        found[name] = fake_outs(tmp_path_factory.mktemp(name), {NAME: 0.9})
        fake_data(found[name], samples=SAMPLES, task=task, targets=targets)
        fake_models(found[name], NAME)
    return found


@pytest.mark.parametrize("kind", list(TASKS))
def test_a_table_in_and_the_same_from_the_package(kind: str, roots: dict[str, Path], tmp_path: Path) -> None:
    import pandas as pd

    root = roots[kind]
    media = [str(root / f"data/raw/media/{k}.png") for k in range(3)]
    (tmp_path / "new.csv").write_text("id,text,image\n" + "".join(
        f"{name},{text},{file}\n" for name, text, file in (("a", "alpha one", media[0]), ("b", "", media[1]),
                                                           ("c", "beta", "gone.png"), ("d", "", "gone.png"))))
    predict_table(root, NAME, tmp_path / "new.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["id", *COLUMNS[kind], "warning", "error"]
    why = "image 'gone.png' cannot be used: there is no such file"
    assert [row["warning"] for row in table] == ["", "", why, ""]
    assert [row["error"] for row in table] == ["", "", "", why]
    assert [table[3][name] for name in COLUMNS[kind]] == [""] * len(COLUMNS[kind])

    package.write(root, NAME, tmp_path / "packed")
    frame = pd.read_csv(tmp_path / "new.csv", keep_default_na=False).drop(columns="id").replace("gone.png", b"broken")
    served = _load_pyfunc(str(tmp_path / "packed")).predict(frame)
    assert list(served.columns) == [*COLUMNS[kind], "warning", "error"]
    for name in COLUMNS[kind]:
        cells = [row[name] for row in table[:3]]
        if name in ("label", "labels"):
            assert served[name].tolist() == [*cells, None]
        else:
            np.testing.assert_allclose(served[name], [*map(float, cells), np.nan], rtol=1e-5, atol=1e-6)


def test_intervals_and_thresholds_are_those_of_the_model(roots: dict[str, Path]) -> None:
    prices = Predictor.of_strategy(roots["price"], NAME)
    (half,) = read_json(roots["price"] / f"models/{NAME}/seed_1/model.json")["task"]["half"]
    found = prices.table([{"text": "alpha one"}])
    assert found["price_high"][0] - found["price"][0] == pytest.approx(half)
    assert found["price"][0] - found["price_low"][0] == pytest.approx(half)
    assert 100 < found["price"][0] < 330  # in EUR, not in deviations
    tags = Predictor.of_strategy(roots["tags"], NAME)
    cuts = read_json(roots["tags"] / f"models/{NAME}/seed_1/model.json")["task"]["thresholds"]
    told = tags.table([{"text": "alpha one"}, {"text": "beta two"}])
    for k in range(2):
        shares = [told[f"probability_{tag}"][k] for tag in ("big", "red", "soft")]
        given = [tag for tag, share, cut in zip(("big", "red", "soft"), shares, cuts, strict=True) if share >= cut]
        assert told["labels"][k] == ";".join(given)


@pytest.mark.parametrize(("kind", "first", "lines"), [
    ("price", "price  ", 1), ("house", "rent  ", 2), ("tags", "", 4), ("grades", "", 3)])
def test_one_sample_in_words(kind: str, first: str, lines: int, roots: dict[str, Path]) -> None:
    said = predict_sample(roots[kind], NAME, {"text": "alpha one", "image": None, "audio": None}).splitlines()
    assert len(said) == lines and said[0].startswith(first)
    if first:
        assert " EUR  (90 % interval " in said[0]
