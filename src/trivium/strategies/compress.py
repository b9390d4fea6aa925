"""Distillation of an ensemble into one small network: the recipe's classifiers answer together, and a narrower network
learns to say what they say (Hinton et al. 2015, arXiv 1503.02531).

The teacher is what `ensemble` makes of the recipe `start`: its classifiers, calibrated, whose answers are pooled in the
way `teacher`, product or mean. The student has the same encoders with the share `student` of their width, in whole
eights, and starts from random weights. What it minimises is alpha L + (1 - alpha) S, where L is the task's loss on the
labels and S is how far it is from the teacher's answers: of classes T^2 KL of both at the temperature T, of tags the
same of each tag, of numbers the task's loss against what the teacher predicts.

Cost: the recipe is charged as to any strategy, and each step pays for the teacher's forward pass on what the student
sees. So the recipe should leave enough of the budget: `supervised_half` does.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Small network taught by the ensemble from {start}"


class Settings(Fused):
    teacher: Literal["product", "mean"] = "product"  # how the classifiers' answers are pooled: see `ensemble`
    student: Annotated[float, Field(gt=0, le=1)] = 0.5  # share of the encoders' width that the student's have
    alpha: Annotated[float, Field(ge=0, le=1), Range(0.05, 0.9)] = 0.1  # share of the loss that the labels have
    temperature: Annotated[float, Field(gt=0), Range(1.0, 8.0, log=True)] = 2.0  # at which both are compared


def plan(settings: Settings) -> Plan:
    objective: dict[str, Any] = {"name": "compress", "teacher": settings.teacher, "alpha": settings.alpha,
                                 "temperature": settings.temperature}
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr, objective=objective),), teachers=True,
                student=settings.student)
