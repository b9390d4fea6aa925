"""Cost of answers. Seconds differ every time; their kind does not."""

import torch

from trivium import models
from trivium.data.store import Batch
from trivium.evaluation import cost
from trivium.modalities.spec import Spec


def test_inference() -> None:
    spec = Spec("image", "image", (1, 8, 8))
    settings = {"width": 16, "depth": 1, "text": "cnn", "image": "cnn", "audio": "cnn"}
    model = models.multimodal(settings, {"image": spec}, 3, "concat", seed=0).eval()
    batch = Batch({"image": torch.randn(5, 1, 8, 8)}, torch.ones(5, 1, dtype=torch.bool), torch.zeros(5).long())
    found = cost.inference(model, batch)
    assert 0 < found["latency_p50_seconds"] <= found["latency_p95_seconds"] < 1
    assert found["samples_per_second"] > 100 and found["device"] == "cpu"
    assert found["parameters"] == sum(p.numel() for p in model.parameters())
