"""Recipes as they are written in params.yaml: who reads what, what trains which streams, and what is refused."""

from typing import Any

import pytest

from trivium.settings.errors import UserError
from trivium.training.recipes import Group, Recipe, recipe

STREAMS = {"title": "text", "photo": "image", "scan": "image", "voice": "audio"}
KNOWN = ["words", "patches", "fine", "bands"]
READ = {"text": "words", "image": "patches", "audio": "bands"}
SUPERVISED, MASKED = {"name": "supervised"}, {"name": "masked", "mask": 0.5}


def made(**entry: Any) -> Recipe:
    return recipe("mine", {"encoders": READ} | entry, STREAMS, KNOWN)


def groups(objective: Any) -> list[tuple[str, dict[str, Any] | None]]:
    return [(group.name, group.objective) for group in made(objective=objective).groups]


def test_without_an_objective_weights_stay_and_nothing_is_trained() -> None:
    found = made()
    assert found.encoders == {"title": "words", "photo": "patches", "scan": "patches", "voice": "bands"}
    assert found.groups == tuple(Group((s,), None) for s in ("title", "photo", "scan", "voice"))
    assert found.objectives == [] and (found.share, found.lr) == (0.5, 0.003)


def test_a_stream_goes_before_its_modality_and_the_order_is_that_of_the_data() -> None:
    found = made(encoders={"scan": "fine", "voice": "bands", "image": "patches", "title": "words"})
    assert list(found.encoders.items()) == [("title", "words"), ("photo", "patches"), ("scan", "fine"),
                                            ("voice", "bands")]


def test_a_modality_that_the_data_does_not_have_may_be_named() -> None:
    found = recipe("mine", {"encoders": READ}, {"title": "text"}, KNOWN)
    assert found.encoders == {"title": "words"}


def test_one_objective_for_all_is_one_for_each_stream() -> None:
    assert groups("supervised") == [(s, SUPERVISED) for s in STREAMS]
    assert groups({"name": "masked", "mask": 0.3}) == [(s, {"name": "masked", "mask": 0.3}) for s in STREAMS]
    assert made(objective="masked").objectives == ["masked"]


def test_an_objective_per_stream_leaves_the_others_as_they_came() -> None:
    assert groups({"scan": "masked", "title": {"name": "supervised"}}) == [
        ("title", SUPERVISED), ("photo", None), ("scan", MASKED), ("voice", None)]
    found = made(objective={"scan": "masked", "photo": "masked", "title": "supervised"})
    assert found.objectives == ["supervised", "masked"]  # each once, in the order of the streams


def test_streams_that_are_trained_together_are_one_group_in_the_order_of_the_data() -> None:
    assert groups({"photo+title": "align", "voice": "masked"}) == [
        ("title+photo", made(objective="align").groups[0].objective), ("scan", None), ("voice", MASKED)]
    together, = made(objective="align").groups
    assert together.streams == ("title", "photo", "scan", "voice")
    assert together.objective is not None and together.objective["name"] == "align"


@pytest.mark.parametrize(("entry", "says"), [
    ({"encoders": READ | {"phto": "fine"}},
     r"`pretrain\.mine\.encoders\.phto` is neither a stream of the data nor a modality; did you mean `photo`"),
    ({"encoders": READ | {"image": "patchs"}},
     r"`pretrain\.mine\.encoders\.image`: there is no encoder `patchs` under `encoder`; did you mean `patches`"),
    ({"encoders": {"text": "words", "photo": "fine"}}, r"`pretrain\.mine\.encoders` names no encoder for scan, voice"),
    ({"encoders": "words"}, r"`pretrain\.mine` is a mapping such as \{encoders: \{text: words\}\}"),
    ({"objectiv": "masked"}, r"unknown key `pretrain\.mine\.objectiv`; did you mean `objective`"),
    ({"share": 1.0}, r"`pretrain\.mine\.share` must be below 1 \(got 1\.0\)"),
    ({"lr": 0}, r"`pretrain\.mine\.lr` must be above 0 \(got 0\)"),
    ({"objective": "maskd"}, r"`pretrain\.mine\.objective`: there is no objective `maskd`; did you mean `masked`"),
    ({"objective": {"name": "masked", "mak": 0.3}},
     r"unknown key `pretrain\.mine\.objective\.mak`; did you mean `mask`"),
    ({"objective": {"scann": "masked"}},
     r"`pretrain\.mine\.objective`: there is no stream `scann`; did you mean `scan`"),
    ({"objective": {"scan": {"name": "masked", "mask": 2}}},
     r"`pretrain\.mine\.objective\.scan\.mask` must be below 1 \(got 2\)"),
    ({"objective": {"scan": "masked", "photo+scan": "align"}}, r"`pretrain\.mine\.objective` names scan twice"),
    ({"objective": {"title+title": "align"}}, r"`pretrain\.mine\.objective` names title twice"),
    ({"objective": {"title+photo": "masked"}},
     r"`pretrain\.mine\.objective\.title\+photo`: `masked` trains one stream at a time: give each its own line"),
    ({"objective": {"title": "align"}},
     r"`pretrain\.mine\.objective\.title`: `align` trains several streams together: name them as `title\+photo`"),
    ({"objective": {"title": 3}}, r"`pretrain\.mine\.objective\.title` is a name, or a mapping with the key `name`"),
])
def test_what_is_wrong_is_named(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=r"params\.yaml: " + says):
        made(**entry)
