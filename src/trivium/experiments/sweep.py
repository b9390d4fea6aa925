"""`trivium sweep`: what the fusion, the recipe and the strategy are worth, from a fraction of their combinations.

Each combination is an entry of `train` in an experiment of its own (see `experiments.dvc`), on the same seeds, splits
and budget. Recipes come from DVC's cache, and so does every unit that has been trained anywhere in the project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from trivium import fusion, strategies
from trivium.comparison.effects import OUT, Left, Sweep, gather
from trivium.comparison.out import Comparison
from trivium.data.tables import digest, read_yaml
from trivium.drawing import numbers
from trivium.experiments.design import Combination, choose, grid
from trivium.settings import parts
from trivium.settings.errors import UserError

FACTORS = ("fusion", "recipe", "strategy")
Entries = dict[str, dict[str, Any]]  # as in `train` of params.yaml


def make(root: Path, given: Mapping[str, Sequence[str]], fraction: float = 0.5, side_by_side: int = 1) -> str:
    """Run what is missing, write `reports/sweep.json` and `reports/sweep.html`; what came out.

    given: levels of the factors; those of params.yaml where there are none.  fraction: of the combinations, 0-1.
    side_by_side: experiments at a time.

    Raises:
        UserError: a level that there is not, fewer than two combinations, no results of the present settings, or an
            experiment that failed.
    """
    from trivium.experiments.dvc import checked
    from trivium.report import sweep

    raw = read_yaml(root / "params.yaml")
    factors = levels(raw, given)
    every = grid(factors)
    possible, left = sort(raw, every)
    if len(possible) < 2:
        there = "is one" if possible else "are none"
        raise UserError(f"A sweep needs two combinations that can be run, and here {there}. Name more levels, for "
                        "instance `--fusions concat,gated`." + "".join(f"\n{one.reason}" for one in left))
    chosen = choose(possible, fraction)
    print(f"{len(every)} combinations, {len(possible)} of which can be run: {len(chosen)} are", flush=True)
    found = run(root, raw, chosen, checked(root), side_by_side)
    made = gathered(found, chosen, left, len(every), len(possible))
    made.write(root / OUT)
    page = sweep.write(root, made)
    return "\n".join([made.sentence, made.rest.sentence, f"The sweep is in {OUT} and, to look at, in {page}."])


def levels(raw: Mapping[str, Any], given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Factor -> levels, each once. raw: params.yaml. Raises: UserError (there is no such level)."""
    train = raw["train"].values()
    fused = [one for one in train if _has_fusion(one["strategy"])]
    usual = {"fusion": [parts.split(one.get("fusion", "concat"), "fusion")[0] for one in fused],
             "recipe": [one["start"] for one in fused], "strategy": [one["strategy"] for one in fused]}
    known = {"fusion": fusion.names(), "recipe": tuple(raw["pretrain"]),
             "strategy": (*strategies.names(), *raw["train"])}
    found = {factor: list(dict.fromkeys(given.get(factor) or usual[factor])) for factor in FACTORS}
    for factor, names in found.items():
        for name in names:
            if name not in known[factor]:
                raise UserError(f"There is no {factor} `{name}`; {parts.nearest(name, known[factor])}")
    return found


def sort(raw: Mapping[str, Any], every: Sequence[Combination]) -> tuple[list[Combination], list[Left]]:
    """The combinations that can be run, and the others with the reason."""
    from trivium.params import check_entry, parse
    from trivium.training import needs

    fused = [one for one in every if _has_fusion(_template(raw, one["strategy"])["strategy"])]
    left = [Left(levels=one, reason=f"`{one['strategy']}` has no fusion.") for one in every if one not in fused]
    made = parse({**raw, **_sections(raw, entries(raw, fused))})
    possible = []
    for one in fused:
        entry = made.entries[_name(one)]
        try:
            check_entry(made, entry.name)
            wrong = needs.warnings(entry, made.recipe(entry.start), made.reads(entry.start))
        except UserError as error:
            wrong = [str(error)]
        if wrong:
            reason = wrong[0].removeprefix("params.yaml: ").removeprefix(f"`train.{entry.name}`: ")
            left.append(Left(levels=one, reason=reason))
        else:
            possible.append(one)
    return possible, left


def entries(raw: Mapping[str, Any], chosen: Sequence[Combination]) -> Entries:
    """Entries of `train`, by name. Settings are those of the first entry of params.yaml with the same strategy, and of
    the fusion of the first that has it; their defaults where there is none.
    """
    fusions = dict[str, Any]()
    for one in raw["train"].values():
        if "fusion" in one:
            fusions.setdefault(parts.split(one["fusion"], "fusion")[0], one["fusion"])
    return {_name(one): {**_template(raw, one["strategy"]), "start": one["recipe"],
                         "fusion": fusions.get(one["fusion"], one["fusion"]), "title": ", ".join(one.values())}
            for one in chosen}


def run(root: Path, raw: Mapping[str, Any], chosen: Sequence[Combination], state: str, side_by_side: int,
        ) -> list[Comparison]:
    """The comparisons of as many experiments, which hold the combinations in turn. state: of the project."""
    from trivium.experiments.dvc import FEWEST, compared, elsewhere, overrides
    from trivium.params import load

    same = {"compare.reference": "", "evaluate.analysis_rows": FEWEST} | elsewhere(root, load(root / "params.yaml"))
    groups = [chosen[k::side_by_side] for k in range(min(side_by_side, len(chosen)))]

    def one(k: int) -> Comparison:
        own = entries(raw, groups[k])
        changes = [f"~train.{name}" for name in raw["train"] if name not in _sections(raw, own)["train"]]
        changes += overrides({f"+train.{name}": entry for name, entry in own.items()} | same)
        name = f"sweep-{digest(repr(changes).encode())[:8]}-{state}"
        return compared(root, name, changes, numbers.plural(len(own), "combination"), f"{k + 1} of {len(groups)}")

    if len(groups) == 1:
        return [one(0)]
    with ThreadPoolExecutor(len(groups)) as threads:
        return list(threads.map(one, range(len(groups))))


def gathered(found: Sequence[Comparison], chosen: Sequence[Combination], left: Sequence[Left], every: int,
             possible: int) -> Sweep:
    """The sweep from its comparisons. Raises: UserError (the levels cannot be told apart)."""
    first, results, away = found[0], [], list(left)
    strategies = {name: one for made in found for name, one in made.strategies.items()}
    skipped = {name: one for made in found for name, one in made.skipped.items()}
    for combination in chosen:
        name = _name(combination)
        if name in skipped:
            away.append(Left(levels=combination, reason=skipped[name].sentence))
            continue
        one = strategies[name]
        each = [own[first.metric] for _, own in sorted(one.seeds.items(), key=lambda pair: int(pair[0]))]
        results.append((combination, one.metrics[first.metric], each, one.flops))
    try:
        return gather(first.dataset.title, first.ranks, results, away, every, possible, first.settings.confidence)
    except (ValueError, IndexError):
        raise UserError("These combinations do not tell the levels apart: some come only together. Name other levels, "
                        "or take more of the combinations (`--fraction 1`)."
                        + "".join(f"\n{one.reason}" for one in away)) from None


def _sections(raw: Mapping[str, Any], own: Entries) -> dict[str, Any]:
    """Of params.yaml, changed: the entry that the budget is of, and `own`; no reference."""
    of = raw["budget"].get("of")
    kept = {of: raw["train"][of]} if of in raw["train"] else {}
    return {"train": kept | own, "compare": raw["compare"] | {"reference": "", "latency": False, "latency_ms": None}}


def _template(raw: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    """The settings of a strategy, which is named as its file or as an entry."""
    named = {strategy: raw["train"][strategy]} if strategy in raw["train"] else raw["train"]
    return dict(next((one for name, one in named.items() if strategy in (name, one["strategy"])),
                     {"strategy": strategy}))


def _has_fusion(strategy: str) -> bool:
    return "fusion" in parts.get(strategies, strategy, "strategy", "strategy").Settings.model_fields


def _name(one: Combination) -> str:
    return "__".join(one[factor] for factor in reversed(FACTORS))
