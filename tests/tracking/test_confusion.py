"""The picture of a confusion matrix, read back from its SVG."""

import numpy as np

from tests.helpers import drawn
from trivium.tracking.confusion import draw


def test_cells_have_the_percent_of_their_true_class_and_its_shade() -> None:
    shares = np.array([[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [0.0, 0.4, 0.6]])
    _, _, texts, shapes = drawn(draw(shares, ["ash", "<elm>", "oak"], "ensemble: confusion"))
    cells = sorted((float(cell["y"]), float(cell["x"]), cell["fill"]) for cell in shapes if "y" in cell)
    assert len(cells) == 9 and len({y for y, *_ in cells}) == 3
    assert [fill for *_, fill in cells][:3] == ["rgb(68,99,144)", "rgb(187,200,218)", "rgb(247,251,255)"]
    assert texts[:6] == ["ensemble: confusion", "75", "25", "100", "40", "60"]  # nothing where nobody was
    assert texts.count("<elm>") == 2  # as a row and as a column


def test_many_classes_are_one_pixel_each() -> None:
    _, _, texts, shapes = drawn(draw(np.eye(300), [str(k) for k in range(300)], "ensemble"))
    (pixels,) = [shape["pixels"] for shape in shapes if shape["tag"] == "image"]
    assert pixels.shape == (300, 300, 3)
    assert pixels[7, 7].tolist() == [8, 48, 107] and pixels[7, 8].tolist() == [247, 251, 255]
    assert texts == ["ensemble", "true class", "answer", "darker: a larger share of the true class"]
