"""Raw values become the arrays that preprocess made of them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fake_outs import fake_data
from trivium.data import tables
from trivium.data.sources import manifest
from trivium.data.store import Store
from trivium.data.tables import read
from trivium.modalities import spec as modality_spec
from trivium.modalities.processors import ngrams
from trivium.modalities.spec import Spec
from trivium.runtime import inputs, values
from trivium.runtime.inputs import Inputs
from trivium.runtime.statistics import described
from trivium.serving.predictor import data_uri


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    fake_data(folder)
    return folder


def prepared(store: Store, seed: int) -> dict:
    return {s: {"spec": read.spec, "processor": read.encoder["processor"], "statistics": read.statistics[seed],
                "tokenizer": fitted.read_text() if (fitted := store.tokenizer(s, seed)).exists() else None}
            for s, read in store.reads.streams.items()}


def test_the_bits_of_the_stored_tensors(root: Path) -> None:
    store = Store("supervised", root)
    rows = read(root / "data/aligned/samples.parquet").select(["text", "image", "audio"]).to_pylist()
    found, present, broken = Inputs(prepared(store, 1), store.streams).arrays(rows, root / "data/raw", store.streams)
    batch = store.batch(np.arange(len(store)), seed=1)
    assert not any(broken)
    np.testing.assert_array_equal(present, batch.present.numpy())
    assert not present.all() and list(found) == ["text", "image", "audio"]
    for s, x in found.items():
        assert x.dtype == batch.inputs[s].numpy().dtype
        np.testing.assert_array_equal(x, batch.inputs[s].numpy())


def test_values_in_archives_and_one_at_an_address_that_is_gone(root: Path, tmp_path: Path) -> None:
    store = Store("supervised", root)
    rows = read(root / "data/aligned/samples.parquet").select(["image", "audio"]).to_pylist()[:4]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in {name for row in rows for name in row.values() if name}:
            archive.write(root / "data/raw" / name, name)
    packed = [{s: name and f"zip://all.zip::{name}" for s, name in row.items()} for row in rows]
    there = Inputs(prepared(store, 1), store.streams)
    loose = there.arrays(rows, root / "data/raw", store.streams)
    found = there.arrays(packed, tmp_path, store.streams)
    assert not any(found[2])
    for s in ("image", "audio"):
        np.testing.assert_array_equal(found[0][s], loose[0][s])
    (words,) = there.arrays([{"image": "zip://all.zip::none.png"}], tmp_path, store.streams)[2]
    assert words == ["image 'zip://all.zip::none.png' cannot be used: there is no such file in the archive"]
    (words,) = there.arrays([{"image": "memory://gone/a.png"}], tmp_path, store.streams)[2]
    assert words[0].startswith("image 'memory://gone/a.png' cannot be used: memory://gone cannot be read: ")


def test_a_placeholder_of_the_data_is_missing(root: Path) -> None:
    """A path, the bytes of a file and a `data:` URI mean the same, and so does a text with other white space."""
    store = Store("supervised", root)
    rows = read(root / "data/aligned/samples.parquet").select(["image"]).to_pylist()
    names = sorted({row["image"] for row in rows if row["image"]})[:2]
    grey = root / "data/raw" / names[0]
    about = prepared(store, 1)
    about["image"]["placeholders"] = [tables.digest(grey.read_bytes())]
    about["text"]["placeholders"] = [tables.digest(b"n/a")]
    asked = [{"text": " n/a ", "image": names[0]}, {"text": "alpha", "image": grey.read_bytes()},
             {"text": "na", "image": data_uri(grey, "image/png")}, {"text": "beta", "image": names[1]},
             {"text": "alpha", "image": "gone.png"}]
    found, present, broken = Inputs(about, store.streams).arrays(asked, root / "data/raw", store.streams)
    assert present[:, :2].tolist() == [[False, False], [True, False], [True, False], [True, True], [True, False]]
    assert not found["image"][:3].any() and found["image"][3].any() and not found["text"][0].any()
    assert broken[:4] == [[], [], [], []] and broken[4] == ["image 'gone.png' cannot be used: there is no such file"]
    seen = described(asked[:1], Inputs(about, store.streams), ["text", "image"], root / "data/raw")
    assert seen == [{"text": {"state": "missing"}, "image": {"state": "missing"}}]


def test_of_streams_that_are_not_read_nothing_is_decoded(root: Path) -> None:
    store = Store("supervised", root)
    found, present, broken = Inputs(prepared(store, 0), store.streams).arrays(
        [{"text": "alpha", "image": "gone.png"}, {"image": b"noise"}], root, ("text",))
    assert broken == [[], []] and not found["image"].any()
    np.testing.assert_array_equal(present, [[True, True, False], [False, True, False]])


def test_counts_of_a_text_and_of_none() -> None:
    spec = ngrams.spec(ngrams.Settings(buckets=256))
    about = {"title": {"spec": spec.plain(), "processor": {"name": "ngrams", "buckets": 256}, "statistics": None,
                       "tokenizer": None}}
    found, present, _ = Inputs(about, ["title"]).arrays([{"title": "a cat"}, {"title": None}], Path(), ("title",))
    np.testing.assert_array_equal(found["title"][0], ngrams.encode(["a cat"], ngrams.Settings(buckets=256), spec)[0])
    assert found["title"].dtype == np.int64 and not found["title"][1].any()
    assert present.tolist() == [[True], [False]]


@pytest.mark.parametrize(("kind", "shape", "entries"), [("image", (3, 4, 4), 3), ("spectrogram", (1, 5, 7), 5),
                                                        ("features", (6,), 6)])
def test_scales_are_those_of_torch(kind: str, shape: tuple[int, ...], entries: int) -> None:
    draw = np.random.default_rng(0)
    spec = Spec("x", kind, shape)
    statistics = {"mean": draw.normal(size=entries).tolist(), "deviation": draw.random(entries).tolist()}
    for mine, other in zip(inputs.scale_and_shift(spec, statistics), modality_spec.scale_and_shift(spec, statistics),
                           strict=True):
        assert torch.equal(torch.from_numpy(mine), other)


def test_the_span_has_the_names_of_the_manifest() -> None:
    assert values.TIMES == manifest.TIMES
    assert values.span({"start": "0.5", "end": None}, "mic") == (0.5, None)
    assert values.span({"start": "0.5", "mic_start": 2, "mic_end": 3.5}, "mic") == (2.0, 3.5)
    with pytest.raises(ValueError, match="end is 'late', not a number of seconds"):
        values.span({"end": "late"}, "mic")
