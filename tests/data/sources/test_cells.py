import numpy as np
import pyarrow.compute as pc
import pytest

from trivium.data import tables
from trivium.data.settings import Cells
from trivium.data.sources import cells
from trivium.modalities.columns import packed


def test_the_best_answer_is_known():
    known = cells.world().meta()
    assert known.bayes == {"text": 0.7375, "facts": 0.905, "all": 0.92875}
    assert known.bits["facts"] == pytest.approx(0.642243)


def test_two_columns_say_together_what_neither_says_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells.write(tmp_path / "raw", Cells(samples=4000), seed=0)
    facts, labels = tables.read(tmp_path / "raw/facts.parquet"), tables.read(tmp_path / "raw/labels.parquet")
    found = packed.unpack(facts["value"], ["size", "kind"])
    high = np.array(labels["label"].to_pylist()) == "high"
    large = np.array(found["size"].to_pylist(), float) > 50
    kind = found["kind"].to_numpy()
    known = found["kind"].is_valid().to_numpy()
    first = np.isin(kind, ["flat", "house"])
    assert known.mean() == pytest.approx(0.9, abs=0.02)
    assert (large ^ first ^ high)[known].mean() in (pytest.approx(0.05, abs=0.02), pytest.approx(0.95, abs=0.02))
    assert high[large].mean() == pytest.approx(0.5, abs=0.03)
    assert high[first & known].mean() == pytest.approx(0.5, abs=0.03)
    text = tables.read(tmp_path / "raw/text.parquet")
    assert len(text) == pytest.approx(3800, abs=60)
    assert pc.all(pc.is_in(text["key"], labels["key"])).as_py()


def test_the_same_seed_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        cells.write(tmp_path / name, Cells(samples=200), seed=3, streams=["facts"])
    assert (tmp_path / "one/facts.parquet").read_bytes() == (tmp_path / "two/facts.parquet").read_bytes()
    assert not (tmp_path / "one/text.parquet").exists()
