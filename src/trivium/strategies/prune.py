"""Magnitude pruning: joint training, then the smallest weights become 0 little by little while training goes on, then
the rest is fine-tuned (Han et al. 2015, arXiv 1506.02626, with the schedule of Zhu & Gupta 2017, arXiv 1710.01878).

Of each matrix and kernel of encoders and fusion, the share `sparsity` is 0 in the end, and stays 0 while it is
fine-tuned; biases, norms, positions and the head are left alone. The zeros make the stored file smaller once it is
packed. They make nothing faster: onnxruntime and torch multiply by them like by any number. Cost: three phases of joint
training within one budget.
"""

from typing import Annotated, Any

from pydantic import Field

from trivium.strategies.base import Fused, Phase, Plan, Rate

TITLE = "Pruned joint training from {start}"


class Settings(Fused):
    """dense_share, prune_share: of the budget after pretraining, before any weight is pruned, and while they are; the
    rest fine-tunes what is left.
    """

    sparsity: Annotated[float, Field(gt=0, lt=1)] = 0.8  # share of the weights that are 0 in the end
    dense_share: Annotated[float, Field(gt=0, lt=1)] = 0.4
    prune_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    finetune_lr: Rate = 3e-3  # peak learning rate from the first pruned weight on


def plan(settings: Settings) -> Plan:
    if (left := 1 - settings.dense_share - settings.prune_share) < 0.01:
        raise ValueError("dense_share and prune_share leave nothing of the budget to fine-tune what is left")

    def objective(rising: bool) -> dict[str, Any]:
        return {"name": "prune", "sparsity": settings.sparsity, "rising": rising}

    return Plan("fusion", settings.fusion, (
        Phase("dense", settings.dense_share, settings.lr),
        Phase("prune", settings.prune_share, settings.finetune_lr, objective=objective(True), keeps="last"),
        Phase("finetune", left, settings.finetune_lr, objective=objective(False))))
