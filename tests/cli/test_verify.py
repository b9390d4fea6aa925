"""Every file of every out against the lock, in a project that DVC really runs."""

import shutil
from pathlib import Path

import pytest

from tests import damage
from tests.helpers import command
from trivium.cli.verify import verify
from trivium.settings.errors import UserError

STAGES = """stages:
  train:
    cmd: mkdir -p models/deep && cp given models/a && cp given models/deep/b && echo {} > models/training.json
    deps: [given]
    outs: [models]
  compare:
    cmd: mkdir -p summary && cat models/a models/deep/b > answer && echo 1 > summary/s.json && echo 1 > one.json
    deps: [models]
    outs: [answer, {summary: {cache: false}}, {one.json: {cache: false}}]
"""
A, B = "models/a", "models/deep/b"
TRAIN = "`dvc pull models`, or `dvc repro` (stage train)."
COMPARE = "`dvc pull answer`, or `dvc repro` (stage compare)."
BACK = "`trivium verify --repair` brings it back from DVC's cache."


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "given").write_text("something to learn from\n")
    command(folder, "git", "init", "--quiet")
    command(folder, "dvc", "init", "--quiet")
    command(folder, "dvc", "repro", "--quiet")
    return folder


@pytest.fixture
def project(reference: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reference, tmp_path / "project", symlinks=True))


def cached(project: Path, out: str) -> Path:
    """Where DVC keeps the content of a file of an out."""
    import hashlib

    md5 = hashlib.md5((project / out).read_bytes()).hexdigest()
    return project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


@pytest.mark.slow
def test_a_whole_project(project: Path) -> None:
    assert verify(project) == ("All 8 files of the outs are as dvc.lock has them, here and in DVC's cache.", True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", damage.KINDS)
def test_what_is_damaged_here_comes_back_from_the_cache(project: Path, kind: str) -> None:
    before = (project / A).read_bytes()
    damage.do(project / A, kind)
    said, well = verify(project)
    assert not well and said.splitlines() == [
        f"{project / A} is changed or damaged. {BACK}", "Not as dvc.lock has them: 1 of 8 files."]
    assert verify(project, mend=True)[1]
    assert (project / A).read_bytes() == before and verify(project)[1]


@pytest.mark.slow
def test_what_is_damaged_in_the_cache_comes_back_from_here(project: Path) -> None:
    kept = cached(project, B)  # A has the same content
    for broken, words in ((lambda: damage.do(kept, "a bit in the middle"), "damaged"), (kept.unlink, "missing")):
        broken()
        said, well = verify(project)
        assert not well and said.splitlines() == [
            f"{project / A} is good, and {words} in DVC's cache (and 1 more of models). `trivium verify --repair` "
            "copies it there.", "Not as dvc.lock has them: 2 of 8 files."]
        assert verify(project, mend=True)[1] and verify(project)[1]
        assert kept.stat().st_mode & 0o777 == 0o444


@pytest.mark.slow
def test_what_is_damaged_in_both_is_named_and_dropped_and_made_again(project: Path) -> None:
    (project / "answer").unlink()
    command(project, "dvc", "config", "cache.type", "hardlink")
    command(project, "dvc", "checkout", "--relink")
    damage.do(project / "answer", "a bit at its end")
    assert command(project, "dvc", "status").strip() == "Data and pipelines are up to date."  # nothing tells DVC
    said, well = verify(project)
    assert not well and said.splitlines()[0] == (
        f"{project / 'answer'} is damaged, here and in DVC's cache. `trivium verify --repair`, then {COMPARE}")
    said, well = verify(project, mend=True)
    assert not well and "answer: lost, what was damaged is removed." in said
    command(project, "dvc", "repro")
    assert verify(project)[1] and (project / "answer").read_text() == "something to learn from\n" * 2


@pytest.mark.slow
def test_what_is_missing(project: Path) -> None:
    shutil.rmtree(project / "models")
    (project / "one.json").unlink()
    said, well = verify(project)
    assert not well and said.splitlines() == [
        f"{project / 'models/a'} is missing (and 2 more of models). {BACK}",
        f"{project / 'one.json'} is missing. `git checkout one.json` brings the committed one, `dvc repro` makes it "
        "again.",
        "Not as dvc.lock has them: 4 of 8 files."]
    assert not verify(project, mend=True)[1] and (project / B).exists()
    command(project, "dvc", "repro")
    assert verify(project)[1]
    shutil.rmtree(project / "models")
    shutil.rmtree(project / ".dvc/cache")
    assert f"models, the list of its files, is missing, here and in DVC's cache. {TRAIN[:1].upper()}{TRAIN[1:]}" in \
        verify(project)[0]


@pytest.mark.slow
def test_a_folder_with_more_in_it_and_one_whose_list_is_damaged(project: Path) -> None:
    (project / "models/more").write_text("x")
    (project / "models/some.pyc").write_text("x")
    assert verify(project)[0].startswith("models, the list of its files, is changed or damaged.")
    assert verify(project, mend=True)[1] and not (project / "models/more").exists()
    (listed,) = (project / ".dvc/cache/files/md5").rglob("*.dir")
    before = listed.read_bytes()
    for kind in damage.KINDS:
        damage.do(listed, kind)
        assert verify(project)[0].startswith("models, the list of its files, is good, and damaged in DVC's cache.")
        assert verify(project, mend=True)[1] and listed.read_bytes() == before


def test_before_anything_was_run(tmp_path: Path) -> None:
    command(tmp_path, "git", "init", "--quiet")
    command(tmp_path, "dvc", "init", "--quiet")
    with pytest.raises(UserError, match="dvc.lock knows of no outs yet: `make repro` runs the pipeline."):
        verify(tmp_path)
