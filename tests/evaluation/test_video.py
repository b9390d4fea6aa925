"""What an answer rests on in a video, in space and time; and a video that starts later."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.evaluation.toys import Toy, batch, sure
from tests.helpers import drawn
from trivium.data.store import Batch
from trivium.evaluation import robustness
from trivium.evaluation.attribution import _keep, _units, deletion, integrated_gradients
from trivium.evaluation.pictures import Panel, Row, draw
from trivium.modalities.spec import Spec

SPEC = Spec("film", "frames", (1, 6, 8, 8))


def moment(t: int) -> Toy:
    """What is in the middle of frame t says the class: bright or dark."""
    place = t * 64 + 4 * 8 + 4
    return Toy(["film"], lambda seen: 5 * torch.stack([-seen["film"][:, place], seen["film"][:, place]], 1), "ab")


def given(x: torch.Tensor, y: torch.Tensor) -> tuple[Batch, Batch]:
    return (Batch({"film": x}, torch.ones(len(x), 1, dtype=torch.bool), y),
            batch(y, film=x.flatten(1)))


def test_the_frame_that_was_asked_is_found():
    x = torch.randn(4, *SPEC.shape, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0, 2, 4, 4] > 0).long()
    inputs, clean = given(x, y)
    found, _ = integrated_gradients(moment(2), inputs, clean, "film", y)
    assert found.abs().sum((0, 1, 3, 4)).argmax() == 2 and found[:, 0, 2, 4, 4].abs().min() > 0
    assert float(found.abs().sum()) == pytest.approx(float(found[:, 0, 2, 4, 4].abs().sum()))
    areas = deletion(moment(2), inputs, clean, "film", SPEC, y, {"area": found})
    assert areas["area"] < areas["random"]


def test_what_is_deleted_together_is_a_square_of_a_moment():
    values = torch.zeros(1, *SPEC.shape)
    values[0, 0, 3, 2:4, 6:8] = 1
    units = _units(values, SPEC)
    assert units.shape == (1, 6 * 4 * 4) and units.argmax() == 3 * 16 + 1 * 4 + 3
    kept = _keep(torch.ones_like(values), units == 0, SPEC)
    assert torch.equal(kept == 0, values == 1)


def test_a_video_that_starts_later_is_rolled_in_time(monkeypatch):
    x = torch.zeros(8, *SPEC.shape)
    y = torch.arange(8) % 2
    x[:, 0, 2, 4, 4] = torch.where(y == 1, 1.0, -1.0)
    inputs, clean = given(x, y)
    model = Toy(["film"], lambda seen: sure(seen["film"][:, 2 * 64 + 36] > 0), "ab")
    found = robustness.shift(model, inputs, clean, {"film": SPEC}, 8)["film"]
    assert found["0.0"] == 1.0 and found["0.25"] == 0.5  # frame 2 is elsewhere: everything looks like the class `a`


def test_moments_are_drawn_row_by_row(tmp_path: Path):
    x, values = np.zeros((1, 6, 8, 8), np.float32), np.zeros((1, 6, 8, 8), np.float32)
    x[0, 0] = 1.0  # the first moment is white
    values[0, 4, 3, 3] = 2.0
    draw(tmp_path / "a.svg", "", [Row("", {"film": Panel(SPEC, x, values, [])}, {})])
    _, _, texts, shapes = drawn(tmp_path / "a.svg")
    assert "film: +2.00 nats" in texts and "6 moments, row by row" in texts
    pixels = next(shape["pixels"] for shape in shapes if shape["tag"] == "image").astype(int)
    assert pixels.shape[:2] == (16, 24)  # 3 x 2 of 8 pixels
    assert pixels[:6, :6].min() > 200 and pixels[:8, 16:].max() < 30
    assert pixels[11, 11].max() > 60 and pixels[11, 11, 0] > pixels[11, 11, 2]  # the fifth: orange
