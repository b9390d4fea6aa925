"""What stages took on this machine (`reports/measured`): never inside a cached out, since it differs every time.

A file that is not there, empty, broken or of another version of Trivium counts for nothing: the next run of its stage,
or `trivium repair`, makes it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from trivium.machine import files

PLACE = Path("reports/measured")


class Figures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def found(cls, path: str | Path) -> Self | None:
        """None where nothing there can be read."""
        try:
            return cls.model_validate(files.read_json_or(path, None))
        except ValidationError:
            return None


class Inference(Figures):
    """What a model costs when it answers: of one sample, median and 95th percentile; of many, samples per second."""

    latency_p50_seconds: float
    latency_p95_seconds: float
    samples_per_second: float
    parameters: int
    device: str
    joules_per_sample: float | None = None  # where the machine does not tell


class Timed(Figures):
    """Answers of an exported model to so many rows at a time, over so many calls: milliseconds of a call.

    p95_ms, p99_ms: None where there were too few calls to tell.
    """

    rows: int
    threads: int
    calls: int
    p50_ms: float
    p95_ms: float | None = None
    p99_ms: float | None = None


class Latency(Figures):
    """What the exported model of a strategy takes.

    start_seconds: from the start of a process to its first answer, median;  peak_memory_bytes: of that process.
    times: of the whole graph, by rows and threads;  small: of that of 8 bits, empty where there is none.
    """

    start_seconds: float
    peak_memory_bytes: int
    times: list[Timed]
    small: list[Timed] = []

    def of(self, rows: int, threads: int = 1, small: bool = False) -> Timed | None:
        """None where that was not timed."""
        found = self.small if small else self.times
        return next((one for one in found if (one.rows, one.threads) == (rows, threads)), None)


class Measured(Figures):
    """`STAGE.json`. seconds: wall clock, imports of the stage excluded.  cpu_seconds: computed on all cores together,
    imports included, but for what a fork server started; other programs disturb it less.  peak_memory_bytes: of its
    largest process.

    seeds, units: seconds of each that the stage trained.  tuning: of the trials of each seed, together.
    latency: of every strategy that can be exported, all timed in one run.
    """

    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_gpu_memory_bytes: int | None = None  # where no GPU was used
    joules: float | None = None  # where the machine does not tell
    seeds: list[float] = []
    units: list[float] = []
    tuning: list[float] = []
    inference: Inference | None = None
    latency: dict[str, Latency] = {}

    @classmethod
    def of(cls, stage: str, root: str | Path = ".") -> Measured:
        return cls.found(Path(root) / PLACE / f"{stage}.json") or cls()


class Sampled(Figures):
    """`STAGE.system.json`, the machine while the stage ran. started: seconds since 1970.  seconds: since then.

    series: see `system.reader`; all lists are equally long.
    """

    started: float
    seconds: list[float]
    series: dict[str, list[float]]
