"""Every fusion on a device that mixes with no other, as on a GPU: the CPU's numbers, no operator that a GPU refuses in
deterministic mode, and no wait for the device.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_every_fusion_on_a_device_of_its_own() -> None:
    """In a process of its own, since the device stays registered."""
    from trivium import fusion

    done = subprocess.run([sys.executable, "-m", "tests.fusion.test_device"], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": f"src{os.pathsep}."})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name}: same, refused set(), waits 0" for name in fusion.names()]


def main() -> None:
    import torch

    from tests.far.device import far
    from tests.far.gpu import Watch
    from trivium import fusion

    widths = {"text": 16, "image": 24, "audio": 40}
    own = {s: torch.randn(4, width) for s, width in widths.items()}
    present = torch.tensor([[True, True, True], [True, False, True], [False, True, False], [False, False, False]])

    def work(name: str, device: torch.device) -> tuple[list[torch.Tensor], Watch]:
        """The output and the gradients of what went in."""
        torch.manual_seed(0)
        mix = fusion.build(fusion.chosen(name, "fusion"), widths).to(device)
        given = {s: x.to(device, copy=True).requires_grad_() for s, x in own.items()}
        there = present.to(device)
        with Watch() as watch:
            fused = mix(given, there)
            fused.square().sum().backward()
        return [one.detach().cpu() for one in (fused, *(x.grad for x in given.values()))], watch

    with far() as away:
        for name in fusion.names():
            found, watch = work(name, away)
            expected, _ = work(name, torch.device("cpu"))
            same = all(torch.allclose(one, other, atol=5e-6) for one, other in zip(found, expected, strict=True))
            print(f"{name}: {'same' if same else 'other'}, refused {watch.refused}, waits {watch.waited}")


if __name__ == "__main__":
    main()
