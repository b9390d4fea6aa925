"""Folders of published weights that are not whole are told before anything runs, and in words when they are loaded."""

import json
import shutil
from pathlib import Path

import pytest

from tests import networks
from tests.helpers import ROOT, set_params
from trivium.cli import doctor
from trivium.encoders import describe
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

SPEC = Spec("text", "tokens", (6,), vocab=20)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A BERT of width 16 with a tokenizer of five entries."""
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
                        max_position_embeddings=64)
    BertModel(config).save_pretrained(tmp_path / "model")
    vocabulary = {"model": {"vocab": {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "a": 3}}, "added_tokens": [{"id": 4}]}
    (tmp_path / "model/tokenizer.json").write_text(json.dumps(vocabulary))
    return tmp_path / "model"


def config(model: Path, **changes: object) -> None:
    about = json.loads((model / "config.json").read_text()) | changes
    (model / "config.json").write_text(json.dumps({key: one for key, one in about.items() if one is not None}))


def said(model: Path) -> str:
    with pytest.raises(UserError) as caught:
        describe("one", {"modality": "text", "weights": str(model)})
    return str(caught.value)


def test_a_whole_folder_is_taken(model: Path) -> None:
    assert describe("one", {"modality": "text", "weights": str(model)}).processor[1]["length"] == 64


def test_a_file_that_was_cut_off(model: Path) -> None:
    file = model / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert said(model) == (
        f"params.yaml: `encoder.one`: model.safetensors of `{model}` has {len(whole) // 2:,} bytes and should have "
        f"{len(whole):,}: it was not copied to its end. Copy it again.")
    for content in (b"", whole[:100], b"version https://git-lfs.github.com/spec/v1\n"):
        file.write_bytes(content)
        assert said(model) == (f"params.yaml: `encoder.one`: model.safetensors of `{model}` is no whole safetensors "
                               "file: copy or save it again.")
    with pytest.raises(UserError, match="the weights .* could not be loaded"):
        networks.encoder(SPEC, weights=str(model))


def test_a_part_of_the_weights_that_is_missing(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert said(model) == (f"params.yaml: `encoder.one`: the folder {model} lacks model-00002-of-00002.safetensors: "
                           "copy it again.")


def test_tensors_that_the_model_needs_and_the_file_lacks(model: Path) -> None:
    """Half of a model is no model; a pooler that we do not use may be missing."""
    from safetensors.torch import load_file, save_file

    file = model / "model.safetensors"
    whole = load_file(file)
    save_file({name: x for name, x in whole.items() if not name.startswith("pooler.")}, file, {"format": "pt"})
    assert networks.encoder(SPEC, weights=str(model)).width == 16
    save_file({name: x for name, x in whole.items() if "encoder.layer.0.output" not in name}, file, {"format": "pt"})
    with pytest.raises(UserError, match=r"lack 4 tensors that the model needs, such as "
                                        r"encoder\.layer\.0\.output\.LayerNorm\.bias: they are not whole"):
        networks.encoder(SPEC, weights=str(model))


def test_no_config_and_one_of_no_known_model(model: Path) -> None:
    config(model, model_type="brt")
    assert said(model) == (f"params.yaml: `encoder.one`: config.json of `{model}` says `model_type: brt`, which the "
                           "installed transformers does not know; did you mean `bert`?")
    config(model, model_type=None)
    assert "has no `model_type`, which says what model it is" in said(model)
    (model / "config.json").unlink()
    assert said(model) == (
        f"params.yaml: `encoder.one`: the folder {model} has no config.json, which says what model it holds. Save the "
        f'model there (AutoModel.from_pretrained(...).save_pretrained("{model}")).')


def test_weights_of_other_shapes_than_the_config_s(model: Path) -> None:
    config(model, hidden_size=24)  # as wide as something else: only loading shows it
    describe("one", {"modality": "text", "weights": str(model)})
    with pytest.raises(UserError, match=r"the weights in .* have other shapes than its config\.json says"):
        networks.encoder(SPEC, weights=str(model))
    config(model, hidden_size=34)
    assert "other shapes than its config.json says (`hidden_size` is 34 there, and no tensor is as wide)" in said(model)


def test_doctor_tells(model: Path, tmp_path: Path) -> None:
    (model / "config.json").unlink()
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, {"encoder.words": {"modality": "text", "weights": str(model)}})
    ((grade, words),) = doctor.settings(tmp_path)
    assert grade == "wrong" and f"`encoder.words`: the folder {model} has no config.json" in words


@pytest.mark.parametrize("name", ["/no/folder", "./nowhere"])
def test_a_tokenizer_that_is_not_there(tmp_path: Path, name: str) -> None:
    entry = {"modality": "text", "architecture": "cnn", "processor": {"tokenizer": name}}
    with pytest.raises(UserError, match=rf"`encoder\.one\.processor\.tokenizer`: there is no folder {name}\. It is"):
        describe("one", entry)


def test_a_folder_without_a_tokenizer(model: Path) -> None:
    entry = {"modality": "text", "architecture": "cnn", "processor": {"tokenizer": str(model)}}
    assert describe("one", entry).processor[1]["tokenizer"] == str(model)
    (model / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"the folder .*/model has no tokenizer \(tokenizer\.json\)\. Save one there"):
        describe("one", entry)
