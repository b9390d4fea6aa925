"""Which files of a project are kept encrypted, and what each stage reads and writes of them. Paths in the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = ("raw", "valid", "aligned", "splits", "features", "reads")
# Figures of whole sets of rows, which git keeps or DVC draws; everything else in reports/ may show rows.
FIGURES = ("comparison.json", "latency.json", "measured", "measured.json", "plots", "summary")
WHOLE = ("models", "export", "exports")
ROOMS = (*(f"data/{name}" for name in DATA), *WHOLE, "reports")  # where encrypted files are
UNITS = ".cache/units"  # of training that is under way


def secret(path: Path) -> bool:
    """Whether the file at `path` is kept encrypted."""
    parts = [part.removesuffix(".part") for part in path.parts]
    if parts[0] == "data":
        return len(parts) > 1 and parts[1] in DATA
    if parts[0] == "reports":
        return len(parts) > 1 and parts[1] not in FIGURES
    return parts[0] in WHOLE


def plain(root: Path) -> Iterator[Path]:
    """What lies beside encrypted files in the folders data, models and reports, and is in the clear."""
    for room in ("data", "models", "reports"):
        for path in sorted((root / room).glob("*")):
            if not secret(path.relative_to(root)):
                yield path.relative_to(root)


@dataclass(frozen=True)
class Part:
    """What a piece of work reads: glob patterns of encrypted files. writes: folders that it makes anew."""

    reads: tuple[str, ...]
    writes: tuple[str, ...] = ()


EVERYTHING = Part(tuple(f"{room}/**" for room in ROOMS))
RAW, ALIGNED = "data/raw/**", ("data/raw/**", "data/valid/**", "data/aligned/**")
READ = ("data/splits/**", "data/features/**", "data/reads/**")  # tensors, and what each recipe reads of them
STAGES = {
    "ingest": Part((), ("data/raw",)),
    "validate": Part((RAW,), ("data/valid",)),
    "align": Part((RAW, "data/valid/**"), ("data/aligned",)),
    "split": Part((RAW, "data/aligned/**"), ("data/splits",)),
    "preprocess": Part((RAW, "data/aligned/**", "data/splits/**"), ("data/features", "data/reads")),
    "budget": Part(READ),
    "pretrain": Part((*READ, "models/budget.json"), ("models/pretrain/{}",)),
    "train": Part((*READ, "models/budget.json", "models/pretrain/**"), ("models/{}",)),
    "evaluate": Part((*ALIGNED, *READ, "models/pretrain/**", "models/{}/**"), ("reports/evaluate/{}",)),
    "latency": Part((*ALIGNED, *READ, "models/**")),
    "compare": Part((*ALIGNED, *READ, "models/**/*.json", "reports/**"), ("reports/figures", "reports/explained")),
    "export": Part(EVERYTHING.reads, ("export",)),
}


def of_stage(name: str) -> Part:
    """name: as `dvc.yaml` calls it, `train@joint`."""
    stage, _, entry = name.partition("@")
    found = STAGES.get(stage, EVERYTHING)
    return Part(tuple(one.format(entry) for one in found.reads), tuple(one.format(entry) for one in found.writes))
