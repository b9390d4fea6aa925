from pathlib import Path

import numpy as np
import pytest

from trivium.runtime.__main__ import main
from trivium.runtime.folder import PROCESSORS, Processed, Processors
from trivium.runtime.runner import Runner, session, short
from trivium.settings.errors import UserError

STREAM = Processed(spec={"kind": "image", "shape": [3, 8, 8], "vocab": 0, "native": [], "modality": "image"},
                   processor={"name": "image", "size": 8}, statistics={"mean": [0.0] * 3, "deviation": [1.0] * 3},
                   tokenizer=None)
ABOUT = Processors(strategy="frozen", title="Frozen", seed=1, task={"name": "classification", "classes": ["a", "b"]},
                   read=("scan",), short=(), streams={"scan": STREAM, "photo": STREAM})


def test_the_streams_keep_their_order(tmp_path: Path) -> None:
    (tmp_path / PROCESSORS).write_text(ABOUT.text())
    assert Processors.of(tmp_path) == ABOUT and list(Processors.of(tmp_path).streams) == ["scan", "photo"]


def test_a_folder_that_is_none_of_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="no exported model: there is no processors.json in it. `trivium export NAME`"):
        Runner(tmp_path)
    with pytest.raises(SystemExit) as refused:
        main([str(tmp_path), "new.csv"])
    assert "is no exported model" in str(refused.value)


@pytest.mark.parametrize("text", ["{", '{"format": 1, "weights": 3}'])
def test_a_folder_of_another_version(text: str, tmp_path: Path) -> None:
    (tmp_path / PROCESSORS).write_text(text)
    with pytest.raises(UserError, match="made by another version of Trivium, or is damaged"):
        Runner(tmp_path)


def test_another_format_is_told_from_a_folder_that_is_else_right(tmp_path: Path) -> None:
    (tmp_path / PROCESSORS).write_text(ABOUT.text().replace('"format": 1', '"format": 2'))
    with pytest.raises(UserError, match=r"made by another version of Trivium, or is damaged \(format\)"):
        Runner(tmp_path)


def test_a_graph_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / PROCESSORS).write_text(ABOUT.text())
    with pytest.raises(UserError, match=r"There is no model.onnx in .*: `trivium export NAME` makes it"):
        Runner(tmp_path)
    with pytest.raises(UserError, match=r"There is no model.int8.onnx in .*: `trivium export NAME --int8` makes it"):
        session(tmp_path / "model.int8.onnx")


def test_texts_are_cut_behind_the_longest() -> None:
    ids = np.array([[5, 6, 0, 0, 0], [7, 0, 8, 0, 0]])
    np.testing.assert_array_equal(short(ids), ids[:, :3])
    np.testing.assert_array_equal(short(ids[:1, 2:]), [[0, 0]])  # the least that a graph takes
