"""A model that no process holds whole while it is trained (FSDP: Zhao et al. 2023, arXiv 2304.11277; torch's
`fully_shard`). Each of N processes keeps one N-th of the rows of each weight, and of its gradient and moments. A block
is put together for as long as it is used; what belongs to no block is, for as long as a micro-batch takes.

The bytes do not depend on N. Round k of N micro-batches is k N to (k + 1) N, one a process; a reduce-scatter adds up
their gradients in the order of a tree, and the rounds are its upper part, as in `micro`. The norm is a sum of sums of
rows. The optimizer sees shares whose length is a multiple of `LANES`, since its kernel rounds the rest in another way.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import pad

from trivium.encoders.base import Encoder
from trivium.models import lora
from trivium.settings.errors import UserError
from trivium.training.eager import AdamW
from trivium.training.micro import Micro, Tree, gathered

if TYPE_CHECKING:
    from accelerate import Accelerator

LANES = 64  # numbers: a multiple of what a vector of any processor holds


def check(objective: nn.Module) -> None:
    """Raises: UserError (what reads or changes weights as a whole outside of a pass)."""
    name = type(objective).__name__
    if hasattr(objective, "fisher"):
        why = "compares all weights with earlier ones"
    elif getattr(objective, "after_step", None) is not None:
        why = "changes the weights by what it sees of them all"
    elif any(weight.dim() == 0 for weight in objective.parameters()):
        why = "trains a single number, which has no shares"
    else:
        return
    raise UserError(f"params.yaml: `loop.shard` shares out the weights, and {name} {why}: set it to false, or leave "
                    "that out.")


class Sharded(nn.Module):
    """Stands for `objective`, whose weights are nowhere until `release`. States are the shares of this process."""

    def __init__(self, objective: nn.Module, accelerator: Accelerator) -> None:
        super().__init__()
        self.count, self.rank = accelerator.num_processes, accelerator.process_index
        self.whole = (objective,)  # no part of this module
        same = {id(weight): nn.Parameter(weight.detach(), weight.requires_grad) for weight in objective.parameters()}
        self.inner = copy.deepcopy(objective, same)
        self.sizes = {name: weight.shape for name, weight in objective.named_parameters(remove_duplicate=False)}
        self.root = _Root(self.inner)
        mesh = init_device_mesh(accelerator.device.type, (self.count,))
        for module in [*_blocks(self.inner), self.root]:
            sharded: Any = fully_shard(module, mesh=mesh)
            sharded.set_custom_reduce_scatter(_InOrder())
            sharded.set_force_sum_reduction_for_comms(True)
            sharded.set_gradient_divide_factor(1.0)
        self.weights: dict[str, Any] = dict(self.inner.named_parameters(remove_duplicate=False))
        self.shares = {name: weight.detach().to_local() for name, weight in self.weights.items()}
        self.trained = [name for name, weight in self.inner.named_parameters() if weight.requires_grad]
        self.ids = dict(zip((id(weight) for weight in objective.parameters()),
                            (name for name, _ in self.inner.named_parameters()), strict=True))
        for weight in objective.parameters():
            weight.data = weight.new_empty(0)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def loss(self, *about: Any) -> Tensor:
        return self.root("loss", *about)

    def outputs(self, *about: Any) -> Tensor:
        return self.root("outputs", *about)

    def score(self, *about: Any) -> Tensor:
        return self.root("score", *about)

    def state_dict(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {key: self.shares.get(key, value) for key, value in self.inner.state_dict().items()}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any], *_: Any, **__: Any) -> None:  # type: ignore[override]
        for key, value in self.state_dict().items():
            value.copy_(state[key])
        self.root.reshard()  # type: ignore[operator]  # what was put together is of the old ones

    def joined(self, name: str, share: Tensor) -> Tensor:
        """The whole of what this process has a share of, shaped as the weight `name`; in every process."""
        first, *rest = self.sizes[name]
        rows = -(-first // self.count)
        whole = share.new_empty(self.count * rows, *rest)
        dist.all_gather_single(whole, pad(share, (0, 0) * len(rest) + (0, rows - len(share))))
        return whole[:first]

    @torch.no_grad()
    def release(self) -> None:
        """The weights as they are now, whole, in the objective: one weight after the other."""
        objective = self.whole[0]
        for name, weight in objective.named_parameters():
            weight.data = self.joined(name, self.shares[name])
        for (_, old), (_, new) in zip(objective.named_buffers(), self.inner.named_buffers(), strict=True):
            old.copy_(new)
        objective.eval()

    def save(self, kept: Mapping[str, Any], path: Path) -> None:
        """What `torch.save` writes of a model that is whole; the first process has it in memory that is a file's."""
        def whole(name: str, share: Tensor) -> Tensor:
            found = self.joined(name, share)
            if self.rank:
                return found[:0]
            scratch = path.with_suffix(".tensor")
            kept = torch.from_file(str(scratch), True, found.numel(), dtype=found.dtype).view_as(found).copy_(found)
            scratch.unlink()
            return kept

        every = self._each(kept, whole)
        if not self.rank:
            torch.save(every, path)

    def load(self, path: Path) -> dict[str, Any]:
        """This process's shares of what any number of processes has saved."""
        def share(name: str, whole: Tensor) -> Tensor:
            rows = -(-len(whole) // self.count)
            return whole[self.rank * rows : (self.rank + 1) * rows].clone()

        return self._each(torch.load(path, weights_only=True, mmap=True), share)

    def _each(self, kept: Mapping[str, Any], change: Callable[[str, Tensor], Tensor]) -> dict[str, Any]:
        def state(some: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {key: change(key, value) if key in self.shares else value for key, value in some.items()}

        return {**kept, "task": state(kept["task"]), "best": [(nll, state(some)) for nll, some in kept["best"]],
                "optimizer": [change(name, one) if one.dim() else one  # else the number of steps
                              for name, one in zip(self.moments, kept["optimizer"], strict=True)]}

    def agreed(self, mine: bool) -> bool:
        """What the first process says."""
        told = torch.tensor([float(mine)], device=next(iter(self.shares.values())).device)
        dist.broadcast(told, 0)
        return bool(told)


class _Root(nn.Module):
    """All calls of an objective come this way, where its weights are put together."""

    def __init__(self, objective: nn.Module) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, name: str, *about: Any) -> Tensor:
        found: Tensor = getattr(self.objective, name)(*about)
        return found


def _blocks(objective: nn.Module) -> Iterator[nn.Module]:
    """Of all encoders: what is called as a whole."""
    for part in objective.modules():
        for block in lora.row(part)[1] if isinstance(part, Encoder) else ():
            if type(block).forward is not nn.Module.forward and any(True for _ in block.parameters()):
                yield block


class _InOrder:
    """A reduce-scatter: each process gets the others' parts of its share, and adds them up in the order of a tree."""

    def allocate(self, size: Any, *, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.empty(size, dtype=dtype, device=device)

    def __call__(self, output_tensor: Tensor, input_tensor: Tensor, group: Any, op: Any, async_op: bool = False,
                 ) -> None:
        found, sums = torch.empty_like(input_tensor), Tree()
        dist.all_to_all_single(found, input_tensor, group=group)
        for one in found.view(-1, len(output_tensor)):
            sums.add(one)
        output_tensor.copy_(sums.total)


class Parts(Micro):
    """Of each round of micro-batches this process has one, and of its gradients a share."""

    def __init__(self, model: Sharded, parts: int, accelerator: Accelerator, seed: int) -> None:
        super().__init__(model, parts, accelerator, seed)
        self.model, self.trained = model, [model.shares[name] for name in model.trained]
        self.mine = range(model.rank, parts, model.count)

    def _taken(self, loss: Tensor, norms: list[Any], before: list[tuple[Tensor, Tensor]]) -> Tensor:
        for name, share in zip(self.model.trained, self.trained, strict=True):
            weight = self.model.weights[name]
            share.grad, weight.grad = None if weight.grad is None else weight.grad.to_local(), None
        found = super()._taken(loss, norms, before)
        rest = found[sum(share.numel() for share in self.trained) :]  # statistics and loss: of one part until here
        rest.copy_(gathered(rest, self.accelerator))
        return found

    def _whole(self, sums: Tensor) -> Tensor:
        return sums


class Optimizer(AdamW):
    """Of the shares. slower: by the id of a weight that the objective had."""

    def __init__(self, model: Sharded, weight_decay: float, clip: float, slower: Mapping[int, float]) -> None:
        shares = {name: model.shares[name] for name in model.trained}
        super().__init__(shares.values(), weight_decay, clip,
                         {id(model.shares[name]): slower[key] for key, name in model.ids.items() if key in slower})
        names = {id(share): name for name, share in shares.items()}
        self.model, self.flat = model, list[tuple[Tensor, Tensor]]()
        model.moments = [names[id(share)] for *_, group in self.groups for share, *rest in group for _ in rest]
        for k, (decay, rate, group) in enumerate(self.groups):
            flat = [(*map(_flat, some[:3]), some[3]) for some in group]
            self.flat += [(some[0], own[0]) for some, own in zip(group, flat, strict=True)]
            self.groups[k] = decay, rate, flat

    @torch.no_grad()
    def step(self, lr: float, loss: Tensor | float = 0.0) -> Tensor:
        gradients = {name: share.grad for name in self.model.trained
                     if (share := self.model.shares[name]).grad is not None}
        self.norm = self._norm_of(gradients)
        for share, flat in self.flat:
            flat[: share.numel()] = share.view(-1)
            flat.grad, share.grad = None if share.grad is None else _flat(share.grad), None
        found = super().step(lr, loss)
        for share, flat in self.flat:
            share.view(-1).copy_(flat[: share.numel()])
        return found

    def _norm(self, gradients: list[Tensor]) -> Tensor:
        return self.norm

    def _norm_of(self, gradients: Mapping[str, Tensor]) -> Tensor:
        """Of all shares together, in the order of their rows."""
        counts = {name: -(-self.model.sizes[name][0] // self.model.count) for name in gradients}
        own = torch.cat([pad(_rows(one), (0, counts[name] - len(one))) for name, one in gradients.items()])
        every = own.new_empty(self.model.count * len(own))
        dist.all_gather_single(every, own)
        columns = every.view(self.model.count, -1).split(list(counts.values()), 1)
        rows = [one.flatten()[: self.model.sizes[name][0]] for name, one in zip(counts, columns, strict=True)]
        return torch.cat(rows).sum().sqrt().float()

    def state(self) -> list[Tensor]:
        shapes = [share.shape for share, _ in self.flat]
        groups = [some for *_, group in self.groups for some in group]
        return [value for shape, (_, mean, square, steps) in zip(shapes, groups, strict=True)
                for value in (mean[: shape.numel()].view(shape), square[: shape.numel()].view(shape), steps)]


def _flat(share: Tensor) -> Tensor:
    """[n], the same memory; with zeros behind it where it has to be longer."""
    return pad(share.reshape(-1), (0, missing)) if (missing := -share.numel() % LANES) else share.view(-1)


def _rows(share: Tensor) -> Tensor:
    """The sum of squares of each row, float64 [R], by sums of two: vectors, and their ends, round those alike."""
    found = share.reshape(len(share), share[:1].numel() or 1).double().square()
    while (half := found.shape[1] // 2) > 0:
        found = torch.cat([found[:, :half] + found[:, half : 2 * half], found[:, 2 * half :]], 1)
    return found.squeeze(1)
