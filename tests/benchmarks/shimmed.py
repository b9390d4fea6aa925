"""Run with the shim preloaded: a stage that writes in every way in which Trivium and its libraries write, each way on
three disks that fail at one of its writes. Prints a JSON list: [way, which disk, which write, exit code, what was said,
files of the out].

    python -m tests.benchmarks.shimmed SHIM_FOLDER
"""

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import soundfile
import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks.faults.shim import Fault, Shim
from benchmarks.faults.writes import DISKS, NEVER
from trivium import stage
from trivium.machine import cache, files, signals
from trivium.machine.vault.settings import Encryption
from trivium.machine.workers import processes

LONG = 300_000  # numbers: more than any buffer holds


def text(out: Path) -> None:
    (out / "a.json").write_text("1" * LONG)


def whole(out: Path) -> None:
    files.write(out / "a.json", "1")


def database(out: Path) -> None:
    with sqlite3.connect(out / "a.db") as base:
        base.execute("create table a (b)")
        base.executemany("insert into a values (?)", [("x" * 100,)] * 1000)
    base.close()


def linked(out: Path) -> None:
    (out / "a").write_text("a")
    cache.link(out / "a", out / "b")


def in_a_worker(out: Path) -> None:
    with processes(1) as run:
        list(run(text, [out]))


WAYS: dict[str, Callable[[Path], Any]] = {
    "text": text, "whole": whole, "linked": linked, "database": database, "in_a_worker": in_a_worker,
    "numpy": lambda out: np.save(out / "a.npy", np.zeros(LONG)),
    "parquet": lambda out: pyarrow.parquet.write_table(pa.table({"a": np.random.rand(LONG)}), out / "a.parquet"),
    "csv": lambda out: pyarrow.csv.write_csv(pa.table({"a": np.arange(LONG)}), out / "a.csv"),
    "arrow": lambda out: _arrow(out / "a.arrow"),
    "safetensors": lambda out: save_file({"a": torch.zeros(LONG)}, str(out / "a.safetensors")),
    "torch": lambda out: torch.save({"a": torch.zeros(LONG)}, out / "a.pt"),
    "png": lambda out: Image.fromarray(np.random.randint(0, 255, (300, 300, 3), dtype=np.uint8)).save(out / "a.png"),
    "sound": lambda out: soundfile.write(out / "a.wav", np.zeros(LONG), 16000),
    "flac": lambda out: soundfile.write(out / "a.flac", np.random.rand(LONG), 16000),
}


def _arrow(path: Path) -> None:
    table = pa.table({"a": np.random.rand(LONG)})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def once(way: str, said: Path) -> int:
    """In a fork: the exit code."""
    if (pid := os.fork()) == 0:
        code = 1
        try:
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            stage.run("try", lambda _: _write(WAYS[way]))
            code = 0
        except SystemExit as error:
            if isinstance(error.code, str):
                os.write(2, error.code.encode())
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _write(way: Callable[[Path], Any]) -> None:
    with stage.fresh("out") as out:
        way(out)


def main(home: Path) -> None:
    shim, said, found, here = Shim.there(home), home / "said", [], Path.cwd()
    stage.load = lambda: SimpleNamespace(encryption=Encryption())  # type: ignore[assignment,return-value]
    stage.measure = lambda *_: None  # type: ignore[assignment]  # which is a file more
    stage.Sampler = lambda _: nullcontext()  # type: ignore[assignment,misc]
    stage.energy = lambda: nullcontext(lambda: None)  # type: ignore[assignment]
    for place, way in enumerate(WAYS):
        shim.arm(here, Fault(1, NEVER))
        code = once(way, said)
        count = shim.disarm().count
        found.append([way, "none", 0, code, said.read_text(), left(here)])
        for k in range(3 * place, 3 * place + 3):
            disk, sentence = DISKS[k % len(DISKS)]
            nth = max(1, count - k % 5) if k % 2 else 1 + k % count  # the last writes and the first ones, in turn
            shim.arm(here, Fault(nth=nth, **disk))
            code = once(way, said)
            failed, names = shim.disarm().failed, left(here)
            if failed:
                found.append([way, sentence, nth, code, said.read_text(), names])
    print(json.dumps(found))


def left(here: Path) -> list[str]:
    """What is in `out`, which goes."""
    names = sorted(path.name for path in (here / "out").glob("*")) if (here / "out").exists() else []
    with signals.scratch(here / "out", here / "out.part", here / "out.old.part"):
        pass
    return names


if __name__ == "__main__":
    main(Path(sys.argv[1]))
