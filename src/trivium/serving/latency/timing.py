"""Exported models, timed side by side, so that whatever else the machine does falls on all alike.

A call is from the processed inputs of some rows to their answers. Reading and decoding raw values comes before it and
is the same work for all models that read the same streams.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from trivium.comparison.latency import ROWS
from trivium.machine import source
from trivium.machine.measured import Latency, Timed
from trivium.machine.progress import Progress
from trivium.machine.workers import cores
from trivium.runtime.folder import INT8
from trivium.runtime.runner import Runner
from trivium.settings.errors import UserError

SAMPLES = "samples.npz"  # inputs by stream, and `PRESENT`, of as many rows as are ever timed at a time
PRESENT = "/present"  # no name of a stream
SECONDS = 0.6  # of calls of one sort, about
LEAST, MOST = 5, 200  # calls of one sort
SINGLE = 40  # calls with one row at least: their 95th percentile is what `compare.latency_ms` is about
VISITS = 20  # times that one comes round
STARTS = 3  # processes
FEW95, FEW99 = 20, 100  # calls without which these percentiles are not told

Answer = Callable[[int], object]  # of the n-th call


def measure(folders: Mapping[str, Path]) -> dict[str, Latency]:
    """Strategy -> what its exported model in a folder of `graphs.write` takes. Raises: UserError (one does not start).
    """
    begun = _started(folders)
    one, many = _timed(folders, 1, small=True), dict[tuple[str, int, bool], Timed]()
    if cores() > 1:  # apart: threads of onnxruntime that wait for work disturb what is timed beside them
        many = _timed(folders, cores(), small=False)
    return {name: Latency(
        start_seconds=begun[name][0], peak_memory_bytes=begun[name][1],
        times=[found[name, rows, False] for found in (one, many) if found for rows in ROWS],
        small=[one[name, rows, True] for rows in ROWS if (name, rows, True) in one]) for name in folders}


def _timed(folders: Mapping[str, Path], threads: int, small: bool) -> dict[tuple[str, int, bool], Timed]:
    """By strategy, rows, and whether with 8 bits."""
    cases = dict[tuple[str, int, bool], Answer]()
    for name, folder in folders.items():
        inputs, present = samples(folder)
        for eight in (False, True):
            if not eight or (small and (folder / INT8).exists()):
                runner = Runner(folder, eight, threads)
                cases |= {(name, rows, eight): _answer(runner, inputs, present, rows) for rows in ROWS}
    times = interleaved(list(cases.values()), [SINGLE if rows == 1 else LEAST for _, rows, _ in cases],
                        f"timing answers on {'one thread' if threads == 1 else f'{threads} threads'}")
    return {key: summary(key[1], threads, found) for key, found in zip(cases, times, strict=True)}


def _answer(runner: Runner, inputs: Mapping[str, np.ndarray], present: np.ndarray, rows: int) -> Answer:
    """Answers `rows` of the samples at a time, others each time, in turn."""
    parts = [slice(start, start + rows) for start in range(0, len(present) - rows + 1, rows)]
    given = [({s: x[part] for s, x in inputs.items()}, present[part]) for part in parts]
    return lambda call: runner.graph(*given[call % len(given)])


def samples(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Inputs by stream, and which streams are present [B, S]."""
    with np.load(folder / SAMPLES) as found:
        return {key: found[key] for key in found.files if key != PRESENT}, found[PRESENT]


def interleaved(cases: Sequence[Answer], least: Sequence[int], title: str = "timing answers") -> list[list[float]]:
    """Seconds of the calls of each case, `least` of them or more. All come round through the whole run, and each
    time begins with a call that does not count: what was there before has taken the processor's cache.
    """
    counts = []
    for answer, fewest in zip(cases, least, strict=True):
        answer(0)
        counts.append(max(fewest, calls(_seconds(answer, 1))))
    times: list[list[float]] = [[] for _ in cases]
    with Progress(title, sum(counts), "call") as progress:
        for case, burst in rounds(counts):
            if burst > 1:
                cases[case](len(times[case]))
            for _ in range(burst):
                times[case].append(_seconds(cases[case], len(times[case])))
            progress.add(burst)
    return times


def calls(seconds: float) -> int:
    """How often what takes so long is called."""
    return min(MOST, max(LEAST, math.ceil(SECONDS / max(seconds, 1e-6))))


def rounds(counts: Sequence[int]) -> list[tuple[int, int]]:
    """(case, calls), in the order in which they are made: the visits of each are spread over the whole run."""
    visits = []
    for case, count in enumerate(counts):
        times = min(VISITS, count)
        bursts = [count * (i + 1) // times - count * i // times for i in range(times)]
        visits += [((i + 0.5) / times, case, burst) for i, burst in enumerate(bursts)]
    return [(case, burst) for _, case, burst in sorted(visits)]


def summary(rows: int, threads: int, times: Sequence[float]) -> Timed:
    """Percentiles of seconds, in milliseconds."""
    def percentile(share: float, least: int) -> float | None:
        return float(f"{1000 * np.quantile(times, share):.4g}") if len(times) >= least else None

    return Timed(rows=rows, threads=threads, calls=len(times), p50_ms=percentile(0.5, 0) or 0.0,
                 p95_ms=percentile(0.95, FEW95), p99_ms=percentile(0.99, FEW99))


def _seconds(answer: Answer, call: int) -> float:
    start = time.perf_counter()
    answer(call)
    return time.perf_counter() - start


def _started(folders: Mapping[str, Path]) -> dict[str, tuple[float, int]]:
    """Seconds to the first answer of a fresh process, median, and the bytes of the largest."""
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in folders}
    for _ in range(STARTS):
        for name, folder in folders.items():
            found[name].append(_first(folder))
    return {name: (round(median(seconds for seconds, _ in one), 4), max(peak for _, peak in one))
            for name, one in found.items()}


def _first(folder: Path) -> tuple[float, int]:
    path = os.pathsep.join(filter(None, [str(source.HOME), os.environ.get("PYTHONPATH", "")]))
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "trivium.serving.latency.first", str(folder)],
                          env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise UserError(f"The exported model in {folder} does not start in a process of its own: {last}")
    return seconds, int(json.loads(done.stdout)["peak_memory_bytes"])
