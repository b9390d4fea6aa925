"""What nodes of a cluster are sent as code, with the standard library alone: one that has no Trivium, or another one,
can say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pyarrow", "safetensors", "tokenizers", "transformers",
            "pillow", "soundfile")
NONE = "none"


class Board:
    """How far the tasks are, and what they print: nodes write on it, and this machine reads."""

    def __init__(self, tasks: int) -> None:
        self.numbers, self.lines = [0] * (2 * tasks), list[str]()

    def tell(self, index: int, numbers: tuple[int, int], lines: list[str]) -> None:
        self.numbers[2 * index : 2 * index + 2] = numbers
        self.lines += lines

    def read(self) -> tuple[list[int], list[str]]:
        """Two numbers a task, and the lines since the last time."""
        lines, self.lines = self.lines, []
        return self.numbers, lines


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of what has to be the same everywhere; of Trivium, a digest of its code. CPU and GPU builds count as one."""
    import hashlib
    import platform
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec
    from pathlib import Path

    found = {"Python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = NONE
    spec, code = find_spec("trivium"), hashlib.sha256()
    room = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    if room is None:
        return found | {"Trivium": NONE}
    for file in sorted(room.rglob("*.py")):
        code.update(file.relative_to(room).as_posix().encode() + b"\0" + file.read_bytes())
    return found | {"Trivium": code.hexdigest()[:8]}


def refusal(wanted: Mapping[str, str], node: str) -> str:
    """Why this node cannot work; empty where it can."""
    found = versions([name for name in wanted if name not in ("Python", "Trivium")])
    for name, mine in wanted.items():
        own = found[name]
        if own == mine:
            continue
        if name == "Trivium" and own != NONE:
            return (f"The node {node} has other code of Trivium (digest {own}) than this machine ({mine}): bring both "
                    "to the same commit, and start the node again.")
        if own == NONE:
            return f"The node {node} has no {name}: install there what this machine has ({name} {mine}; docs/scale.md)."
        return (f"The node {node} has {name} {own} and this machine {mine}, which may give other results: install "
                f"{name} {mine} there, and start the node again.")
    return ""


def enter(wanted: Mapping[str, str], home: str, order: bytes, index: int, board: Any, blobs: Mapping[str, Any],
          ) -> tuple[Any, ...]:
    """Do a task, on a node; see `node.work` for what comes out, or ("refused", why).

    wanted: versions.  home: where this machine has its code: a node that sees the same disk takes it from there.
    """
    import os
    import pickle
    import sys

    import ray

    if os.path.isdir(os.path.join(home, "trivium")) and "trivium" not in sys.modules and home not in sys.path:
        sys.path.insert(0, home)
    if words := refusal(wanted, ray.util.get_node_ip_address()):
        return "refused", words
    from trivium.machine.engines import node

    return node.work(pickle.loads(order), index, board, blobs)
