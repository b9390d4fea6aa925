"""A graph with numbers of 8 bits, smaller and faster: how it is made, and what it costs in answers.

Static: how large the numbers inside become is measured once, on train rows, so that an answer does not depend on what
else is in its batch, as it would where each batch is measured (dynamic). Weights have a scale per output channel.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.data.store import Store
from trivium.runtime.folder import GRAPH, INPUT, INT8, PRESENT
from trivium.runtime.runner import Runner
from trivium.serving.export.graph import bare
from trivium.serving.export.record import Int8
from trivium.settings.errors import UserError
from trivium.settings.failures import of_machine

CALIBRATED = 256  # train rows
TESTED = 2000  # test rows, at most
LEAST = 0.8  # share of the predictions that must stay: what changes more of them is another model
BATCH = 32
KINDS = ["Conv", "Gemm", "MatMul"]  # operators with weights: what is left has next to none of the work


def write(folder: Path, store: Store, seed: int, exact: Sequence[str] = ()) -> Int8:
    """The smaller graph beside the one in `folder`, and what it costs on the test set of `seed`. exact: nodes that stay
    as they are.

    Raises: UserError (the graph cannot be said in 8 bits, or too few answers stay).
    """
    import onnx
    from onnxruntime import quantization

    whole, left = Runner(folder), [node for node in onnx.load(str(folder / GRAPH)).graph.node
                                   if node.op_type in KINDS and node.name not in exact]
    if not left:
        raise UserError("There is nothing in this model but probes, which need exact numbers: it has no graph of 8 "
                        "bits.")
    train = store.rows(seed, "train")[:CALIBRATED]
    logging.disable(logging.WARNING)  # advice for developers
    try:
        with tempfile.TemporaryDirectory() as scratch:
            made = Path(scratch) / INT8
            quantization.quantize_static(
                str(folder / GRAPH), str(made), Rows(whole, store, train, seed), per_channel=True,
                quant_format=quantization.QuantFormat.QDQ, op_types_to_quantize=KINDS,
                nodes_to_exclude=list(exact))
            proto = onnx.load(str(made))
        bare(proto)
        (folder / INT8).write_bytes(proto.SerializeToString(deterministic=True))
        small = Runner(folder, int8=True)
    except Exception as error:  # whatever the quantiser makes of a graph
        if of_machine(error):  # which is no property of the graph
            raise
        (folder / INT8).unlink(missing_ok=True)
        raise UserError(f"This model cannot be said in 8 bits ({type(error).__name__}: {str(error).splitlines()[0]}): "
                        "take the whole graph.") from error
    finally:
        logging.disable(logging.NOTSET)
    found = _judged(whole, small, store, store.rows(seed, "test")[:TESTED], seed, len(train))
    if found.same < LEAST:
        (folder / INT8).unlink()
        raise UserError(f"With 8 bits, only {found.same:.0%} of {found.rows:,} predictions on the test set stay what "
                        f"they are, and {found.metric} goes from {found.before:.3g} to {found.after:.3g}: that graph "
                        "is left out.")
    return found


class Rows:
    """What the quantiser measures the graph with: inputs of train rows, a batch at a time."""

    def __init__(self, runner: Runner, store: Store, rows: np.ndarray, seed: int) -> None:
        self._batches = (batch for batch, _ in batches(runner, store, rows, seed))

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def batches(runner: Runner, store: Store, rows: np.ndarray, seed: int) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Inputs of the graph, and their rows."""
    for part in np.split(rows, range(BATCH, len(rows), BATCH)):
        batch = store.batch(part, seed, runner.read)
        yield ({PRESENT: batch.present.numpy()} | {INPUT + s: batch.inputs[s].numpy() for s in runner.read}), part


def _judged(whole: Runner, small: Runner, store: Store, rows: np.ndarray, seed: int, calibrated: int) -> Int8:
    task, y, weight = whole.task, store.labels(rows), store.weights(rows)
    metric = task.metrics[task.primary]
    stored = []
    for runner in (whole, small):
        parts = []
        for _, part in batches(runner, store, rows, seed):
            batch = store.batch(part, seed, runner.read)
            parts.append(runner.computed({s: x.numpy() for s, x in batch.inputs.items()}, batch.present.numpy()))
        stored.append(np.concatenate(parts))
    before, after = (task.scores(task.outcome(one, y), (task.primary,), weight)[task.primary] for one in stored)
    same = np.mean([np.array_equal(a, b) for a, b in zip(*(task.prediction(one) for one in stored), strict=True)])
    return Int8(bytes=(small.folder / INT8).stat().st_size, calibrated=calibrated, rows=len(rows), metric=metric.key,
                before=round(before, 6), after=round(after, 6), same=round(float(same), 6),
                loss=round(metric.scale * (before - after) * (1 if metric.higher else -1), 3), unit=metric.unit)
