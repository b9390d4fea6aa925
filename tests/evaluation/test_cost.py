"""Cost of answers. Seconds differ every time; their kind does not."""

import torch

from tests import networks
from trivium.data.store import Batch
from trivium.evaluation import cost
from trivium.modalities.spec import Spec


def test_inference() -> None:
    spec = Spec("image", "image", (1, 8, 8))
    model = networks.multimodal({"image": spec}, 3).eval()
    batch = Batch({"image": torch.randn(5, 1, 8, 8)}, torch.ones(5, 1, dtype=torch.bool), torch.zeros(5).long())
    found = cost.inference(model, batch)
    assert 0 < found.latency_p50_seconds <= found.latency_p95_seconds < 1
    assert found.samples_per_second > 100 and found.device == "cpu"
    assert found.parameters == sum(p.numel() for p in model.parameters())
