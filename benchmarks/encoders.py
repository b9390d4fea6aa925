"""What each architecture of encoders reads and costs: the tables of docs/encoders.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.encoders         measures, about a minute on one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.encoders page    fills the page from what was measured

All architectures whose weights are trained here, at their default settings, on inputs as large as those of the default
params.yaml. Writes benchmarks/results/encoders.json, with the machine's description.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import parts
from trivium import encoders, modalities, models
from trivium.encoders import Described
from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError
from trivium.training import budget

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/encoders.json", ROOT / "docs/encoders.md"
SOUND = {"seconds": 1.2}
INPUTS: dict[str, dict[str, Any]] = {  # what is read -> an entry of `encoder`, but for its architecture
    "text": {"modality": "text", "processor": {"length": 24, "vocab": 256}},
    "image": {"modality": "image", "processor": {"size": 32}},
    "spectrogram": {"modality": "audio", "processor": SOUND},
    "waveform": {"modality": "audio", "processor": SOUND | {"features": "waveform"}},
    "table": {"modality": "table"},
}
COLUMNS = tuple((f"number {k}", 2) for k in range(4)) + tuple((f"category {k}", 10) for k in range(4))  # of a table
SECONDS = 0.15  # of each measurement: of 17 pairs, 5 times


def readers(name: str) -> dict[str, Described]:
    """The architecture for each of `INPUTS` that it reads."""
    found = {}
    for what, entry in INPUTS.items():
        try:
            found[what] = encoders.describe(name, entry | {"architecture": name})
        except UserError:
            continue
    return found


def trained() -> list[str]:
    """Architectures with weights that move."""
    return [name for name in encoders.names() if any("gradients" in encoders.gives(one)
                                                     for one in readers(name).values())]


def build(described: Described) -> Encoder:
    processor, settings = described.processor
    part = modalities.processor(processor)
    spec = part.spec(part.Settings.model_validate(settings))
    if spec.kind == "columns":
        spec = Spec("table", "columns", (len(COLUMNS), 2), columns=COLUMNS)
    return models.encoder(described, spec, seed=0)


def example(spec: Spec, samples: int = parts.BATCH) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    if spec.kind == "tokens":
        return torch.randint(3, spec.vocab, (samples, *spec.shape), generator=draw)
    x = torch.randn(samples, *spec.shape, generator=draw)
    if spec.kind == "columns":
        x[..., 1] = 1
    return x


def cost(encoder: Encoder) -> dict[str, float]:
    """Parameters, and FLOPs of a forward pass per sample."""
    x = budget.inputs({encoder.spec.name: encoder.spec})[encoder.spec.name]
    return {"parameters": sum(weight.numel() for weight in encoder.parameters()),
            "flops": budget.counted(lambda: encoder(x).detach(), module=encoder)}


def measure(names: Iterable[str], rounds: int = parts.ROUNDS, seconds: float = SECONDS) -> dict[str, Any]:
    """architecture -> what it reads -> its cost."""
    built = {(name, what): build(one) for name in names for what, one in readers(name).items()}
    passes = {f"{name} {what}": partial(one, example(one.spec)) for (name, what), one in built.items()}
    rates, found = parts.speeds(passes, rounds, seconds), dict[str, Any]()
    for (name, what), one in built.items():
        found.setdefault(name, {})[what] = cost(one) | {"samples_per_second": rates[f"{name} {what}"]}
    return found


def read(found: Mapping[str, Any]) -> str:
    """A line for each architecture: what it reads, its idea and its source, as its own file says."""
    lines = ["| `architecture` | reads | idea | source |", "|---|---|---|---|"]
    for name, one in found["encoders"].items():
        idea, link = parts.idea_and_source(f"trivium.encoders.{name}")
        lines.append(f"| `{name}` | {', '.join(what for what in INPUTS if what in one)} | {idea} | {link} |")
    return "\n".join(lines)


def costs(found: Mapping[str, Any]) -> str:
    """A line for each input and each architecture that reads it, the fastest first."""
    lines = ["| reads | `architecture` | parameters | FLOPs | samples/s |", "|---|---|---|---|---|"]
    for what in INPUTS:
        here = {name: one[what] for name, one in found["encoders"].items() if what in one}
        for name, one in sorted(here.items(), key=lambda pair: -pair[1]["samples_per_second"]):
            rate = float(f"{one['samples_per_second']:.2g}")
            lines.append(f"| {what} | `{name}` | {one['parameters']:,} | {round(one['flops']):,} | {rate:,.0f} |")
    return "\n".join(lines)


def settings(name: str) -> dict[str, Any]:
    """What can be set, with its default."""
    part = importlib.import_module(f"trivium.encoders.{name}")
    return dict(part.Settings().model_dump(mode="json"))


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the tables in their places."""
    return parts.filled(page, "benchmarks.encoders", {"reads": read(found), "costs": costs(found)})


def main(words: list[str]) -> None:
    found = parts.measured(words, RESULTS, lambda: {"encoders": measure(trained()), "batch": parts.BATCH})
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
