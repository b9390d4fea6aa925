"""A folder that looks like an encrypted project, and what is done in it."""

import subprocess
import sys
import time
from pathlib import Path

from trivium.machine import vault
from trivium.machine.vault import folder, keys, sealed

KEY = keys.Key(bytes(range(32)))
ROOT = Path(__file__).resolve().parents[3]

START = """
import sys, time
from pathlib import Path
from trivium.machine import vault
part = vault.Part(("data/raw/**",), ("data/valid",))
with vault.opened(vault.Encryption(folder="../private"), part):
"""


def project(root: Path, **texts: str) -> Path:
    """With encrypted files: data/raw/NAME.txt."""
    (root / "data/raw").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "src/code.py").write_text("code")
    (root / "params.yaml").write_text("seeds: 2\n")
    for name, text in texts.items():
        put(root, f"data/raw/{name}.txt", text)
    (root.parent / "private").mkdir()
    (root.parent / "key").write_text(KEY.text())
    return root


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    clear = root.parent / "clear"
    clear.write_text(text)
    sealed.seal(clear, root / name, KEY, name)
    clear.unlink()


def look(root: Path, name: str, inside: str | None = None) -> str:
    """The text of an encrypted file."""
    sealed.unseal(root / name, root.parent / "look", KEY, inside or name)
    return (root.parent / "look").read_text()


def private(root: Path) -> list[Path]:
    """Private folders that are there."""
    return sorted((root.parent / "private").glob(f"{folder.MARK}*"))


def begin(root: Path, work: str) -> "subprocess.Popen[str]":
    """A process that does `work`, indented lines, in the private copy."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), keys.FILE: str(root.parent / "key")}
    return subprocess.Popen([sys.executable, "-c", START + work], cwd=root, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def opened(part: vault.Part = vault.EVERYTHING) -> object:
    return vault.opened(vault.Encryption(folder="../private"), part)
