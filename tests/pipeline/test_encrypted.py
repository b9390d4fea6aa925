"""A tiny project from a table of one's own with a key, beside the same one without."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import command, digests, set_params, tiny_project

pytestmark = pytest.mark.slow

WORD = "quetzalcoatlus"  # in every text: nowhere may it be read
SIGNS = (WORD.encode(), b"PAR1", b"ARROW1", b"\x89PNG", b'"__metadata__"', b'{"encoders.')  # and how formats begin
KEPT = ("data", "models", "export", "reports", "mlruns", ".dvc/cache", ".cache/units", ".cache/features")
LEFT_OUT = ("train.unimodal", "train.ensemble", "train.supervised_lpft", "train.selfsup_finetune",
            "train.supervised_frozen", "pretrain.supervised", "pretrain.supervised_half", "pretrain.selfsup")


def project(folder: Path) -> Path:
    made = tiny_project(folder / "project", budget__epochs=1, loop__evaluations=1)
    rows = ["id,label,text,photo"]
    draw = np.random.default_rng(0)
    (folder / "mine").mkdir()
    for row in range(160):
        side = np.full((8, 8, 3), 40 + 120 * (row % 2), np.uint8) + draw.integers(0, 40, (8, 8, 3), np.uint8)
        Image.fromarray(side).save(folder / f"mine/{row}.png")
        rows.append(f"r{row},{'ab'[row % 2]},{WORD} {('left', 'right')[row % 2]} {row},{row}.png")
    (folder / "mine/rows.csv").write_text("\n".join(rows) + "\n")
    set_params(made, dict.fromkeys(LEFT_OUT) | {
        "data.source": "manifest", "data.manifest.path": "../mine/rows.csv", "data.watch": "../mine/rows.csv",
        "data.streams": {"text": {"modality": "text"}, "photo": {"modality": "image"}}})
    return made


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    command(path.parent, "python", "-m", "trivium.cli.main", "key", str(path))
    return path


@pytest.fixture(scope="module", autouse=True)
def chosen(key: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIVIUM_KEY_FILE", str(key))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, chosen: None) -> Path:
    """The project after `dvc repro` and `trivium encrypt`, which finds nothing to do but to ask for the key."""
    made = project(tmp_path_factory.mktemp("sealed"))
    command(made, "dvc", "repro")
    assert "0 files are encrypted" in command(made, "python", "-m", "trivium.cli.main", "encrypt")
    return made


def readable(root: Path) -> list[str]:
    """Files of the project, its cache and MLflow in which something of the rows can be read."""
    found = [path for kept in KEPT for path in sorted((root / kept).rglob("*")) if path.is_file()]
    assert len(found) > 50
    return [str(path.relative_to(root)) for path in found if any(sign in path.read_bytes() for sign in SIGNS)]


def test_nothing_of_the_rows_can_be_read(made: Path) -> None:
    assert readable(made) == []
    assert not [one for one in Path("/dev/shm").glob("trivium-private-*") if (one / str(made)[1:]).exists()]


def test_the_second_run_runs_nothing(made: Path) -> None:
    assert "Running stage" not in command(made, "dvc", "repro")


def test_what_is_made_again_has_the_same_bytes(made: Path) -> None:
    before = digests(made, "data", "models", "reports/evaluate", "export")
    for name in ("data/features", "data/valid", "models/pretrain/simple", "models/reference", "reports/evaluate"):
        shutil.rmtree(made / name)
    shutil.rmtree(made / ".cache/units", ignore_errors=True)  # else finished units are taken from there
    for stage in ("validate", "preprocess", "pretrain@simple", "train@reference", "evaluate"):
        command(made, "dvc", "repro", "--force", "--single-item", stage)
    assert digests(made, "data", "models", "reports/evaluate", "export") == before


def test_the_figures_are_those_of_a_project_without_a_key(made: Path, key: Path, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """And `trivium encrypt` makes of it what stages with the key make."""
    monkeypatch.delenv("TRIVIUM_KEY_FILE")
    other = project(tmp_path)
    command(other, "dvc", "repro")
    same = ("reports/comparison.json", "reports/summary", "reports/plots")
    assert digests(other, *same[1:]) == digests(made, *same[1:])
    assert (other / same[0]).read_bytes() == (made / same[0]).read_bytes()
    assert "reports/report.html" in readable(other) and "data/raw/text.parquet" in readable(other)

    monkeypatch.setenv("TRIVIUM_KEY_FILE", str(key))
    command(other, "python", "-m", "trivium.cli.main", "encrypt")
    outs = ("data", "models", "export", "reports/evaluate", "reports/figures", "reports/explained")
    mine, theirs = digests(other, *outs), digests(made, *outs)
    different = {name for name in mine | theirs if mine.get(name) != theirs.get(name)}
    assert different == {"export/README.md"}  # which names the bytes of data/raw
    assert "up to date" in command(other, "dvc", "status")
    command(other, "dvc", "gc", "--workspace", "--force")
    command(other, "python", "-m", "trivium.cli.main", "sync")
    assert readable(other) == []


def test_somebody_else_pulls_it_with_the_key(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "project"
    outs = ("models", "export", "mlruns")
    shutil.copytree(made, other, ignore=lambda folder, names: {one for one in names if one in ("cache", ".cache") or (
        Path(folder) == made and one in outs)})
    for folder in (made, other):
        command(folder, "dvc", "remote", "modify", "storage", "url", str(tmp_path / "remote"))
    command(made, "dvc", "push")
    command(other, "dvc", "pull")
    assert readable(other) == []
    said = command(other, "python", "-m", "trivium.cli.main", "predict", "reference", "--text", f"{WORD} left 3")
    assert said.split()[0] in ("a", "b")
    monkeypatch.delenv("TRIVIUM_KEY_FILE")
    said = command(other, "python", "-m", "trivium.cli.main", "predict", "reference", "--text", "left", fails=True)
    assert "This project is encrypted with the key" in said and "Set TRIVIUM_KEY_FILE" in said


def test_a_stage_names_the_file_that_is_damaged(made: Path, tmp_path: Path) -> None:
    path = made / "data/valid/text.parquet"
    content = path.read_bytes()
    path.unlink()  # a link to DVC's cache
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    said = command(made, "python", "-m", "pipeline.align", fails=True)
    assert "align stopped: data/valid/text.parquet is damaged: it was changed or cut off" in said
    path.write_bytes(content)


def test_a_look_into_it(made: Path, tmp_path: Path) -> None:
    command(made, "python", "-m", "trivium.cli.main", "decrypt", "reports/report.html", str(tmp_path / "report.html"))
    assert WORD in (tmp_path / "report.html").read_text()
    said = command(made, "python", "-m", "trivium.cli.main", "decrypt", "data/raw", "raw", fails=True)
    assert "raw is inside the project, where DVC or git may take it up" in said
