import shutil
from pathlib import Path

import pytest

from tests.helpers import ROOT, command, empty_weights, set_params, tiny_project
from trivium.cli import doctor

DOCTOR = ("env", "PYTHONPATH=src", "python", "-m", "trivium.cli", "doctor")


def words(findings: object) -> list[tuple[str, str]]:
    return list(findings)  # type: ignore[call-overload]


def test_pins_are_compared_with_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "numpy==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\n"
        "pywin32==9 ; sys_platform == 'win32' \\\n# torch==9\n")
    (tmp_path / "weights.txt").write_text("")
    absent, other = words(doctor.packages(tmp_path))
    assert absent == ("wrong", "not installed: no-such-package. To mend it, run `rm -rf .venv` and then `make setup`.")
    assert other[0] == "advice" and "numpy" in other[1] and "pinned: ==0.0.1" in other[1]


def test_a_cpu_build_beside_a_gpu_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(doctor.nvidia, "handles", lambda: ["one"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    ((grade, said),) = doctor.torch_build(ROOT)
    assert grade == "wrong" and "(CPU build), but this machine has 1 NVIDIA GPU" in said and "rm -rf .venv" in said
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    ((grade, said),) = doctor.torch_build(ROOT)
    assert grade == "wrong" and "driver" in said
    monkeypatch.setattr(doctor.nvidia, "handles", lambda: [])
    ((grade, said),) = doctor.torch_build(ROOT)
    assert grade == "ok"


def test_params_that_are_wrong_are_told(tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    assert [grade for grade, _ in doctor.settings(tmp_path)] == ["ok"]
    set_params(tmp_path, {"loop.batsch": 3})
    ((grade, said),) = doctor.settings(tmp_path)
    assert grade == "wrong" and "did you mean `batch`?" in said


@pytest.mark.parametrize(("key", "value", "words"), [
    ("encoder.words.architecture", "cnnn", "`encoder.words.architecture`: there is no architecture `cnnn`; did "
                                           "you mean `cnn`?"),
    ("pretrain.scratch.encoders.text", "wordss", "there is no encoder `wordss` under `encoder`; did you mean `words`?"),
    ("pretrain.scratch.encoders.text", "bands", "`bands` reads audio, and text is text."),
    ("train.end_to_end.fusion", "concatt", "there is no fusion `concatt`; did you mean `concat`?"),
    ("pretrain.selfsup.objective", "maskd", "there is no objective `maskd`; did you mean `masked`?"),
])
def test_what_does_not_exist_is_refused(tmp_path: Path, key: str, value: str, words: str) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, {key: value})
    ((grade, said),) = doctor.settings(tmp_path)
    assert grade == "wrong" and words in said


@pytest.mark.parametrize(("weights", "words"), [
    ("package:no-such-thing", "`package:no-such-thing`: the package no-such-thing is not installed"),
    ("./nowhere", "there is no folder ./nowhere"),
])
def test_published_weights_that_are_not_here_are_told(tmp_path: Path, weights: str, words: str) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, {"encoder.words": {"modality": "text", "weights": weights}})
    ((grade, said),) = doctor.settings(tmp_path)
    assert grade == "wrong" and words in said


@pytest.mark.parametrize(("modality", "entry", "words"), [
    ("text", "words", "has no tokenizer (tokenizer.json)"),
    ("image", "patches", "has no preprocessor_config.json, which would say the size and mean and deviation"),
    ("audio", "bands", "has no preprocessor_config.json, which says how the model hears a sound"),
])
def test_what_published_weights_lack_is_told(tmp_path: Path, modality: str, entry: str, words: str) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    empty_weights(tmp_path / "mine")
    set_params(tmp_path, {f"encoder.{entry}": {"modality": modality, "weights": str(tmp_path / "mine")}})
    ((grade, said),) = doctor.settings(tmp_path)
    assert grade == "wrong" and f"`encoder.{entry}`: the folder {tmp_path}/mine {words}" in said


@pytest.mark.parametrize(("strategy", "does"), [
    ("frozen", "builds on the encoders"), ("linear", "builds on the encoders"), ("lora", "builds on the encoders"),
    ("distil", "learns from the encoders")])
def test_random_weights_that_stay_or_teach_are_a_warning(tmp_path: Path, strategy: str, does: str) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, {"train.mine": {"start": "scratch", "strategy": strategy}})
    (ok, _), (grade, said) = doctor.settings(tmp_path)
    assert (ok, grade) == ("ok", "advice")
    assert said == (
        f"params.yaml: `train.mine`: `{strategy}` {does} of `scratch`, and nobody has trained `words`, `patches`, "
        "`bands`: their weights are random. Start from a recipe with an objective, or with published weights.")
    for start in ("selfsup", "published"):
        set_params(tmp_path, {"train.mine.start": start})
        assert [grade for grade, _ in doctor.settings(tmp_path)] == ["ok"]


def test_streams_are_named_with_their_modality(tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    assert "data digits, text, image, audio;" in next(doctor.settings(tmp_path))[1]
    set_params(tmp_path, {"data.source": "manifest", "data.streams": {
        "photo": {"modality": "image"}, "scan": {"modality": "image"}, "text": {"modality": "text"}}})
    assert "data manifest, photo (image), scan (image), text;" in next(doctor.settings(tmp_path))[1]


def test_the_old_form_is_told(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("fuse: [ensemble]\n")
    ((grade, said),) = doctor.settings(tmp_path)
    assert grade == "wrong" and "params.yaml is in a form that Trivium no longer reads" in said


def test_cuda_without_a_gpu_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, {"loop.device": "cuda"})
    monkeypatch.setattr(doctor.nvidia, "handles", lambda: [])
    assert [grade for grade, _ in doctor.settings(tmp_path)] == ["ok", "wrong"]


def test_a_folder_that_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert [grade for grade, _ in doctor.repository(tmp_path)] == ["wrong", "wrong"]
    (tmp_path / ".dvc").mkdir()
    assert list(doctor.repository(tmp_path))[-1] == ("ok", "DVC repository")


def test_what_earlier_runs_left_half_written(tmp_path: Path) -> None:
    assert words(doctor.left(tmp_path)) == [("ok", "nothing half-written is left of earlier runs")]
    for name, content in (("reports/comparison.json", ""), ("reports/summary/a.json", "{}"),
                          ("models/a/training.json", '{"seeds": ['), ("reports/measured/fuse@a.json", "")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    mend = "Remove it and run `dvc repro`, which brings it back from the cache or makes it again."
    assert words(doctor.left(tmp_path)) == [
        ("wrong", f"models/a/training.json cannot be read as JSON. {mend}"),
        ("wrong", f"reports/comparison.json is empty. {mend}"),
        ("advice", "empty or broken: reports/measured/fuse@a.json. The report leaves out what was measured there. "
                   "`make repro` or `trivium repair` measures it again.")]


def test_the_project_itself_is_well(tmp_path: Path) -> None:
    project = tiny_project(tmp_path)
    said = command(project, *DOCTOR)
    advice = [line for line in said.splitlines() if line.startswith("  advice") and " free on the disk" not in line]
    assert "WRONG" not in said and "espeak-ng speaks" in said
    assert not advice  # but for a disk that is nearly full, whoever's it is


def test_a_broken_project_ends_with_code_1(tmp_path: Path) -> None:
    project = tiny_project(tmp_path)
    (project / "params.yaml").unlink()
    said = command(project, *DOCTOR, fails=True)
    assert "WRONG  " in said and "1 of 14 checks failed." in said
