"""The strategy `prompts` at a seed: class prompts, and perhaps a few labelled rows, become centres in a common space.

Legend: `C` classes, `D` width of a vector, `W` of the space.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from trivium import modalities, models
from trivium.data.store import Store
from trivium.machine import device as devices
from trivium.models import files, space
from trivium.models.prompted import Prompted
from trivium.settings.errors import UserError
from trivium.training import budget, components, records, vectors
from trivium.training.jobs import Report

if TYPE_CHECKING:
    from trivium.strategies import Entry
    from trivium.tasks import Task
    from trivium.training.strategy import Unit

SHOTS = 4  # which random stream of a seed
MOST = 5  # classes that a sentence names


@torch.no_grad()
def train(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Place the centres and write `<folder>/model`. Returns the record for training.json.

    Cost: a pass of the prompts, and of the labelled rows that join them. Raises: UserError (a prompt for no class).
    """
    seed, kind, settings = unit.seed, devices.kind(unit.loop.device), unit.entry.settings
    devices.deterministic(kind)
    store = Store(unit.entry.start, device=kind)
    task = store.task_at(seed)
    spaces = {s: space.load(where) for s in store.streams if space.there(
        where := components.folder(store.recipe, s, seed))}
    texts = [s for s in spaces if store.encoders[s].modality == "text"]
    text, read = texts[0], [s for s in spaces if settings["own_text"] or s not in texts] or texts
    encoders: dict[str, Any] = {s: components.encoder(store.recipe, s, seed).to(kind) for s in {text, *read}}
    model = Prompted({s: encoders[s] for s in read}, store.streams, len(spaces[text]["project"]), task).to(kind).eval()
    for s in read:
        model.project[s].weight.copy_(spaces[s]["project"])
    model.scale.copy_(spaces[text]["scale"])

    said = written(unit.entry.name, task, settings)
    x = store.encode(text, seed, [modalities.get("text").clean(one) for one in said])
    centres = normalize(encoders[text](x).float() @ spaces[text]["project"].to(kind).T, dim=-1)
    spec = store.specs[text]
    own = task.outputs * budget.passes(encoders[text].cpu(), spec)(spec.shape[0])
    encoders[text].to(kind)
    if settings["shots"]:
        near, cost = _shots(model, store, settings["shots"], seed)
        centres, own = normalize(centres + near, dim=-1), own + cost
    model.centres.copy_(centres)

    rows = store.rows(seed, "val")
    read_val, present = _read(model, store, rows, seed)
    outputs, y = model.outputs(read_val, present), torch.from_numpy(store.labels(rows)).to(kind)
    model.calibration.copy_(task.calibration(outputs, y))
    answers = task.answer(outputs, model.calibration)
    model.task = task.decided(answers, y)
    report(1, 1)
    about = files.describe("prompted", store.encoders, store.specs, model.task, features=store.digest,
                           prompts={"said": said, "reads": read, "width": model.centres.shape[1]})
    models.save(model.cpu(), about, folder / "model")
    spent = components.charged(store.recipe, seed)
    return records.Seed(
        seed=seed, history=[], calibration=model.calibration.tolist(), chosen="+".join(read),
        validation=records.Reached(nll=-task.log_likelihood(answers, y).mean().item(),
                                   score=model.task.score(answers, y)),
        flops=records.Spent(budget=unit.limit, pretrain=spent, train=own, total=spent + own),
        parameters=records.Parameters(total=sum(p.numel() for p in model.parameters()), trained=0))


def check(entry: Entry, store: Store, seeds: int) -> list[str]:
    """What there is less of than `entry` asks for, a sentence for each seed. Raises: UserError (see `written`)."""
    written(entry.name, store.task, entry.settings)
    shots, told = entry.settings["shots"], []
    for seed in range(seeds if shots else 0):
        there = np.bincount(store.labels(store.rows(seed, "train")), minlength=store.task.outputs)
        if few := np.flatnonzero(there < shots).tolist():
            each = ", ".join(f"{there[k]} of {store.task.categories[k]}" for k in few[:MOST])
            rest = "" if len(few) <= MOST else f", and fewer than {shots} of {len(few) - MOST} further classes"
            told.append(f"`train.{entry.name}.shots: {shots}`: at seed {seed} there are {each}{rest} in train; all of "
                        "these are taken.")
    return told


def written(name: str, task: Task, settings: Mapping[str, Any]) -> list[str]:
    """The prompt of each class, in their order. name: of the entry. Raises: UserError."""
    if unknown := [f"`{one}`" for one in settings["prompts"] if one not in task.categories]:
        are = "which is no class" if len(unknown) == 1 else "which are no classes"
        raise UserError(f"params.yaml: `train.{name}.prompts` names {', '.join(unknown[:MOST])}, {are} of this data; "
                        f"its classes are {', '.join(task.categories[:20])}.")
    return [settings["template"].replace("{}", settings["prompts"].get(one, one)) for one in task.categories]


def _shots(model: Prompted, store: Store, count: int, seed: int) -> tuple[Tensor, float]:
    """The centres [C, W] of `count` labelled rows of each class, fewer where there are no more; and FLOPs."""
    rows = store.rows(seed, "train")
    rows = rows[np.any([store.has(s)[rows] for s in model.readers], axis=0)]
    rows = np.random.default_rng([seed, SHOTS]).permutation(rows)
    y = store.labels(rows)
    chosen = np.concatenate([rows[y == k][:count] for k in range(model.task.outputs)])
    near = model.embed(*_read(model, store, chosen, seed))
    own = torch.from_numpy(store.labels(chosen)).to(near.device)
    sums = torch.zeros(model.task.outputs, near.shape[1], device=near.device).index_add_(0, own, near)
    return normalize(sums, dim=-1), sum(vectors.cost(store, s, encoder, chosen[store.has(s)[chosen]], seed)
                                        for s, encoder in model.readers.items())


def _read(model: Prompted, store: Store, rows: np.ndarray, seed: int) -> tuple[dict[str, Tensor], Tensor]:
    """Vectors [B, D] of the streams that are read, and which streams `rows` have, bool [B, S]."""
    kind = model.centres.device
    present = torch.from_numpy(np.stack([store.has(s)[rows] for s in store.streams], 1)).to(kind)
    return {s: vectors.of(store, s, encoder, rows, seed).float().to(kind)
            for s, encoder in model.readers.items()}, present
