"""What is paid for, and that it is what is spent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fake_outs import fake_data, fake_models
from trivium import models
from trivium.data.store import Store
from trivium.evaluation import affordable, attribution, encoded, robustness
from trivium.evaluation.affordable import Wish, grant
from trivium.evaluation.noise import Noise


def test_all_get_what_they_wish_where_that_is_paid_for() -> None:
    wishes = {"noise": Wish.of(250, 5.0), "attacks": Wish.of(25, 96.0), "free": Wish.of(500, 0.0)}
    assert grant(wishes, 250 * 5 + 25 * 96) == {"noise": 250, "attacks": 25, "free": 500}


def test_each_gets_its_least_and_then_the_same_share_of_the_rest() -> None:
    wishes = {"noise": Wish.of(232, 1.0), "probes": Wish.of(132, 2.0)}  # 200 more at 1, 100 more at 2
    assert grant(wishes, 32 + 64 + 100) == {"noise": 82, "probes": 57}
    assert grant(wishes, 32 + 64) == {"noise": 32, "probes": 32}


def test_what_is_too_dear_is_absent_and_leaves_its_share_to_others() -> None:
    wishes = {"noise": Wish.of(100, 1.0), "attribution": Wish(6, 50.0, 6), "attacks": Wish.of(40, 2.0)}
    assert grant(wishes, 180) == {"noise": 100, "attribution": 0, "attacks": 40}
    assert grant(wishes, 31) == {"noise": 0, "attribution": 0, "attacks": 0}
    assert grant(wishes, 32 + 300) == {"noise": 32, "attribution": 6, "attacks": 0}


def test_who_wished_for_few_gets_few() -> None:
    assert grant({"attacks": Wish.of(25, 1.0)}, 25) == {"attacks": 25}
    assert grant({"attacks": Wish.of(25, 1.0)}, 24) == {"attacks": 0}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("affordable")
    fake_data(root, samples=96)
    fake_models(root, "joint")
    return root


@pytest.mark.parametrize("stream", ["text", "image", "audio"])
def test_what_is_counted_is_what_is_spent(project: Path, stream: str) -> None:
    store = Store("supervised", project)
    model: Any = models.load(project / "models/joint/seed_0")
    rows = store.rows(0, "test")
    rows = rows[store.has(stream)[rows]][:8]
    clean, batch = encoded.encode_rows(model, store, rows, 0, 8), store.batch(rows, 0, [stream])
    passes = []
    model.readers[stream].register_forward_hook(
        lambda module, args, out: passes.append(len(out) * (3 if out.requires_grad else 1)))

    def spent(work: Callable[[], Any]) -> float:
        """Forward passes per sample, a backward one counted as two."""
        passes.clear()
        with torch.no_grad():
            work()
        return sum(passes) / len(rows)

    noise = Noise(store, 0, stream, rows)
    assert spent(lambda: robustness.corruption(model, clean, stream, noise, 5)) == 5 == robustness.PASSES["corruption"]
    shifted = spent(lambda: robustness.shift(model, batch, clean, store.specs, 5))
    assert shifted == (2 if stream == "audio" else 0) and robustness.PASSES["shift"] == 2
    attacked = spent(lambda: robustness.attacks(model, batch, clean, store.specs, 5))
    assert attacked == (0 if stream == "text" else 96) and robustness.PASSES["attacks"] == 96
    explained = spent(lambda: attribution.explain(model, batch, clean, store.specs, 5))
    assert explained == (144 if stream == "text" else 142)  # 32 points, the ends, and 11 cuts in 4 orders
    assert attribution.PASSES == 144 + 1 + 11  # where it looks, and that order
    attributed = spent(lambda: attribution.attribute(model, batch, clean, store.specs, clean.y, 5))
    assert attributed == (100 if stream == "text" else 98) and attribution.ATTRIBUTE == 100 + 1


def test_padding_behind_published_texts_costs_nothing(project: Path) -> None:
    store = Store("supervised", project)

    class Twice(torch.nn.Module):
        published = True

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(4, 5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(x % 4, 4).float() @ self.weight

    encoder: Any = Twice()
    cost = affordable.per_pass(encoder, store.specs["text"])
    assert [cost(tokens) for tokens in (0.0, 1.0, 2.6, 8.0)] == [40, 40, 120, 320]  # 2 * 4 * 5 a token
    encoder.published = False
    assert affordable.per_pass(encoder, store.specs["text"])(2.6) == 320


def test_texts_of_published_encoders_are_cut_and_come_back_in_their_order() -> None:
    from trivium.encoders.base import Encoder

    class Widths(Encoder):
        published = True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([x[:, 0], torch.full((len(x),), x.shape[1])], 1)

    x = torch.zeros(40, 9, dtype=torch.int64)
    for k in range(40):
        x[k, : k % 6] = 100 + k
    found = encoded.through(Widths(), x, 7)
    assert found[:, 0].tolist() == [100 + k if k % 6 else 0 for k in range(40)]
    assert sorted(found[:, 1].tolist()) == [1] * 8 + [5] * 32  # the 32 longest together, then the others


def test_holes_in_a_published_text_are_not_its_end() -> None:
    from trivium.encoders.base import Encoder

    class Sums(Encoder):
        published = True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum(1, keepdim=True)

    x = torch.tensor([[0, 0, 0, 0], [5, 0, 7, 0], [0, 3, 0, 0]])  # tokens taken away, as deletion does
    assert encoded.through(Sums(), x, 7).tolist() == [[0], [12], [3]]
    assert encoded.lengths(x).tolist() == [0, 3, 2]
