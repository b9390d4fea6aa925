"""What each fusion costs, and what it can learn where the answer is known: the tables of docs/fusions.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.fusions          measures, about 7 minutes on one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.fusions costs    only the costs, a minute or two; the rest stays
    PYTHONPATH=src .venv/bin/python -m benchmarks.fusions page     fills the page from what was measured

Only the fusion and a linear head are trained, on vectors that hold all that the streams say, as a perfect encoder would
give them; fusions that read tokens get some of these as well. All fusions have their default settings, and the same
data, batches, steps and learning rate: none is tuned.
Writes benchmarks/results/fusions.json, with the machine's description.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import encoders, parts
from benchmarks.parts import BATCH, ROUNDS, SECONDS
from trivium import fusion, models
from trivium.data.settings import STREAMS
from trivium.data.sources import worlds
from trivium.data.store import Batch
from trivium.drawing import numbers
from trivium.models import drawn
from trivium.objectives.network.joint import Joint
from trivium.tasks.classification import Classification
from trivium.training import budget

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/fusions.json", ROOT / "docs/fusions.md"
BASE = "concat"  # whose training step is 1
WORLDS = ("unique", "redundant", "dominant", "synergy")
SYMBOLS, WIDTH, TOKENS = 4, 64, 8
TRAIN, TEST, SEEDS = 3000, 2000, 3
STEPS, LR = 500, 0.003  # LR: that of the default strategies
NEAR = 0.02  # of accuracy: what is less far from `concat`, or from chance, counts as level with it


def build(name: str, seed: int = 0) -> nn.Module:
    with drawn(seed, "fusion"):
        return fusion.build(fusion.chosen(name, "fusion"), dict.fromkeys(STREAMS, WIDTH))


def ideal(world: worlds.World, rng: np.random.Generator, samples: int) -> tuple[dict[str, Tensor], Tensor]:
    """Vectors, stream -> [B, D], and labels [B].

    A vector is its symbol's code, random signs that are the same in every draw, and normal noise as large as it. The
    symbol can still be read from it without a mistake, so that the world's ceiling holds.
    """
    codes = np.random.default_rng(0).choice([-1.0, 1.0], (len(STREAMS), SYMBOLS, WIDTH))
    y, symbols = world.draw(rng, samples)
    made = {s: codes[k][symbols[s]] + rng.normal(size=(samples, WIDTH)) for k, s in enumerate(STREAMS)}
    return {s: torch.from_numpy(x).float() for s, x in made.items()}, torch.from_numpy(y)


def with_tokens(vectors: Mapping[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
    """Vectors [B, D] with `TOKENS` behind them, [B, 1 + T, D + 1]: two, wherever they stand, are the vector again, the
    others are noise of its size.
    """
    made = {}
    for s, vector in vectors.items():
        noise = np.sqrt(2) * rng.normal(size=(len(vector), TOKENS, WIDTH))
        says = torch.from_numpy(rng.permuted(np.tile(np.arange(TOKENS) < 2, (len(vector), 1)), axis=1)).unsqueeze(-1)
        tokens = torch.where(says, vector.unsqueeze(1), torch.from_numpy(noise).float())
        made[s] = nn.functional.pad(torch.cat([vector.unsqueeze(1), tokens], 1), (0, 1), value=1.0)
    return made


def learned(name: str, world: worlds.World, seed: int, steps: int = STEPS) -> float:
    """Accuracy on new samples, 0-1. Data and batches depend on `seed` and the world alone."""
    rng = np.random.default_rng([seed, WORLDS.index(world.name)])
    (x, y), (new, truth) = ideal(world, rng, TRAIN), ideal(world, rng, TEST)
    if fusion.reads_tokens({"name": name}):
        x, new = (with_tokens(one, np.random.default_rng([seed, k])) for k, one in enumerate((x, new)))
    mix = build(name, seed)
    with drawn(seed, "head"):
        head = nn.Linear(mix.width, world.classes)
    optimizer = torch.optim.Adam([*mix.parameters(), *head.parameters()], LR)
    there = torch.ones(TEST, len(STREAMS), dtype=torch.bool)
    for _ in range(steps):
        rows = torch.from_numpy(rng.integers(TRAIN, size=BATCH))
        outputs = head(mix({s: one[rows] for s, one in x.items()}, there[:BATCH]))
        nn.functional.cross_entropy(outputs, y[rows]).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        return int((head(mix(new, there)).argmax(1) == truth).sum()) / TEST


def cost(name: str) -> dict[str, float]:
    """Parameters, and FLOPs of a forward pass per sample."""
    mix, (vectors, there) = build(name), example(name, budget.PROBE)
    return {"parameters": sum(weight.numel() for weight in mix.parameters()),
            "flops": budget.counted(lambda: mix(vectors, there).detach(), module=mix)}


def example(name: str, samples: int) -> tuple[dict[str, Tensor], Tensor]:
    draw = torch.Generator().manual_seed(0)
    vectors = {s: torch.randn(samples, WIDTH, generator=draw) for s in STREAMS}
    if fusion.reads_tokens({"name": name}):
        vectors = with_tokens(vectors, np.random.default_rng(0))
    return vectors, torch.ones(samples, len(STREAMS), dtype=torch.bool)


def speeds(names: Iterable[str], rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, float]:
    """Samples per second of one core's time, forward and backward, at a batch of 64; the vectors need no gradient."""
    mixes = {name: build(name) for name in names}
    return parts.speeds({name: partial(mix, *example(name, BATCH)) for name, mix in mixes.items()
                         if list(mix.parameters())}, rounds, seconds)


def steps(names: Iterable[str], rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, dict[str, float]]:
    """Of a training step of the whole network, forward and backward, with `cnn` encoders at the default sizes: FLOPs,
    seconds, and seconds per FLOP (`pace`), each in those of `BASE`.
    """
    task, found = Classification([str(k) for k in range(10)]), dict[str, Joint]()
    for name in dict.fromkeys((BASE, *names)):
        read = encoders.readers("cnn")
        own = {s: encoders.build(read[what]) for s, what in zip(STREAMS, ("text", "image", "spectrogram"), strict=True)}
        found[name] = Joint(models.multimodal(own, task, fusion.chosen(name, "fusion"), 0))
    specs = {s: one.spec for s, one in own.items()}
    small = budget.example(specs, task)
    large = Batch({s: encoders.example(spec) for s, spec in specs.items()},
                  torch.ones(BATCH, len(STREAMS), dtype=torch.bool), task.example(BATCH))
    draw = torch.Generator()
    flops = {name: budget.counted(partial(one.loss, small, draw), module=one) for name, one in found.items()}
    passes = {name: partial(one.loss, large, draw) for name, one in found.items()}
    made = {}
    for name, (_, spent) in parts.against(passes, passes[BASE], rounds, seconds).items():
        counted = flops[name] / flops[BASE]
        made[name] = {"step_flops": counted, "step_seconds": spent, "pace": spent / counted}
    return made


def bills(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """All that is said of what each fusion costs."""
    rates, whole = speeds(names), steps(names)
    return {name: cost(name) | {"samples_per_second": rates.get(name)} | whole[name] for name in names}


def renewed(found: dict[str, Any]) -> dict[str, Any]:
    """The same results with costs that are measured now."""
    return found | {"fusions": {name: found["fusions"][name] | bill for name, bill in bills(found["fusions"]).items()}}


def measure(names: Iterable[str] = fusion.names(), seeds: int = SEEDS, steps: int = STEPS) -> dict[str, Any]:
    known = {name: worlds.world(name, SYMBOLS) for name in WORLDS}
    billed, found = bills(names), {}
    for name in names:
        accuracy = {one: [learned(name, world, seed, steps) for seed in range(seeds)] for one, world in known.items()}
        found[name] = billed[name] | {"accuracy": accuracy}
        print(name, found[name], flush=True)
    return {"fusions": found, "worlds": {name: {"ceiling": world.bayes(), "chance": 1 / world.classes}
                                         for name, world in known.items()}}


def costs(found: Mapping[str, Any]) -> str:
    """A line for each fusion: its idea, its cost and its source, as its own file says."""
    lines = ["| `fusion` | idea | parameters | FLOPs | samples/s | FLOPs of a step, relative | seconds per FLOP, "
             "relative | source |", "|---|---|---|---|---|---|---|---|"]
    for name, one in found["fusions"].items():
        idea, link = parts.idea_and_source(f"trivium.fusion.{name}")
        rate = one["samples_per_second"]
        cells = [f"`{name}`", idea, numbers.whole(one["parameters"]),
                 numbers.whole(round(one["flops"])), numbers.whole(round(rate, -3)) if rate else "–",
                 f"{one['step_flops']:.2f}", f"{one['pace']:.2f}", link]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", _dear(found["fusions"])])


def _dear(found: Mapping[str, Any]) -> str:
    """Who takes more seconds than its FLOPs' share, in a whole step and alone."""
    base = found[BASE]
    alone = {name: {"pace": base["samples_per_second"] / one["samples_per_second"] * base["flops"] / one["flops"]}
             for name, one in found.items() if one["samples_per_second"]}
    return (f"In a whole step, {parts.dearer(found, f'a step with `{BASE}`')}. Alone, on vectors that are there "
            f"already, {parts.dearer(alone, f'`{BASE}`')}.")


def reached(found: Mapping[str, Any]) -> str:
    """A line for each fusion: its accuracy in each world, below the best that anybody can reach; and what that says."""
    lines = [f"| `fusion` | {' | '.join(f'*{world}*' for world in WORLDS)} |", "|---|" + "---|" * len(WORLDS)]
    for row in ("ceiling", "chance"):
        cells = [f"{100 * found['worlds'][world][row]:.1f}" for world in WORLDS]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    for name, one in found["fusions"].items():
        lines.append(f"| `{name}` | {' | '.join(_mean(one['accuracy'][world]) for world in WORLDS)} |")
    return "\n".join([*lines, "", *(_said(found, world) for world in WORLDS)])


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest where they differ."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return mean if low == high else f"{mean} ({low} to {high})"


def _said(found: Mapping[str, Any], world: str) -> str:
    """Who is at chance in a world, and who is not level with `concat`."""
    means = {name: statistics.mean(one["accuracy"][world]) for name, one in found["fusions"].items()}
    chance = found["worlds"][world]["chance"]
    nothing = [name for name, mean in means.items() if mean < chance + NEAR]
    less = [name for name, mean in means.items() if mean < means["concat"] - NEAR and name not in nothing]
    more = [name for name, mean in means.items() if mean > means["concat"] + NEAR]
    points = f"more than {100 * NEAR:.0f} points"
    parts = [f"{words}: {', '.join(f'`{name}`' for name in names)}" for words, names in
             (("at chance", nothing), (f"{points} below `concat`", less), (f"{points} above it", more)) if names]
    return f"- *{world}*: {'; '.join(parts) or f'nobody is {points} from `concat`'}."


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the tables in their places."""
    return parts.filled(page, "benchmarks.fusions", {"costs": costs(found), "worlds": reached(found)})


def main(words: list[str]) -> None:
    about = {"train": TRAIN, "test": TEST, "steps": STEPS, "batch": BATCH, "lr": LR}
    found = parts.measured(words, RESULTS, lambda: measure() | about, renewed)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
