"""Known answers: the pipeline on worlds whose best training strategy is known, and whether the verdict says so.

Every world runs through the stages themselves, in a scratch folder: as symbols, or as events, whose streams are joined
in time. What must hold is written beside each world. 200 or 500 training samples where unimodal labels help: the
encoders read these symbols so well that with 500 of `dominant` every strategy is near the ceiling (docs/evidence.md).
2,000 (as events 1,200) where only the streams together carry the label.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trivium.comparison import out
from trivium.data.settings import OFFERED

ROOT = Path(__file__).resolve().parent.parent.parent
VALIDATION, TEST = 1000, 2000  # samples
TRAINED = ("end_to_end", "unimodal", "ensemble", "supervised_frozen", "supervised_lpft", "selfsup_finetune")
COMPONENTS = ("ensemble", "supervised_frozen", "supervised_lpft")
BALANCED = ("unimodal_losses", "dgl", "ogm_ge", "mmpareto")  # these and the next two: of the profile `full`
ACROSS = ("aligned_finetune", "crossmasked_finetune")
FURTHER = ("end_to_end", *BALANCED, *ACROSS)
CHANCE = 0.05  # accuracy; "at chance" and "near one half" mean closer than this
SMALL = {"width": 16, "depth": 1}
SERIES = {"processor": {"channels": ["left", "right"], "rate": 50.0, "seconds": 1.0}}
CLIP = {"size": 16, "frames": 4, "frames_per_second": 4}
STILL = {"width": 32, "depth": 1, "over_time": "mean"}  # nothing moves in an event: a transformer learns 200 by heart
SOUND = {"processor": {"sample_rate": 2000, "seconds": 1.0}}
READ: dict[str, dict[str, dict[str, Any]]] = {  # by source: the encoders that read it
    "symbols": {"words": {"processor": {"length": 16, "vocab": 256}},
                "patches": {"processor": {"size": 12, "channels": 1}},
                "bands": {"processor": {"sample_rate": 8000, "seconds": 0.016, "features": "waveform"}}},
    "events": {"waves": SMALL | SERIES, "frames": STILL | {"processor": CLIP | {"channels": 1}}, "bands": SMALL | SOUND,
               "traits": SERIES, "motion": {"processor": CLIP}, "cepstra": SOUND},
}


@dataclass(frozen=True)
class Expected:
    """train: samples. says: what holds, in words. holds: of a comparison (see `trivium.comparison.build`)."""

    world: str
    train: int
    epochs: int
    seeds: int
    says: str
    holds: Callable[[Comparison], bool]
    strategies: tuple[str, ...] = TRAINED
    source: str = "symbols"


class Comparison:
    """What `reports/comparison.json` says of a strategy or a pair."""

    def __init__(self, content: out.Comparison) -> None:
        self.content = content

    def accuracy(self, strategy: str) -> float:
        return self.content.strategies[strategy].metrics["accuracy"].mean

    def beats(self, a: str, b: str) -> bool:
        """Whether the statistics declare that `a` is better than `b`."""
        return any((pair.a, pair.b) == (a, b) and pair.beats for pair in self.content.pairs)

    def near(self, strategies: tuple[str, ...], value: float) -> bool:
        return all(abs(self.accuracy(s) - value) <= CHANCE for s in strategies)


def _components_win(c: Comparison) -> bool:
    return any(c.beats(s, "end_to_end") for s in COMPONENTS) and not any(c.beats("end_to_end", s) for s in COMPONENTS)


def _synergy(c: Comparison) -> bool:
    best = all(c.accuracy("selfsup_finetune") >= c.accuracy(s) for s in c.content.strategies)
    return best and c.accuracy("selfsup_finetune") > 0.9 and c.near((*COMPONENTS, "unimodal"), 0.5)


def _unique(c: Comparison) -> bool:
    return not c.beats("end_to_end", "supervised_lpft") and not c.beats("supervised_lpft", "end_to_end")


def _mixed(c: Comparison) -> bool:
    others = tuple(s for s in c.content.strategies if s != "selfsup_finetune")
    return all(c.accuracy("selfsup_finetune") > c.accuracy(s) for s in others) and c.near(others, 0.5)


def _decoupled(c: Comparison) -> bool:
    return c.beats("dgl", "end_to_end")


def _unbalanced(c: Comparison) -> bool:
    return not any(c.beats(s, "end_to_end") for s in BALANCED)


def _across(c: Comparison) -> bool:
    return any(c.beats(s, "end_to_end") for s in ACROSS) and c.near(("end_to_end", *BALANCED), 0.5)


WORLDS = {
    "redundant": Expected("redundant", 500, 80, 5, "supervised components or the ensemble beat end to end",
                          _components_win),
    "dominant": Expected("dominant", 200, 80, 10, "supervised components or the ensemble beat end to end",
                         _components_win),
    "unique": Expected("unique", 500, 80, 5, "no winner between end to end and supervised LP-FT", _unique),
    "synergy": Expected("synergy", 2000, 48, 4, "self-supervised components are best; what leans on unimodal labels is "
                        "at chance", _synergy),
    "mixed": Expected("mixed", 2000, 48, 4, "self-supervised components are ahead; all others stay near one half",
                      _mixed),
    "redundant_further": Expected("redundant", 500, 80, 5, "decoupled gradients (DGL) beat end to end", _decoupled,
                                  FURTHER),
    "dominant_further": Expected("dominant", 200, 80, 10, "decoupled gradients (DGL) beat end to end", _decoupled,
                                 FURTHER),
    "dominant_more": Expected("dominant", 1000, 40, 5, "decoupled gradients (DGL) beat end to end", _decoupled,
                              ("end_to_end", "dgl", "ensemble", "supervised_frozen")),
    "unique_further": Expected("unique", 500, 80, 5, "no balancing of streams beats end to end", _unbalanced, FURTHER),
    "synergy_further": Expected("synergy", 2000, 48, 4, "aligned or cross-masked components beat end to end; balancing "
                                "stays at chance", _across, FURTHER),
}
WORLDS |= {  # as events: what differs is fewer training samples, and simple features besides
    f"events_{name}": replace(WORLDS[name], source="events", train=train, strategies=(*TRAINED, "reference"))
    for name, train in (("redundant", 200), ("dominant", 200), ("unique", 200), ("synergy", 1200), ("mixed", 1200))}


def run(name: str, expected: Expected | None = None, only: Sequence[str] = ()) -> dict[str, Any]:
    """Run the pipeline on `WORLDS[name]` and compare with what is known; `only`: some of the strategies.

    Returns `holds`, `says`, and per strategy the mean accuracy with its interval and each seed's.
    """
    wanted = expected or WORLDS[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        settings(folder, wanted, only)
        stages(folder)
        content = out.Comparison.read(folder / out.PATH)
    return {
        "holds": wanted.holds(Comparison(content)), "says": wanted.says, "train_samples": wanted.train,
        "epochs": wanted.epochs, "seeds": wanted.seeds, "verdict": content.verdict.sentence,
        "accuracy": {name: span.model_dump(include={"mean", "low", "high"})
                     for name, s in content.strategies.items() for span in [s.metrics["accuracy"]]},
    }


def settings(folder: Path, wanted: Expected, only: Sequence[str] = ()) -> None:
    """params.yaml of the repository with the profile `full`, with the world and small inputs, and the strategies whose
    encoders are trained here: what published encoders and n-grams make of made-up symbols is unknown.

    only: some of the strategies.
    """
    from ruamel.yaml import YAML

    from trivium.cli import profile

    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    with contextlib.redirect_stdout(None):
        profile.add("full", folder / "params.yaml")
    yaml = YAML()
    params = yaml.load(folder / "params.yaml")
    total = wanted.train + VALIDATION + TEST
    params["seeds"] = wanted.seeds
    params["data"]["source"] = wanted.source
    params["data"]["watch"] = str(ROOT / "data/README.md")
    offered = OFFERED.get(wanted.source, OFFERED["digits"])
    params["data"]["streams"] = {s: {"modality": modality} for s, modality in offered.items()}
    params["data"][wanted.source] = {"world": wanted.world, "samples": total}
    if wanted.source == "events":
        params["align"]["window"] = [-0.5, 0.5]
    params["split"] |= {"val": VALIDATION / total, "test": TEST / total}
    for name, read in READ[wanted.source].items():
        encoder = params["encoder"][name]
        encoder |= read | {"processor": encoder.get("processor", {}) | read["processor"]}
    params["budget"]["epochs"] = wanted.epochs
    params["loop"]["augment"] = False  # a shifted template is another template
    chosen = only or wanted.strategies
    kept = {name: entry for name, entry in params["train"].items() if name in (*chosen, params["budget"]["of"])}
    starts = {entry["start"] for entry in kept.values()}
    params["pretrain"] = {name: recipe for name, recipe in params["pretrain"].items() if name in starts}
    params["train"] = kept
    params["compare"]["reference"] = ""
    params["evaluate"]["analysis_rows"] = 32  # the fewest: accuracy is all that is asked for
    yaml.dump(params, folder / "params.yaml")


def stages(folder: Path, after_ingest: Callable[[Path], None] = lambda folder: None) -> None:
    """Every stage in order, without DVC, up to evaluate; compare where there is something to compare.

    Stops with the stage's own words when one fails.
    """
    from trivium.params import load

    params = load(folder / "params.yaml")
    commands = [["ingest"], ["validate"], ["align"], ["split"], ["preprocess"], ["budget"],
                *(["pretrain", name] for name in params.pretrain), *(["train", name] for name in params.train),
                *(["evaluate", name] for name in params.train), *([["compare"]] if len(params.train) > 1 else [])]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    for words in commands:
        done = subprocess.run([sys.executable, "-m", f"pipeline.{words[0]}", *words[1:]], cwd=folder, env=environment,
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(words)} failed:\n{done.stdout}\n{done.stderr}")
        if words == ["ingest"]:
            after_ingest(folder)
