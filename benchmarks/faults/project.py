"""The small project in which trials run, and what a run that nobody disturbed makes of it.

It is made once for a campaign, which takes a minute or two; `TRIVIUM_FAULTS_PROJECT` names a folder in which it is kept
for the next one. Each trial of a stage begins with everything before that stage done, and of it nothing.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.helpers import ROOT, command, digests, tiny_project

KEPT = "TRIVIUM_FAULTS_PROJECT"
STRATEGIES, RECIPES = ("end_to_end", "ensemble", "reference"), ("scratch", "supervised", "simple")
DROPPED = {"train": ("unimodal", "supervised_frozen", "supervised_lpft", "selfsup_finetune", "published_linear"),
           "pretrain": ("supervised_half", "selfsup", "published")}
CACHES = {"pretrain": ".cache/units", "train": ".cache/units", "preprocess": ".cache/features"}


@dataclass(frozen=True)
class Stage:
    """name: as DVC has it, `train@ensemble`.  outs: paths in the project"""

    name: str
    outs: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """What follows `python -m`."""
        module, _, entry = self.name.partition("@")
        return [f"pipeline.{module}", *filter(None, [entry])]

    def forget(self, project: Path, cache: bool = True) -> None:
        """As if it had never run. cache: what it keeps of finished pieces, too"""
        measured = [path for path in (project / "reports/measured").glob("*.json")
                    if path.name in (f"{self.name}.json", f"{self.name}.system.json")]
        kept = CACHES.get(self.name.partition("@")[0])
        for path in (*(project / out for out in self.outs), *measured, *([project / kept] if kept and cache else [])):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def made(self, project: Path) -> dict[str, str]:
        """Digest of every file of its outs, by path."""
        folders = [out for out in self.outs if not (project / out).is_file()]
        return digests(project, *folders) | {out: digests(project, str(Path(out).parent))[out] for out in self.outs
                                             if (project / out).is_file()}


@functools.cache
def reference() -> Path:
    """The project after one `dvc repro`. It is not to be changed: `copy` it."""
    if KEPT in os.environ:
        folder = Path(os.environ[KEPT]).resolve()
    else:
        folder = Path(tempfile.mkdtemp(prefix="trivium-faults-project-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = folder / "project"
    if not (project / "export").is_dir() or _code(project) != _code(ROOT):  # of another commit
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir(parents=True)
        dropped = {f"{section}__{name}": None for section, names in DROPPED.items() for name in names}
        tiny_project(project, **dropped, data__symbols__samples=200, budget__epochs=2, evaluate__analysis_rows=32,
                     compare__bootstrap=100)
        command(project, "dvc", "repro")
        command(project, "git", "add", "--all")
        command(project, "git", "-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "--message", "all")
    return project


def _code(root: Path) -> dict[str, bytes]:
    files = [root / "dvc.yaml", *(path for room in ("src", "pipeline") for path in (root / room).rglob("*.*"))]
    return {str(path.relative_to(root)): path.read_bytes() for path in files
            if path.is_file() and not {"__pycache__", "trivium.egg-info"} & set(path.parts)}


def copy(to: Path, cache: bool = False) -> Path:
    """The finished project in the new folder `to`. cache: with DVC's own cache, which `dvc repro` needs"""
    left = shutil.ignore_patterns(*([] if cache else ["cache"]))

    def ignored(folder: str, names: list[str]) -> Iterable[str]:
        return left(folder, names) if Path(folder).name == ".dvc" else []

    shutil.copytree(reference(), to, symlinks=True, ignore=ignored)
    for path in to.rglob("*"):
        if not path.is_symlink() and ".git" not in path.parts:
            path.chmod(path.stat().st_mode | 0o200)
    return to


@functools.cache
def stages() -> tuple[Stage, ...]:
    """All that have outs, in the order in which they run."""
    lock = yaml.safe_load((reference() / "dvc.lock").read_text())["stages"]
    names = [name for head in ("ingest", "validate", "align", "split", "preprocess", "budget", "pretrain", "train",
                               "evaluate", "latency", "compare", "export")
             for name in lock if name.partition("@")[0] == head]
    return tuple(Stage(name, tuple(out["path"] for out in lock[name]["outs"])) for name in names)


def scraps(project: Path) -> Iterator[str]:
    """Paths of what was half-written, outside of DVC's and git's own folders and of caches."""
    for folder in ("data", "models", "reports", "export", "mlruns"):
        for path in (project / folder).parent.glob(f"{folder}*.part"):
            yield str(path.relative_to(project))
        for path in (project / folder).rglob("*.part"):
            yield str(path.relative_to(project))
