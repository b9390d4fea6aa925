"""What if one stream were that of another sample: does the answer follow it?

For each stream that a model reads, every test sample that has it gets that of another sample, whose target is another
one; all other streams stay. The answer follows the stream as far as it goes from the answer to the sample to the answer
that the model gives to the other one: `follows` = 1 - sum gap(after, other) / sum gap(before, other), see `Task.gap`,
over the pairs whose two samples have different answers. Of classes that is the share of the answers that become the
other sample's. What the model says of the other sample counts, and not its target: a stream may be followed into a
mistake.

Cost: a pass of fusion and head per sample and stream.

Legend: `B` samples, `M` streams, `T` the shape of one target.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.evaluation.metrics import Counterfactuals, Followed, Swap
from trivium.models.network import Model
from trivium.tasks.base import Array, Task

TRIES = 32  # orders in which another sample with another target is looked for
AMONG = 32  # pairs that shown ones are chosen from, per stream


@torch.no_grad()
def measure(model: Model, batch: Batch, samples: Sequence[str]) -> Counterfactuals:
    """Of an encoded `batch` of the `samples` [B]. Who lacks a stream has no pair, nor has who finds no other target."""
    answers, task = encoded.answer(model, batch), model.task
    before, y = task.guess(answers), batch.y.cpu().numpy()
    streams, shown = dict[str, Followed](), list[Swap]()
    for m in encoded.readers(model):
        column = model.streams.index(m)
        rows, others = pairs(task, y, batch.present[:, column].cpu().numpy())
        if not len(rows):
            continue
        swapped = encoded.replace(batch[rows], m, batch[others].inputs[m])
        after = encoded.answer(model, swapped)
        new = task.guess(after)
        one, other, now = (x.cpu().numpy() for x in (before[rows], before[others], new))
        far, left, moved = task.gap(one, other), task.gap(now, other), task.gap(one, now)
        streams[m] = followed(far, left, moved)
        for k in _telling(far, left):
            i, j = int(rows[k]), int(others[k])
            shown.append(Swap(
                stream=m, sample=samples[i], other=samples[j], label=task.words(y[i].tolist()),
                other_label=task.words(y[j].tolist()), before=_told(task, answers, i), after=_told(task, after, k),
                other_answer=_told(task, answers, j), follows=1 - float(left[k] / far[k])))
    return Counterfactuals(streams=streams, samples=shown)


def pairs(task: Task, y: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int64 [B'] twice: samples, and for each another one with another target, any of those as likely.

    y: targets [B, *T];  there: bool [B], who has the stream.
    """
    rows = np.flatnonzero(there)
    partner = np.full(len(rows), -1)
    for order in encoded.cycles(len(rows), TRIES, seed=4).numpy() if len(rows) > 1 else ():
        fits = (partner < 0) & (task.gap(y[rows], y[rows[order]]) > 0)
        partner[fits] = rows[order][fits]
    found = partner >= 0
    return rows[found], partner[found]


def followed(far: Array, left: Array, moved: Array) -> Followed:
    """Gaps [B]: from the answer before to that of the other sample; from the answer after the swap to it; and from
    before to after.

    Errors are those of the mean, and of a ratio of means (its linearisation), over samples.
    """
    count, unlike = len(far), far > 0
    error = float(moved.std(ddof=1) / np.sqrt(count)) if count > 1 else 0.0
    found = Followed(pairs=count, moved=float(moved.mean()), moved_error=error)
    if not unlike.any():
        return found
    far, left = far[unlike], left[unlike]
    size = float(far.sum())
    ratio = float(left.sum()) / size
    doubt = float(np.sqrt(np.square(left - ratio * far).sum()) / size)
    return found.model_copy(update={"follows": 1 - ratio, "error": doubt, "unlike": len(far)})


def _telling(far: Array, left: Array) -> list[int]:
    """Of the first pairs whose answers differ, the one that follows most and the one that follows least."""
    known = np.flatnonzero(far > 0)[:AMONG]
    if not len(known):
        return []
    share = 1 - left[known] / far[known]
    return list(dict.fromkeys([int(known[share.argmax()]), int(known[share.argmin()])]))


def _told(task: Task, answers: Tensor, k: int) -> str:
    """The answer to sample k, as people say it."""
    one = answers[k: k + 1]
    target = task.guess(one)
    return task.told(target[0].tolist(), task.support(one, target).exp().item())
