"""An exported model that answers to raw rows.

Legend: `B` samples, `S` streams, `T` tokens, `A` numbers of an answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trivium import tasks
from trivium.machine import digests
from trivium.runtime.answering import Answering
from trivium.runtime.folder import ANSWER, GRAPH, INPUT, INT8, PRESENT, SHORTEST, Processors
from trivium.runtime.inputs import Inputs
from trivium.runtime.stored import stored
from trivium.settings.errors import UserError

DAMAGED = ("{} is damaged: its content is not what was exported. `trivium export NAME` makes it again; of an out of "
           "the pipeline, `trivium verify` says what brings it back.")


class Runner(Answering):
    """folder: what `trivium export` made;  int8: whether the smaller graph answers;  threads: of one answer. One is the
    fastest for small models, and several runners may stand side by side.

    Raises: UserError (no such folder, or one of another version; onnxruntime is not there).
    """

    def __init__(self, folder: str | Path, int8: bool = False, threads: int = 1) -> None:
        home = Path(folder)
        self.about = Processors.of(home)
        self.folder, self.task = home, tasks.of(self.about.task)
        self.inputs = Inputs({s: one.model_dump() for s, one in self.about.streams.items()}, list(self.about.streams))
        self.streams, self.read = self.inputs.streams, self.about.read
        graph = home / (INT8 if int8 else GRAPH)
        try:
            self.session = session(graph, threads, self.about.sha256.get(graph.name))
        except Exception as error:
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            raise UserError(DAMAGED.format(graph)) from None  # of a folder that does not know its graph's digest

    def computed(self, inputs: dict[str, np.ndarray], present: np.ndarray) -> np.ndarray:
        return stored(self.task, self.graph(inputs, present))

    def graph(self, inputs: dict[str, np.ndarray], present: np.ndarray) -> np.ndarray:
        """The graph's answers, float32 [B, A]: of classes their log-probabilities."""
        fed = {INPUT + s: short(inputs[s]) if s in self.about.short else inputs[s] for s in self.read}
        (found,) = self.session.run([ANSWER], {PRESENT: present} | fed)
        return found


def short(ids: np.ndarray) -> np.ndarray:
    """Token ids [B, T] without the columns behind the longest text; `SHORTEST` are always left."""
    used = np.flatnonzero(ids.any(0))
    return ids[:, : max(SHORTEST, int(used[-1]) + 1 if len(used) else 0)]


def session(graph: Path, threads: int = 1, digest: str | None = None) -> Any:
    """What onnxruntime answers with, on the CPU. digest: of the graph, where it is known. Raises: UserError."""
    try:
        import onnxruntime
    except ImportError:
        raise UserError("onnxruntime is not installed, and it computes the answers of an exported model: "
                        "pip install 'trivium[runtime]', or the requirements.txt of the model's folder.") from None
    if not graph.exists():
        raise UserError(f"There is no {graph.name} in {graph.parent.resolve()}: `trivium export NAME"
                        f"{' --int8' if graph.name == INT8 else ''}` makes it.")
    if digest and digests.of(graph) != digest:
        raise UserError(DAMAGED.format(graph))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
