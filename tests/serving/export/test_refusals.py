"""What ONNX has no words for is named."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests import networks
from tests.serving.export.exported import inputs
from trivium.modalities.spec import Spec
from trivium.models.network import Multimodal
from trivium.serving.export import graph, processors
from trivium.serving.export.graph import Unsayable

SPECS = {"scan": Spec("scan", "image", (3, 8, 8), modality="image")}


class Roots(nn.Module):
    width = 16

    def forward(self, vectors: dict[str, Tensor], present: Tensor) -> Tensor:
        square = vectors["scan"].unsqueeze(1) * vectors["scan"].unsqueeze(2)
        return torch.linalg.eigvalsh(square)


class Asks(nn.Module):
    """Goes another way when a number is large."""

    width = 16

    def forward(self, vectors: dict[str, Tensor], present: Tensor) -> Tensor:
        return vectors["scan"] * (2 if vectors["scan"].sum().item() > 3 else 1)


def model(fusion: nn.Module) -> Multimodal:
    made = networks.multimodal(SPECS, 3)
    return Multimodal(dict(made.encoders.items()), fusion, nn.Linear(16, 3), made.task).eval()


@pytest.mark.slow
@pytest.mark.parametrize(("fusion", "what"), [
    (Roots(), r"the operator `\w*eigh\w*(\.\w+)?`"), (Asks(), "what `.*test_refusals.py` does")])
def test_one_sentence_names_the_operator_or_the_part(fusion: nn.Module, what: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    bad = model(fusion)
    bad(*inputs(bad))  # with torch it answers
    said = f"ONNX cannot say {what}.* of this model: take the MLflow model instead"
    with pytest.raises(Unsayable, match=said) as error:
        graph.write(bad, tmp_path / "a.onnx")
    assert "\n" not in str(error.value) and not (tmp_path / "a.onnx").exists()


def test_a_processor_of_transformers() -> None:
    about = {"spec": {}, "processor": {"name": "extracted"}, "statistics": None, "tokenizer": None}
    made = networks.multimodal(SPECS, 3)
    with pytest.raises(Unsayable, match="The processor `extracted` of the stream scan is that of transformers.*MLflow"):
        processors.of(made, {"seed": 0, "streams": {"scan": about}}, "frozen", "Frozen", ())
