"""Every architecture on a device that mixes with no other, as on a GPU: the CPU's numbers, no operator that a GPU
refuses in deterministic mode, and no wait for the device.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAITS = {"transformer text": 1}  # transformers looks whether there is any padding


@pytest.mark.slow
def test_every_architecture_on_a_device_of_its_own() -> None:
    """In a process of its own, since the device stays registered."""
    from benchmarks import encoders

    done = subprocess.run([sys.executable, "-m", "tests.encoders.test_device"], cwd=ROOT, capture_output=True,
                          text=True, env=os.environ | {"PYTHONPATH": f"src{os.pathsep}."})
    assert done.returncode == 0, done.stderr
    pairs = [f"{name} {what}" for name in encoders.trained() for what in encoders.readers(name)]
    assert done.stdout.splitlines() == [f"{pair}: same, refused set(), waits {WAITS.get(pair, 0)}" for pair in pairs]


def main() -> None:
    import torch

    from benchmarks import encoders
    from tests.far.device import far
    from tests.far.gpu import Watch

    def work(encoder: torch.nn.Module, x: torch.Tensor, device: torch.device) -> tuple[list[torch.Tensor], Watch]:
        """The vector and the gradients of the weights."""
        encoder, given = encoder.to(device), x.to(device, copy=True)
        with Watch() as watch:
            vector = encoder(given)
            vector.square().sum().backward()
        return [one.detach().cpu() for one in (vector, *(weight.grad for weight in encoder.parameters()))], watch

    with far() as away:
        for name in encoders.trained():
            for what, described in encoders.readers(name).items():
                one, other = encoders.build(described), encoders.build(described)
                x = encoders.example(one.spec, 3)
                found, watch = work(one, x, away)
                expected, _ = work(other, x, torch.device("cpu"))
                same = all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(found, expected, strict=True))
                print(f"{name} {what}: {'same' if same else 'other'}, refused {watch.refused}, waits {watch.waited}")


if __name__ == "__main__":
    main()
