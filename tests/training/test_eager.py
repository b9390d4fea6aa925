"""Without torch's compiler: the same steps and the same counts as torch's own, and the compiler stays out."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from trivium import models
from trivium.data.store import Spec
from trivium.training import budget, eager

SPECS = {"text": Spec("text", "tokens", (12,), vocab=50), "image": Spec("image", "image", (3, 16, 16))}

ALONE = """
import sys
import torch
from trivium.training import budget, eager

layer = torch.nn.Linear(3, 2)
budget.counted(lambda: layer(torch.ones(2, 3)).sum())
optimizer = eager.AdamW([{"params": [layer.weight]}, {"params": [layer.bias], "weight_decay": 0.0}], fused=True)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
layer(torch.ones(2, 3)).sum().backward()
optimizer.step()
schedule.step()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""


def test_the_compiler_is_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("fused", [False, True])
def test_adamw_takes_the_steps_of_torch(fused: bool) -> None:
    found = []
    for kind in (torch.optim.AdamW, eager.AdamW):
        torch.manual_seed(0)
        layer, x = nn.Linear(5, 3), torch.randn(8, 5)
        optimizer = kind(layer.parameters(), lr=0.1, weight_decay=0.1, fused=fused)
        for _ in range(5):
            layer(x).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        found.append(layer.weight.detach())
    assert torch.equal(*found)
    assert found[1].grad_fn is None


@pytest.mark.parametrize("encoder", ["cnn", "transformer"])
@pytest.mark.parametrize("fusion", ["concat", "attention"])
def test_flops_are_those_of_torch(encoder: str, fusion: str) -> None:
    settings = {"width": 16, "depth": 2, "text": encoder, "image": encoder}
    model, batch = models.multimodal(settings, SPECS, 4, fusion, 0), budget.example(SPECS)
    with FlopCounterMode(display=False, custom_mapping=budget._attention_on_cpu()) as counter:
        model(batch.inputs, batch.present).sum().backward()
    assert budget.counted(lambda: model(batch.inputs, batch.present).sum()) == counter.get_total_flops() / 2 > 1e5
