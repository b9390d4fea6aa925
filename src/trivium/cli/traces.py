"""Where rows that are forgotten still are: outs, old versions of them, runs, copies. Nothing is changed here.

The outs are judged by `dvc.lock`: a stage is old where data/raw has such a row, or where it read what is not there any
more; and what comes of an old stage is old. Older versions are known from the history of dvc.lock in git.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from trivium.data.sources.forgotten import Forgotten
from trivium.data.tables import read_yaml

SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RAW, LABELS = "data/raw", "labels.parquet"
NUMBERS = ("models/budget.json", "data/code", "reports/latency.json")  # outs that are about no row
MADE = (".cache/features", ".cache/units", ".cache/updates", ".cache/transfer")  # copies that can be made again
KEPT = {"models/updates": "models that `trivium update` made of them", "exports": "models that you exported",
        "reports/report.html": "a report with examples of rows", "reports/look.html": "a page with examples of rows",
        ".dvc/tmp/exps": "folders of experiments", ".cache/urls": "copies of what was fetched"}


class Traces:
    """root: of the project;  gone: the rows;  cache: DVC's, the folder `files/md5` in it."""

    def __init__(self, root: Path, gone: Forgotten) -> None:
        self.root, self.gone = root, gone

    @cached_property
    def cache(self) -> Path:
        from dvc.repo import Repo

        with Repo(str(self.root)) as repo:
            return Path(repo.cache.local.path)

    def remotes(self) -> list[str]:
        from dvc.repo import Repo

        with Repo(str(self.root)) as repo:
            return sorted(repo.config["remote"])

    @cached_property
    def lock(self) -> dict[str, Any]:
        return read_yaml(self.root / "dvc.lock").get("stages") or {}

    @cached_property
    def raw_holds(self) -> bool:
        """Whether data/raw has such a row."""
        path = self.root / RAW / LABELS
        return path.exists() and self._holds(path.read_bytes())

    @cached_property
    def outs(self) -> list[str]:
        """The outs that are here and hold such rows, or were made from them; in the order of the pipeline."""
        owner = {out["path"]: name for name, stage in self.lock.items() for out in stage.get("outs", ())}
        made = _outs(self.lock)
        old: dict[str, bool] = {}

        def is_old(name: str) -> bool:
            if name not in old:
                old[name] = False
                own = self.lock[name]
                if any(out["path"] == RAW for out in own.get("outs", ())):
                    old[name] = self.raw_holds
                else:
                    old[name] = any(made.get(dep["path"], dep.get("md5")) != dep.get("md5") or any(
                        is_old(other) for out, other in owner.items() if _meet(dep["path"], out) and other != name)
                        for dep in own.get("deps", ()))
            return old[name]

        return [path for path, name in owner.items() if path not in NUMBERS and is_old(name)
                and (self.root / path).exists()]

    @cached_property
    def _locks(self) -> list[dict[str, str]]:
        """Path -> hash of the outs of every dvc.lock there ever was, the present one first."""
        texts = [(self.root / "dvc.lock").read_text(encoding="utf-8")] if self.lock else []
        found = []
        for text in [*texts, *self._history("dvc.lock")]:
            with contextlib.suppress(yaml.YAMLError):  # both sides of a merge, which somebody committed
                stages = (yaml.load(text, Loader=SAFE) or {}).get("stages") or {}
                found.append(_outs(stages))
        return found

    @cached_property
    def raws(self) -> dict[str, bool]:
        """The hash of every version of data/raw there ever was -> whether it has such rows. One that DVC's cache lacks
        counts as one that has, since a remote may still keep it.
        """
        present = _outs(self.lock).get(RAW)
        return {md5: self.raw_holds if md5 == present else self._version_holds(md5) is not False
                for md5 in dict.fromkeys(outs[RAW] for outs in self._locks if outs.get(RAW))}

    @cached_property
    def objects(self) -> int:
        """How many outs of these versions lie in DVC's cache and are no outs of the present dvc.lock."""
        present = set() if self.raw_holds else set(_outs(self.lock).values())
        old = {md5 for outs in self._locks if self.raws.get(outs.get(RAW, "")) for md5 in outs.values()}
        if (self.root / ".dvc").is_dir():  # and those of a dvc.lock that was never committed
            lying = {path.parent.name + path.name for path in self.cache.glob("*/*.dir")} - present - old
            old |= {md5 for md5 in lying if self._version_holds(md5)}
        return sum(self._object(md5).exists() for md5 in old - present)

    def copies(self) -> dict[str, str]:
        """What else is here that was made of the data: path -> what it is."""
        imported = {path.relative_to(self.root).as_posix(): "the copy of what you imported"
                    for path in (self.root / "data/imported").glob("*/source")}
        return {path: words for path, words in (KEPT | imported).items() if (self.root / path).exists()}

    def caches(self) -> list[str]:
        return [path for path in MADE if (self.root / path).exists()]

    def tracked(self, path: Path) -> int:
        """How many commits of git have the table at `path`; 0 where git does not track it."""
        return len(list(filter(None, self._git("log", "--all", "--format=%h", "--", str(path)).split("\n"))))

    def experiments(self) -> int:
        """Of DVC, whose outs are in its cache."""
        return len(list(filter(None, self._git("for-each-ref", "--format=%(refname)", "refs/exps").split("\n"))))

    def _version_holds(self, md5: str) -> bool | None:
        """Whether a folder of tables in DVC's cache has such rows; None where that is not known."""
        try:
            labels = next(one["md5"] for one in json.loads(self._object(md5).read_bytes()) if one["relpath"] == LABELS)
            return self._holds(self._object(labels).read_bytes())
        except (OSError, ValueError, StopIteration):
            return None

    def _holds(self, labels: bytes) -> bool:
        return bool(self.gone.within(pq.read_table(io.BytesIO(labels), columns=["sample"])["sample"]).any())

    def _object(self, md5: str) -> Path:
        return self.cache / md5[:2] / md5[2:]

    def _history(self, path: str) -> Iterator[str]:
        for commit in filter(None, self._git("log", "--all", "--format=%H", "--", path).split("\n")):
            yield self._git("show", f"{commit}:./{path}")

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""


def _outs(stages: Mapping[str, Any]) -> dict[str, str]:
    """Path -> hash."""
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ()) if "md5" in out}


def _meet(one: str, other: str) -> bool:
    """Whether a path is in another, or the same."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
