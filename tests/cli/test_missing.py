"""A command whose file is gone says which one it is, and what brings it back."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.cli.main import main
from trivium.cli.missing import of_missing

LOCK = """schema: '2.0'
stages:
  preprocess: {cmd: a, outs: [{path: data/features, md5: a.dir}]}
  train@joint: {cmd: a, outs: [{path: models/joint, md5: a.dir}]}
"""
BACK = "brings it back from DVC's cache. If it is not there either, `dvc pull` fetches it, or `dvc repro` (stage "
AGAIN = ") makes it again. `trivium verify --repair` mends all that is missing or damaged."


@pytest.mark.parametrize("read", [Path.read_bytes, np.load, load_file, pq.ParquetFile])
def test_whoever_reads_it(read: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    monkeypatch.chdir(tmp_path)
    for path in (Path("models/joint/seed_0/one two"), tmp_path / "models/joint/seed_0/one two"):
        with pytest.raises(FileNotFoundError) as caught:
            read(path)  # type: ignore[operator]
        assert str(of_missing(caught.value, Path("."))) == (
            f"models/joint/seed_0/one two is missing. `dvc checkout models/joint` {BACK}train@joint{AGAIN}")


def test_what_is_no_out_is_somebody_elses_to_tell(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    for path in ("models/joined/a", "/models/joint/a", ""):
        assert of_missing(FileNotFoundError(2, "No such file or directory", path), tmp_path) is None
    assert of_missing(ValueError("'models/joint/a'"), tmp_path) is None
    assert of_missing(FileNotFoundError("'models/joint/a'"), tmp_path / "elsewhere") is None


@pytest.mark.parametrize("words", [["export", "end_to_end"], ["predict", "end_to_end", "--text", "a"]])
def test_a_command_in_one_sentence(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_outs(tmp_path)
    fake_data(tmp_path)
    fake_models(tmp_path, "end_to_end", start="scratch")
    (tmp_path / "dvc.lock").write_text(LOCK.replace("joint", "end_to_end"))
    shutil.rmtree(tmp_path / "models/end_to_end/seed_1")  # the best one
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert str(caught.value) == ("\nmodels/end_to_end/seed_1/model.json is missing. `dvc checkout models/end_to_end` "
                                 f"{BACK}train@end_to_end{AGAIN}\n")
    assert not Path("exports").exists() or list(Path("exports").iterdir()) == []
