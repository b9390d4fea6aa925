"""Texts as they were before any processor: kept, found by row, and processed again."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.tiny_media import ROWS, row, write_aligned, write_features
from trivium import modalities
from trivium.data import tables, texts
from trivium.data.store import Batch, Store

ALL = np.arange(ROWS)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    contents = [row(i) | {"text": None if i == 3 else f"  one\n{i}  "} for i in range(ROWS)]
    write_aligned(root, contents)
    write_features(root)
    return root


def test_texts_are_found_by_row_whatever_group_they_are_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "ROWS", 2)
    texts.write(map(pa.array, [["a", None], ["c", "d"], ["e"]]), tmp_path / "values.parquet")
    assert texts.read(tmp_path / "values.parquet", np.array([4, 0, 1, 3, 0])) == ["e", "a", "", "d", "a"]
    assert texts.read(tmp_path / "values.parquet", np.array([], np.int64)) == []


def test_the_store_knows_what_was_said_cleaned(project: Path) -> None:
    store = Store("scratch", project)
    assert store.texts("text", np.array([23, 3, 0])) == ["one 23", "", "one 0"]
    assert not (store.folder / "image/values.parquet").exists()


@pytest.mark.parametrize("seed", [0, 1])
def test_what_was_said_processed_again_are_the_inputs(project: Path, seed: int) -> None:
    store = Store("scratch", project)
    again = store.encode("text", seed, store.texts("text", ALL))
    assert again.dtype == torch.int64
    assert torch.equal(again, store.batch(ALL, seed).inputs["text"])


def test_a_processor_that_fits_nothing_is_asked_with_its_settings(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lengths:
        Settings = modalities.get("text").Settings

        @staticmethod
        def encode(said, settings, spec):
            return np.array([[len(text), settings.vocab] for text in said], np.int32)

    store = Store("scratch", project)
    monkeypatch.setattr(store, "tokenizer", lambda stream, seed: project / "none.json")
    monkeypatch.setattr(modalities, "processor", lambda name: Lengths)
    assert store.encode("text", 0, ["four", ""]).tolist() == [[4, 64], [0, 64]]


def test_what_a_recipe_reads_changes_with_what_was_said(project: Path, tmp_path: Path) -> None:
    """Even where no token does: both are longer than the six tokens that are kept."""
    def read(root: Path, said: str) -> dict:
        said_by = [row(i) | {"text": said if i == 20 else "w a b c d e f"} for i in range(ROWS)]
        write_aligned(root, said_by, same_splits=True)
        write_features(root)
        return tables.read_json(root / "data/reads/scratch.json")["streams"]

    one, two = (read(tmp_path / said, f"w a b c d e f {said}") for said in ("x", "y"))
    assert one["text"]["digest"] == two["text"]["digest"] and one["text"]["values"] != two["text"]["values"]
    assert one["image"]["values"] is None


def test_the_same_texts_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    write_aligned(tmp_path, [row(i) | {"text": None if i == 3 else f"one {i}"} for i in range(ROWS)])
    write_features(tmp_path)
    one, two = (root / "data/features/text/values.parquet" for root in (project, tmp_path))
    assert one.read_bytes() == two.read_bytes()


def test_joined_inputs_are_as_long_as_the_longest() -> None:
    def part(x: list) -> Batch:
        return Batch({"text": torch.tensor(x)}, torch.ones(len(x), 1, dtype=torch.bool), torch.zeros(len(x)))

    whole = Batch.joined([part([[[5, 1]], [[6, 2]]]), part([[[7, 3], [8, 4]]])])
    assert whole.inputs["text"].tolist() == [[[5, 1], [0, 0]], [[6, 2], [0, 0]], [[7, 3], [8, 4]]]
    assert whole.present.shape == (3, 1) and len(whole) == 3
