"""What is predicted: one file per task, which is the only place that knows what a target looks like.

A task owns its target, the width of heads, losses, calibration, the metrics and what they are called. No room above
asks which task it is: it asks the task. `base.Task` says what that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.tasks.base import Task
from trivium.tasks.classification import Classification
from trivium.tasks.regression import Regression

TASKS = {one.name: one for one in (Classification, Regression)}


def of(about: Mapping[str, Any]) -> Task:
    """From what `Task.plain` gave."""
    own = dict(about)
    return TASKS[own.pop("name")].of(own)
