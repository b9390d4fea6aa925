"""What the strategies took on this machine: memory to train, and time and energy to answer.

Reads `reports/measured/`: of the training stage, and `inference` of evaluate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trivium.drawing import numbers
from trivium.machine.measured import Measured
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Table, name

COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("peak_memory_bytes", "memory to train", numbers.memory),
    ("peak_gpu_memory_bytes", "GPU memory to train", numbers.memory),
    ("joules", "energy to train", lambda v: numbers.scaled_down(v, "J")),
    ("latency_p50_seconds", "one answer, median", lambda v: numbers.scaled_down(v, "s")),
    ("latency_p95_seconds", "one answer, 95 %", lambda v: numbers.scaled_down(v, "s")),
    ("samples_per_second", "answers per second", numbers.whole),
    ("joules_per_sample", "energy per answer", lambda v: numbers.scaled_down(v, "J")),
)


@dataclass(frozen=True)
class Context:
    """`device`: ", on the CPU", where it is known what answered."""

    table: Table
    device: str


def context(inputs: Inputs) -> Context | None:
    values = {strategy: _measured(inputs, strategy) for strategy in inputs.order}
    columns = [column for column in COLUMNS if any(numbers.known(found.get(column[0])) for found in values.values())]
    if not any(numbers.known(found.get(key)) for found in values.values() for key, _, _ in COLUMNS[1:]):
        return None
    rows = [
        [Cell(name(inputs, strategy), strategy, head=True)]
        + [Cell(text(found.get(key)), found.get(key), classes="number") for key, _, text in columns]
        for strategy, found in values.items()
    ]
    used = {"cuda": ", on the GPU", "cpu": ", on the CPU"}
    device = next((used[found["device"]] for found in values.values() if found.get("device") in used), "")
    columns_said = ["strategy", *(title for _, title, _ in columns)]
    return Context(Table("Cost on this machine", columns_said, rows, sort=True), device)


def _measured(inputs: Inputs, strategy: str) -> dict[str, Any]:
    trained = inputs.measured.get(f"train@{strategy}", Measured())
    answered = inputs.measured.get(f"evaluate@{strategy}", Measured()).inference
    return dict(trained) | (dict(answered) if answered else {})
