"""What is predicted: one file per task, which is the only place that knows what a target looks like.

A task owns its target, the width of heads, losses, calibration, the metrics and what they are called. No room above
asks which task it is: it asks the task. `base.Task` says what that is; `Probabilities`, `Odds` and `Normal` answer it
for three sorts of answers, and `shown` says how each sort is shown.

To add one, write `tasks/<name>.py` with a `Settings` and a `TASK`, and name it in params.yaml: `task: regression`, or
`task: {name: ordinal, order: [low, mid, high]}`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from trivium.settings import parts
from trivium.tasks.base import Task

SHARED = ("base", "cells", "links", "losses", "measured", "metric", "normal", "numbers", "odds", "probabilities",
          "probed", "probing", "scores", "shown", "tags", "temperature", "weighing")


def names() -> tuple[str, ...]:
    return parts.names(sys.modules[__name__])


def kind(name: str, where: str = "task") -> type[Task]:
    """Raises: UserError (no such task)."""
    return parts.get(sys.modules[__name__], name, "task", where).TASK


def chosen(value: str | Mapping[str, Any], where: str = "task") -> tuple[type[Task], Any]:
    """The task that `value` of params.yaml names, and its typed settings. Raises: UserError."""
    name, own = parts.split(value, where)
    part = parts.get(sys.modules[__name__], name, "task", where)
    return part.TASK, parts.typed(part.Settings, own, where)


def of(about: Mapping[str, Any]) -> Task:
    """From what `Task.plain` gave."""
    own = dict(about)
    return kind(own.pop("name")).of(own)
