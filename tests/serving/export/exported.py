"""A small project with a model of each kind that can be exported, and what it says with torch."""

from pathlib import Path

import numpy as np
import torch

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.models.network import Model
from trivium.runtime.folder import ANSWER, INPUT, PRESENT
from trivium.runtime.runner import session
from trivium.serving.export import graph

NAME = "supervised_frozen"
ROWS = 7


def project(folder: Path, **kinds: object) -> Path:
    """Untrained models of two seeds on real features; `kinds`: of `fake_data`, a task and its targets."""
    root = fake_outs(folder, {NAME: 0.9})
    fake_data(root, **kinds)  # type: ignore[arg-type]
    fake_models(root, NAME)
    return root


def inputs(model: Model, rows: int = ROWS, seed: int = 1) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Samples of which each but the first lacks some streams, the last all of them."""
    draw = torch.Generator().manual_seed(seed)
    found = {}
    for s, part in model.readers.items():
        spec = part.spec
        if spec.kind == "tokens":
            found[s] = torch.randint(3, spec.vocab, (rows, *spec.shape), generator=draw)
            found[s][1:, spec.shape[0] // 2:] = 0
        elif spec.kind == "counts":
            ids = torch.randint(1, spec.shape[0], (rows, 9), generator=draw)
            found[s] = torch.stack([ids, torch.randint(1, 4, ids.shape, generator=draw)], -1)
            found[s][2, 4:] = 0
        elif spec.kind == "columns":
            codes = torch.stack([torch.randint(0, codes, (rows,), generator=draw) for _, codes in spec.columns], 1)
            found[s] = torch.stack([torch.randn(codes.shape, generator=draw) * (codes == 1), codes.float()], -1)
        else:
            found[s] = torch.randn(rows, *spec.shape, generator=draw)
    present = torch.rand(rows, len(model.streams), generator=draw) < 0.6
    present[0], present[-1] = True, False
    return found, present


def gap(model: Model, path: Path) -> float:
    """Export `model` to `path`: the largest difference between the graph's answers and its own, on `inputs`, and one of
    them alone.
    """
    given, present = inputs(model)
    with torch.inference_mode():
        told = model(given, present).float().numpy()
    graph.write(model, path)
    made = session(path)
    fed = {PRESENT: present.numpy()} | {INPUT + s: x.numpy() for s, x in given.items()}
    (found,) = made.run([ANSWER], fed)
    (alone,) = made.run([ANSWER], {key: x[:1] for key, x in fed.items()})
    assert found.dtype == np.float32 and found.shape == told.shape
    return float(max(np.abs(found - told).max(), np.abs(alone - told[:1]).max()))
