"""Accuracy on a held-out domain and on the domains of the test set: from real, untrained models on real features."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests import networks, records
from tests.fake_outs import fake_data, fake_models
from trivium.data.store import Store
from trivium.data.tables import write
from trivium.evaluation import domain
from trivium.evaluation.evaluate import evaluate
from trivium.evaluation.metrics import Evaluation, Within
from trivium.evaluation.settings import Settings

DOMAINS = (["studio", "phone", None, "street", "phone"] * 20)[:96]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 samples; every fifth is from the street, which is held out."""
    root = tmp_path_factory.mktemp("domain")
    fake_data(root, samples=96)
    fake_models(root, "joint")
    records.trained("joint", records.seed(0), records.seed(1)).write(root / "models/joint/training.json")
    path = root / "data/features/samples.parquet"
    samples = pq.read_table(path).append_column("domain", pa.array(DOMAINS, pa.string()))
    for k in range(2):
        place = samples.column_names.index(f"seed_{k}")
        sides = zip(DOMAINS, samples[place].to_pylist(), strict=True)
        drawn = ["domain" if name == "street" else side for name, side in sides]
        samples = samples.set_column(place, f"seed_{k}", pa.array(drawn))
    write(samples, path)
    return root


def test_evaluate_keeps_both(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    evaluate("joint", Settings(batch=256, calibration_bins=15), "cpu", 1, tmp_path)
    answers, held = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("predictions", "held_out"))
    store = Store("supervised")
    street = [f"s{i:03}" for i in range(3, 96, 5)]
    for seed, record in enumerate(Evaluation.read(tmp_path / "metrics.json").seeds):
        own = held.filter(pc.equal(held["seed"], seed))
        assert own["sample"].to_pylist() == street
        assert record.domain is not None and record.domain.held_out is not None and record.domain.by is not None
        found = record.domain.held_out
        assert (found.name, found.n) == ("street", 19)
        y, prediction = own["y"].to_numpy(), own["prediction"].to_numpy()
        assert y.tolist() == store.batch(store.rows(seed, "domain"), seed).y.tolist()
        assert found.metrics["accuracy"] == (y == prediction).mean()
        assert found.metrics == pytest.approx(
            store.task.scores(store.task.outcome(np.array(own["answer"].to_pylist()), y)), abs=1e-5)
        tested = answers.filter(pc.equal(answers["seed"], seed)).to_pylist()
        assert not {row["sample"] for row in tested} & set(street)
        by = record.domain.by
        assert list(by) == ["phone", "studio"]
        for name in by:
            right = [row["y"] == row["prediction"] for row in tested if DOMAINS[int(row["sample"][1:])] == name]
            assert (by[name].n, by[name].score) == (len(right), pytest.approx(np.mean(right)))


class Known:
    """Of a store only what is asked of it here."""

    def __init__(self, domains: list[str | None]) -> None:
        self.domains = domains

    def weights(self, rows: np.ndarray) -> np.ndarray:
        return np.array([3.0, 1.0])[rows]


def test_domains_of_the_test_set() -> None:
    store = Known(["b", "a", None, "a", "c", "b"])
    right = np.array([True, True, False, False])
    assert domain.within(store, np.array([0, 1, 2, 3]), right) == {  # type: ignore[arg-type]
        "a": Within(n=2, score=0.5), "b": Within(n=1, score=1.0)}
    assert domain.within(store, np.array([1, 2, 3]), right[1:]) is None  # type: ignore[arg-type]
    assert domain.within(Known([None] * 4), np.arange(4), right) is None  # type: ignore[arg-type]


def test_samples_of_the_held_out_domain_count_by_their_weights() -> None:
    task = networks.task(2)
    answers = task.outcome(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1]))
    found = domain.held_out(Known(["a", "a"]), np.arange(2), task, answers, 15)  # type: ignore[arg-type]
    assert (found.n, found.metrics["accuracy"]) == (2, 0.75)


def test_only_the_largest_domains_are_told_apart() -> None:
    """Domain k has k samples; those with the fewest are left out, whatever the test set holds."""
    names: list[str | None] = [f"d{k:02}" for k in range(20) for _ in range(k)]
    found = domain.within(Known(names), np.arange(len(names)), np.ones(len(names), bool))  # type: ignore[arg-type]
    assert found is not None and list(found) == [f"d{k:02}" for k in range(8, 20)]
