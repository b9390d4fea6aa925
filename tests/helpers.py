"""What several tests share: a small copy of this project to run for real."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from pytest import MonkeyPatch

ROOT = Path(__file__).resolve().parent.parent

TINY = {
    "seeds": 2,
    "data.source": "symbols",
    "data.symbols.samples": 300,
    **{f"encoder.{name}.{key}": value for name in ("words", "patches", "bands")
       for key, value in (("width", 16), ("depth", 1))},
    "budget.epochs": 4,
    "loop.evaluations": 2,
    "evaluate.analysis_rows": 64,
    "compare.bootstrap": 200,
    "compare.latency": False,
}


LARGE = ("train.published_linear", "pretrain.published")  # published encoders see larger inputs than `symbols` has


def tiny_project(folder: Path, **changes: Any) -> Path:
    """A git repository in `folder` with a copy of the working tree and settings that take seconds.

    `changes`: more settings, dots written as two underscores (`budget__epochs=1`).
    """
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if name != "dvc.lock" and not name.startswith("reports/") and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    set_params(folder, dict.fromkeys(LARGE) | TINY | {key.replace("__", "."): value for key, value in changes.items()})
    return folder


def empty_weights(folder: Path, kind: str = "bert") -> None:
    """Files of a published model without a single weight: a head that names no tensor, and a config."""
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (folder / "config.json").write_text(f'{{"model_type": "{kind}"}}')


def set_params(project: Path, values: dict[str, Any]) -> None:
    """Write `values` ("budget.epochs": 1; an entry that is null is dropped) into the project's params.yaml."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    path = project / "params.yaml"
    params = yaml.load(path)
    for dotted, value in values.items():
        *sections, key = dotted.split(".")
        section = params
        for name in sections:
            section = section.setdefault(name, {})
        section[key] = value
        if value is None and sections in (["train"], ["pretrain"], ["encoder"]):
            del section[key]
    yaml.dump(params, path)


def environment(project: Path) -> dict[str, str]:
    """Variables for a command in `project`: this Python first, and nothing written outside the project."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(project / ".cache" / "dvc-site"),
        "GIT_CEILING_DIRECTORIES": str(project.parent),
    }


def command(project: Path, *words: str, fails: bool = False) -> str:
    """Run `words` in `project`, where it must end with exit code 0 unless it `fails`; what it said, errors last."""
    done = subprocess.run(words, cwd=project, env=environment(project), capture_output=True, text=True)
    assert (done.returncode != 0) == fails, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def committed(project: Path, monkeypatch: MonkeyPatch) -> None:
    """Go into `project`, with its `environment`; run its pipeline and commit all, as experiments want it."""
    for key, value in environment(project).items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(project)
    command(project, "dvc", "repro")
    command(project, "git", "add", "--all")
    command(project, "git", "-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "--message", "all")


def digests(project: Path, *folders: str) -> dict[str, str]:
    """SHA-256 of every file under the folders, by path."""
    files = [path for folder in folders for path in sorted((project / folder).rglob("*")) if path.is_file()]
    return {str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def drawn(svg: Path | str) -> tuple[str, str, list[str], list[dict[str, Any]]]:
    """Width, height, texts and shapes (attributes and `tag`; a bitmap's `pixels`) of an SVG, a file or its content."""
    picture = ElementTree.fromstring(svg.read_text(encoding="utf-8") if isinstance(svg, Path) else svg)
    texts, shapes = [], []
    for each in picture:
        tag = each.tag.rpartition("}")[2]
        if tag == "text":
            texts.append(each.text or "")
        else:
            shapes.append({"tag": tag, **each.attrib})
        if tag == "image":
            content = base64.b64decode(each.attrib["href"].split(",")[1])
            shapes[-1]["pixels"] = np.asarray(Image.open(io.BytesIO(content)))
    return picture.attrib["width"], picture.attrib["height"], texts, shapes
