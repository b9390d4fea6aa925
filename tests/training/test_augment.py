"""Augmentation: training batches only, the same at the same step, and nothing but what each modality allows."""

from pathlib import Path

import torch

from tests.tiny_media import write_aligned, write_features
from trivium.data.store import Batch, Store
from trivium.modalities import audio, image, text
from trivium.modalities.spec import Spec
from trivium.training.augment import Augment
from trivium.training.feed import Feed

SPECS = {"text": Spec("text", "tokens", (50,), vocab=90), "image": Spec("image", "image", (1, 16, 16)),
         "audio": Spec("audio", "spectrogram", (1, 40, 100))}


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(3, 90, (64, 50), generator=generator)
    words[:, 40:] = 0
    return Batch({"text": words, "image": torch.randn(64, 1, 16, 16, generator=generator),
                  "audio": torch.randn(64, 1, 40, 100, generator=generator)},
                 torch.ones(64, 3, dtype=torch.bool), torch.zeros(64, dtype=torch.int64))


def test_a_tenth_of_the_words_is_masked_and_no_padding() -> None:
    x = batch().inputs["text"]
    found = text.augment(x, torch.Generator().manual_seed(1), SPECS["text"])
    changed = found != x
    assert set(found[changed].tolist()) == {2}
    assert 0.08 < changed[:, :40].double().mean() < 0.12
    assert not changed[:, 40:].any()


def test_images_move_by_an_eighth_of_a_side_at_most() -> None:
    x = torch.zeros(1, 1, 16, 16)
    x[0, 0, 8, 8] = 1.0
    places = set()
    for seed in range(200):
        moved = image.augment(x, torch.Generator().manual_seed(seed), SPECS["image"])
        places.add(tuple(moved[0, 0].nonzero()[0].tolist()))
    assert places == {(row, column) for row in range(6, 11) for column in range(6, 11)}


def test_sounds_move_in_time_and_a_little_in_pitch() -> None:
    x = torch.zeros(1, 1, 40, 100)
    x[0, 0, 20, 50] = 1.0
    moved = [audio.augment(x, torch.Generator().manual_seed(seed), SPECS["audio"])[0, 0] for seed in range(300)]
    bands, frames = torch.stack([sound.nonzero()[0] for sound in moved]).unbind(1)
    assert (bands.min(), bands.max()) == (18, 22)
    assert (frames.min(), frames.max()) == (40, 60)


def test_the_same_step_is_augmented_the_same_way_and_another_is_not() -> None:
    augment = Augment(SPECS, seed=3)
    one, again, other = augment(batch(), 7), augment(batch(), 7), augment(batch(), 8)
    for m in SPECS:
        assert torch.equal(one.inputs[m], again.inputs[m])
    assert not torch.equal(one.inputs["text"], other.inputs["text"])
    assert not torch.equal(one.inputs["text"], Augment(SPECS, seed=4)(batch(), 7).inputs["text"])
    assert torch.equal(one.y, batch().y)


def test_vectors_that_a_processor_made_stay_as_they_are() -> None:
    specs = SPECS | {"image": Spec("image", "features", (324,)), "audio": Spec("audio", "features", (80,))}
    given = Batch(batch().inputs | {"image": torch.randn(64, 324), "audio": torch.randn(64, 80)}, batch().present,
                  batch().y)
    found = Augment(specs, seed=3)(given, 7)
    assert torch.equal(found.inputs["image"], given.inputs["image"])
    assert torch.equal(found.inputs["audio"], given.inputs["audio"])
    assert not torch.equal(found.inputs["text"], given.inputs["text"])


def test_a_feed_augments_what_is_trained_on_and_not_what_is_measured(tmp_path: Path) -> None:
    write_aligned(tmp_path)
    write_features(tmp_path)
    store = Store("scratch", tmp_path)
    rows = store.rows(0, "train")
    plain, feed = (Feed(store, rows, 0, augment=augment) for augment in (False, True))
    measured, = feed.once(len(rows))
    assert torch.equal(measured.inputs["image"], store.batch(rows, 0).inputs["image"])
    trained, untouched = ([one.inputs["image"] for one in f.training(4, 0, 6)] for f in (feed, plain))
    assert any(not torch.equal(a, b) for a, b in zip(trained, untouched, strict=True))
    assert all(torch.equal(a.flatten().sort().values, b.flatten().sort().values)
               for a, b in zip(trained, untouched, strict=True))  # moved, not changed
    steps: list[int] = []
    feed.augment = lambda one, step: steps.append(step) or one
    list(feed.training(4, 2, 5))
    assert steps == [2, 3, 4]
