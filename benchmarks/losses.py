"""What losses, ways to even out classes and regularisers do, against doing nothing: the tables of docs/losses.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.losses          measures, about 4 minutes on one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.losses page     fills the page from what was measured

All runs of a part have the same data, network, steps and learning rate at a seed, go through the one training loop, and
keep the weights of the lowest calibrated validation NLL. Every method has its default setting, or the one that the
table names: none is tuned. Writes benchmarks/results/losses.json, with the machine's description.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import parts
from trivium import fusion, models
from trivium.data.settings import STREAMS
from trivium.data.sources import symbols as rendered
from trivium.data.sources import worlds
from trivium.data.store import Batch
from trivium.encoders import describe
from trivium.encoders.base import Encoder, Plain
from trivium.machine import device, files
from trivium.modalities.spec import Spec
from trivium.objectives.network.joint import Joint
from trivium.tasks import losses
from trivium.tasks.classification import Classification
from trivium.training import balance
from trivium.training.augment import Augment
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.settings import Loop

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/losses.json", ROOT / "docs/losses.md"
SEEDS, BATCH, LR = 5, 64, 0.003
SYMBOLS, WORLD = 4, "dominant"
SHARES = (0.7, 0.2, 0.07, 0.03)  # of the classes of the skewed set
WIDTH, NOISE = 64, 3.0  # of its vectors; NOISE: deviation around codes of -1 and 1
SKEWED = {"train": 1000, "val": 500, "test": 4000, "steps": 500}
SMALL = {"train": 300, "val": 300, "test": 2000, "steps": 300}
METRICS = {"accuracy": (100, 1), "macro_f1": (100, 1), "nll": (1, 3)}  # what numbers are shown times, and decimals
LOSSES: dict[str, dict[str, Any]] = {
    "nothing": {}, "`loss: {name: ce, smoothing: 0.1}`": {"loss": {"name": "ce", "smoothing": 0.1}},
    "`loss: focal`": {"loss": "focal"}, "`loss: balanced`": {"loss": "balanced"}, "`loss: f1`": {"loss": "f1"},
    "`balance: weights`": {"balance": "weights"}, "`balance: sampling`": {"balance": "sampling"},
    "`balance: synthesis`": {"balance": "synthesis"}}
REGULARISERS: dict[str, dict[str, Any]] = {
    "nothing": {}, "`weight_decay: 0.05`": {"weight_decay": 0.05}, "`weight_decay: 0.5`": {"weight_decay": 0.5},
    "`mixup: 0.2`": {"mixup": 0.2}, "`dropout: 0.2`": {"dropout": 0.2}, "`drop_path: 0.2`": {"drop_path": 0.2},
    "`augment: true`": {"augment": True}, "`augment: {text: {token_dropout: 0.1}}`": {
        "augment": {"text": {"token_dropout": 0.1}}},
    "`augment: {audio: {noise: 0.5}}`": {"augment": {"audio": {"noise": 0.5}}}}
ENCODERS = {"text": {"modality": "text", "architecture": "cnn", "width": 16},
            "image": {"modality": "image", "architecture": "cnn", "width": 16},
            "audio": {"modality": "audio", "architecture": "cnn", "width": 16}}
SPECS = {"text": Spec("text", "tokens", (rendered.TOKENS,), vocab=3 + rendered.FILLERS[1]),
         "image": Spec("image", "image", (1, rendered.SIDE, rendered.SIDE)),
         "audio": Spec("audio", "waveform", (1, rendered.SAMPLES))}


def drawn(rng: np.random.Generator, samples: int, shares: Sequence[float]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Labels, whose classes have these shares, and the symbols of each stream."""
    y, symbols = worlds.world(WORLD, SYMBOLS).draw(rng, len(shares) * samples)
    rows = np.concatenate([np.flatnonzero(y == k)[: round(share * samples)] for k, share in enumerate(shares)])
    rng.shuffle(rows)
    return y[rows], {s: one[rows] for s, one in symbols.items()}


def vectors(rng: np.random.Generator, samples: int) -> Batch:
    """Of the skewed set: a code of random signs for each symbol, the same in every draw, and normal noise."""
    codes = np.random.default_rng(0).choice([-1.0, 1.0], (len(STREAMS), SYMBOLS, WIDTH))
    y, symbols = drawn(rng, samples, SHARES)
    made = {s: codes[k][symbols[s]] + NOISE * rng.normal(size=(len(y), WIDTH)) for k, s in enumerate(STREAMS)}
    return _batch({s: torch.from_numpy(x).float() for s, x in made.items()}, y, encoded=True)


def signals(rng: np.random.Generator, samples: int) -> Batch:
    """Of the small set: what the source `symbols` renders, as tensors at a mean of 0 and a deviation of 1."""
    y, symbols = drawn(rng, samples, [1 / SYMBOLS] * SYMBOLS)
    words = [[3 + int(word[1:]) for word in text.split()] for text in rendered.texts(rng, symbols["text"])]
    templates = np.random.default_rng(12).normal(size=(SYMBOLS, rendered.SIDE, rendered.SIDE))
    images = templates[symbols["image"]] + rng.normal(0, rendered.PIXEL_NOISE, (len(y), rendered.SIDE, rendered.SIDE))
    turns = np.array(rendered.CYCLES)[symbols["audio"], None] * np.arange(rendered.SAMPLES) / rendered.SAMPLES
    sounds = np.sin(2 * np.pi * (turns + rng.random((len(y), 1)))) + rng.normal(0, rendered.NOISE, turns.shape)
    pictures, waves = (torch.from_numpy(x / x.std()).float().unsqueeze(1) for x in (images, sounds))
    return _batch({"text": torch.tensor(words), "image": pictures, "audio": waves}, y)


def _batch(inputs: dict[str, Tensor], y: np.ndarray, encoded: bool = False) -> Batch:
    return Batch(inputs, torch.ones(len(y), len(STREAMS), dtype=torch.bool), torch.from_numpy(y), encoded)


def run(part: str, how: Mapping[str, Any], seed: int, sizes: Mapping[str, int]) -> dict[str, float]:
    """Metrics on the test samples. Data and batches depend on the seed and the part alone."""
    rng = np.random.default_rng([seed, part == "skewed"])
    make = vectors if part == "skewed" else signals
    train, val, test = (make(rng, sizes[split]) for split in ("train", "val", "test"))
    y = train.y.numpy()
    task = Classification([str(k) for k in range(SYMBOLS)], losses.chosen(how.get("loss", "ce"), losses.CLASSES))
    rates = {key: how[key] for key in ("dropout", "drop_path") if key in how}
    ways: dict[str, Encoder] = ({s: Plain(Spec(s, "features", (WIDTH,))) for s in STREAMS} if part == "skewed" else
                                {s: models.encoder(describe(s, ENCODERS[s] | rates), SPECS[s], seed) for s in STREAMS})
    network = models.multimodal(ways, task.fitted(y), fusion.chosen("concat", "fusion"), seed)
    chosen = {key: how[key] for key in ("mixup", "balance", "weight_decay", "augment") if key in how}
    loop = Loop.model_validate({"batch": BATCH, "weight_decay": 0.0, "warmup": 0.1, "clip": 1.0, "evaluations": 15,
                                "augment": False, "device": "cpu", "workers": 1} | chosen)
    feed = balance.apply(Feed(train, np.arange(len(y)), seed), loop.balance, y)
    if loop.balance == "synthesis":
        feed = balance.synthesised(feed)
    if loop.augment:
        feed.augment = Augment(SPECS, seed, loop.augment)
    objective = Joint(network)
    fit(objective, feed, Feed(val, np.arange(len(val)), seed), Schedule(sizes["steps"], BATCH, LR), loop,
        device.prepare("cpu"), seed)
    with torch.no_grad():
        known, new = (objective.outputs(one) for one in (val, test))
    answers = task.answer(new, task.calibration(known, val.y))
    return task.scores(task.outcome(task.stored(answers), test.y.numpy()), tuple(METRICS))


def measure(seeds: int = SEEDS) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, ways, sizes in (("skewed", LOSSES, SKEWED), ("small", REGULARISERS, SMALL)):
        found[part] = {}
        for name, how in ways.items():
            each = [run(part, how, seed, sizes) for seed in range(seeds)]
            found[part][name] = {key: [one[key] for one in each] for key in METRICS}
            print(part, name, {key: round(statistics.mean(values), 4) for key, values in found[part][name].items()},
                  flush=True)
    return found


def table(found: Mapping[str, Any]) -> str:
    """A line for each method: the mean of the seeds, the lowest and the highest; and who is ahead of nothing."""
    lines = ["| | accuracy | macro F1 | NLL |", "|---|---|---|---|"]
    for name, one in sorted(found.items(), key=lambda item: item[0] != "nothing"):  # which comes first
        cells = []
        for key, (times, digits) in METRICS.items():
            mean, low, high = (f"{times * value:.{digits}f}" for value in (statistics.mean(one[key]), min(one[key]),
                                                                          max(one[key])))
            cells.append(f"{mean} ({low} to {high})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(_said(found, key) for key in METRICS)])


def _said(found: Mapping[str, Any], key: str) -> str:
    """Who is better than nothing at every seed, and who is worse at every seed, with the mean difference."""
    times, digits = METRICS[key]
    sign, unit = (-1, "nats") if key == "nll" else (1, "points")
    gains = {name: [sign * (a - b) for a, b in zip(one[key], found["nothing"][key], strict=True)]
             for name, one in found.items() if name != "nothing"}
    groups = []
    for words, way in (("better than nothing at every seed", 1), ("worse at every seed", -1)):
        who = [f"{name} (by {times * abs(statistics.mean(each)):.{digits}f} {unit})" for name, each in gains.items()
               if all(way * gain > 0 for gain in each)]
        groups += [f"{words}: {', '.join(who)}"] if who else []
    name = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "nll": "NLL"}[key]
    return f"- {name}: {'; '.join(groups) or 'nothing is better or worse than doing nothing at every seed'}."


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the tables in their places."""
    return parts.filled(page, "benchmarks.losses", {part: table(found[part]) for part in ("skewed", "small")})


def main(words: list[str]) -> None:
    about = {"seeds": SEEDS, "batch": BATCH, "lr": LR, "shares": SHARES, "skewed_set": SKEWED, "small_set": SMALL}
    found = parts.measured(words, RESULTS, lambda: measure() | about)
    files.write(PAGE, filled(PAGE.read_text(encoding="utf-8"), found))


if __name__ == "__main__":
    main(sys.argv[1:])
