"""A lock that is really cut off, in a project that DVC really runs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.helpers import ROOT, command
from trivium.cli.repair import repair, sweep, torn

STAGES = """stages:
  ingest:
    cmd: echo ingest >> ran && cp given raw
    deps: [given]
    outs: [{raw: {persist: true}}]
  train:
    cmd: echo train >> ran && sed s/^/trained-on-/ raw > model
    deps: [raw]
    params: [train]
    outs: [model]
  compare:
    cmd: echo compare >> ran && sed s/^/compared-/ model > answer
    deps: [model]
    outs: [answer]
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three stages that ran on "one", whose lock is in git, and then on "two". Read only."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "params.yaml").write_text("train: {lr: 1.0e-3}\n")
    (folder / ".gitignore").write_text("/raw\n/model\n/answer\n/ran\n/.cache\n")
    command(folder, "git", "init", "--quiet")
    command(folder, "dvc", "init", "--quiet")
    (folder / "given").write_text("one\n")
    command(folder, "dvc", "repro", "--quiet")
    command(folder, "git", "add", "--all")
    command(folder, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "one")
    (folder / "given").write_text("two\n")
    command(folder, "dvc", "repro", "--quiet")
    assert (folder / "answer").read_text() == "compared-trained-on-two\n"
    (folder / "ran").unlink()
    return folder


@pytest.fixture
def project(reference: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reference, tmp_path / "project", symlinks=True))


def repro(project: Path) -> str:
    """The stages that really ran, not restored from the cache."""
    (project / "ran").write_text("")
    command(project, "dvc", "repro")
    return " ".join((project / "ran").read_text().split())


@pytest.mark.slow
@pytest.mark.parametrize(("cut", "whole", "runs"), [
    (0, 0, "ingest"),  # which is not in the run cache: its outs persist
    ("  train:", 1, ""),
    ("    outs:\n    - path: model\n      ha", 1, ""),
    ("  compare:\n    cm", 2, ""),
])
def test_after_a_cut_everything_is_as_before_and_next_to_nothing_runs(
    project: Path, cut: int | str, whole: int, runs: str,
) -> None:
    lock = project / "dvc.lock"
    good = lock.read_text()
    lock.write_text(good[:good.index(cut) + len(cut)] if isinstance(cut, str) else "")
    command(project, "dvc", "status", fails=True)
    said = repair(project) or ""
    assert said.startswith(f"dvc.lock was cut off, as by a kill while DVC wrote it. {whole} of its stages were whole, "
                           f"{3 - whole} more are as git has them.")
    assert repro(project) == runs
    assert lock.read_text() == good
    assert (project / "answer").read_text() == "compared-trained-on-two\n"
    assert repair(project) is None


@pytest.mark.slow
def test_outs_that_are_not_of_the_inputs_are_never_taken_for_theirs(project: Path) -> None:
    """The settings changed after the last run, and somebody wrote over an out: both come to light."""
    good = (project / "dvc.lock").read_text()
    (project / "dvc.lock").write_text(good[:good.index("  train:") + 20])
    (project / "params.yaml").write_text("train: {lr: 2.0e-3}\n")
    (project / "answer").unlink()
    (project / "answer").write_text("made up\n")
    repair(project)
    assert repro(project) == "train"  # whose out is as before, so that compare's comes from the cache
    found = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    assert found["train"]["params"] == {"params.yaml": {"train": {"lr": 0.002}}}
    assert (project / "answer").read_text() == "compared-trained-on-two\n"


@pytest.mark.slow
def test_without_a_version_in_git_the_rest_comes_from_the_cache(project: Path) -> None:
    good = (project / "dvc.lock").read_text()
    command(project, "git", "rm", "--quiet", "--cached", "dvc.lock")
    command(project, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "no lock")
    (project / "dvc.lock").write_text(good[:good.index("  train:") + 30])
    assert ("1 of its stages were whole, 0 more are as git has them, 2 more are as DVC's cache has kept their runs "
            "with these inputs.") in (repair(project) or "")
    assert repro(project) == ""
    assert yaml.safe_load((project / "dvc.lock").read_text()) == yaml.safe_load(good)
    (project / "dvc.lock").write_text(good[:40])
    assert ("0 of its stages were whole, 0 more are as git has them, 2 more are as DVC's cache has kept their runs "
            "with these inputs.") in (repair(project) or "")
    found = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    assert found == {one: yaml.safe_load(good)["stages"][one] for one in ("train", "compare")}
    assert repro(project) == "ingest"  # whose outs persist, so that DVC keeps no runs of it
    assert yaml.safe_load((project / "dvc.lock").read_text()) == yaml.safe_load(good)


@pytest.mark.slow
def test_wherever_the_cut_is_each_entry_is_one_that_dvc_wrote(project: Path) -> None:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    lock = project / "dvc.lock"
    good, old = lock.read_text(), command(project, "git", "show", "HEAD:dvc.lock")
    written = [yaml.safe_load(text)["stages"] for text in (good, old)]
    for cut in range(0, len(good), 7):
        lock.write_text(good[:cut])
        if repair(project) is None:
            assert good[cut - 1] == "\n"  # a whole line, and all that DVC wants of an entry
        found = COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(lock.read_text()))["stages"]
        for name, entry in list(found.items())[:None if repair(project) else -1]:
            assert entry in [stages[name] for stages in written]


@pytest.mark.slow
def test_rwlock_too(project: Path) -> None:
    (project / ".dvc/tmp/rwlock").write_text('{"write": {"/mo')
    assert torn(project) == [".dvc/tmp/rwlock"]
    command(project, "dvc", "repro", fails=True)
    assert (repair(project) or "").startswith(".dvc/tmp/rwlock, where running DVC commands say what they use, was cut")
    assert repro(project) == ""


@pytest.mark.slow
def test_not_while_dvc_writes(project: Path) -> None:
    good = (project / "dvc.lock").read_text()
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, zc.lockfile\nheld = zc.lockfile.LockFile('.dvc/tmp/lock')\n"
                               "print('held', flush=True)\nsys.stdin.read()"],
        cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    (project / "dvc.lock").write_text(good[:100])
    assert repair(project) is None
    assert (project / "dvc.lock").read_text() == good[:100]
    holder.communicate("")
    assert "dvc.lock was cut off" in (repair(project) or "")


@pytest.mark.slow
def test_of_a_merge_ours_is_kept_and_runs_no_stage(project: Path) -> None:
    good, other = (project / "dvc.lock").read_text(), command(project, "git", "show", "HEAD:dvc.lock")
    ours, theirs = (text[text.index("  train:"):] for text in (good, other))
    both = good.replace(ours, f"<<<<<<< HEAD\n{ours}||||||| base\n{theirs}=======\n{theirs}>>>>>>> other\n")
    (project / "dvc.lock").write_text(both)
    assert (repair(project) or "").startswith("dvc.lock held both sides of a git merge. 3 of its stages were whole, 0 ")
    assert (project / "dvc.lock").read_text() == good
    assert repro(project) == ""


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "kept", "words"), [
    (lambda text: text + "\0" * 512, ["ingest", "train", "compare"], "was damaged. 3 of its stages were whole, 0 "),
    (lambda text: "\0" * len(text), [], "was cut off, as by a kill while DVC wrote it. 0 of its stages were whole, 3 "),
    (lambda text: text.replace("  train:\n    cmd", "  train:\n  \x01 cmd"), ["ingest", "compare"],
     "was damaged. 2 of"),
    (lambda text: text.replace("schema: '2.0'", "schema: '2"), ["ingest", "train", "compare"], "was damaged. 3 of its"),
])
def test_what_is_wrong_in_the_middle_costs_no_other_stage(project: Path, damage: Callable[[str], str], kept: list[str],
                                                          words: str) -> None:
    lock = project / "dvc.lock"
    good, old = lock.read_text(), command(project, "git", "show", "HEAD:dvc.lock")
    written = [yaml.safe_load(text)["stages"] for text in (good, old)]
    lock.write_text(damage(good))
    assert (repair(project) or "").startswith(f"dvc.lock {words}")
    found = yaml.safe_load(lock.read_text())["stages"]
    assert found == {name: written[0 if name in kept else 1][name] for name in ("ingest", "train", "compare")}
    lock.write_text(damage(good))
    (project / ".cache").mkdir(exist_ok=True)
    (project / ".cache/dvc.lock").write_text(good)  # as the last stage left it
    assert "more are as they were when the last stage began" in (repair(project) or "") or len(kept) == 3
    assert yaml.safe_load(lock.read_text()) == yaml.safe_load(good)


@pytest.mark.slow
def test_the_commands_and_the_doctor(project: Path) -> None:
    good = (project / "dvc.lock").read_text()
    trivium = ("env", f"PYTHONPATH={ROOT / 'src'}", "python", "-m", "trivium.cli")
    shutil.copy(ROOT / "params.yaml", project)
    assert command(project, *trivium, "repair") == ""
    (project / "dvc.lock").write_text(good[:100])
    (project / "reports").mkdir()
    (project / "reports/comparison.json").write_text("")
    said = command(project, *trivium, "doctor", fails=True)
    assert "  WRONG  dvc.lock is not whole, so that DVC cannot read it; a kill" in said
    assert "  WRONG  reports/comparison.json is empty. Remove it and run `dvc repro`" in said
    assert (project / "dvc.lock").read_text() == good[:100]
    assert command(project, *trivium, "repair").startswith("note: dvc.lock was cut off")
    for words in (("show",), ("doctor", "--repair")):
        (project / "dvc.lock").write_text(good[:100])
        said = command(project, *trivium, *words, fails=True)
        assert "note: dvc.lock was cut off" in said and "Traceback" not in said
        assert torn(project) == []


@pytest.mark.slow
def test_what_a_killed_stage_left_is_no_input_of_others(project: Path) -> None:
    """DVC takes the out of that stage from its cache, so that the stage itself does not tidy up."""
    (project / "dvc.yaml").write_text(
        "stages:\n  each:\n    cmd: mkdir -p made && echo a > made/one\n    outs: [made/one]\n"
        "  all:\n    cmd: ls made > listed\n    deps: [made]\n    outs: [listed]\n")
    shutil.copy(ROOT / ".dvcignore", project)
    command(project, "dvc", "repro", "--quiet")
    right = (project / "dvc.lock").read_bytes()
    (project / "made/one").unlink()
    (project / "made/one.part").mkdir()
    (project / "made/one.part/half").write_text("b")
    command(project, "dvc", "repro", "--quiet")
    assert (project / "dvc.lock").read_bytes() == right and (project / "listed").read_text() == "one\n"


def test_half_written_outs_are_removed_before_a_run(tmp_path: Path) -> None:
    gone = ["models/a.part", "models/pretrain/b.old.part", "reports/evaluate/c.part", "data/raw.part", "export.part"]
    stay = ["models/a", "data/mine.part", "mine.part"]
    for name in [*gone, *stay]:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("")
    sweep(tmp_path)
    assert [name for name in [*gone, *stay] if (tmp_path / name).exists()] == stay
