"""All analyses of a real, untrained model on real features with gaps: they run, mean the right samples, and repeat."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests import networks
from tests.fake_outs import fake_data, fake_models
from tests.helpers import digests, drawn
from trivium import models
from trivium.data.store import Store
from trivium.evaluation import encoded
from trivium.evaluation.analyse import analyse
from trivium.evaluation.metrics import Analyses
from trivium.evaluation.panels import token_texts
from trivium.evaluation.pictures import Panel, _kept
from trivium.evaluation.sampling import some
from trivium.evaluation.settings import Settings
from trivium.modalities.spec import Spec

STREAMS = ["text", "image", "audio"]
SETTINGS = Settings(batch=256, calibration_bins=15)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("analyse")
    fake_data(root, samples=96)
    fake_models(root, "joint")
    return root


def run(project: Path, out: Path, seed: int = 0) -> Analyses:
    store = Store("supervised", project)
    model = models.load(project / "models/joint" / f"seed_{seed}")
    rows = store.rows(seed, "test")
    test = encoded.encode_rows(model, store, rows, seed, size=5)
    return analyse(model, store, seed, rows, test, SETTINGS, out)


@pytest.fixture(scope="module")
def first(project: Path) -> Analyses:
    return run(project, project / "first")


def test_everything_is_there_and_can_be_written_as_json(first: Analyses) -> None:
    found = Analyses.model_validate(json.loads(json.dumps(first.plain(), allow_nan=False)))
    assert found == first and found.information is not None
    assert list(found.contribution.score) == STREAMS
    assert len(found.information.subsets) == 7
    assert list(found.robustness.corruption) == STREAMS
    assert set(found.robustness.attacks) == {"image", "audio"}
    assert found.probes["text"].before is not None
    samples = found.attribution.samples
    assert {sample.why for sample in samples} == {"confident", "wrong", "same"}
    assert all(isinstance(weight, float) for sample in samples for _, weight in sample.tokens["text"])


def test_pictures_and_vectors_are_kept(project: Path, first: Analyses, tmp_path: Path) -> None:
    for sample in first.attribution.samples:
        assert drawn(project / "first" / str(sample.picture))[:2] == ("918", "288")
    assert (project / "first/vectors/seed_0.safetensors").exists()
    assert (project / "first/explained.json").exists() and (project / "first/explained.safetensors").exists()
    run(project, tmp_path / "second", seed=1)
    assert [path.name for path in (tmp_path / "second").iterdir()] == ["vectors"]


def test_where_encoders_look_is_shown_below(project: Path, tmp_path: Path) -> None:
    store = Store("supervised", project)
    kinds = {"text": "transformer", "image": "cnn", "audio": "cnn"}
    model = networks.multimodal(store.specs, store.task.outputs, architecture=kinds).eval().requires_grad_(False)
    rows = store.rows(0, "test")
    test = encoded.encode_rows(model, store, rows, 0, size=5)
    for folder in ("first", "again"):
        found = analyse(model, store, 0, rows, test, SETTINGS, tmp_path / folder).attribution
        assert set(found.deletion["text"].plain()) == {"area", "rollout", "random"}
        assert set(found.deletion["image"].plain()) == {"area", "random"}
        for sample in found.samples:
            assert sample.rollout is not None
            words, shares = zip(*sample.rollout["text"], strict=True)
            assert list(words) == [word for word, _ in sample.tokens["text"]]
            assert sum(shares) == pytest.approx(1, abs=1e-5) and min(shares) > 0
            width, height, texts, _ = drawn(tmp_path / folder / str(sample.picture))
            assert (width, height) == ("918", "571") and set(words) <= set(texts)
            assert any(text.startswith("text: attention") for text in texts)
    assert list(digests(tmp_path, "first").values()) == list(digests(tmp_path, "again").values())


def test_long_texts_show_the_tokens_that_count_in_reading_order() -> None:
    spec = Spec("text", "tokens", (40,), vocab=50)
    x = np.r_[np.arange(3, 33), np.zeros(10, int)]
    values = np.zeros(40, np.float32)
    values[[29, 2, 5]] = [0.1, -3.0, 2.0]
    panel = Panel(spec, x, values, [f"t{k}" for k in x[:30]])
    other = panel._replace(values=np.roll(values, 1) / 1000)  # as loud as the first, relative to itself
    assert _kept([panel], 3).tolist() == [2, 5, 29]
    assert _kept([panel, other], 4).tolist() == [2, 3, 5, 6]
    assert _kept([panel], 100).tolist() == list(range(30))  # no padding


def test_the_same_again(project: Path, first: Analyses) -> None:
    assert run(project, project / "again") == first
    one, two = digests(project, "first"), digests(project, "again")
    assert len(one) > 3
    assert list(one.values()) == list(two.values())


def test_samples_in_the_record_are_those_of_the_store(project: Path, first: Analyses) -> None:
    store = Store("supervised", project)
    for sample in first.attribution.samples:
        row = store.samples.index(sample.sample)
        assert row in store.rows(0, "test")
        assert sample.label == store.task.words(store.batch(np.array([row]), 0).y)


def test_tokens_become_text_again(project: Path) -> None:
    store = Store("supervised", project)
    row = int(np.flatnonzero(store.has("text"))[0])
    ids = store.batch(np.array([row]), 0).inputs["text"][0].numpy()
    said = "".join(token_texts(store, "text", 0, ids))
    assert said.startswith(("alphaone", "betatwo", "gammathree"))


def test_some_rows() -> None:
    rows = np.arange(100, 200)
    names = [f"s{k}" for k in range(200)]
    few = some(names, rows, 10, seed=3)
    assert len(set(few)) == 10 and set(few) <= set(rows)
    assert few.tolist() == some(names, rows, 10, seed=3).tolist() != some(names, rows, 10, seed=4).tolist()
    assert sorted(some(names, rows, 500, seed=3)) == rows.tolist()
