"""Which samples changed most, and what compare leaves of them, with real, untrained models on real features."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests import networks
from tests.fake_outs import CLASSES, fake_data, fake_models
from tests.helpers import digests, drawn
from trivium import fusion, models
from trivium.comparison import explained
from trivium.comparison.explained import most_changed
from trivium.data.store import Store
from trivium.data.tables import read_json, write, write_json
from trivium.encoders import describe
from trivium.models import files
from trivium.tasks.classification import Classification

TRUE = {  # seed 0: sample -> probability of the true label, per strategy
    "one": {"d": 0.5, "c": 0.9, "b": 0.1, "a": 0.8, "e": 0.3},
    "two": {"d": 0.5, "c": 0.1, "b": 0.9, "a": 0.4, "e": 0.3},
}

SEED = {"seed": 0, "task": Classification(CLASSES).plain()}


def predictions(folder: Path, truth: dict[str, float], seed: int = 0, late: float = 0.0) -> None:
    """Of seeds `seed` and, where all strategies differ much more, `seed + 1`. The true label is the second class."""
    rows = [(seed, sample, p) for sample, p in truth.items()] + [(seed + 1, "z", late)]
    write(pa.table({"seed": pa.array([row[0] for row in rows], pa.int32()), "sample": [row[1] for row in rows],
                    "y": pa.array([1] * len(rows), pa.int32()), "prediction": pa.array([1] * len(rows), pa.int32()),
                    "answer": pa.array([[1 - p, p] for *_, p in rows], pa.list_(pa.float32()))}),
          folder / "predictions.parquet")


def test_the_most_changed_samples_come_first_and_ties_go_by_name(tmp_path: Path) -> None:
    """|0.9 - 0.1| / 2 = 0.4 twice, then |0.8 - 0.4| / 2 = 0.2; d and e are the same for both, and z is of seed 1."""
    for k, (name, truth) in enumerate(TRUE.items()):
        predictions(tmp_path / name, truth, late=float(k))
        task = networks.task(2).plain()
        write_json({"seeds": [{"seed": seed, "task": task} for seed in (0, 1)]}, tmp_path / name / "metrics.json")
    found = most_changed(tmp_path, ["one", "two"])
    assert list(found) == ["b", "c", "a"]
    assert list(found.values()) == pytest.approx([0.4, 0.4, 0.2])
    assert list(most_changed(tmp_path, ["one", "two"], count=1)) == ["b"]
    assert most_changed(tmp_path, ["one"]) == {}  # nothing to compare it with


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two strategies, the second with a transformer for text; seed 0 tests on 7 samples or so."""
    fake_data(tmp_path, samples=24)
    fake_models(tmp_path, "joint", seeds=1)
    store, chosen = Store("supervised", tmp_path), fusion.chosen("concat", "fusion")
    words = describe("words", {"modality": "text", "architecture": "transformer", "width": 16, "depth": 1,
                               "processor": {"length": 8, "vocab": 64}})
    encoders = store.encoders | {"text": words}
    parts = {s: models.encoder(encoders[s], spec, seed=1) for s, spec in store.specs.items()}
    about = files.describe("fusion", encoders, store.specs, store.task, fusion=chosen, features=store.digest)
    models.save(models.multimodal(parts, store.task, chosen, seed=1), about, tmp_path / "models/second/seed_0")
    rows, draw = store.rows(0, "test"), np.random.default_rng(0)
    for name in ("joint", "second"):
        folder = tmp_path / "reports/evaluate" / name
        predictions(folder, {store.samples[row]: draw.random() for row in rows})
        write_json({"title": name.capitalize(), "start": "supervised", "seeds": [SEED]}, folder / "metrics.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_picture_and_the_numbers_of_every_strategy(project: Path) -> None:
    found = explained.write(project / "reports/explained", ["joint", "second"])
    assert read_json(project / "reports/explained/explained.json")["seed"] == 0
    store = Store("supervised", project)
    chosen = most_changed(project / "reports/evaluate", ["joint", "second"])
    assert [entry["sample"] for entry in found["samples"]] == list(chosen) and len(chosen) == 3
    for k, entry in enumerate(found["samples"]):
        row = store.samples.index(entry["sample"])
        assert entry["label"] == store.task.words(store.batch(np.array([row]), 0).y)
        assert entry["picture"] == f"changed_{k}.svg"
        size = drawn(project / "reports/explained" / entry["picture"])[:2]
        assert size == ("899", "539")  # three lines: both strategies, and where the transformer looks
        words = (project / "reports/explained" / entry["picture"]).read_text(encoding="utf-8")
        assert set(entry["strategies"]) == {"joint", "second"}
        for name, answer in entry["strategies"].items():
            assert (answer["support"] == answer["truth"]) == (answer["prediction"] == entry["label"])
            assert answer["nats"]["text"] == pytest.approx(sum(w for _, w in answer["tokens"]["text"]), abs=1e-5)
            told = "right" if answer["prediction"] == entry["label"] else (
                f"wrong: {entry['label']} has {answer['truth']:.0%}")
            assert f">{told}<" in words and f">{answer['prediction']} ({answer['support']:.0%})<" in words
            assert ("rollout" in answer) == (name == "second")
        shares = [share for _, share in entry["strategies"]["second"]["rollout"]["text"]]
        assert sum(shares) == pytest.approx(1.0, abs=1e-5) or not shares
    assert set(found["deletion"]["joint"]["text"]) == {"area", "random"}
    assert set(found["deletion"]["second"]["text"]) == {"area", "rollout", "random"}


def test_the_answers_are_those_of_the_models(project: Path) -> None:
    found = explained.write(project / "reports/explained", ["second", "joint"])
    store = Store("supervised", project)
    rows = np.array([store.samples.index(entry["sample"]) for entry in found["samples"]])
    batch = store.batch(rows, 0)
    for name in ("joint", "second"):
        p = models.load(project / "models" / name / "seed_0")(batch.inputs, batch.present).exp()
        said = [entry["strategies"][name] for entry in found["samples"]]
        assert [answer["prediction"] for answer in said] == [store.task.words(k) for k in p.argmax(1)]
        assert [answer["truth"] for answer in said] == pytest.approx(p[range(3), batch.y].tolist(), abs=1e-5)


def test_what_was_too_dear_to_explain_in_evaluate_is_not_explained_here(project: Path) -> None:
    path = project / "reports/evaluate/second/metrics.json"
    write_json(read_json(path) | {"seeds": [SEED | {"rows": {"attribution": {"text": 0, "image": 6}}}]}, path)
    found = explained.write(project / "reports/explained", ["joint", "second"])
    for entry in found["samples"]:
        assert list(entry["strategies"]["second"]["nats"]) == ["image"]
        assert set(entry["strategies"]["joint"]["nats"]) == {"text", "image", "audio"}


def test_the_same_bytes_again(project: Path) -> None:
    for folder in ("first", "again"):
        explained.write(project / folder, ["joint", "second"])
    first, again = digests(project, "first"), digests(project, "again")
    assert len(first) == 4 and list(first.values()) == list(again.values())


def test_one_strategy_alone_changes_nothing(project: Path) -> None:
    explained.write(project / "reports/explained", ["joint"])
    assert [path.name for path in (project / "reports/explained").iterdir()] == ["explained.json"]
    assert read_json(project / "reports/explained/explained.json") == {"seed": 0, "samples": [], "deletion": {}}
