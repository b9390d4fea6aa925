"""Forms of params.yaml that Trivium read once: one error, which shows the present form."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers import ROOT
from tests.refused import OTHERS, message, put, streams
from trivium.params import check, parse

OLD = """
seeds: 5
preprocess: {text: {length: 24, vocab: 256, tokenizer: trained}}
encoder: {width: 64, depth: 2, text: cnn}
pretrain: {selfsup: {objective: masked, share: 0.5, lr: 0.003, mask: 0.5}}
train: {batch: 64, device: auto}
fuse: [unimodal]
end_to_end: [end_to_end]
strategy: {unimodal: {start: supervised}, end_to_end: {fusion: concat, lr: 0.003}}
"""


@pytest.fixture
def params() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def test_the_old_form_is_one_error_that_says_what_the_new_one_is() -> None:
    text = message(YAML(typ="safe").load(OLD))
    assert text.startswith("params.yaml is in a form that Trivium no longer reads.")
    assert "unknown key" not in text and "is missing" not in text
    new = YAML(typ="safe").load("\n".join(line for line in text.splitlines() if line.startswith("  ")))
    assert sorted(new) == ["encoder", "pretrain", "train"]
    for word in ("`preprocess`", "`processor`", "`fuse`", "`end_to_end`", "`strategy`", "`loop`"):
        assert word in text, word


@pytest.mark.parametrize("key", ["fuse", "end_to_end", "strategy", "preprocess"])
def test_a_single_section_of_the_old_form_is_enough(params: dict[str, Any], key: str) -> None:
    params[key] = {}
    assert "a form that Trivium no longer reads" in message(params)


def test_the_form_that_the_error_shows_is_one_that_is_read(params: dict[str, Any]) -> None:
    text = message(YAML(typ="safe").load(OLD))
    shown = YAML(typ="safe").load("\n".join(line for line in text.splitlines() if line.startswith("  ")))
    params["compare"]["reference"] = ""
    made = parse(params | shown | {"data": params["data"] | streams("text")})
    check(made)
    assert list(made.entries) == ["end_to_end", "frozen"]


@pytest.mark.parametrize("old", [{"data.modalities": ["text"]}, {"data.manifest.text": "caption"},
                                 {"data.manifest.image": ""}, {"data.manifest.audio": None}])
def test_streams_of_the_old_form_are_one_error_that_shows_the_new_one(params: dict[str, Any], old: Any) -> None:
    for dotted, value in old.items():
        put(params, dotted, value)
    text = message(params)
    assert text.startswith("params.yaml names the data in a form that Trivium no longer reads.")
    assert "unknown key" not in text
    shown = YAML(typ="safe").load("\n".join(line for line in text.splitlines() if line.startswith("  ")))
    for key in old:
        del params["data"][key.split(".")[1]]
    params["data"] = OTHERS | params["data"] | shown["data"] | {"source": "manifest"}
    assert list(parse(params).streams.items()) == [("photo", "image"), ("scan", "image"), ("title", "text")]
