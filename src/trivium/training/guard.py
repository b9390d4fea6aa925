"""Steps that there is nothing to learn from: a loss or a gradient that is no finite number, or a norm beyond `HIGHEST`.

Such a step changes nothing: no weight, no moment, no running statistic. It is counted, and with `loop.bad_steps: stop`,
or where too many are bad, it ends the run. The optimizer's kernel itself leaves the step out, so that nobody waits for
a GPU; what was bad is looked up every `LOOK` steps. Processes that train together see one loss and one gradient, and
so leave out the same steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.training.feed import Feed
    from trivium.training.private import Drawn
    from trivium.training.settings import Loop

HIGHEST = 1e6  # norm of a gradient: that of a loss of a few nats is a few; one of a million points nowhere
LOOK = 64  # steps
NAMED = 8  # rows in a sentence


def judged(norm: Tensor, loss: Tensor | float) -> Tensor:
    """[]: what `is_bad` tells; the norm of the gradient, and no finite number where norm or loss are none."""
    return norm + 0.0 * loss


def is_bad(judged: Tensor) -> Tensor:
    """float32 []: 1 of a step that is to be left out, else 0; no number is above all others, and is not below."""
    return (~(judged <= HIGHEST)).float()


class Guard:
    """Of one run of the loop. name: what people call the run.  steps: that it has.  told: bad steps before a restart.
    """

    def __init__(self, objective: nn.Module, feed: Feed | Drawn, settings: Loop, name: str, steps: int, batch: int,
                 told: int) -> None:
        self.objective, self.feed, self.name, self.batch, self.count = objective, feed, name, batch, told
        self.stops, self.most = settings.bad_steps == "stop", max(1.0, settings.most_bad_steps * steps)
        self.steps, self._norms, self._losses = steps, list[Tensor](), list[Tensor]()
        self._bad, self._first = list[int](), 0  # since the mark: which ones, and the first step of `_losses`
        self._looked, self._known = 0, dict[str, Any]()

    def begin(self, step: int) -> None:
        """A stretch of steps, up to the next evaluation, starts at `step`."""
        self._first, self._looked, self._norms, self._losses, self._bad = step, 0, [], [], []
        own = self.objective
        self._moving = [one for one in own.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)
                        and one.training and one.track_running_stats]
        self._own = [name for name, one in own.named_buffers(recurse=False) if one.is_floating_point()]

    def before(self) -> None:
        """What a forward pass changes is kept until the step was found good."""
        self._old = torch.cat([one.flatten() for one in self._statistics()]) if self._moving or self._own else None

    def after(self, judged: Tensor, loss: Tensor) -> None:
        """judged: of the optimizer, which has left the step out where it is bad. Raises: UserError (the run stops)."""
        self._norms.append(judged)
        self._losses.append(loss)
        if self._old is not None:
            now = self._statistics()
            good = torch.where(is_bad(judged) > 0, self._old, torch.cat([one.flatten() for one in now]))
            for one, kept in zip(now, good.split([one.numel() for one in now]), strict=True):
                one.copy_(kept.view_as(one))
        if len(self._norms) % LOOK == 0:
            self._look()

    def row(self) -> dict[str, Any]:
        """Of the stretch: its mean loss, of good steps, and what was bad. Raises: UserError (the run stops)."""
        self._look()
        losses = torch.stack(self._losses).float()
        if not self._bad:
            return {"train_loss": _finite(losses.mean())}
        print(self._sentence(len(self._bad), len(self._losses)), flush=True)
        good = torch.ones(len(losses), dtype=torch.bool)
        good[[step - self._first for step in self._bad]] = False
        mean = _finite(losses[good.to(losses.device)].mean()) if good.any() else None
        return {"train_loss": mean, "bad": {"count": len(self._bad), **self._known}}

    def _statistics(self) -> list[Tensor]:
        return [x for one in self._moving for x in (one.running_mean, one.running_var)] + [
            getattr(self.objective, name) for name in self._own]

    def _look(self) -> None:
        fresh = self._norms[self._looked:]
        if not fresh:
            return
        norms = torch.stack(fresh)
        found = [self._first + self._looked + k for k, bad in enumerate(is_bad(norms).tolist()) if bad]
        if found and not self._bad:
            self._known = self._about(found[0], norms[found[0] - self._first - self._looked].item())
        self._bad += found
        self.count += len(found)
        self._looked = len(self._norms)
        if found and (self.stops or self.count > self.most):
            raise UserError(f"{self._sentence(self.count, self._first + self._looked)} {self._why()}")

    def _about(self, step: int, norm: float) -> dict[str, Any]:
        """Of a bad step, for the record: see `records.Bad`."""
        if not torch.isfinite(self._losses[step - self._first]):
            what = "its loss is not a finite number"
        elif norm > HIGHEST and norm != float("inf"):
            what = f"its gradient has a norm of {norm:.1e}"
        else:
            what = "its gradient is not finite"
        steps = self.feed.training(self.batch, step, step + 1)
        where = _not_finite(next(steps))
        rows = self.feed.named(self.batch, step)
        return {"step": step, "what": what, "rows": rows, "inputs": {s: [rows[k] for k in found]
                                                                     for s, found in where.items()}}

    def _sentence(self, count: int, of: int) -> str:
        """What is known of the first bad step since the mark, for people."""
        known = self._known
        odd = "; ".join(f"`{s}` holds numbers that are not finite in {_list(rows)}"
                        for s, rows in known["inputs"].items())
        return (f"{self.name}: {count} of {of} steps had nothing to learn from and changed nothing. Step "
                f"{known['step']}: {known['what']}. Its rows: {_list(known['rows'])}."
                + (f" Of these, {odd}." if odd else ""))

    def _why(self) -> str:
        if self.stops:
            return ("Training ends, since `loop.bad_steps` is `stop`: look at these rows, lower the learning rate, or "
                    "set it to `skip` in params.yaml.")
        return (f"That is more than `loop.most_bad_steps` ({self.most / self.steps:.3g} of {self.steps}) allows, so "
                "that training ends: look at these rows, or lower the learning rate in params.yaml.")


def _finite(mean: Tensor) -> float:
    value = mean.item()
    return value if math.isfinite(value) else 1e9  # each is, and their sum is not


def _not_finite(batch: Batch) -> dict[str, list[int]]:
    """Stream -> places in the batch of inputs that are not finite, of streams that have some."""
    found = {s: (~torch.isfinite(x.float()).flatten(1).all(1)).nonzero().flatten().tolist()
             for s, x in batch.inputs.items()}
    return {s: places for s, places in found.items() if places}


def _list(rows: Sequence[str]) -> str:
    more = f" and {len(rows) - NAMED} others" if len(rows) > NAMED else ""
    return ", ".join(rows[:NAMED]) + more
