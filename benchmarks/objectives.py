"""What each objective of recipes costs, and where the components that it leaves help: the tables of docs/objectives.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.objectives          measures, about 8 minutes on one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.objectives costs    only the costs, a minute; the rest stays
    PYTHONPATH=src .venv/bin/python -m benchmarks.objectives NAME ...  only the accuracies of these objectives
    PYTHONPATH=src .venv/bin/python -m benchmarks.objectives page     fills the page from what was measured

In worlds of symbols, whose answer is known, small encoders are trained by an objective on the train rows. Then a
linear probe reads their vectors side by side, and a network of them is fine-tuned on the same rows; beside encoders
with random weights. All objectives have their default settings, and the same rows, batches, steps and learning rate:
none is tuned.
Writes benchmarks/results/objectives.json, with the machine's description.
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
from trivium import fusion, models, objectives
from trivium.data.settings import STREAMS
from trivium.data.sources import symbols, worlds
from trivium.data.store import Batch
from trivium.drawing import numbers
from trivium.encoders import Described
from trivium.encoders.base import Encoder
from trivium.machine import device
from trivium.modalities import text
from trivium.modalities.spec import Spec
from trivium.objectives.adversarial import Adversarial
from trivium.objectives.network.joint import Joint
from trivium.tasks.classification import Classification
from trivium.training import budget, linear
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.settings import Loop

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/objectives.json", ROOT / "docs/objectives.md"
WORLDS = ("unique", "redundant", "dominant", "synergy")
TRAIN, VALIDATION, TEST, SEEDS = 800, 400, 2000, 3
STEPS, FINETUNING, LR = 200, 100, 0.003  # steps of an objective and of the network; LR: that of the default recipes
LOOP = Loop(batch=parts.BATCH, weight_decay=0.05, warmup=0.1, clip=1.0, evaluations=4, augment=False, device="cpu",
            workers=1)  # no augmentation: a shifted template is another template
WIDTH, DEPTH = 32, 1
NEAR = 0.03  # of accuracy: what is less far from random weights, or from chance, counts as level with it
ALONE = "the encoders alone"  # with a plain loss, whose cost is 1
RANDOM = "random"  # encoders as they come
STABLE = 10  # seeds of the adversarial objective


def drawn(world: worlds.World, seed: int, sizes: tuple[int, ...] = (TRAIN, VALIDATION, TEST),
          ) -> tuple[list[Batch], dict[str, Spec]]:
    """Batches of so many samples each, normalised by the first, and what is in them."""
    rng = np.random.default_rng([seed, worlds.NAMES.index(world.name)])
    y, given = world.draw(rng, sum(sizes))
    written = symbols.texts(rng, given["text"])
    tokenizer, spec = text.fit(written[: sizes[0]], text.Settings(length=symbols.TOKENS, vocab=256))
    shown = {"image": symbols.pictures(rng, given["image"])[:, None],
             "audio": symbols.sounds(rng, given["audio"])[:, None]}
    inputs = {"text": torch.from_numpy(text.encode(written, tokenizer, spec)).long()}
    for s, values in shown.items():
        own = values[: sizes[0]].astype(np.float64)
        inputs[s] = torch.from_numpy(((values - own.mean()) / own.std()).astype(np.float32))
    specs = {"text": spec, "image": Spec("image", "image", (1, symbols.SIDE, symbols.SIDE)),
             "audio": Spec("audio", "waveform", (1, symbols.SAMPLES))}
    whole = Batch(inputs, torch.ones(len(y), len(STREAMS), dtype=torch.bool), torch.from_numpy(y))
    return [whole[end - size: end] for size, end in zip(sizes, np.cumsum(sizes), strict=True)], specs


def fresh(specs: Mapping[str, Spec], seed: int) -> dict[str, Encoder]:
    kinds = {s: Described(spec.modality, "cnn", "", (spec.modality, {}), {"width": WIDTH, "depth": DEPTH})
             for s, spec in specs.items()}
    return {s: models.encoder(kinds[s], spec, seed) for s, spec in specs.items()}


def made(name: str, components: Mapping[str, Encoder], task: Classification, seed: int) -> list[nn.Module]:
    """The objective on all streams together, or one for each."""
    chosen = objectives.chosen(name, "objective")
    together = objectives.get(name, "objective").TOGETHER
    found = []
    for group in [components] if together else [{s: one} for s, one in components.items()]:
        with models.drawn(seed, "+".join(group)):
            found.append(objectives.build(chosen, group, STREAMS, task))
    return found


def trained(objective: nn.Module, train: Batch, val: Batch, seed: int, steps: int) -> nn.Module:
    """By the one loop, with the weights that validation prefers."""
    feeds = [Feed(one, np.arange(len(one)), seed) for one in (train, val)]
    fit(objective, *feeds, Schedule(steps, LOOP.batch, LR), LOOP, device.prepare("cpu"), seed)
    return objective


@torch.no_grad()
def probed(components: Mapping[str, Encoder], batches: list[Batch], task: Classification) -> float:
    """Accuracy of logistic regression on all vectors side by side."""
    train, val, test = [np.concatenate([one.eval()(batch.inputs[s]).numpy() for s, one in components.items()], 1)
                        for batch in batches]
    found = linear.fit_probe(train, batches[0].y.numpy(), val, batches[1].y.numpy(), task)
    guess = (test @ found.weight.T + found.bias).argmax(1)
    return float((guess == batches[2].y.numpy()).mean())


def finetuned(components: dict[str, Encoder], batches: list[Batch], task: Classification, seed: int,
              steps: int) -> float:
    """Accuracy of a network of them, all of whose weights move."""
    model = models.multimodal(components, task, fusion.chosen("concat", "fusion"), seed)
    objective = trained(Joint(model), *batches[:2], seed, steps)
    with torch.no_grad():
        return float((objective.outputs(batches[2]).argmax(1) == batches[2].y).float().mean())  # type: ignore[operator]


def reached(name: str, world: worlds.World, seed: int, steps: tuple[int, int] = (STEPS, FINETUNING),
            ) -> dict[str, float]:
    """Accuracy on new samples, 0-1, by a probe and by a fine-tuned network. name: `random` for no objective at all."""
    batches, specs = drawn(world, seed)
    task, components = Classification([str(k) for k in range(world.classes)]), fresh(specs, seed)
    if name != RANDOM:
        for objective in made(name, components, task, seed):
            trained(objective, *batches[:2], seed, steps[0])
    return {"probe": probed(components, batches, task),
            "finetuned": finetuned(components, batches, task, seed, steps[1])}


def level(seed: int, steps: int = STEPS) -> dict[str, float]:
    """What the adversarial objective leaves of the sounds of `dominant`, on validation samples: the error of what is
    made again, before (`start`) and after training, and how far its points are from N(0, I).
    """
    batches, specs = drawn(worlds.world("dominant", symbols.SYMBOLS), seed)
    with models.drawn(seed, "adversarial"):
        chosen, one = objectives.chosen("adversarial", "objective"), {"audio": fresh(specs, seed)["audio"]}
        objective = objectives.build(chosen, one, STREAMS, Classification("0123")).eval()
    assert isinstance(objective, Adversarial)
    with torch.no_grad():
        start = objective.score(batches[1]).item()
    trained(objective, *batches[:2], seed, steps)
    with torch.no_grad():
        return {"start": start, "error": objective.score(batches[1]).item(),
                "apart": apart(objective.points(batches[1].inputs["audio"]))}


def apart(points: Tensor) -> float:
    """[B, Z] -> the divergence of a normal distribution with their mean and variance from N(0, 1), in nats, the mean
    over the Z numbers.
    """
    mean, variance = points.mean(0), points.var(0)
    return float((0.5 * (mean.square() + variance - 1 - variance.log())).mean())


def bills(names: Iterable[str]) -> dict[str, dict[str, float]]:
    """Of each objective on a text, a picture and a sound together, at the default sizes: training FLOPs and
    seconds per sample, and seconds per FLOP (`pace`), in those of the encoders alone with a plain loss; and samples per
    second of one core's time.
    """
    read = encoders.readers("cnn")
    components = {s: encoders.build(read[what]) for s, what in zip(STREAMS, ("text", "image", "spectrogram"),
                                                                   strict=True)}
    specs = {s: one.spec for s, one in components.items()}
    task = Classification([str(k) for k in range(10)])
    found = {name: made(name, components, task, 0) for name in names}
    small = budget.example(specs, task)
    large = Batch({s: encoders.example(spec) for s, spec in specs.items()},
                  torch.ones(parts.BATCH, len(STREAMS), dtype=torch.bool), task.example(parts.BATCH))

    def loss(each: list[nn.Module], batch: Batch) -> Tensor:
        draw = torch.Generator().manual_seed(0)
        return torch.stack([one.loss(batch, draw) for one in each]).sum()  # type: ignore[operator]

    def plain(batch: Batch) -> Tensor:
        return torch.stack([one(batch.inputs[s]).square().sum() for s, one in components.items()]).sum()

    alone = budget.counted(partial(plain, small), module=nn.ModuleDict(components))
    passes, bill = {name: partial(loss, each, large) for name, each in found.items()}, {}
    for name, (rate, spent) in parts.against(passes, partial(plain, large)).items():
        flops = sum(budget.counted(partial(loss, [one], small), module=one) for one in found[name]) / alone
        bill[name] = {"flops": flops, "seconds": spent, "pace": spent / flops, "samples_per_second": rate}
    return bill


def renewed(found: dict[str, Any]) -> dict[str, Any]:
    """The same results with costs that are measured now."""
    return found | {"costs": bills(found["costs"])}


def retrained(found: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The same results with accuracies of the objectives `names` that are measured now."""
    seeds = len(next(iter(found["accuracy"][RANDOM].values()))["probe"])
    now = {name: {world: {"probe": [], "finetuned": []} for world in found["worlds"]} for name in names}
    for name, worlds_of in now.items():
        for world in worlds_of:
            each = [reached(name, worlds.world(world, symbols.SYMBOLS), seed) for seed in range(seeds)]
            worlds_of[world] = {how: [one[how] for one in each] for how in ("probe", "finetuned")}
            print(name, world, worlds_of[world], flush=True)
    return found | {"accuracy": found["accuracy"] | now}


def measure(names: Iterable[str] = objectives.names(), seeds: int = SEEDS, stable: int = STABLE) -> dict[str, Any]:
    known = {name: worlds.world(name, symbols.SYMBOLS) for name in WORLDS}
    found: dict[str, Any] = {name: {world: {"probe": [], "finetuned": []} for world in known}
                             for name in (RANDOM, *names)}
    for seed in range(seeds):
        for world, rules in known.items():
            for name, worlds_of in found.items():
                for how, accuracy in reached(name, rules, seed).items():
                    worlds_of[world][how].append(accuracy)
                print(seed, world, name, worlds_of[world], flush=True)
    return {"costs": bills(names), "accuracy": found, "adversarial": [level(seed) for seed in range(stable)],
            "worlds": {name: {"ceiling": world.bayes(), "chance": 1 / world.classes} for name, world in known.items()}}


def costs(found: Mapping[str, Any]) -> str:
    """A line for each objective: its idea, its cost and its source, as its own file says."""
    lines = ["| `objective` | idea | FLOPs | samples/s | seconds per FLOP, relative | source |",
             "|---|---|---|---|---|---|"]
    for name, one in found["costs"].items():
        idea, link = parts.idea_and_source(f"trivium.objectives.{name}")
        rate = float(f"{one['samples_per_second']:.2g}")
        lines.append(f"| `{name}` | {idea} | {one['flops']:.2f} | {numbers.whole(round(rate))} | {one['pace']:.2f} | "
                     f"{link} |")
    return "\n".join([*lines, "", f"In a step, {parts.dearer(found['costs'], ALONE)}."])


def helped(found: Mapping[str, Any], how: str) -> str:
    """A line for each objective: accuracy in each world, by `probe` or `finetuned`; and what that says."""
    measured = [world for world in WORLDS if world in found["worlds"]]
    lines = [f"| `objective` | {' | '.join(f'*{world}*' for world in measured)} |", "|---|" + "---|" * len(measured)]
    for row in ("ceiling", "chance"):
        cells = [f"{100 * found['worlds'][world][row]:.1f}" for world in measured]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    for name, one in sorted(found["accuracy"].items(), key=lambda pair: pair[0] != RANDOM):
        label = "random weights" if name == RANDOM else f"`{name}`"
        lines.append(f"| {label} | {' | '.join(_mean(one[world][how]) for world in measured)} |")
    return "\n".join([*lines, "", *(_said(found, world, how) for world in measured)])


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest where they differ."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return mean if low == high else f"{mean} ({low} to {high})"


def _said(found: Mapping[str, Any], world: str, how: str) -> str:
    """Who is above and who is below random weights in a world; or that nobody is off chance."""
    means = {name: statistics.mean(one[world][how]) for name, one in found["accuracy"].items()}
    if max(means.values()) < found["worlds"][world]["chance"] + NEAR:
        return f"- *{world}*: nobody is more than {100 * NEAR:.0f} points above chance."
    start, points = means.pop(RANDOM), f"more than {100 * NEAR:.0f} points"
    more = [name for name, mean in means.items() if mean > start + NEAR]
    less = [name for name, mean in means.items() if mean < start - NEAR]
    told = [f"{points} {words} random weights: {', '.join(f'`{name}`' for name in names)}"
            for words, names in (("above", more), ("below", less)) if names]
    return f"- *{world}*: {'; '.join(told) or f'nobody is {points} from random weights'}."


def stable(found: Mapping[str, Any]) -> str:
    """What the seeds of the adversarial objective have in common."""
    each = found["adversarial"]
    spans = {key: (min(one[key] for one in each), max(one[key] for one in each)) for key in ("start", "error", "apart")}
    start, error = (f"{spans[key][0]:.2f} to {spans[key][1]:.2f}" for key in ("start", "error"))
    return (f"Over {len(each)} seeds, the error on validation sounds was {start} before and {error} after. The points "
            f"ended {spans['apart'][0]:.3f} to {spans['apart'][1]:.3f} nats per number from N(0, I).")


def told(found: Mapping[str, Any]) -> str:
    """What the numbers are of, for people; and which worlds of the command are not in them."""
    seeds = len(next(iter(found["accuracy"][RANDOM].values()))["probe"])
    words = (f"The mean of {seeds} seeds, and the lowest and the highest." if seeds > 1 else
             "**One seed only**: small differences say nothing.")
    absent = [f"*{world}*" for world in WORLDS if world not in found["worlds"]]
    return words + (f" Not measured yet: {' and '.join(absent)}." if absent else "")


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the tables in their places."""
    tables = {"costs": costs(found), "probes": helped(found, "probe"), "networks": helped(found, "finetuned"),
              "seeds": told(found), "adversarial": stable(found)}
    return parts.filled(page, "benchmarks.objectives", tables)


def main(words: list[str]) -> None:
    about = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "steps": STEPS, "finetuning": FINETUNING, "lr": LR,
             "batch": LOOP.batch}
    again = partial(retrained, names=words) if words and {*words} <= {*objectives.names()} else renewed
    found = parts.measured(words, RESULTS, lambda: measure() | about, again)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
