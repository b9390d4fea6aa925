"""Without torch's compiler: the same steps and the same counts as torch's own, and the compiler stays out."""

import subprocess
import sys
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests import networks
from trivium.modalities.spec import Spec
from trivium.training import budget, eager

SPECS = {"text": Spec("text", "tokens", (12,), vocab=50), "image": Spec("image", "image", (3, 16, 16))}

ALONE = """
import sys
import torch
from trivium.training import budget, eager

layer = torch.nn.Linear(3, 2)
budget.counted(lambda: layer(torch.ones(2, 3)).sum())
optimizer = eager.AdamW(layer.parameters(), 0.1, 1.0)
layer(torch.ones(2, 3)).sum().backward()
optimizer.step(0.1)
optimizer.load(optimizer.state())
print("torch._dynamo" in sys.modules)
"""


def test_the_compiler_is_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("clip", [0.5, 1e9])
def test_adamw_takes_the_steps_of_torch(clip: float) -> None:
    torch.manual_seed(0)
    ours, x = nn.ModuleList([nn.Linear(5, 3), nn.Linear(2, 2)]), torch.randn(8, 5)
    theirs = deepcopy(ours)
    mine = eager.AdamW(ours.parameters(), 0.1, clip)
    torchs = torch.optim.AdamW([{"params": [theirs[0].weight], "weight_decay": 0.1},
                                {"params": [theirs[0].bias], "weight_decay": 0.0}], fused=True)
    for lr in (0.1, 0.2, 0.05, 0.1):
        for layers in (ours, theirs):
            layers[0](x).square().sum().backward()
        mine.step(lr)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), clip)
        for group in torchs.param_groups:
            group["lr"] = lr
        torchs.step()
        torchs.zero_grad()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)  # the second layer had no gradient: unchanged
        assert one.grad is None and one.is_leaf


@pytest.mark.parametrize("encoder", ["cnn", "transformer"])
@pytest.mark.parametrize("fusion", ["concat", "attention"])
def test_flops_are_those_of_torch(encoder: str, fusion: str) -> None:
    model = networks.multimodal(SPECS, 4, fusion, architecture=encoder, depth=2)
    batch = budget.example(SPECS, model.task)
    with FlopCounterMode(display=False, custom_mapping=budget._formulas()) as counter:
        model(batch.inputs, batch.present).sum().backward()
    assert budget.counted(lambda: model(batch.inputs, batch.present).sum()) == counter.get_total_flops() / 2 > 1e5
