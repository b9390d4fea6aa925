"""What training records, made up."""

from typing import Any

from trivium.training.records import Parameters, Reached, Seed, Skipped, Spent, Started, Step, Trained

SPENT = Spent(budget=200.0, pretrain=100.0, train=100.0, total=200.0)


def step(flops: float, train_loss: float | None, val_nll: float, val_score: float, phase: str = "joint") -> Step:
    return Step(step=0, epoch=0.0, phase=phase, flops=flops, train_loss=train_loss, val_nll=val_nll,
                val_score=val_score)


def seed(number: int = 0, nll: float = 0.4, **changes: Any) -> Seed:
    found = Seed(seed=number, history=[], validation=Reached(nll=nll, score=0.9), calibration=1.5, flops=SPENT,
                 parameters=Parameters(total=7, trained=3))
    return found.model_copy(update=changes)


def trained(name: str, *seeds: Seed, start: str = "supervised", skipped: str = "") -> Trained:
    """skipped: the sentence that says why."""
    why = Skipped(budget=2e9, needed=5e9, setting="`budget.epochs: 50`", sentence=skipped) if skipped else None
    return Trained(entry=name, title=name, strategy=name, start=start, fusion=None, seeds=list(seeds), skipped=why,
                   recipe=Started(objectives=[], encoders={}, published=[], external=""))
