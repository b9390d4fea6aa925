"""How well each set of streams predicts: by a mask or by averaging, whichever validation prefers."""

import math

import pytest
import torch

from tests.evaluation import toys
from trivium.evaluation.information import MOST_CLASSES, measure

BITS = torch.randint(2, (3, 3000), generator=torch.Generator().manual_seed(0))


def test_each_set_tells_what_it_can() -> None:
    """The label is text xor image, and nine in ten labels are as the model says."""
    wrong = torch.rand(3000, generator=torch.Generator().manual_seed(1)) < 0.1
    y = BITS[0] ^ BITS[1] ^ wrong.long()
    model = toys.Toy(["text", "image"], lambda v: toys.sure(v["text"][:, 0] != v["image"][:, 0]), "01")
    half = torch.arange(1500)
    both = toys.batch(y, text=BITS[0], image=BITS[1])
    found = measure(model, both[half], both[half + 1500])
    ideal = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))  # 0.325 nats, once the temperature is right
    assert found.subsets["text+image"].test == pytest.approx(ideal, abs=0.03)
    for alone in ("text", "image"):
        assert found.subsets[alone].test == pytest.approx(math.log(2), abs=0.03)
    assert sum(found.labels) == 1500


def test_tables_count_labels_predictions_and_gaps() -> None:
    y = torch.tensor([0, 0, 1, 1, 1])
    model = toys.Toy(["text"], lambda v: toys.sure(v["text"][:, 0]), "01")
    batch = toys.batch(y, text=torch.tensor([0, 1, 1, 1, 0]))
    batch.present[4, 0] = False
    found = measure(model, batch, batch)
    assert found.tables == {"text": [[1, 1, 0], [0, 2, 1]]}
    assert found.labels == [2, 3]


def test_an_absent_modality_is_averaged_out_where_a_mask_misleads() -> None:
    """Without image (zero) the model says 0 with certainty, although text knows the label; averaged, it says text."""
    def rule(v: dict[str, torch.Tensor]) -> torch.Tensor:
        return toys.sure(torch.where(v["image"][:, 0] == 0, torch.zeros(()), v["text"][:, 0]))

    batch = toys.batch(BITS[0], text=BITS[0], image=1 + BITS[1])
    assert measure(toys.Toy(["text", "image"], rule, "01"), batch, batch).subsets["text"].test < 0.01


def test_many_classes_get_no_tables() -> None:
    classes = MOST_CLASSES + 1
    y = torch.arange(classes)
    model = toys.Toy(["text"], lambda v: toys.sure(v["text"][:, 0], classes), [str(k) for k in range(classes)])
    batch = toys.batch(y, text=y)
    assert measure(model, batch, batch).tables == {}


def test_validation_alone_chooses_and_calibrates() -> None:
    """Without image (zero) the model says what text says, else the opposite; on the test set text lies."""
    def rule(v: dict[str, torch.Tensor]) -> torch.Tensor:
        return toys.sure((v["text"][:, 0] == 0) == (v["image"][:, 0] != 0))

    model = toys.Toy(["text", "image"], rule, "01")
    val = toys.batch(BITS[0], text=BITS[0], image=1 + BITS[1])
    test = toys.batch(1 - BITS[0], text=BITS[0], image=1 + BITS[1])
    found = measure(model, val, test).subsets["text"]
    assert found.val == pytest.approx(-math.log(1 - 0.5 / 3001), rel=1e-6)
    assert found.test == pytest.approx(-math.log(0.5 / 3001), rel=1e-6)  # sure, as far as 3,000 samples tell: wrong
