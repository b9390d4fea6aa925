"""Stages of the pipeline in processes that have everything loaded, and so begin at once: one process imports what is
heavy, and is forked for every run.

    python -m benchmarks.faults.forked      reads a JSON list a line, [folder, stage, words..., file for what is said],
                                            and answers with the exit code of each run
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "pandas", "pyarrow.parquet", "pyarrow.csv", "great_expectations", "sklearn.linear_model", "mlflow",
         "transformers", "accelerate", "safetensors.torch", "PIL.Image", "soundfile", "onnx", "jinja2", "scipy.stats",
         "dvc.lock")


class Forks:
    """A process that waits for what to run, with `environment` beside this one's. Use as a context manager."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.faults.forked"], cwd=ROOT, stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
                                         "OMP_NUM_THREADS": "1", **environment})

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def run(self, project: Path, words: list[str], said: Path) -> int:
        """words: as after `python -m pipeline.`, or `trivium` and a command. The exit code, negative of a signal."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(project), *words, str(said)]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def serve() -> None:
    for name in HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        folder, *words, said = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(folder, words, said)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _child(folder: str, words: list[str], said: str) -> None:
    code = 1
    try:
        os.setsid()
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        null = os.open(os.devnull, os.O_RDONLY)
        for end, place in ((null, 0), (file, 1), (file, 2)):
            os.dup2(end, place)
        os.chdir(folder)
        sys.path[:] = [str(ROOT / "src"), str(ROOT), *sys.path]
        code = _run(words)
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(words: list[str]) -> int:
    """As `python -m pipeline.STAGE ...` does it."""
    import runpy

    if words[0] == "trivium":
        from trivium.cli.main import main

        main(words[1:])
        return 0
    sys.argv = [f"pipeline/{words[0]}.py", *words[1:]]
    runpy.run_module(f"pipeline.{words[0]}", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    serve()
