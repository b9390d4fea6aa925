"""All analyses of a real, untrained model on real features with gaps: they run, mean the right samples, and repeat."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.fake_outs import fake_data, fake_models
from tests.helpers import ROOT, digests
from trivium import models
from trivium.config import load
from trivium.data.store import Store
from trivium.evaluation import encoded
from trivium.evaluation.analyse import analyse, some
from trivium.evaluation.pictures import token_texts

MODALITIES = ["text", "image", "audio"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("analyse")
    fake_data(root, samples=96)
    fake_models(root, "joint")
    return root


def run(project: Path, out: Path, seed: int = 0) -> dict[str, Any]:
    store = Store(project / "data/features")
    model = models.load(project / "models/joint" / f"seed_{seed}")
    rows = store.rows(seed, "test")
    test = encoded.encode_rows(model, store, rows, seed, size=5)
    return analyse(model, store, seed, rows, test, load(ROOT / "params.yaml"), out)


@pytest.fixture(scope="module")
def first(project: Path) -> dict[str, Any]:
    return run(project, project / "first")


def test_everything_is_there_and_can_be_written_as_json(first: dict[str, Any]) -> None:
    found = json.loads(json.dumps(first, allow_nan=False))
    assert set(found) == {"contribution", "information", "robustness", "probes", "attribution"}
    assert list(found["contribution"]["accuracy"]) == MODALITIES
    assert len(found["information"]["subsets"]) == 7
    assert list(found["robustness"]["corruption"]) == MODALITIES
    assert set(found["robustness"]["attacks"]) == {"image", "audio"}
    assert set(found["probes"]["text"]) == {"before", "after"}
    samples = found["attribution"]["samples"]
    assert {sample["why"] for sample in samples} == {"confident", "wrong", "same"}
    assert all(isinstance(weight, float) for sample in samples for _, weight in sample["tokens"]["text"])


def test_pictures_and_vectors_are_kept(project: Path, first: dict[str, Any], tmp_path: Path) -> None:
    for sample in first["attribution"]["samples"]:
        assert Image.open(project / "first" / sample["picture"]).size == (918, 288)
    assert (project / "first/vectors/seed_0.safetensors").exists()
    run(project, tmp_path / "second", seed=1)
    assert [path.name for path in (tmp_path / "second").iterdir()] == ["vectors"]


def test_the_same_again(project: Path, first: dict[str, Any]) -> None:
    assert run(project, project / "again") == first
    one, two = digests(project, "first"), digests(project, "again")
    assert len(one) > 3
    assert list(one.values()) == list(two.values())


def test_samples_in_the_record_are_those_of_the_store(project: Path, first: dict[str, Any]) -> None:
    store = Store(project / "data/features")
    for sample in first["attribution"]["samples"]:
        row = store.samples.index(sample["sample"])
        assert row in store.rows(0, "test")
        assert sample["label"] == store.classes[int(store.batch(np.array([row]), 0).y)]


def test_tokens_become_text_again(project: Path) -> None:
    store = Store(project / "data/features")
    row = int(np.flatnonzero(store.has("text"))[0])
    ids = store.batch(np.array([row]), 0).inputs["text"][0].numpy()
    said = "".join(token_texts(store, "text", 0, ids))
    assert said.startswith(("alphaone", "betatwo", "gammathree"))


def test_some_rows() -> None:
    rows = np.arange(100, 200)
    few = some(rows, 10, seed=3)
    assert len(set(few)) == 10 and set(few) <= set(rows)
    assert few.tolist() == some(rows, 10, seed=3).tolist() != some(rows, 10, seed=4).tolist()
    assert sorted(some(rows, 500, seed=3)) == rows.tolist()
