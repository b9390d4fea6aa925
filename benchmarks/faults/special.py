"""Pipes, sockets, devices and folders where files should be: as media, as a table, as params.yaml, as what is asked
about. A pipe that is opened waits without end, a device gives without end.
"""

from __future__ import annotations

import os
import random
import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.faults import Kind, Tally, project
from benchmarks.faults.forks import Cold

FULL = 4  # of each pair of a place and a thing
ROWS = 40
LONGEST = 120.0  # seconds
WHAT = "{} in the place of a file: it is not opened; one sentence says so, or its row alone goes to quarantine"


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # its name may have 100 signs


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


THINGS: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "pipe": ("a pipe", os.mkfifo), "socket": ("a socket", _socket), "device": ("a device", _device),
    "folder": ("a folder", Path.mkdir)}
PLACES: Mapping[str, tuple[str, list[list[str]]]] = {
    "picture": ("own/img/{row}.png", [["-m", "pipeline.ingest"], ["-m", "pipeline.validate"]]),
    "manifest": ("own/m.csv", [["-m", "pipeline.ingest"]]),
    "table to import": ("new.csv", [["-m", "trivium.cli", "import", "new.csv"]]),
    "table to answer": ("new.csv", [["-m", "trivium.cli", "predict", "end_to_end", "new.csv"]]),
    "params.yaml": ("params.yaml", [["-m", "trivium.cli", "repair"], ["-m", "pipeline.split"]])}


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    draw = random.Random(seed)
    root = project.copy(folder / "project")
    _own(root)
    before = (root / "params.yaml").read_bytes()
    here = Path.cwd()
    os.chdir(root)
    try:
        tallies = {name: Tally(f"special file: {name}", WHAT.format(words)) for name, (words, _) in THINGS.items()}
        for place, (thing, _), number in product(PLACES, THINGS.items(), range(repetitions)):
            (root / "params.yaml").unlink(missing_ok=True)
            (root / "params.yaml").write_bytes(before)
            tallies[thing].add(_tried(root, place, thing, draw), f"{place}, trial {number}")
    finally:
        os.chdir(here)
    return {tally.name: tally.kind() for tally in tallies.values()}


def _own(root: Path) -> None:
    """A manifest of pictures and words, which has been chosen."""
    from PIL import Image

    (root / "own/img").mkdir(parents=True)
    lines = ["id,label,title,photo"]
    for row in range(ROWS):
        Image.new("RGB", (16, 16), (6 * row, 0, 0)).save(root / f"own/img/{row}.png")
        lines.append(f"r{row},{'ab'[row % 2]},words {row},img/{row}.png")
    (root / "own/m.csv").write_text("\n".join(lines) + "\n")
    _run(root, ["-m", "trivium.cli", "import", "own/m.csv"])


def _run(root: Path, words: list[str]) -> tuple[int | None, str]:
    log = root / ".said"
    running = Cold(["python", *words], root, log, {})
    if (code := running.wait(LONGEST)) is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(10.0)
    return code, log.read_text("utf-8", "replace")


def _tried(root: Path, place: str, thing: str, draw: random.Random) -> str:
    name, commands = PLACES[place]
    words, make = THINGS[thing]
    path = root / name.format(row=draw.randrange(ROWS))
    kept = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    make(path)
    try:
        return "; ".join(filter(None, map(partial(_wrong, root, place, words), commands)))
    finally:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        if kept is not None:
            path.write_bytes(kept)


def _wrong(root: Path, place: str, words: str, command: list[str]) -> str:
    """What is wrong with what the command did, in words."""
    code, said = _run(root, command)
    end = " / ".join(said.strip().splitlines()[-2:])[-300:]
    if code is None:
        return f"{command[-1]} waits without end"
    if "Traceback" in said:
        return f"a traceback of {command[-1]}: {end}"
    if place == "picture":
        if code:
            return f"{command[-1]} ended with {code}: {end}"
        kept = [path for path in (root / "data/valid").glob("quarantine*") if path.is_file()]
        if command[-1] == "pipeline.validate" and not any(words.encode() in path.read_bytes() for path in kept):
            return f"no row in quarantine names {words}"
        return ""
    named = words in said or (words == "a folder" and command[-1] in said)  # data may be a folder; this one is empty
    return "" if code == 1 and named else f"{command[-1]} ended with {code}, and does not name it: {end}"
