"""Classes by their names: centres in the space of aligned components, with labels for the temperature alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch
from torch.nn.functional import normalize

from tests.tiny_media import READ_BY
from tests.training import tiny
from trivium import models, strategies
from trivium.comparison import reads
from trivium.data.store import Store
from trivium.evaluation import metrics
from trivium.models import space
from trivium.models.prompted import Prompted
from trivium.settings.errors import UserError
from trivium.strategies import Entry
from trivium.training import needs, prompted
from trivium.training.records import Seed
from trivium.training.strategy import Unit

ALIGNED = tiny.recipe("aligned", objective="align", share=0.5)


@pytest.fixture(autouse=True)
def components(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch, reads={"aligned": READ_BY})
    tiny.pretrained(ALIGNED)


def entry(**settings: Any) -> Entry:
    return strategies.entry("one", {"start": "aligned", "strategy": "prompts"} | settings)


def run(**settings: Any) -> tuple[Seed, Prompted]:
    record = prompted.train(Unit(entry(**settings), None, 0, tiny.LOOP, tiny.BUDGET), Path("one"), lambda *_: None)
    model = models.load("one/model")
    assert isinstance(model, Prompted)
    return record, model


def test_the_maps_to_the_space_are_kept_with_the_components() -> None:
    for s in READ_BY:
        found = space.load(Path(f"models/pretrain/aligned/{s}/seed_0"))
        assert found["project"].shape == (64, 16) and 10 < found["scale"] < 20  # it starts at 1 / 0.07


def test_a_class_is_its_prompt_and_a_sample_the_mean_of_its_other_streams() -> None:
    record, model = run(prompts={"a": "k00"}, template="k01 {}")
    store = Store("aligned")
    home = Path("models/pretrain/aligned")
    text = models.load(home / "text/seed_0")
    said = store.encode("text", 0, ["k01 k00", "k01 b"])
    centres = normalize(text(said) @ space.load(home / "text/seed_0")["project"].T, dim=-1)
    assert torch.allclose(model.centres, centres, atol=1e-6)
    assert list(model.readers) == ["image", "audio"]
    batch = store.batch(np.array([2, 3]), 0)  # row 3 has no sound
    each = {s: normalize(models.load(home / f"{s}/seed_0")(batch.inputs[s])
                         @ space.load(home / f"{s}/seed_0")["project"].T, dim=-1) for s in ("image", "audio")}
    wanted = torch.stack([normalize(each["image"][0] + each["audio"][0], dim=0), each["image"][1]])
    vectors = model.vectors(batch.inputs)
    assert torch.allclose(model.embed(vectors, batch.present), wanted, atol=1e-6)
    scores = model.outputs(vectors, batch.present)
    assert torch.allclose(scores, space.load(home / "text/seed_0")["scale"] * wanted @ centres.T, atol=1e-4)
    answers = model(batch.inputs, batch.present)
    assert answers.argmax(1).tolist() == scores.argmax(1).tolist()  # the temperature changes no prediction
    assert record.flops.train == 2 * 9_216  # two prompts


def test_without_anything_to_read_all_classes_are_alike() -> None:
    _, model = run()
    batch = Store("aligned").batch(np.array([3]), 0)
    answers = model(batch.inputs, torch.tensor([[True, False, False]]))  # its text alone, which is not read
    assert answers[0, 0] == answers[0, 1]


def test_the_text_is_read_where_it_is_asked_for() -> None:
    assert list(run(own_text=True)[1].readers) == ["text", "image", "audio"]


def test_labels_of_train_change_nothing_but_with_shots(monkeypatch: MonkeyPatch) -> None:
    before, few = run()[1].centres, run(shots=2)[1].centres
    rows, labels = Store("aligned").rows(0, "train"), Store.labels

    def turned(store: Store, asked: np.ndarray) -> np.ndarray:
        found = labels(store, asked)
        return np.where(np.isin(asked, rows), 1 - found, found)

    monkeypatch.setattr(Store, "labels", turned)
    assert torch.equal(run()[1].centres, before)
    assert not torch.allclose(run(shots=2)[1].centres, few)


def test_shots_join_the_prompt_in_equal_parts() -> None:
    zero, all_rows = run()[1], run(shots=100)[1]
    store = Store("aligned")
    rows = store.rows(0, "train")
    batch = store.batch(rows, 0)
    near = zero.embed(zero.vectors(batch.inputs), batch.present)
    own = torch.stack([normalize(near[batch.y == k].sum(0), dim=0) for k in (0, 1)])
    assert torch.allclose(all_rows.centres, normalize(zero.centres + own, dim=-1), atol=1e-5)


def test_a_prompt_for_no_class_is_named() -> None:
    with pytest.raises(UserError, match=r"`train\.one\.prompts` names `cat`, which is no class of this data; its "
                                        r"classes are a, b\."):
        run(prompts={"cat": "a cat"})


def test_all_prompts_for_no_class_are_named_at_once() -> None:
    with pytest.raises(UserError, match="`cat`, `dog`, which are no classes of this data"):
        prompted.check(entry(prompts={"cat": "a cat", "a": "an a", "dog": "a dog"}), Store("aligned"), 1)


def test_what_the_data_lack_is_told_before_anything_is_trained() -> None:
    store = Store("aligned")
    there = np.bincount(store.labels(store.rows(0, "train")))
    assert prompted.check(entry(shots=int(there.min())), store, 1) == prompted.check(entry(), store, 1) == []
    said = prompted.check(entry(shots=100), store, 1)
    assert said == [f"`train.one.shots: 100`: at seed 0 there are {there[0]} of a, {there[1]} of b in train; all of "
                    "these are taken."]
    with pytest.raises(UserError, match="names `cat`, which is no class of this data"):
        prompted.check(entry(prompts={"cat": "a cat"}), store, 1)


def test_what_is_not_read_has_no_part() -> None:
    seed = metrics.Seed.model_construct(training=run()[0])
    tested = metrics.Evaluation.model_construct(streams=list(READ_BY), seeds=[seed])
    assert reads.read(tested) == [{"image", "audio"}]


def test_what_cannot_be_prompted_is_refused() -> None:
    streams = {s: s for s in READ_BY}
    needs.check_prompts(entry(), ALIGNED, streams, "classification")
    with pytest.raises(UserError, match=r"`train\.one`: `prompts` compares samples .* and the task is regression"):
        needs.check_prompts(entry(), ALIGNED, streams, "regression")
    masked = tiny.recipe("selfsup")
    with pytest.raises(UserError, match="needs components of one space, a text's among them"):
        needs.check_prompts(entry(), masked, streams, "classification")
    other = {"text": "image", "image": "image", "audio": "audio"}
    with pytest.raises(UserError, match="`objective: align` .or siglip. over text and another stream"):
        needs.check_prompts(entry(), ALIGNED, other, "classification")
    with pytest.raises(UserError, match=r"`train\.one\.template`: `\{\}` in it says where the class goes"):
        entry(template="a photo")
