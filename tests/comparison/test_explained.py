"""Which samples changed most, and what compare leaves of them, from what real, untrained models leave in evaluate."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fake_outs import fake_data, fake_models
from tests.helpers import ROOT, digests, drawn
from trivium import fusion, models
from trivium.comparison import explained
from trivium.comparison.explained import Compared, most_changed
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.encoders import describe
from trivium.evaluation import answers, encoded
from trivium.evaluation import explained as evaluated
from trivium.evaluation.answers import Answer, Explained
from trivium.evaluation.sampling import some
from trivium.models import files

TITLES = {"joint": "Joint", "second": "Second"}
EVERY = ("text", "image", "audio")


def explains(truth: dict[str, float]) -> Explained:
    """truth: sample -> probability of the true label."""
    return Explained(specs={}, answers=[
        Answer(sample=sample, label="yes", prediction="yes", told="yes (100%)", support=1.0, truth=p, missed="",
               nats={}, tokens={}, rollout={}) for sample, p in truth.items()])


ONE = explains({"d": 0.5, "c": 0.9, "b": 0.1, "a": 0.8, "e": 0.3})
TWO = explains({"d": 0.5, "c": 0.1, "b": 0.9, "a": 0.4, "e": 0.3})


def test_the_most_changed_samples_come_first_and_ties_go_by_name() -> None:
    """|0.9 - 0.1| / 2 = 0.4 twice, then |0.8 - 0.4| / 2 = 0.2; d and e are the same for both."""
    found = most_changed([ONE, TWO])
    assert list(found) == [2, 1, 3]
    assert list(found.values()) == pytest.approx([0.4, 0.4, 0.2])
    assert list(most_changed([ONE, TWO], count=1)) == [2]
    assert most_changed([ONE]) == {}  # nothing to compare it with


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two strategies, the second with a transformer for text; seed 0 tests on 7 samples or so."""
    tmp_path = tmp_path_factory.mktemp("explained")
    fake_data(tmp_path, samples=24)
    fake_models(tmp_path, "joint", seeds=1)
    store, chosen = Store("supervised", tmp_path), fusion.chosen("concat", "fusion")
    words = describe("words", {"modality": "text", "architecture": "transformer", "width": 16, "depth": 1,
                               "processor": {"length": 8, "vocab": 64}})
    encoders = store.encoders | {"text": words}
    parts = {s: models.encoder(encoders[s], spec, seed=1) for s, spec in store.specs.items()}
    about = files.describe("fusion", encoders, store.specs, store.task, fusion=chosen, features=store.digest)
    models.save(models.multimodal(parts, store.task, chosen, seed=1), about, tmp_path / "models/second/seed_0")
    for name in TITLES:
        evaluate(tmp_path, name, EVERY)
    return tmp_path


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(project)
    return project


def evaluate(project: Path, name: str, streams: Sequence[str]) -> None:
    """What evaluate leaves of the answers of `name`."""
    store, model = Store("supervised", project), models.load(project / "models" / name / "seed_0")
    rows = some(store.samples, store.rows(0, "test"), 100, 0)
    folder = project / "reports/evaluate" / name
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        test = encoded.encode_rows(model, store, rows, 0, 5)
    evaluated.write(model, store, 0, rows, test, streams, 5, folder)


def test_a_picture_and_the_numbers_of_every_strategy(project: Path) -> None:
    found = explained.write(project / "reports/explained", TITLES)
    assert Compared.read(project / "reports/explained/explained.json") == found
    store = Store("supervised", project)
    assert found.seed == 0 and found.among == len(store.rows(0, "test")) and len(found.samples) == 3
    for k, entry in enumerate(found.samples):
        row = store.samples.index(entry.sample)
        assert entry.label == store.task.words(store.batch(np.array([row]), 0).y)
        assert entry.picture == f"changed_{k}.svg"
        size = drawn(project / "reports/explained" / entry.picture)[:2]
        assert size == ("899", "539")  # three lines: both strategies, and where the transformer looks
        assert set(entry.strategies) == {"joint", "second"}
        for name, answer in entry.strategies.items():
            assert (answer.support == answer.truth) == (answer.prediction == entry.label)
            assert answer.nats["text"] == pytest.approx(sum(w for _, w in answer.tokens["text"]), abs=1e-5)
            assert bool(answer.rollout) == (name == "second")
        shares = [share for _, share in entry.strategies["second"].rollout["text"]]
        assert sum(shares) == pytest.approx(1.0, abs=1e-5) or not shares


def test_the_answers_are_those_of_the_models(project: Path) -> None:
    found = explained.write(project / "reports/explained", TITLES)
    store = Store("supervised", project)
    rows = np.array([store.samples.index(entry.sample) for entry in found.samples])
    batch = store.batch(rows, 0)
    for name in TITLES:
        p = models.load(project / "models" / name / "seed_0")(batch.inputs, batch.present).exp()
        said = [entry.strategies[name] for entry in found.samples]
        assert [answer.prediction for answer in said] == [store.task.words(k) for k in p.argmax(1)]
        assert [answer.truth for answer in said] == pytest.approx(p[range(3), batch.y].tolist(), abs=1e-5)


def test_what_was_too_dear_to_explain_is_not_shown(project: Path) -> None:
    evaluate(project, "second", ["image"])
    for entry in explained.write(project / "reports/explained", TITLES).samples:
        assert list(entry.strategies["second"].nats) == ["image"]
        assert set(entry.strategies["joint"].nats) == {"text", "image", "audio"}
        assert drawn(project / "reports/explained" / entry.picture)[2].count("not shown") == 2


def test_a_picture_is_that_of_the_tensors_themselves(project: Path) -> None:
    """One channel says what a picture shows of three."""
    about, arrays = answers.read(project / "reports/evaluate/joint")
    store = Store("supervised", project)
    for k, answer in enumerate(about.answers):
        batch = store.batch(np.array([store.samples.index(answer.sample)]), 0)
        panel = answers.panels(about, arrays, k)["image"]
        assert panel.x[0] == pytest.approx(batch.inputs["image"][0].mean(0).numpy(), abs=1e-6)
        assert panel.values.sum() == pytest.approx(answer.nats["image"], abs=1e-5)


def test_the_same_bytes_again(project: Path) -> None:
    for folder in ("first", "again"):
        explained.write(project / folder, TITLES)
    first, again = digests(project, "first"), digests(project, "again")
    assert len(first) == 4 and list(first.values()) == list(again.values())


def test_no_model_is_loaded(project: Path) -> None:
    """Nor torch, which takes seconds."""
    script = ("import sys\nfrom pathlib import Path\nimport pipeline.compare\n"
              "from trivium.comparison import build, curves, explained, figures, leftovers\n"
              "from trivium.report import html\n"
              f"explained.write(Path('out'), {TITLES})\nassert 'torch' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True,
                          env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})
    assert done.returncode == 0, done.stderr


def test_one_strategy_alone_changes_nothing(project: Path) -> None:
    explained.write(project / "reports/explained", {"joint": "Joint"})
    assert [path.name for path in (project / "reports/explained").iterdir()] == ["explained.json"]
    assert read_json(project / "reports/explained/explained.json")["samples"] == []
