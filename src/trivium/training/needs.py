"""What objectives and strategies need of their encoders, told before anything is built: see `Encoder.gives`.

Tokens and dense vectors are needed of every encoder; gradients of one at least, since something has to move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.encoders import Described
    from trivium.strategies import Entry
    from trivium.strategies.base import Plan
    from trivium.tasks import Task
    from trivium.training.recipes import Recipe
    from trivium.training.settings import Loop

BALANCED = {"multilabel": ", or choose the loss `balanced` (`task.loss`)"}
WORDS = {"tokens": "tokens", "dense": "dense vectors", "gradients": "weights that can be trained"}


@dataclass(frozen=True)
class Read:
    """Who reads a stream. entry: of `encoder`.  kind: its architecture, or its weights.  gives, published: see
    `Encoder`.
    """

    entry: str
    kind: str
    gives: frozenset[str]
    published: bool


def of_plan(plan: Plan) -> frozenset[str]:
    """What a strategy needs; one that combines what a recipe left needs nothing more."""
    if plan.combine != "fusion":
        return frozenset()
    moves = any(phase.moves for phase in plan.phases)
    return frozenset({"dense", "gradients"} if moves else {"dense"})


def lacking(needs: Iterable[str], reads: Mapping[str, Read]) -> str:
    """What is lacking, for people; "" where nothing is."""
    needs = set(needs)
    for s, read in reads.items():
        for what in ("dense", "tokens"):
            if what in needs - read.gives:
                return f"needs {WORDS[what]}, and the encoder `{read.entry}` ({read.kind}), which reads {s}, gives none"
    if "gradients" in needs and not any("gradients" in read.gives for read in reads.values()):
        each = dict.fromkeys(f"`{read.entry}` ({read.kind})" for read in reads.values())
        who = f"the encoders {', '.join(each)} have" if len(each) > 1 else f"the encoder {next(iter(each))} has"
        return f"needs {WORDS['gradients']}, and {who} none"
    return ""


def check_recipe(recipe: Recipe, reads: Mapping[str, Read]) -> None:
    """reads: by stream. Raises: UserError (an objective that needs more than its encoders give)."""
    from trivium import objectives

    for group in recipe.groups:
        if group.objective is None:
            continue
        where, name = f"pretrain.{recipe.name}.objective", group.objective["name"]
        needs = getattr(objectives.get(name, where), "NEEDS", ("dense", "gradients"))
        if words := lacking(needs, {s: reads[s] for s in group.streams}):
            fit = _strategies({s: reads[s] for s in recipe.encoders}, classifiers=False)
            raise UserError(f"params.yaml: `{where}`: `{name}` {words}. Leave {' and '.join(group.streams)} without an "
                            f"objective (what then works with these encoders: {fit}), or name another encoder.")


def check_entry(entry: Entry, recipe: Recipe, reads: Mapping[str, Read]) -> None:
    """reads: by stream, of the recipe that the entry starts from. Raises: UserError (a strategy that needs more than
    these encoders give).
    """
    from trivium import strategies

    classifiers = all((group.objective or {}).get("name") == "supervised" for group in recipe.groups)
    if strategies.needs_classifiers(entry.strategy) and not classifiers:
        raise UserError(f"params.yaml: `train.{entry.name}.start`: `{entry.start}` does not train every stream on the "
                        f"labels, and `{entry.strategy}` needs classifiers: name a recipe with `objective: "
                        "supervised`.")
    if words := lacking(of_plan(entry.plan), reads):
        raise UserError(f"params.yaml: `train.{entry.name}.strategy`: `{entry.strategy}` {words}. What works with the "
                        f"recipe `{entry.start}`: {_strategies(reads, classifiers)}.")


def students(entry: Entry, encoders: Mapping[str, Described]) -> dict[str, Described]:
    """What reads each stream, of a strategy that trains narrower ones. Raises: UserError (published weights)."""
    from trivium.encoders import narrower

    assert entry.plan.student is not None
    for s, one in encoders.items():
        if one.weights:
            raise UserError(f"params.yaml: `train.{entry.name}.start`: `{entry.strategy}` trains narrower encoders, "
                            f"and the width of {one.weights}, which reads {s} in `{entry.start}`, was fixed by whoever "
                            "published it: start from a recipe whose encoders have an `architecture`.")
    return {s: narrower(one, entry.plan.student) for s, one in encoders.items()}


def check_loop(loop: Loop, task: type[Task], entries: Mapping[str, Entry]) -> None:
    """Raises: UserError (a choice of the loop that does not apply to the task, or to a strategy)."""
    if loop.balance != "none" and not task.categorical:
        raise UserError(f"params.yaml: `loop.balance: {loop.balance}` evens out classes, and the task {task.name} has "
                        f"not one class for each sample: set it to none{BALANCED.get(task.name, '')}.")
    for name, one in entries.items():
        moves = any(phase.moves for phase in one.plan.phases)
        if loop.balance == "synthesis" and moves:
            raise UserError(f"params.yaml: `loop.balance: synthesis` makes samples between the vectors of encoders "
                            f"that stand still, and `train.{name}` (`{one.strategy}`) moves them: choose weights or "
                            "sampling, or take the entry out.")
        if loop.mixup and one.plan.teachers:
            raise UserError(f"params.yaml: `loop.mixup` mixes the vectors of samples, and `train.{name}` "
                            f"(`{one.strategy}`) holds those of each against its teachers': set it to 0, or take the "
                            "entry out.")


def check_prompts(entry: Entry, recipe: Recipe, streams: Mapping[str, str], task: str) -> None:
    """streams: stream -> modality;  task: its name. Raises: UserError (class prompts that cannot be compared)."""
    from trivium.training.recipes import shares_space

    where = f"params.yaml: `train.{entry.name}`: `prompts`"
    if task != "classification":
        raise UserError(f"{where} compares samples with the names of classes, and the task is {task}: leave it out.")
    spaces = [group.streams for group in recipe.groups if shares_space(group)]
    if not any("text" in {streams[s] for s in own} and len(own) > 1 for own in spaces) or len(spaces) > 1:
        raise UserError(f"{where} needs components of one space, a text's among them, and `{entry.start}` has none: "
                        "start from a recipe with `objective: align` (or siglip) over text and another stream.")


def check_fusion(name: str, chosen: Mapping[str, Any], widths: Mapping[str, int | None]) -> None:
    """chosen: see `fusion.chosen`.  widths: by stream; null: not known before the encoder is built.

    Raises: UserError (a fusion that cannot be built for encoders as wide as these).
    """
    import torch

    from trivium import fusion

    own = chosen.get("width")  # of the fusion itself, whatever the encoders are
    known = {s: width or own for s, width in widths.items()}
    if not all(known.values()):
        return
    try:
        with torch.device("meta"):  # shapes without numbers
            fusion.build(chosen, {s: width for s, width in known.items() if width})
    except UserError as error:
        raise UserError(f"params.yaml: `train.{name}.fusion`: {str(error).removeprefix('params.yaml: ')}") from None


def warnings(entry: Entry, recipe: Recipe, reads: Mapping[str, Read]) -> list[str]:
    """What can be run and makes little sense: random weights that stay as they are, or that teach."""
    plan = entry.plan
    moves = any("encoders" in phase.train for phase in plan.phases)
    if moves and not plan.teachers:
        return []
    untrained = {s for group in recipe.groups if group.objective is None for s in group.streams}
    random = {f"`{reads[s].entry}`": None for s in recipe.encoders
              if s in untrained and "gradients" in reads[s].gives and not reads[s].published}
    if not random:
        return []
    does = "learns from the encoders" if plan.teachers else "builds on the encoders"
    return [f"params.yaml: `train.{entry.name}`: `{entry.strategy}` {does} of `{entry.start}`, and nobody has trained "
            f"{', '.join(random)}: their weights are random. Start from a recipe with an objective, or with published "
            "weights."]


def _strategies(reads: Mapping[str, Read], classifiers: bool) -> str:
    """The strategies that these encoders have enough for."""
    from trivium import strategies

    found = []
    for name in strategies.names():
        try:
            plan = strategies.entry("any", {"start": "any", "strategy": name}).plan
        except UserError:  # one with settings that have no default
            continue
        if plan.combine == "prompts":  # which asks for more than encoders: see `check_prompts`
            continue
        if (classifiers or not strategies.needs_classifiers(name)) and not lacking(of_plan(plan), reads):
            found.append(f"`{name}`")
    return ", ".join(found)
