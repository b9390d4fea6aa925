"""A model as one ONNX graph: `present` and an input per stream that is read, in; the task's answer, out.

The same model gives the same bytes, on any machine with the same versions: names of files and of people's modules,
which the exporter writes beside every node, are taken out.

Legend: `B` samples, `S` streams, `T` tokens, `L` n-grams.
"""

from __future__ import annotations

import ast
import logging
import re
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trivium.runtime.folder import ANSWER, INPUT, PRESENT, SHORTEST
from trivium.runtime.runner import session
from trivium.settings.errors import UserError
from trivium.settings.failures import of_machine

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trivium.modalities.spec import Spec
    from trivium.models.network import Model

ROWS = 3  # of the example: with one, the exporter takes the number of rows for a constant
GRAMS = 5  # n-grams of the example
LARGEST = 2**31 - 1  # bytes of a graph that is one file
OPERATOR = re.compile(r"(?:implementation for |OpOverload\(op='|operator |torch\.ops\.)(?:aten[.:]+)?(\w+(?:\.\w+)*)")


class Unsayable(UserError):
    """What ONNX has no words for."""


@dataclass(frozen=True)
class Written:
    """short: the streams whose texts may be cut behind the longest of a batch.  exact: nodes that 8 bits would spoil,
    since their numbers are of all sizes: heads and probes, and parts in which nothing is trained, such as a spectrum.
    """

    short: tuple[str, ...]
    exact: tuple[str, ...]


def write(model: Model, path: Path) -> Written:
    """The graph of `model`, as `trivium.models.load` gives it, at `path`; the model is not to be used after that.

    Raises: Unsayable.
    """
    import torch

    from trivium.serving.export.spelled import spelled

    specs = {s: part.spec for s, part in model.readers.items()}
    short = tuple(s for s, part in model.readers.items() if specs[s].kind == "tokens" and part.published
                  and not part.whole and hasattr(part, "native"))
    whole = _whole(model)
    inputs = {s: example(spec) for s, spec in specs.items()}
    present = torch.ones(ROWS, len(model.streams), dtype=torch.bool)
    rows = torch.export.Dim("rows")
    shapes: dict[str, Any] = {PRESENT: {0: rows}, "inputs": {s: {0: rows} for s in specs}}
    for s, spec in specs.items():
        if spec.kind == "counts":
            shapes["inputs"][s][1] = torch.export.Dim(f"grams_{s}")
        elif s in short:
            shapes["inputs"][s][1] = torch.export.Dim(f"longest_{s}", min=SHORTEST, max=spec.shape[0])
    try:
        with spelled(model), _quiet(), torch.inference_mode(False), torch.no_grad():
            followed = torch.export.export(whole, (), {PRESENT: present, "inputs": inputs}, dynamic_shapes=shapes,
                                           strict=False)
            program = torch.onnx.export(followed, dynamo=True, verbose=False, output_names=[ANSWER],
                                        input_names=[PRESENT, *(INPUT + s for s in specs)])
            assert program is not None
            proto = program.model_proto
    except ImportError as error:
        raise UserError(f"{error.name} is not installed, and an export needs it: pip install onnx onnxscript "
                        "onnxruntime.") from None
    except Exception as error:  # whatever the exporter, or a part that it follows, has to say
        if of_machine(error):  # which is no property of the model
            raise
        raise Unsayable(refusal(error)) from error
    exact = _exact(whole, model, proto)
    bare(proto)
    if proto.ByteSize() > LARGEST:
        raise Unsayable(f"The graph of this model has {proto.ByteSize() / 1e9:.1f} GB, and one file of ONNX holds 2 at "
                        "most: take the MLflow model instead (docs/using-the-model.md).")
    path.write_bytes(proto.SerializeToString(deterministic=True))
    try:
        session(path)
    except RuntimeError as error:  # what ONNX can say, and onnxruntime does not know
        if of_machine(error):
            raise
        path.unlink()
        raise Unsayable(refusal(error)) from error
    return Written(short, exact)


def _exact(whole: torch.nn.Module, model: Model, proto: Any) -> tuple[str, ...]:
    named = dict(whole.named_modules())
    bodies = [*model.readers.values(), *([model.fusion] if hasattr(model, "fusion") else [])]
    rough = {id(part) for body in bodies for part in body.modules() if any(True for _ in part.parameters())}
    found = []
    for node in proto.graph.node:
        scopes = [name for one in node.metadata_props if one.key.endswith("name_scopes")
                  for name in ast.literal_eval(one.value) if name in named]
        if not scopes or id(named[scopes[-1]]) not in rough:
            found.append(node.name)
    return tuple(found)


def example(spec: Spec) -> Tensor:
    """Inputs of `ROWS` samples, as `runtime.inputs` makes them."""
    import torch

    draw = torch.Generator().manual_seed(0)
    if spec.kind == "tokens":
        return torch.randint(3, max(4, spec.vocab), (ROWS, *spec.shape), generator=draw)
    if spec.kind == "counts":
        return torch.randint(1, 4, (ROWS, GRAMS, 2), generator=draw)
    if spec.kind == "columns":
        return torch.ones(ROWS, *spec.shape)
    return torch.randn(ROWS, *spec.shape, generator=draw)


def _whole(model: Model) -> torch.nn.Module:
    from torch import nn

    class Whole(nn.Module):
        """All inputs by name, which is what the exporter follows."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, present: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
            return self.model(inputs, present).float()

    return Whole().eval()


def bare(proto: Any) -> None:
    """Without what differs from machine to machine: paths, stacks and builds."""
    proto.doc_string = proto.producer_version = ""
    del proto.metadata_props[:]
    for function in proto.functions:
        _strip(function)
        _nodes(function.node)
    _graph(proto.graph)


def _graph(graph: Any) -> None:
    _strip(graph)
    del graph.value_info[:]
    for one in (*graph.input, *graph.output, *graph.initializer):
        _strip(one)
    _nodes(graph.node)


def _nodes(nodes: Any) -> None:
    for node in nodes:
        _strip(node)
        for attribute in node.attribute:
            attribute.doc_string = ""
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _graph(inner)


def _strip(part: Any) -> None:
    part.doc_string = ""
    del part.metadata_props[:]


def refusal(error: Exception) -> str:
    """One sentence that names what cannot be exported."""
    chain, one = list[BaseException](), cast(BaseException | None, error)
    while one is not None and len(chain) < 10:
        chain.append(one)
        one = one.__cause__ or one.__context__
    said = "\n".join(str(part) for part in chain)
    if found := OPERATOR.search(said):
        what = f"the operator `{found.group(1)}`"
    else:
        files = [frame.filename for part in chain for frame in traceback.extract_tb(part.__traceback__)]
        own = [name.split("/trivium/")[-1] for name in files if _ours(name)]
        what = f"what `{own[-1]}` does" if own else f"a part ({type(error).__name__})"
    return (f"ONNX cannot say {what} of this model: take the MLflow model instead, models:/trivium@recommended or that "
            "of the strategy's run (docs/using-the-model.md).")


def _ours(file: str) -> bool:
    """Whether a file is of this package, but for what exports, or of somebody who adds to it."""
    if "/trivium/" in file:
        return "/serving/export/" not in file
    return "/site-packages/" not in file and not file.startswith((sys.base_prefix, "<"))


@contextmanager
def _quiet() -> Iterator[None]:
    """What the exporter and its libraries say to their developers is not for people."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [one.level for one in loggers]
    try:
        for one in loggers:
            one.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
