"""Entries of `encoder`: what is filled in, and what is told of those that mean nothing."""

import json
from typing import Any

import pytest

from tests import networks
from trivium import encoders, modalities
from trivium.encoders import Described, describe
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

WORDS = {"modality": "text", "architecture": "cnn"}


def test_the_architectures_there_are() -> None:
    assert {"cnn", "transformer", "tfidf", "hog", "mfcc"} <= set(encoders.names())
    assert not {"base", "hub", "published"} & set(encoders.names())


def test_defaults_are_filled_in() -> None:
    found = describe("words", WORDS | {"width": 32, "processor": {"length": 24}})
    assert found == Described("text", "cnn", "", ("text", {"length": 24, "vocab": 4096, "tokenizer": "trained"}),
                              {"width": 32, "depth": 2})


def test_a_description_survives_json() -> None:
    for entry in (WORDS, {"modality": "image", "architecture": "transformer", "processor": {"size": 16}},
                  {"modality": "audio", "architecture": "mfcc"}):
        found = describe("one", entry)
        assert Described.of(json.loads(json.dumps(found.plain()))) == found


def test_simple_features_come_with_a_processor_of_their_own() -> None:
    found = {name: describe("one", {"modality": modality, "architecture": name}).processor[0]
             for name, modality in (("tfidf", "text"), ("hog", "image"), ("mfcc", "audio"), ("cnn", "audio"))}
    assert found == {"tfidf": "ngrams", "hog": "hog", "mfcc": "mfcc", "cnn": "audio"}


@pytest.mark.parametrize(("modality", "name", "gives"), [
    ("text", "cnn", {"tokens", "dense", "gradients"}),
    ("audio", "transformer", {"tokens", "dense", "gradients"}),
    ("image", "hog", {"dense"}),
    ("audio", "mfcc", {"dense"}),
    ("text", "tfidf", set()),
])
def test_what_an_encoder_gives_is_known_before_it_is_built(modality: str, name: str, gives: set[str]) -> None:
    found = describe("one", {"modality": modality, "architecture": name})
    assert encoders.gives(found) == gives
    part = modalities.processor(found.processor[0])
    spec = (Spec("text", "tokens", (6,), vocab=20) if name == "cnn" else
            part.spec(part.Settings.model_validate(found.processor[1])))
    assert encoders.build(found, spec).gives == gives


@pytest.mark.parametrize(("entry", "says"), [
    ({"architecture": "cnn"}, r"`encoder\.one\.modality` is missing: audio, image, table, text, video\."),
    (WORDS | {"modality": "imagge"}, r"`encoder\.one\.modality`: there is no modality `imagge`; did you mean `image`"),
    ({"modality": "text"}, r"`encoder\.one` names either an `architecture` \(cells, cnn, .*or published `weights`"),
    (WORDS | {"weights": "some/model"}, r"`encoder\.one` names either an `architecture`.*or published `weights`"),
    (WORDS | {"architecture": "cmn"}, r"`encoder\.one\.architecture`: there is no architecture `cmn`; did you mean"),
    (WORDS | {"architecture": "static", "depth": 2}, r"unknown key `encoder\.one\.depth`; known: modality, .*, width"),
    (WORDS | {"widht": 32}, r"unknown key `encoder\.one\.widht`; did you mean `width`"),
    (WORDS | {"procesor": {}}, r"unknown key `encoder\.one\.procesor`; did you mean `processor`"),
    (WORDS | {"width": 4}, r"`encoder\.one\.width` must be at least 8 \(got 4\)"),
    (WORDS | {"architecture": "recurrent", "width": 9}, r"`encoder\.one\.width` must be a multiple of 2 \(got 9\)"),
    (WORDS | {"processor": {"lenght": 8}}, r"unknown key `encoder\.one\.processor\.lenght`; did you mean `length`"),
    (WORDS | {"processor": {"size": 8}}, r"unknown key `encoder\.one\.processor\.size`; known keys: length, vocab"),
    ({"modality": "image", "architecture": "tfidf"}, r"`encoder\.one`: `tfidf` reads text, not image"),
    ({"modality": "text", "weights": "some/model", "width": 64}, r"unknown key `encoder\.one\.width`"),
    ({"modality": "text", "weights": "some/model", "processor": {"vocab": 64}}, "bring their own tokenizer"),
    ({"modality": "text", "weights": "some/model", "processor": {"tokenizer": "trained"}}, "their own tokenizer"),
    ({"modality": "image", "weights": "/no/folder"}, r"`encoder\.one\.weights`: there is no folder /no/folder"),
    ({"modality": "audio", "weights": "./nowhere"}, r"`encoder\.one\.weights`: there is no folder \./nowhere"),
    ({"modalty": "text", "architecture": "cnn"}, r"unknown key `encoder\.one\.modalty`; did you mean `modality`"),
    ({"modality": "text", "architectur": "cnn"}, r"key `encoder\.one\.architectur`; did you mean `architecture`"),
    ({"modality": "text", "weight": "a/b"}, r"unknown key `encoder\.one\.weight`; did you mean `weights`"),
    (WORDS | {"processor": 3}, r"`encoder\.one\.processor` is a mapping of settings \(got 3\)"),
    ("cnn", r"`encoder\.one` is a mapping such as \{modality: text"),
])
def test_what_is_wrong_is_named(entry: Any, says: str) -> None:
    with pytest.raises(UserError, match=r"params\.yaml: .*" + says):
        describe("one", entry)


def test_an_architecture_of_its_own_settings_is_built_as_wide_as_they_say() -> None:
    spec = Spec("title", "tokens", (6,), vocab=20, modality="text")
    made = encoders.build(describe("words", WORDS | {"width": 24, "depth": 3}), spec)
    assert made.width == 24 and len(made.blocks) == 3 and made.spec is spec


def test_weights_that_are_not_there_are_told_in_words(tmp_path) -> None:
    spec = Spec("text", "tokens", (6,), vocab=20)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="a folder without model.safetensors"):
        networks.encoder(spec, weights=str(tmp_path / "empty"))
    (tmp_path / "empty/pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match="pytorch_model.bin, a pickle, which can run any code"):
        networks.encoder(spec, weights=str(tmp_path / "empty"))
    with pytest.raises(UserError, match="the package no-such-package is not installed"):
        networks.encoder(spec, weights="package:no-such-package")
