"""Networks: paired seeds, sums of log-probabilities, and files that come back as they were."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from tests import damage, networks
from trivium import fusion, models
from trivium.data.tables import read_json
from trivium.encoders import Described
from trivium.modalities.spec import Spec
from trivium.models import files
from trivium.models.network import Ensemble, Unimodal
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

SPECS = {"text": Spec("text", "tokens", (6,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}
INPUTS = {"text": torch.randint(3, 20, (5, 6), generator=torch.Generator().manual_seed(1)),
          "image": torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(2))}
PRESENT = torch.ones(5, 2, dtype=torch.bool)


def test_an_encoder_of_one_seed_starts_the_same_in_every_network() -> None:
    alone = networks.encoder(SPECS["image"], seed=3)
    joint = networks.multimodal(SPECS, 4, "attention", seed=3)
    other = networks.encoder(SPECS["image"], seed=4)
    torch.testing.assert_close(alone(INPUTS["image"]), joint.vectors(INPUTS)["image"])
    assert not torch.allclose(alone(INPUTS["image"]), other(INPUTS["image"]))


def test_parts_of_one_seed_start_from_different_weights() -> None:
    other = Spec("audio", "image", (1, 8, 8))
    image, audio = (networks.encoder(spec) for spec in (SPECS["image"], other))
    assert not torch.allclose(image(INPUTS["image"]), audio(INPUTS["image"]))


def test_building_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    networks.multimodal(SPECS, 4)
    assert torch.equal(torch.rand(3), expected)


def same(one: nn.Module, other: nn.Module) -> bool:
    """The same answers to samples that have everything, and to samples that lack a stream."""
    gaps = torch.tensor([[True, True], [True, False], [False, True], [True, True], [False, False]])
    return all(torch.equal(one(INPUTS, present), other(INPUTS, present)) for present in (PRESENT, gaps))


def parts(widths: dict[str, int], architecture: str = "cnn") -> tuple[dict, dict[str, Described]]:
    """Encoders, and their descriptions, of the widths given."""
    about = {s: networks.described(spec, architecture, widths[s]) for s, spec in SPECS.items()}
    return {s: models.encoder(about[s], spec, 1) for s, spec in SPECS.items()}, about


@pytest.mark.parametrize("widths", [{"text": 16, "image": 16}, {"text": 16, "image": 24}], ids=["equal", "unequal"])
@pytest.mark.parametrize("value", ["concat", {"name": "attention", "heads": 4}, {"name": "concat", "width": 8}],
                         ids=str)
def test_a_saved_model_comes_back(tmp_path: Path, value: object, widths: dict[str, int]) -> None:
    chosen = fusion.chosen(value, "fusion")
    encoders, about = parts(widths)
    model = models.multimodal(encoders, networks.task(4), chosen, seed=1).eval()
    model.calibration.fill_(2.0)
    described = files.describe("fusion", about, SPECS, Classification("abcd"), fusion=chosen)
    models.save(model, described, tmp_path / "one")
    models.save(model, described, tmp_path / "two")
    again = models.load(tmp_path / "one")
    assert same(again, model) and again.streams == ("text", "image")
    assert not any(p.requires_grad for p in again.parameters()) and not again.training
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()
    shutil.move(tmp_path / "one", tmp_path / "elsewhere")
    assert same(models.load(tmp_path / "elsewhere"), model)


def test_an_ensemble_comes_back_with_the_members_it_chose(tmp_path: Path) -> None:
    encoders, about = parts({"text": 16, "image": 24}, "transformer")
    members = {s: Unimodal(encoder, 4) for s, encoder in encoders.items()}
    for chosen in (["text", "image"], ["image"]):
        model = Ensemble({s: members[s] for s in chosen}, ("text", "image"), networks.task(2)).eval()
        model.calibrations.fill_(3.0)
        models.save(model, files.describe("ensemble", about, SPECS, Classification("abcd"), members=chosen),
                    tmp_path / "one")
        again = models.load(tmp_path / "one")
        assert same(again, model) and list(again.members) == chosen


def test_what_a_killed_process_left_of_its_weights_goes(tmp_path: Path) -> None:
    """Safetensors writes into a file of its own, beside ours."""
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / ".tmpS3YMob").write_bytes(b"half")
    model = networks.encoder(SPECS["image"])
    models.save(model, {"kind": "encoder"}, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_components_come_back(tmp_path: Path) -> None:
    encoders, about = parts({"text": 16, "image": 24})
    own = {"image": SPECS["image"]}
    models.save(encoders["image"], files.describe("encoder", about, own, Classification("abcd")), tmp_path / "encoder")
    assert torch.equal(models.load(tmp_path / "encoder")(INPUTS["image"]), encoders["image"](INPUTS["image"]))
    classifier = Unimodal(encoders["image"], 4)
    models.save(classifier, files.describe("unimodal", about, own, Classification("abcd")), tmp_path / "unimodal")
    assert torch.equal(models.load(tmp_path / "unimodal")(INPUTS["image"]), classifier(INPUTS["image"]))


def test_weights_that_nobody_trained_stay_where_the_recipe_keeps_them(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`apart`: not in the model's own file; joined from models/pretrain, or from a package's `apart`; told if gone."""
    monkeypatch.chdir(tmp_path)
    encoders, about = parts({"text": 16, "image": 24})
    chosen, home = fusion.chosen("concat", "fusion"), tmp_path / "models/pretrain/published/image/all"
    models.save(encoders["image"], files.describe("encoder", about, {"image": SPECS["image"]}, Classification("abcd")),
                home)
    model = models.multimodal(encoders, networks.task(4), chosen, seed=1).eval()
    folder = tmp_path / "models/frozen/seed_0"
    described = files.describe("fusion", about, SPECS, Classification("abcd"), fusion=chosen,
                               apart={"image": "published/image/all"})
    models.save(model, described, folder)
    from safetensors.torch import load_file

    kept = load_file(str(folder / "model.safetensors"))
    assert not [key for key in kept if key.startswith("encoders.image.")]
    assert [key for key in kept if key.startswith("encoders.text.")]
    assert read_json(folder / "model.json")["apart"] == {"image": "published/image/all"}
    assert same(models.load(folder), model)
    shutil.copytree(tmp_path / "models/pretrain", folder / "apart")
    shutil.rmtree(tmp_path / "models/pretrain")
    assert same(models.load(folder), model)
    shutil.rmtree(folder / "apart")
    with pytest.raises(UserError, match="needs the published weights in .*published/image/all, which are not there"):
        models.load(folder)


def test_vectors_keep_the_width_of_each_encoder() -> None:
    encoders, _ = parts({"text": 16, "image": 24})
    model = models.multimodal(encoders, networks.task(4), fusion.chosen("concat", "fusion"), seed=0)
    vectors = model.vectors(INPUTS)
    assert {s: tuple(x.shape) for s, x in vectors.items()} == {"text": (5, 16), "image": (5, 24)}
    assert torch.equal(model.answer(vectors, PRESENT), model(INPUTS, PRESENT))
    with pytest.raises(KeyError, match="needs inputs for text, image; image not given"):
        model.vectors({"text": INPUTS["text"]})


def test_the_head_does_not_depend_on_the_encoders_nor_these_on_the_fusion() -> None:
    """Every part is drawn from (seed, part): a change of one leaves the others where they were."""
    one, other = networks.multimodal(SPECS, 4, "concat"), networks.multimodal(SPECS, 4, "attention")
    assert torch.equal(one.head.weight, other.head.weight)
    for key, value in one.encoders.state_dict().items():
        assert torch.equal(other.encoders.state_dict()[key], value)
    deeper = networks.multimodal(SPECS, 4, "concat", architecture="transformer")
    assert torch.equal(one.fusion.mix[0].weight, deeper.fusion.mix[0].weight)


class Fixed(nn.Module):
    """An encoder whose vector is the log of given probabilities."""

    width = 2

    def __init__(self, *probabilities: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor([math.log(p) for p in probabilities]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.log.expand(len(x), -1)


def member(*probabilities: float) -> Unimodal:
    model = Unimodal(Fixed(*probabilities), 2)
    with torch.no_grad():
        model.head.weight.copy_(torch.eye(2))
        model.head.bias.zero_()
    return model


def test_the_ensemble_multiplies_probabilities_of_present_modalities() -> None:
    ensemble = Ensemble({"text": member(0.8, 0.2), "image": member(0.6, 0.4)}, ("text", "image"), networks.task(2))
    present = torch.tensor([[True, True], [True, False], [False, False]])
    inputs = {"text": torch.zeros(3, 1), "image": torch.zeros(3, 1)}
    # 0.8 * 0.6 against 0.2 * 0.4; text alone; nothing at all
    expected = torch.tensor([[6 / 7, 1 / 7], [0.8, 0.2], [0.5, 0.5]])
    torch.testing.assert_close(ensemble(inputs, present).exp(), expected)


def test_a_temperature_flattens() -> None:
    model = networks.multimodal(SPECS, 4).eval()
    sharp = model(INPUTS, PRESENT)
    model.calibration.fill_(2.0)
    torch.testing.assert_close(model(INPUTS, PRESENT), (sharp / 2).log_softmax(-1))
    ensemble = Ensemble({"text": member(0.8, 0.2)}, ("text",), networks.task(2))
    ensemble.calibrations.fill_(2.0)
    present = torch.ones(1, 1, dtype=torch.bool)
    # square roots of 4 : 1 are 2 : 1
    torch.testing.assert_close(ensemble({"text": torch.zeros(1, 1)}, present).exp(), torch.tensor([[2 / 3, 1 / 3]]))


@pytest.mark.parametrize("kind", damage.KINDS)
def test_damaged_weights_are_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    encoder, about = parts({"text": 16, "image": 16})
    described = files.describe("encoder", about, {"image": SPECS["image"]}, Classification("abcd"))
    models.save(encoder["image"], described, tmp_path / "one")
    damage.do(tmp_path / "one/model.safetensors", kind)
    with pytest.raises(UserError, match=r"model.safetensors is damaged: its content is not what training wrote. "
                                        r"`trivium verify --repair` finds all that is damaged"):
        models.load(tmp_path / "one")


@pytest.mark.parametrize("kind", [kind for kind in damage.KINDS if "last byte" not in kind])  # a line's end
def test_what_a_model_is_said_to_be_may_be_damaged_too(tmp_path: Path, kind: str) -> None:
    encoder, about = parts({"text": 16, "image": 16})
    described = files.describe("encoder", about, {"image": SPECS["image"]}, Classification("abcd"))
    models.save(encoder["image"], described, tmp_path / "one")
    damage.do(tmp_path / "one/model.json", kind)
    with pytest.raises(UserError, match="model.json (is|was)|(model.json|model.safetensors) is damaged"):
        models.load(tmp_path / "one")


def test_a_number_in_it_that_is_another_is_seen(tmp_path: Path) -> None:
    encoder, about = parts({"text": 16, "image": 16})
    described = files.describe("encoder", about, {"image": SPECS["image"]}, Classification("abcd"), share=0.25)
    models.save(encoder["image"], described, tmp_path / "one")
    text = (tmp_path / "one/model.json").read_text()
    (tmp_path / "one/model.json").write_text(text.replace("0.25", "0.35"))
    with pytest.raises(UserError, match="model.json is damaged: its content is not what training wrote"):
        models.load(tmp_path / "one")


def test_a_model_of_the_time_before_digests_is_loaded_and_that_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    encoder, about = parts({"text": 16, "image": 16})
    described = files.describe("encoder", about, {"image": SPECS["image"]}, Classification("abcd"))
    models.save(encoder["image"], described, tmp_path / "one")
    old = read_json(tmp_path / "one/model.json")
    assert old.pop("sha256").keys() == {"weights", "about"}
    (tmp_path / "one/model.json").write_text(json.dumps(old))
    files._unsealed.cache_clear()
    assert torch.equal(models.load(tmp_path / "one")(INPUTS["image"]), encoder["image"].eval()(INPUTS["image"]))
    models.load(tmp_path / "one")
    assert capsys.readouterr().err.count("note: a model here is of an older Trivium") == 1
    (tmp_path / "one/model.safetensors").write_bytes(b"\x08")
    with pytest.raises(UserError, match="model.safetensors is damaged"):
        models.load(tmp_path / "one")
