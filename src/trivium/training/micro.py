"""A batch in a fixed number of equal parts, whose gradients are added up in a fixed order: the weights are the same
bytes however many processes share the parts.

Each part has a forward and a backward pass of its own, from the same state. What objectives draw, and augmentation, is
drawn for the whole batch; dropout is drawn for a part. Sums are those of a binary tree over the parts, so that a
process adds up its own ones, and what the processes came to is added up in their order (elastic determinism: Li et al.
2023, EasyScale, arXiv 2208.14228).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from trivium.data.store import Batch
from trivium.objectives.draws import Part
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from accelerate import Accelerator

Item = TypeVar("Item")
Result = TypeVar("Result")


def check(objective: nn.Module, alpha: float) -> None:
    """Raises: UserError (a loss, or a rule for gradients, that needs the batch in one piece). alpha: of mixup."""
    name = type(getattr(objective, "inner", objective)).__name__
    if getattr(objective, "compares", False):
        why = "compares the samples of a batch with each other"
    elif hasattr(objective, "after_backward"):
        why = "changes the gradients by what it saw of the whole batch"
    elif alpha:
        name, why = "loop.mixup", "mixes samples of a batch with each other"
    else:
        return
    raise UserError(f"params.yaml: `loop.micro_batches` cuts batches, and {name} {why}: set it to 0, or leave that "
                    "out.")


class Micro:
    """Gradients of `objective`, in `parts` parts a batch, of which this process has its share."""

    def __init__(self, objective: nn.Module, parts: int, accelerator: Accelerator, seed: int) -> None:
        self.objective, self.parts, self.accelerator, self.seed = objective, parts, accelerator, seed
        self.trained = [weight for weight in objective.parameters() if weight.requires_grad]
        self.generator = Part()
        own = parts // accelerator.num_processes
        self.mine = range(accelerator.process_index * own, (accelerator.process_index + 1) * own)

    def backward(self, batch: Batch, step: int) -> Tensor:
        """Leave the gradients of the whole batch. Returns its loss, the mean of the parts' losses."""
        size, sums = len(batch) // self.parts, Tree()
        norms = [one for one in self.objective.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)
                 and one.training and one.track_running_stats]
        before = [(one.running_mean.clone(), one.running_var.clone()) for one in norms]
        for k in self.mine:
            torch.manual_seed((self.seed * 1_000_003 + step) * 64 + k)  # dropout, where an encoder has it
            np.random.seed(((self.seed * 1_000_003 + step) * 64 + k) % 2**32)
            generator = self.generator.of(self.seed * 1_000_003 + step, k * size, (k + 1) * size, len(batch))
            with self.accelerator.autocast():
                loss = self.objective.loss(batch[k * size : (k + 1) * size], generator)  # type: ignore[operator]
            (loss / self.parts).backward()
            sums.add(self._taken(loss.detach(), norms, before))
        return self._put(self._whole(sums.total), norms)

    def _whole(self, sums: Tensor) -> Tensor:
        """What all parts came to, where this process's came to `sums`."""
        return gathered(sums, self.accelerator)

    def _taken(self, loss: Tensor, norms: list[Any], before: list[tuple[Tensor, Tensor]]) -> Tensor:
        """What a part came to, as one vector: gradients, which weights had one, statistics, loss. All is as before it.
        """
        there = torch.tensor([float(weight.grad is not None) for weight in self.trained], device=loss.device)
        found = [weight.grad.flatten() if weight.grad is not None else torch.zeros_like(weight).flatten()
                 for weight in self.trained]
        for weight in self.trained:
            weight.grad = None
        for one, (mean, var) in zip(norms, before, strict=True):
            found += [one.running_mean / self.parts, one.running_var / self.parts]
            one.running_mean, one.running_var = mean.clone(), var.clone()
            one.num_batches_tracked -= 1
        return torch.cat([*found, there, loss.float().view(1) / self.parts])

    def _put(self, whole: Tensor, norms: list[Any]) -> Tensor:
        """The sums of all parts, where they belong; returns the loss."""
        sizes = [weight.numel() for weight in self.trained]
        sizes += [one.num_features for one in norms for _ in range(2)]
        pieces = list(whole.split([*sizes, len(self.trained), 1]))
        there = pieces[-2].tolist()
        for weight, gradient, some in zip(self.trained, pieces[: len(there)], there, strict=True):
            weight.grad = gradient.view_as(weight) if some else None  # it stays as it is where no part has reached it
        statistics = iter(pieces[len(there) : -2])
        for one in norms:
            one.running_mean, one.running_var = next(statistics).clone(), next(statistics).clone()
            one.num_batches_tracked += 1
        return pieces[-1].squeeze()


class Tree:
    """The sum of a power of two of terms, in the order of a binary tree: that of an aligned half can be made elsewhere.
    """

    def __init__(self) -> None:
        self.levels = list[Tensor | None]()

    def add(self, term: Tensor) -> None:
        for level, left in enumerate(self.levels):
            if left is None:
                self.levels[level] = term
                return
            term, self.levels[level] = left + term, None
        self.levels.append(term)

    @property
    def total(self) -> Tensor:
        found = self.levels[-1]
        assert found is not None and not any(level is not None for level in self.levels[:-1])
        return found


def gathered(own: Tensor, accelerator: Accelerator) -> Tensor:
    """The sum of what all processes have, in their order, the same in each."""
    sums = Tree()
    if accelerator.num_processes == 1:
        return own
    for one in accelerator.gather(own.unsqueeze(0)):  # type: ignore[union-attr]
        sums.add(one)
    return sums.total


def shared(items: Iterable[Item], work: Callable[[Item], Result], accelerator: Accelerator, even: bool = False,
           ) -> Iterator[Result]:
    """`work` of each of the `items`, in their order; each process does some of them and gets all. even: all processes
    work equally often, since they need each other for it.
    """
    count, mine, k = accelerator.num_processes, accelerator.process_index, 0
    own = list[Result]()
    for k, item in enumerate(items, 1):
        if (k - 1) % count == mine:
            own.append(work(item))
    if even and len(own) * count < k:
        work(item)
    if count == 1:
        yield from own
        return
    from accelerate.utils import gather_object

    every = gather_object([own])
    yield from (part[k] for k in range(len(every[0])) for part in every if k < len(part))
