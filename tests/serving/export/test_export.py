"""A whole folder, from a small project: exported twice, run where there is no torch, held against the trained model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fake_outs import CLASSES
from tests.helpers import ROOT
from tests.serving.export.exported import NAME, project
from trivium.cli.export import export
from trivium.data.tables import read
from trivium.machine.measured import PLACE, Latency, Measured, Timed
from trivium.runtime.folder import GRAPH, INT8, PROCESSORS, Processors
from trivium.runtime.runner import Runner
from trivium.runtime.table import write as write_table
from trivium.serving.export import int8, record, smoke, write
from trivium.serving.predictor import Predictor
from trivium.settings.errors import UserError

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow

ALONE = """
import json, sys
from pathlib import Path
import trivium
from trivium.runtime.runner import Runner
runner = Runner(sys.argv[1], int8=len(sys.argv) > 3)
stored, warnings, errors = runner.answers(json.loads(sys.argv[2]))
print(json.dumps({"stored": stored.tolist(), "errors": errors, "code": trivium.__file__, "streams": runner.streams,
                  "read": runner.read, "loaded": [name for name in ("torch", "transformers", "mlflow", "dvc", "pandas",
                                                                    "pyarrow") if name in sys.modules]}))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("project"), samples=48)


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    """To be read only."""
    made = root / "exports" / NAME
    export(root, NAME, None, small=True)
    return made


def rows(root: Path) -> list[dict[str, str | None]]:
    return read(root / "data/aligned/samples.parquet").select(["text", "image", "audio"]).to_pylist()


def bare() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def alone(folder: Path, given: list[dict], *words: str) -> dict:
    """What a process says that has the folder and no part of this repository."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ALONE, ".", json.dumps(given), *words], cwd=folder,
                          env=bare(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_folder_answers_as_the_trained_model_does_with_its_own_code_and_without_torch(
        root: Path, folder: Path) -> None:
    given = [{s: str(root / "data/raw" / value) if value and s != "text" else value for s, value in row.items()}
             for row in rows(root)] + [{"text": None}]
    found = alone(folder, given)
    stored, _, errors = Predictor.of_strategy(root, NAME).answers(given)
    np.testing.assert_allclose(found["stored"], stored, rtol=0, atol=1e-6)
    assert found["errors"] == errors and errors[-1] is not None
    assert found["loaded"] == []
    assert Path(found["code"]).is_relative_to(folder)
    assert found["streams"] == {"text": "text", "image": "image", "audio": "audio"}


def test_the_smaller_graph_answers_nearly_the_same(root: Path, folder: Path) -> None:
    about = record.found(folder)
    assert about is not None and about.int8 is not None and about.bytes is not None
    assert about.int8.bytes == (folder / INT8).stat().st_size and about.int8.calibrated == 24
    assert about.int8.same >= 0.8 and about.int8.metric == "accuracy"
    given = [row for row in rows(root) if row["text"]][:8]
    found = Runner(folder, int8=True).answers(given, root / "data/raw")[0]
    whole = Runner(folder).answers(given, root / "data/raw")[0]
    assert 0 < np.abs(found - whole).max() < 0.1
    each = [Runner(folder, int8=True).answers([row], root / "data/raw")[0][0] for row in given]
    np.testing.assert_allclose(each, found, atol=1e-6)  # whatever else is in the batch


def test_a_table_in_and_a_table_out(root: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(f"id,text,image\na,alpha one,{root}/data/raw/media/3.png\nb,,gone.png\n")
    for name, answering in (("torch", Predictor.of_strategy(root, NAME)), ("onnx", Runner(folder))):
        write_table(answering, tmp_path / "new.csv", tmp_path / f"{name}.csv", "answers")
    lines = (tmp_path / "onnx.csv").read_text().splitlines()
    assert lines[0] == "id,label," + ",".join(f"probability_{one}" for one in CLASSES) + ",warning,error"
    assert lines[1].split(",")[1] == (tmp_path / "torch.csv").read_text().splitlines()[1].split(",")[1]
    assert lines[2] == "b,,,,,,image 'gone.png' cannot be used: there is no such file"
    own = [str(tmp_path / "new.csv"), "--out", str(tmp_path / "own.csv")]
    subprocess.run([sys.executable, "-m", "trivium.runtime", ".", *own], cwd=folder, check=True, env=bare())
    assert (tmp_path / "own.csv").read_text().splitlines() == lines
    said = subprocess.run([sys.executable, "-m", "trivium.runtime", ".", "--text", "alpha one"], cwd=folder, text=True,
                          capture_output=True, check=True, env=bare())
    assert [line.split()[0] for line in said.stdout.splitlines()] == sorted(
        CLASSES, key=lambda one: -Runner(folder).table([{"text": "alpha one"}])[f"probability_{one}"][0])


def test_exported_twice_the_bytes_are_the_same_and_name_no_place(root: Path, folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    export(root, NAME, again, small=True)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    for name in names:
        content = (folder / name).read_bytes()
        assert content == (again / name).read_bytes(), name
        if name.suffix != ".py":
            for place in (str(root), str(ROOT), str(Path.home()), sys.prefix, str(tmp_path)):
                assert place.encode() not in content, (name, place)


def test_what_is_there_and_no_export_is_not_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("all of it")
    with pytest.raises(UserError, match="mine is there already, and it is no exported model: name a new folder"):
        export(root, NAME, tmp_path / "mine", small=False)
    assert (tmp_path / "mine/thesis.txt").read_text() == "all of it"
    with pytest.raises(UserError, match="no trained strategy `supervised_frosen`.*did you mean `supervised_frozen`"):
        export(root, "supervised_frosen", tmp_path / "new", small=False)
    assert not (tmp_path / "new").exists()


def test_a_graph_that_says_something_else_is_refused(root: Path, folder: Path) -> None:
    runner, trained = Runner(folder), Predictor.of_strategy(root, NAME)
    about = smoke.check(runner, trained, root, seed=1)
    assert about.rows == 12 and about.difference < 1e-6  # of the test set, of which there are so few
    scale, shift = runner.inputs._affine["image"]
    runner.inputs._affine["image"] = scale * 1.01, shift
    with pytest.raises(UserError, match=r"differs from the trained one by \d\.\de-0\d, where 1e-05 is rounding"):
        smoke.check(runner, trained, root, seed=1)


def test_rows_that_cannot_be_read_check_nothing(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [{"image": "gone.png"}, {"image": "lost.png"}]
    monkeypatch.setattr(smoke, "real", lambda *_: (gone, root))
    with pytest.raises(UserError, match="no row of the test set can be read: the image 'gone.png' cannot be used"):
        smoke.check(Runner(folder), Predictor.of_strategy(root, NAME), root, seed=1)


def test_what_is_no_single_model_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`together` weighs the answers of several strategies, and an export is of one"):
        export(root, "together", tmp_path / "new", small=False)


def test_the_card_says_what_is_on_record(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    for said in ("# Frozen supervised components: digits", "A model that reads text, image and audio and answers with "
                 "a label and a probability per class. Any of them may be missing.", "seed 1", "| accuracy | 90.0 % |",
                 "> Take “Frozen supervised components”", "- Code: Apache-2.0.", "images CC BY 4.0", "Known failings",
                 f"models/{NAME}` in dvc.lock: dddd", f"make repro && .venv/bin/trivium export {NAME}",
                 "all seeds: 12\u00a0s."):
        assert said in card, said
    for number in ("None", "nan", "{", "}"):
        assert number not in card


def test_a_stages_card_says_nothing_of_this_machine(root: Path, tmp_path: Path) -> None:
    write.write(root, NAME, tmp_path, small=False, here=False)
    card = (tmp_path / "README.md").read_text()
    assert "12\u00a0s" not in card and "Seconds and energy are of the machine that trained it" in card
    assert f"git log -S {'d' * 32}.dir --format=%H -- dvc.lock" in card
    assert not (tmp_path / INT8).exists()


def test_a_comparison_of_other_data_is_not_on_the_card(root: Path, tmp_path: Path) -> None:
    """One that came with the repository has strategies of the same names."""
    path = root / "reports/comparison.json"
    kept = path.read_text()
    other = json.loads(kept)
    first = next(iter(other["strategies"][NAME]["seeds"].values()))
    first["accuracy"] = first["accuracy"] - 0.1
    path.write_text(json.dumps(other))
    write.write(root, NAME, tmp_path, small=False)
    path.write_text(kept)
    card = (tmp_path / "README.md").read_text()
    assert "> Take" not in card and "| accuracy |" not in card and "On its own test set: " in card
    assert "There is no comparison with others of these data yet: `make repro` makes it." in card


def test_the_card_says_how_fast_it_answers_where_that_was_measured(root: Path, tmp_path: Path) -> None:
    found = Latency(start_seconds=0.5, peak_memory_bytes=285_000_000, small=[], times=[
        Timed(rows=1, threads=1, calls=50, p50_ms=0.2345, p95_ms=0.5)])
    (root / PLACE / "latency.json").write_text(Measured(latency={NAME: found}).model_dump_json())
    write.write(root, NAME, tmp_path, small=False)
    (root / PLACE / "latency.json").unlink()
    card = (tmp_path / "README.md").read_text()
    assert "| `model.onnx` | 1 | 1 | 0.234 | 0.5 | – |" in card
    assert "The first answer of a process came after 0.5\u00a0s, and it held 285\u00a0MB." in card


def test_a_folder_of_which_nobody_recommends_a_model(tmp_path: Path) -> None:
    made = write.note(tmp_path, "Nothing is recommended.")
    assert record.found(tmp_path) == made and made.strategy == ""
    assert (tmp_path / "README.md").read_text() == "# No model\n\nNothing is recommended.\n"
    assert write.said(made, tmp_path) == "Nothing is recommended."
    with pytest.raises(UserError, match="is no exported model"):
        Runner(tmp_path)


def test_eight_bits_that_change_the_answers_are_left_out(folder: Path, root: Path, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    from trivium.data.store import Store

    for name in (GRAPH, PROCESSORS):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    about = json.loads((tmp_path / PROCESSORS).read_text()) | {"sha256": {}}  # of a folder that has no 8 bits yet
    (tmp_path / PROCESSORS).write_text(json.dumps(about))
    monkeypatch.setattr(int8, "LEAST", 1.01)
    with pytest.raises(UserError, match=r"With 8 bits, only \d+% of 12 predictions on the test set stay"):
        int8.write(tmp_path, Store("supervised", root), seed=1)
    assert not (tmp_path / INT8).exists()
    assert Processors.of(tmp_path).seed == 1


def test_the_requirements_are_those_of_the_extra() -> None:
    extra = [line for line in (ROOT / "runtime.in").read_text().splitlines() if line and not line.startswith("#")]
    assert extra == list(write.NEEDS)
    assert all(line.count("==") == 1 and "+" not in line for line in write.requirements(write.NEEDS).splitlines())
