"""`trivium doctor`: is this machine, this installation and params.yaml fit for a run?"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trivium.cli import foresee
from trivium.cli.foresee import Finding
from trivium.machine import nvidia, vault
from trivium.settings.errors import UserError

GIGABYTE = 1e9
AGAIN = "run `rm -rf .venv` and then `make setup`"
OUTS = ("data/*/*.json", "models/*/training.json", "models/pretrain/*/training.json", "reports/*.json",
        "reports/summary/*.json", "reports/evaluate/*/metrics.json")

SIGNS = {"ok": "  ok     ", "advice": "  advice ", "wrong": "  WRONG  "}


def examine(root: Path) -> bool:
    """Print what was found; true when nothing is wrong."""
    checks: tuple[Callable[[Path], Iterator[Finding]], ...] = (
        python, packages, torch_build, settings, on_clock, encryption, seen, repository, left, foresee.disk,
        foresee.permission, foresee.links, foresee.clock, foresee.words, tracking, speech)
    grades = []
    for check in checks:
        for grade, words in check(root):
            print(f"{SIGNS[grade]}{words}", flush=True)
            grades.append(grade)
    wrong = grades.count("wrong")
    print(f"\n{wrong} of {len(grades)} checks failed." if wrong else
          "\nNothing is wrong; see the advice above." if "advice" in grades else "\nAll is well.")
    return not wrong


def tracking(_: Path) -> Iterator[Finding]:
    from trivium.tracking import place

    return place.examined()


def python(_: Path) -> Iterator[Finding]:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield "ok", f"Python {platform.python_version()} on {machine}"


def packages(root: Path) -> Iterator[Finding]:
    """Installed versions against the pins of requirements.txt."""
    from packaging.requirements import Requirement

    paths = [root / "requirements.txt", root / "weights.txt"]
    if missing := [path for path in paths if not path.exists()]:
        yield "wrong", f"{missing[0]} is missing: run this in the root of the repository."
        return
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    pins = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    absent, other = [], []
    for pin in pins:
        try:
            found = version(pin.name).partition("+")[0]  # without the build: 2.13.0+cpu
        except PackageNotFoundError:
            absent.append(pin.name)
            continue
        if not pin.specifier.contains(found, prereleases=True):
            other.append(f"{pin.name} {found} (pinned: {pin.specifier})")
    if absent:
        yield "wrong", f"not installed: {_some(absent)}. To mend it, {AGAIN}."
    if other:
        yield "advice", f"other versions than the pinned ones: {_some(other)}. Results may differ; to mend it, {AGAIN}."
    if not absent and not other:
        yield "ok", f"all {len(pins)} packages in the pinned versions"


def torch_build(root: Path) -> Iterator[Finding]:
    """Does the build of torch fit the GPU that the machine has?"""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield "wrong", f"torch does not load ({error}). To mend it, {AGAIN}."
        return
    build = f"torch {torch.__version__} ({f'CUDA {torch.version.cuda}' if torch.version.cuda else 'CPU build'})"
    gpus = len(nvidia.handles())  # whatever torch was built for
    if torch.cuda.is_available():
        name, memory = torch.cuda.get_device_name(0), torch.cuda.get_device_properties(0).total_memory
        yield "ok", f"{build}, {torch.cuda.device_count()} GPU: {name}, {memory / GIGABYTE:.0f} GB"
    elif gpus and torch.version.cuda:
        yield "wrong", (f"{build} cannot use the {gpus} NVIDIA GPU here: the driver is older than this CUDA needs. "
                        "Update the driver (nvidia-smi tells what it supports), or set `loop.device: cpu`.")
    elif gpus and not torch.version.hip:
        yield "wrong", f"{build}, but this machine has {gpus} NVIDIA GPU. For the GPU build, {AGAIN}."
    else:
        yield "ok", f"{build}, no NVIDIA GPU"


def settings(root: Path) -> Iterator[Finding]:
    from trivium.params import check, load, warnings

    try:
        params = load(root / "params.yaml")
        check(params)
    except UserError as error:
        yield "wrong", str(error)
        return
    streams = [s if s == modality else f"{s} ({modality})" for s, modality in params.streams.items()]
    yield "ok", (f"params.yaml: data {params.data.source}, {', '.join(streams)}; "
                 f"{len(params.train)} strategies, {params.seeds} seeds")
    for words in warnings(params):
        yield "advice", words
    if params.loop.device == "cuda" and not nvidia.handles():
        yield "wrong", "params.yaml: `loop.device: cuda`, but there is no NVIDIA GPU here. Set it to `auto`."


def on_clock(root: Path) -> Iterator[Finding]:
    """What suits the streams with tables of their own, where params.yaml says something far from it."""
    from trivium.cli import edit, suggested

    try:
        found = edit.load(root / "params.yaml")[1]
        words = suggested.notes(found, root) if found["data"]["source"] == "manifest" else []
    except (UserError, KeyError, TypeError):  # which `settings` has told
        return
    for one in words:
        yield "advice", one


def encryption(root: Path) -> Iterator[Finding]:
    """Whether the key is here that this project asks for."""
    try:
        words = vault.state(root)
    except UserError as error:
        yield "wrong", str(error)
    else:
        if words:
            yield "ok", words


def seen(root: Path) -> Iterator[Finding]:
    """How much of the streams the encoders do not see, as the last preprocess found."""
    from trivium.data.readings import warnings

    for words in () if vault.is_sealed(root / "data/features/features.json") else warnings(root):
        yield "advice", f"{words[:1].upper()}{words[1:]}"


def repository(root: Path) -> Iterator[Finding]:
    """git and DVC."""
    if shutil.which("git") is None:
        yield "wrong", "git is not installed; DVC needs it."
    elif subprocess.run(["git", "-C", str(root), "rev-parse"], capture_output=True).returncode:
        yield "wrong", "this folder is no git repository: run `git init`, or clone the project instead of copying it."
    else:
        yield "ok", "git repository"
    if not (root / ".dvc").is_dir():
        yield "wrong", "this folder is no DVC repository (.dvc is missing): run `dvc init`."
        return
    yield "ok", "DVC repository"


def left(root: Path) -> Iterator[Finding]:
    """What earlier runs left: DVC's own files, and the JSON among the outs."""
    from trivium.cli import measured
    from trivium.cli.repair import torn

    found = torn(root)
    for name in found:
        yield "wrong", (f"{name} is not whole, so that DVC cannot read it; a kill while DVC wrote it leaves that. "
                        "`trivium repair` mends it.")
    broken = []
    for path in (path for place in OUTS for path in sorted(root.glob(place)) if not vault.is_sealed(path)):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):  # OSError: a link to a cache that is not here
            broken.append(path)
    for path in broken:
        what = "is empty" if path.exists() and not path.stat().st_size else "cannot be read as JSON"
        yield "wrong", (f"{path.relative_to(root)} {what}. Remove it and run `dvc repro`, which brings it back from "
                        "the cache or makes it again.")
    lost = [str(path.relative_to(root)) for path in measured.broken(root)]
    if lost:
        yield "advice", (f"empty or broken: {_some(lost)}. The report leaves out what was measured there. `make repro` "
                         "or `trivium repair` measures it again.")
    if not found and not broken and not lost:
        yield "ok", "nothing half-written is left of earlier runs"


def speech(_: Path) -> Iterator[Finding]:
    """The synthesiser of the default data."""
    try:
        from trivium.data.sources.speech import Speaker

        Speaker()
    except (UserError, ImportError, OSError) as error:
        yield "wrong", (f"espeak-ng does not start ({error}), which `data.source: digits` needs. "
                        "`.venv/bin/pip install --force-reinstall espeakng-loader` may mend it.")
    else:
        yield "ok", "espeak-ng speaks"


def _some(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
