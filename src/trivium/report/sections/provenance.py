"""Where the numbers come from: code, data, versions, machine, and the command that makes them again."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from trivium.drawing import numbers
from trivium.machine import nvidia
from trivium.machine.workers import cores
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Table

PACKAGES = (
    "torch",
    "transformers",
    "accelerate",
    "tokenizers",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "great-expectations",
    "dvc",
    "mlflow",
)


@dataclass(frozen=True)
class Context:
    """`command`: what makes it again.  `changed`: whether the commit lacks some of it."""

    command: str
    changed: bool
    origin: Table
    versions: Table
    settings: Table


def context(inputs: Inputs) -> Context:
    code = commit(inputs.root)
    known = code.get("commit") and not code.get("dirty")
    again = f"git checkout {code['commit']} && make repro" if known else "make repro"
    facts = [
        (
            "git commit",
            (code.get("commit") or "") + (" and changes that are not committed" if code.get("dirty") else ""),
        ),
        ("committed", code.get("date")),
        *((f"hash of {path}", value) for path, value in data_hashes(inputs)),
        ("machine", machine()),
        ("time of all stages", numbers.seconds(_total(inputs)) if _total(inputs) else None),
        ("largest process", numbers.memory(_memory(inputs)) if _memory(inputs) else None),
    ]
    said = [(key, str(value)) for key, value in sorted(inputs.comparison.settings.model_dump().items())]
    return Context(
        again,
        bool(code.get("dirty")),
        _pairs([(key, value) for key, value in facts if value], "Origin"),
        _pairs([("Python", platform.python_version()), *versions()], "Versions"),
        _pairs(said, "Settings"),
    )


def _pairs(rows: list[tuple[str, str]], label: str) -> Table:
    return Table(label, [], [[Cell(key, head=True), Cell(value)] for key, value in rows], classes="pairs")


def commit(root: Path) -> dict[str, Any]:
    """`commit`, `date` of the commit and whether code or settings differ from it; empty without git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ("git", "-C", str(root), *words), capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()

    try:
        return {
            "commit": git("rev-parse", "HEAD"),
            "date": git("show", "-s", "--format=%cI", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock", ":!reports")),
        }
    except (OSError, subprocess.SubprocessError):
        return {}


def data_hashes(inputs: Inputs) -> list[tuple[str, str]]:
    """What DVC calls the raw data and the features that the models were trained on, from dvc.lock."""
    stages = inputs.yaml("dvc.lock").get("stages") or {}
    found = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs") or [] if "md5" in out}
    return [(path, str(found[path])) for path in ("data/raw", "data/features") if path in found]


def versions() -> list[tuple[str, str]]:
    found = []
    for package in PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Processor, cores, memory, GPU and system in one line."""
    parts = [
        _processor(),
        f"{cores()} cores",
    ]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        parts.append(f"{numbers.memory(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))} memory")
    return ", ".join([*parts, *nvidia.names(), f"{platform.system()} {platform.machine()}"])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _total(inputs: Inputs) -> float:
    return sum(found.seconds or 0.0 for found in inputs.measured.values())


def _memory(inputs: Inputs) -> float:
    return max((found.peak_memory_bytes or 0 for found in inputs.measured.values()), default=0)
