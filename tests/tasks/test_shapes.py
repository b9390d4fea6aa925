"""Every task that is registered keeps to the shapes that `tasks/base.py` promises: a new file is tried, too.

Legend: `B` samples, `P` models, `C` outputs, `A` numbers of an answer, `W` what is stored of one, `K` the shape of a
target.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int, Shaped, jaxtyped
from torch import Tensor

from tests import networks
from trivium import fusion, models, tasks
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.objectives.network.joint import Joint
from trivium.tasks import Task

SAMPLES = 6
EXAMPLES: dict[str, tuple[dict[str, Any], list[Any]]] = {  # what `Task.of` takes, and a target of each sample
    "classification": ({"classes": ["bird", "cat", "dog"]}, [0, 1, 2, 2, 1, 0]),
    "multilabel": ({"tags": ["red", "round"]}, [[0, 1], [1, 1], [0, 0], [1, 0], [0, 1], [1, 0]]),
    "ordinal": ({"classes": ["low", "mid", "high"]}, [0, 1, 2, 2, 1, 0]),
    "regression": ({"targets": {"price": "EUR", "area": ""}},
                   [[3.0, 1.0], [1.0, 2.0], [4.0, 7.0], [1.5, 1.0], [5.0, 8.0], [9.0, 2.0]]),
}


def example(name: str) -> tuple[Task, Tensor]:
    """The task as it is at a seed, and targets."""
    if name not in EXAMPLES:
        pytest.fail(f"there is no example of the task `{name}`: add one to EXAMPLES in tests/tasks/test_shapes.py")
    about, targets = EXAMPLES[name]
    task = tasks.of({"name": name} | about)
    y = torch.tensor(targets, dtype=task.example(1).dtype)
    return task.fitted(y.numpy()), y


@pytest.fixture(autouse=True)
def legend() -> Iterator[None]:
    """A letter means the same number all through a test."""
    with jaxtyped("context"):
        check(np.zeros(SAMPLES), Shaped[np.ndarray, "B"])
        yield


def check(value: Any, said: Any) -> None:
    assert isinstance(value, said), f"it says {said.__name__}, and is {value.dtype} {list(value.shape)}"


@pytest.mark.parametrize("name", tasks.names())
def test_a_network(name: str) -> None:
    task, y = example(name)
    specs = {"text": Spec("text", "tokens", (6,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}
    model = models.multimodal(networks.encoders(specs), task, fusion.chosen("concat", "fusion"), 0)
    inputs = {"text": torch.randint(3, 20, (SAMPLES, 6)), "image": torch.randn(SAMPLES, 1, 8, 8)}
    joint, batch = Joint(model), Batch(inputs, torch.ones(SAMPLES, 2, dtype=torch.bool), y)
    outputs = joint.outputs(batch)
    check(outputs, Float32[Tensor, f"B {task.outputs}"])
    check(joint.loss(batch, torch.Generator()), Float32[Tensor, ""])
    assert math.isfinite(joint.nll(outputs.detach(), y))
    check(task.answer(outputs, task.uncalibrated()), Float[Tensor, "B A"])
    check(model(inputs, batch.present), Float[Tensor, "B A"])


@pytest.mark.parametrize("name", tasks.names())
def test_training_and_probes(name: str) -> None:
    task, y = example(name)
    outputs = torch.randn(SAMPLES, task.outputs)
    check(y, Shaped[Tensor, "B *K"])
    check(task.example(SAMPLES), Shaped[Tensor, "B *K"])
    check(outputs, Float32[Tensor, "B C"])
    check(task.losses(outputs, y), Float32[Tensor, "B"])
    check(task.loss(outputs, y, torch.ones(SAMPLES)), Float32[Tensor, ""])
    check(task.uncalibrated(), Float[Tensor, "*calibration"])
    check(task.calibration(outputs, y), Float[Tensor, "*calibration"])
    check(task.answer(outputs, task.calibration(outputs, y)), Float[Tensor, "B A"])
    check(task.nothing(y.numpy()), Float32[np.ndarray, "C"])
    columns = torch.cat([torch.randn(SAMPLES, 2), torch.ones(SAMPLES, 1)], 1).double()
    check(task.probed(columns, y, columns[:4]), Float[Tensor, "4 A"])
    scores, present = torch.randn(SAMPLES, 2, task.outputs), torch.rand(SAMPLES, 2) < 0.5
    nothing = torch.from_numpy(task.nothing(y.numpy()))
    for way in ("mean", "concatenation"):
        given = scores, present, way, torch.zeros(task.outputs), nothing
        check(task.total(*given), Float[Tensor, "B C"])
        check(task.combined(*given, task.uncalibrated()), Float[Tensor, "B A"])


@pytest.mark.parametrize("name", tasks.names())
def test_answers(name: str) -> None:
    task, y = example(name)
    several = torch.stack([task.answer(torch.randn(SAMPLES, task.outputs), task.uncalibrated()) for _ in range(3)])
    answers = several[0]
    task = task.decided(answers, y)
    check(several, Float32[Tensor, "P B A"])
    check(task.pooled(several, torch.rand(3, SAMPLES) < 0.5), Float32[Tensor, "B A"])
    for each in (task.right, task.log_likelihood):
        check(each(answers, y), Float64[Tensor, "B"])
        check(each(several, y), Float64[Tensor, "P B"])
    check(y, Shaped[Tensor, "B *K"])
    check(task.guess(answers), Shaped[Tensor, "B *K"])
    check(task.support(answers, task.guess(answers)), Float[Tensor, "B"])
    for found in task.telling(answers, y).values():
        check(found, Float[Tensor, "B"])
    for found in task.parts(y).values():
        check(found, Bool[Tensor, "B"])


@pytest.mark.parametrize("name", tasks.names())
def test_metrics(name: str) -> None:
    task, y = example(name)
    targets, stored = y.numpy(), task.stored(task.answer(torch.randn(SAMPLES, task.outputs), task.uncalibrated()))
    check(targets, Shaped[np.ndarray, "B *K"])
    check(stored, Float64[np.ndarray, "B W"])
    check(task.prediction(stored), Shaped[np.ndarray, "B *K"])
    check(task.truth(stored, targets), Float64[np.ndarray, "B"])
    check(task.strata(targets), Int[np.ndarray, "B"])
    check(task.tally(targets), Int[np.ndarray, f"{len(task.categories)}"])
    weights = np.random.default_rng(0).random((SAMPLES, 4))
    for outcome in (task.outcome(stored, targets), task.constant(targets, targets)):
        check(outcome.prediction, Shaped[np.ndarray, "B *K"])
        check(outcome.nll, Float64[np.ndarray, "B"])
        for found in task.weighted(outcome, weights, tuple(task.metrics)).values():
            check(found, Float64[np.ndarray, "4"])


def test_a_task_without_an_example_says_where_to_add_one() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"no example of the task `new`: add one to EXAMPLES in tests/tas"):
        example("new")
