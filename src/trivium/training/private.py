"""Training that hardly shows whether any one train row was there: differential privacy (DP-SGD; Abadi et al. 2016,
arXiv 1607.00133). Each row comes into a batch by its own draw (Poisson sampling), its gradient is cut to a norm, and
noise is added to the sum. Opacus counts what that spends: epsilon at a delta.

The gradient of a row is that of a backward pass of its own, which is exact for every network and slower than a batch.
Draws and noise come from a secret of this machine: whoever knew them could take the noise away again.

Legend: `N` train rows, `B` rows of a batch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from trivium.data.store import Batch
from trivium.settings.errors import UserError
from trivium.training import components, records
from trivium.training.feed import Feed

if TYPE_CHECKING:
    from accelerate import Accelerator

    from trivium.strategies.base import Private
    from trivium.training.settings import Loop

BYTES = 32


@dataclass(frozen=True)
class Noise:
    """clip: the largest norm of a row's gradient.  multiplier: the noise's deviation, in units of it.  secret: of this
    run alone; the noise of another one must be other.
    """

    clip: float
    multiplier: float
    secret: bytes

    def draws(self, what: str, step: int) -> np.random.Generator:
        """What nobody can draw again without the secret."""
        key = hashlib.blake2b(f"{what} {step}".encode(), key=self.secret, digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=np.frombuffer(key, np.uint64)))


def check(wanted: Private, loop: Loop, where: str, rows: int, trials: int) -> None:
    """Raises: UserError (settings that would spend what is not counted, or no library that counts)."""
    if find_spec("opacus") is None:
        raise UserError(f"`{where}.private` needs the package Opacus, which counts what privacy was spent: run "
                        "`.venv/bin/pip install -r private.in`.")
    if wanted.delta >= 1 / rows:
        raise UserError(f"params.yaml: `{where}.private.delta` is {wanted.delta:g}, and with {rows:,} train rows it "
                        f"would allow that one of them is simply shown: set it below {1 / rows:.1g}.")
    held = {"loop.micro_batches": loop.micro_batches, "loop.mixup": loop.mixup, "loop.shard": loop.shard,
            "loop.balance": loop.balance != "none", "tune.trials": trials}
    for name, on in held.items():
        if on:
            raise UserError(f"params.yaml: `{where}.private` looks at each row alone and counts each look, which "
                            f"`{name}` does not allow: switch that off, or leave `private` out.")


def secret(home: Path, unit: str) -> bytes:
    """That of the unit with the key `unit`. The one of this machine is made once, in the folder `home`."""
    path = home / "private.key"
    if not path.exists() or path.stat().st_size != BYTES:
        home.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        with open(os.open(scratch, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(os.urandom(BYTES))
        os.replace(scratch, path)
    return hashlib.blake2b(unit.encode(), key=path.read_bytes(), digest_size=BYTES).digest()


def noise(wanted: Private | None, steps: int, rate: float, secret: bytes) -> Noise | None:
    """The least with which `steps` batches, in which each row is with the chance `rate`, spend what is wanted.

    Raises: UserError (nothing is enough).
    """
    if wanted is None:
        return None
    from opacus.accountants.utils import get_noise_multiplier

    try:
        found = get_noise_multiplier(target_epsilon=wanted.epsilon, target_delta=wanted.delta, steps=steps,
                                            sample_rate=min(1.0, rate), accountant="rdp")
    except ValueError as error:
        raise UserError(f"No noise is strong enough for an epsilon of {wanted.epsilon:g} at a delta of "
                        f"{wanted.delta:g} in {steps:,} steps: set `private.epsilon` higher.") from error
    return Noise(wanted.clip, float(found), secret)


def record(wanted: Private | None, noise: Noise | None, steps: int, rate: float, recipe: str,
           ) -> records.Private | None:
    """What is said of a run of so many steps, with the components of `recipe`; None where it was not private."""
    if wanted is None or noise is None:
        return None
    besides = ["the validation rows, which chose among the weights and made the answers mean what they say",
               "what inputs are scaled by, vocabularies and the list of classes, which came from the train rows"]
    if components.told(recipe).objectives:
        besides.insert(0, f"the encoders, which the recipe `{recipe}` had trained on the same rows without it")
    rate = min(1.0, rate)
    return records.Private(epsilon=round(spent(noise.multiplier, rate, steps, wanted.delta), 4), delta=wanted.delta,
                           clip=noise.clip, noise=noise.multiplier, rate=rate, steps=steps, besides=besides)


def spent(noise: float, rate: float, steps: int, delta: float) -> float:
    """Epsilon, by Rényi differential privacy (Mironov et al. 2019, arXiv 1908.10530)."""
    from opacus.accountants import RDPAccountant

    accountant = RDPAccountant()
    accountant.history = [(noise, rate, steps)]
    return float(accountant.get_epsilon(delta))


class Drawn:
    """What `fit` asks of a feed of train rows: batches whose size is drawn too."""

    def __init__(self, feed: Feed, noise: Noise) -> None:
        self.feed, self.noise = feed, noise

    def __len__(self) -> int:
        return len(self.feed)

    def training(self, batch: int, start: int, stop: int) -> Iterator[Batch]:
        for step in range(start, stop):
            index = self._index(batch, step)
            found, weight = self.feed.take(index), self.feed.weight
            if weight is not None:
                own = weight[index].to(found.y.device)
                found = replace(found, weight=own if found.weight is None else own * found.weight)
            yield found if self.feed.augment is None or not len(found) else self.feed.augment(found, step)

    def named(self, batch: int, step: int) -> list[str]:
        return self.feed.names(self._index(batch, step))

    def _index(self, batch: int, step: int) -> Tensor:
        chosen = self.noise.draws("rows", step).random(len(self.feed.rows)) < batch / len(self.feed)
        if self.feed.keep is not None:
            chosen &= self.feed.keep.numpy()
        return torch.from_numpy(np.flatnonzero(chosen))


class Gradients:
    """Leaves the noisy mean of the rows' gradients. batch: how many rows are to be expected in one."""

    def __init__(self, objective: nn.Module, noise: Noise, batch: int, accelerator: Accelerator) -> None:
        self.objective, self.noise, self.batch, self.accelerator = objective, noise, batch, accelerator
        self.trained = [weight for weight in objective.parameters() if weight.requires_grad]

    def backward(self, batch: Batch, step: int) -> Tensor:
        """Returns 0 for the loss, which nobody may know."""
        sums = [torch.zeros_like(weight) for weight in self.trained]
        for k in range(len(batch)):
            self._loss(batch[k: k + 1]).backward()
            own = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in self.trained]
            norm = torch.linalg.vector_norm(torch.cat([one.flatten() for one in own]))
            share = (self.noise.clip / norm.clamp(min=1e-12)).clamp(max=1.0)
            good = norm.isfinite()  # a row whose gradient is no number says nothing
            for total, one in zip(sums, own, strict=True):
                total += torch.where(good, one * share, 0.0)
            for weight in self.trained:
                weight.grad = None
        drawn = self.noise.draws("noise", step).standard_normal(sum(one.numel() for one in sums), np.float32)
        noises = torch.from_numpy(drawn).to(sums[0].device).split([one.numel() for one in sums])
        for weight, total, noise in zip(self.trained, sums, noises, strict=True):
            weight.grad = (total + self.noise.multiplier * self.noise.clip * noise.view_as(total)) / self.batch
        return torch.zeros((), device=sums[0].device)

    def _loss(self, one: Batch) -> Tensor:
        objective: Any = self.objective
        with self.accelerator.autocast():
            each: Tensor = objective.task.losses(objective.outputs(one), one.y)
        return (each if one.weight is None else each * one.weight).sum()
