"""What a person sees who gives the pipeline something wrong: one paragraph, and nothing half-written."""

import shutil
from pathlib import Path

import pytest

from tests.helpers import ROOT, command, set_params, tiny_project

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tiny_project(tmp_path / "project")


def refused(project: Path, stage: str) -> str:
    """What `dvc repro stage` says when it fails; asserts that no stack trace and no half-written out is there."""
    said = command(project, "dvc", "repro", stage, fails=True)
    assert f"{stage} stopped: " in said
    assert "Traceback" not in said
    assert not list(project.rglob("*.part"))
    return said


def use_manifest(project: Path, header: str, rows: list[str]) -> None:
    (project / "mine").mkdir()
    (project / "mine" / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")
    set_params(project, {"data.source": "manifest", "data.manifest.path": "mine/manifest.csv", "data.watch": "mine",
                         "data.streams": {"text": {"modality": "text"}, "image": {"modality": "image"}}})


def image(path: Path, shade: int) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), (shade, 255 - shade, 128)).save(path)


def test_an_unknown_key(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("  source: ", "  sauce: 1\n  source: ", 1))
    assert "unknown key `data.sauce`; did you mean `source`?" in refused(project, "ingest")
    assert not (project / "data/raw").exists()


def test_a_missing_column(project: Path) -> None:
    use_manifest(project, "id,text,image", [f"{n},word {n},{n}.png" for n in range(20)])
    said = refused(project, "ingest")
    assert "label" in said
    assert "manifest.csv" in said
    assert not (project / "data/raw").exists()


def test_too_many_unreadable_files(project: Path) -> None:
    use_manifest(project, "id,label,text,image", [f"s{n},{'ab'[n % 2]},word {n},{n}.png" for n in range(40)])
    for n in range(40):
        if n < 30:
            image(project / "mine" / f"{n}.png", n)
        else:
            (project / "mine" / f"{n}.png").write_bytes(b"\x89PNG not really")
    said = refused(project, "validate")
    assert "max_bad_fraction" in said
    assert "30.png" in said or "s30" in said
    assert (project / "data/raw").exists()
    assert not (project / "data/valid").exists()
    assert not (project / "reports/validation.json").exists()


@pytest.mark.parametrize(("stage", "words"), [
    (("preprocess",), "`train.mine.strategy`: `joint` needs dense vectors, and the encoder `ngrams` (tfidf)"),
    (("budget",), "`train.mine.strategy`: `joint` needs dense vectors, and the encoder `ngrams` (tfidf)"),
    (("pretrain", "counted"), "`pretrain.counted.objective`: `masked` needs dense vectors"),
    (("train", "mine"), "`train.mine.strategy`: `joint` needs dense vectors, and the encoder `ngrams` (tfidf)"),
    (("train", "apart"), "`train.apart.start`: `selfsup` does not train every stream on the "
                         "labels, and `unimodal` needs classifiers"),
])
def test_a_stage_says_what_its_encoders_lack_though_no_doctor_was_asked(
    tmp_path: Path, stage: tuple[str, ...], words: str,
) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    counted = {"encoders": {"text": "ngrams", "image": "pixels", "audio": "cepstra"}}
    set_params(tmp_path, {"train.mine": {"start": "simple", "strategy": "joint"}}
               | ({"train.apart": {"start": "selfsup", "strategy": "unimodal"}} if stage[1:] == ("apart",) else {})
               | ({"pretrain.counted": counted | {"objective": "masked"}} if stage[1:] == ("counted",) else {}))
    said = command(tmp_path, "env", f"PYTHONPATH={ROOT}/src:{ROOT}", "python", "-m", f"pipeline.{stage[0]}", *stage[1:],
                   fails=True)
    assert f"stopped: params.yaml: {words}" in said and "Traceback" not in said
