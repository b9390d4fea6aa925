import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers import ROOT
from tests.refused import checked, message, put
from trivium.params import check, load, parse
from trivium.settings.errors import UserError


@pytest.fixture
def params() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def test_the_file_of_the_repository_is_valid_and_typed() -> None:
    params = load(ROOT / "params.yaml")
    check(params)
    assert list(params.streams.items()) == [(s, s) for s in ("text", "image", "audio")]
    assert isinstance(params.loop.batch, int)
    assert list(params.train) == list(params.entries) == [
        "end_to_end", "unimodal", "ensemble", "supervised_frozen", "supervised_lpft", "selfsup_finetune",
        "published_linear", "reference"]


def test_what_the_entries_say_is_typed_with_every_default_filled_in(params: dict[str, Any]) -> None:
    params["train"]["mine"] = {"start": "selfsup", "strategy": "lpft"}
    made = parse(params)
    entry = made.entries["mine"]
    assert (entry.start, entry.strategy, entry.title) == ("selfsup", "lpft", "LP-FT from selfsup")
    assert entry.settings == {"fusion": "concat", "lr": 0.003, "head_share": 0.1, "finetune_lr": 0.003}
    assert [(phase.name, phase.share) for phase in entry.plan.phases] == [("head", 0.1), ("finetune", 0.9)]
    recipe = made.recipe("selfsup")
    assert recipe.encoders == {"text": "words", "image": "patches", "audio": "bands"}
    assert (recipe.share, recipe.lr, recipe.objectives) == (0.5, 0.003, ["masked"])
    assert [group.streams for group in recipe.groups] == [("text",), ("image",), ("audio",)]
    assert made.recipe("scratch").objectives == []
    words = made.encoders["words"]
    assert (words.modality, words.architecture, words.weights) == ("text", "cnn", "")
    assert words.processor == ("text", {"length": 24, "vocab": 256, "tokenizer": "trained"})
    assert words.settings == {"width": 64, "depth": 2}


def test_the_task_is_a_name_or_a_name_with_settings(params: dict[str, Any]) -> None:
    assert parse(params).task == "classification" and parse(params).kind.name == "classification"
    own = {"name": "regression", "units": {"price": "EUR"}, "loss": "huber"}
    assert parse(params | {"task": own}).kind.name == "regression"
    del params["task"]
    assert parse(params).task == "classification"  # as before there were others


@pytest.mark.parametrize(("task", "words"), [
    ("regresion", "params.yaml: `task`: there is no task `regresion`; did you mean `regression`?"),
    ({"name": "regression", "los": "mse"}, "params.yaml: unknown key `task.los`; did you mean `loss`?"),
    ({"name": "regression", "loss": "hubr"}, "params.yaml: `task.loss`: did you mean `huber`? (got 'hubr')"),
    ({"name": "classification", "loss": "mse"}, "params.yaml: `task.loss`: there is no loss `mse`; known: ce, focal, "
                                                    "balanced, f1."),
    ({"loss": "huber"}, "params.yaml: `task` is a name, or a mapping with the key `name` (got {'loss': 'huber'})."),
    (None, "params.yaml: `task` must be a text or a mapping (got null)."),
])
def test_a_task_that_is_none(params: dict[str, Any], task: Any, words: str) -> None:
    assert message(params | {"task": task}) == words


def test_labels_are_a_column_or_several(params: dict[str, Any]) -> None:
    assert parse(params).data.manifest.labels == ["label"]
    params["data"]["manifest"] |= {"label": ["price", "area"]}
    made = parse(params).data.manifest
    assert (made.label, made.labels, made.weight) == (["price", "area"], ["price", "area"], "")
    params["data"]["manifest"] |= {"label": []}
    assert message(params) == "params.yaml: `data.manifest.label` is empty: it needs one entry at least."


def test_settings_cannot_be_changed_in_place(params: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="frozen"):
        parse(params).seeds = 7  # type: ignore[misc]


@pytest.mark.parametrize(
    ("section", "wrong", "nearest"),
    [
        ("", "buget", "budget"),
        ("loop", "bacth", "batch"),
        ("data.symbols", "sample", "samples"),
        ("train.end_to_end", "fusoin", "fusion"),
        ("pretrain.selfsup", "objectiv", "objective"),
        ("pretrain.selfsup.objective", "masc", "mask"),
        ("encoder.words", "dept", "depth"),
        ("encoder.words", "procesor", "processor"),
        ("encoder.bands.processor", "window", "window_ms"),
    ],
)
def test_an_unknown_key_names_the_nearest(params: dict[str, Any], section: str, wrong: str, nearest: str) -> None:
    put(params, f"{section}.{wrong}" if section else wrong, 1)
    text = checked(params)
    assert f"unknown key `{section + '.' if section else ''}{wrong}`; did you mean `{nearest}`?" in text
    assert len(text.splitlines()) == 1


def test_a_key_like_no_other_lists_the_known_ones(params: dict[str, Any]) -> None:
    params["align"]["zzz"] = 1
    assert "known keys: tolerance" in message(params)


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("seeds", 1),
        ("seeds", "many"),
        ("split.val", 1.0),
        ("split.method", "bootstrap"),
        ("validate.max_bad_fraction", 1.5),
        ("loop.batch", 0),
        ("loop.device", "gpu"),
        ("encoder.patches.processor.channels", 2),
        ("encoder.words.width", 4),
        ("encoder.words.depth", 0),
        ("pretrain.supervised.share", 1.0),
        ("pretrain.supervised.lr", 0),
        ("pretrain.selfsup.objective.mask", 1.5),
        ("train.supervised_lpft.head_share", 1.0),
        ("budget.epochs", -1),
        ("compare.confidence", 95),
        ("data.source", "symbol"),
        ("data.streams", {}),
    ],
)
def test_a_value_out_of_range_names_key_and_value(params: dict[str, Any], dotted: str, value: Any) -> None:
    put(params, dotted, value)
    text = checked(params)
    assert f"`{dotted}`" in text
    assert repr(value) in text or value == {}


def test_a_missing_key_is_named(params: dict[str, Any]) -> None:
    del params["loop"]["clip"]
    assert "`loop.clip` is missing" in message(params)


def test_all_problems_are_told_at_once(params: dict[str, Any]) -> None:
    params["seeds"] = 0
    params["loop"]["bacth"] = 3
    assert len(message(params).splitlines()) == 2


MINE = {"photo": {"modality": "image", "column": "img"}, "scan": {"modality": "image"}, "title": {"modality": "text"}}


@pytest.mark.parametrize(("changes", "words"), [
    ({"photo": {"modality": "imagee"}},
     "`data.streams.photo.modality`: there is no modality `imagee`; did you mean `image`?"),
    ({"photo": {"modality": "qqq"}},
     "`data.streams.photo.modality`: there is no modality `qqq`; known: audio, image, table, text, video."),
    ({"photo": {"modality": "image", "colunm": "img"}},
     "unknown key `data.streams.photo.colunm`; did you mean `column`?"),
    ({"photo": {"column": "img"}}, "`data.streams.photo.modality` is missing."),
    ({"photo": "image"}, "`data.streams.photo` must be a mapping (got 'image')."),
    ({"scan": {"modality": "image", "column": "img"}},
     "`data.streams`: `photo` and `scan` are both read from the column `img`: name another `column` for one of them, "
     "or leave it out."),
    ({"img": {"modality": "text"}},
     "`data.streams`: `photo` and `img` are both read from the column `img`: name another `column` for one of them, or "
     "leave it out."),
    ({"label": {"modality": "text"}},
     "`data.streams.label`: something else is called so already: choose another name, such as `my_label`."),
    ({"photo_start": {"modality": "text"}},
     "`data.streams.photo_start`: something else is called so already: choose another name, such as "
     "`my_photo_start`."),
    ({"audio": {"modality": "image"}},
     "`data.streams.audio` is image, but audio is the name of another modality: choose another name."),
    ({"My Photo": {"modality": "image"}},
     "`data.streams.My Photo`: a name holds lower-case letters, digits and `_`, and begins with a letter."),
    ({"facts": {"modality": "table", "columns": ["area", "img"]}},
     "`data.streams`: `photo` and `facts` are both read from the column `img`: name another `column` for one of them, "
     "or leave it out."),
    ({"facts": {"modality": "table", "columns": ["area", "area"]}}, "`data.streams.facts.columns` names `area` twice."),
    ({"facts": {"modality": "table", "columns": ["area"], "column": "year"}},
     "`data.streams.facts` names a `column` and `columns`: put all of them into `columns`."),
    ({"title": {"modality": "text", "columns": ["a", "b"]}},
     "`data.streams.title.columns`: only a table has several, and title is text: name one `column`."),
    ({5: {"modality": "image"}},
     "`data.streams.5`: a name holds lower-case letters, digits and `_`, and begins with a letter."),
])
def test_what_is_wrong_with_streams_is_one_sentence(params: dict[str, Any], changes: Any, words: str) -> None:
    params["data"] |= {"source": "manifest", "streams": MINE | changes}
    assert message(params) == f"params.yaml: {words}"


@pytest.mark.parametrize("source", ["digits", "symbols", "stamps"])
@pytest.mark.parametrize(("name", "modality"), [("photo", "image"), ("text", "image")])
def test_generated_sources_offer_fixed_streams(params: dict[str, Any], source: str, name: str, modality: str) -> None:
    params["data"] |= {"source": source, "streams": {name: {"modality": modality}}}
    assert message(params) == (
        f"params.yaml: `data.streams.{name}` is {modality}, but `data.source: {source}` offers the streams text, "
        f"image, audio alone, each of the modality of its name: leave `{name}` out, or bring your own data "
        "(docs/bring-your-own-data.md).")


def test_a_modality_stands_for_all_its_streams_in_recipes(params: dict[str, Any]) -> None:
    params["data"] |= {"source": "manifest", "streams": MINE}
    params["encoder"]["fine"] = params["encoder"]["patches"] | {"width": 32}
    params["pretrain"]["supervised"]["encoders"]["scan"] = "fine"
    params["pretrain"]["selfsup"]["objective"] = {"photo": "masked", "scan+title": "align"}
    made = parse(params)
    check(made)
    assert made.read_by("scratch") == {"photo": "patches", "scan": "patches", "title": "words"}
    assert made.read_by("supervised") == {"photo": "patches", "scan": "fine", "title": "words"}
    assert [group.name for group in made.recipe("selfsup").groups] == ["photo", "scan+title"]
    params["pretrain"]["supervised"]["encoders"]["scan"] = "words"
    assert checked(params) == ("params.yaml: `pretrain.supervised.encoders.scan`: `words` reads text, and scan is "
                               "image.")


@pytest.mark.parametrize("key", ["encoder.words", "encoder.mine", "pretrain.selfsup", "pretrain.mine"])
@pytest.mark.parametrize("entry", [None, 3, "cnn", ["text"]])
def test_an_entry_that_is_no_mapping_is_told(params: dict[str, Any], key: str, entry: Any) -> None:
    put(params, key, entry)
    text = message(params)
    assert key in text and "Traceback" not in text


@pytest.mark.parametrize(
    ("dotted", "value", "words"),
    [
        ("train.ensemble.start", "superviced",
         "`train.ensemble.start`: there is no recipe `superviced` under `pretrain`; did you mean `supervised`?"),
        ("pretrain.scratch.encoders.text", "word",
         "`pretrain.scratch.encoders.text`: there is no encoder `word` under `encoder`; did you mean `words`?"),
        ("pretrain.scratch.encoders.txt", "words",
         "`pretrain.scratch.encoders.txt` is neither a stream of the data nor a modality; did you mean `text`?"),
        ("train.supervised_frozen.strategy", "frosen",
         "`train.supervised_frozen.strategy`: there is no strategy `frosen`; did you mean `frozen`?"),
        ("train.end_to_end.fusion", "concatt",
         "`train.end_to_end.fusion`: there is no fusion `concatt`; did you mean `concat`?"),
        ("train.end_to_end.fusion", {"name": "atention", "heads": 4},
         "`train.end_to_end.fusion`: there is no fusion `atention`; did you mean `attention`?"),
        ("pretrain.selfsup.objective", "maskd",
         "`pretrain.selfsup.objective`: there is no objective `maskd`; did you mean `masked`?"),
        ("encoder.words.architecture", "cn",
         "`encoder.words.architecture`: there is no architecture `cn`; did you mean `cnn`?"),
        ("encoder.words.modality", "txt", "`encoder.words.modality`: there is no modality `txt`; did you mean `text`?"),
        ("budget.of", "end_to_ent", "`budget.of`: there is no entry `end_to_ent` under `train`; did you mean "
                                    "`end_to_end`?"),
        ("data.streams.image.modality", "imagee",
         "`data.streams.image.modality`: there is no modality `imagee`; did you mean `image`?"),
        ("compare.metric", "acuracy", "`compare.metric`: classification is not ranked by `acuracy`; did you mean "
                                      "`accuracy`?"),
        ("data.source", "manifst", "`data.source`: did you mean `manifest`? (got 'manifst')"),
        ("loop.device", "xyz", "`loop.device` must be one of auto, cpu, cuda (got 'xyz')."),
        ("encoder.patches.processor.channels", 2, "`encoder.patches.processor.channels` must be one of 1, 3 (got 2)."),
        ("train.end_to_end.fusion", None, "`train.end_to_end.fusion` must be a text or a mapping (got null)."),
        ("train.unimodal.title", None, "`train.unimodal.title` must be a text (got null)."),
        ("encoder.words.width", "wide", "`encoder.words.width` must be a whole number (got 'wide')."),
        ("loop.workers", "many", "`loop.workers` must be auto or a whole number (got 'many')."),
        ("loop.augment", "perhaps", "`loop.augment` must be true or false or a mapping (got 'perhaps')."),
        ("encoder.words", None, "`encoder.words` must be a mapping (got null)."),
        ("data.streams", {}, "`data.streams` is empty: it needs one entry at least."),
        ("train", {}, "`train` is empty: it needs one entry at least."),
        ("data", 3, "`data` must be a mapping (got 3)."),
        ("compare.reference", "ensembel",
         "`compare.reference`: there is no entry `ensembel` under `train`; did you mean `ensemble`?"),
    ],
)
def test_an_unknown_name_names_the_nearest(params: dict[str, Any], dotted: str, value: Any, words: str) -> None:
    put(params, dotted, value)
    assert checked(params) == f"params.yaml: {words}"


def test_a_strategy_like_no_other_lists_those_there_are(params: dict[str, Any]) -> None:
    params["train"]["end_to_end"]["strategy"] = "qqq"
    text = message(params)
    assert "there is no strategy `qqq`; known: " in text and "ensemble" in text and "joint" in text


@pytest.mark.parametrize("name", ["Words", "my-words", "2nd", "_x", "mine.too", "größe", "a b", ""])
@pytest.mark.parametrize("section", ["encoder", "pretrain", "train"])
def test_names_are_plain(params: dict[str, Any], section: str, name: str) -> None:
    params[section][name] = next(iter(params[section].values()))
    assert message(params) == (f"params.yaml: `{section}.{name}`: a name holds lower-case letters, digits and `_`, "
                               "and begins with a letter.")


def test_names_are_texts(params: dict[str, Any]) -> None:
    params["train"][5] = params["train"]["ensemble"]
    assert message(params) == ("params.yaml: `train.5`: a name holds lower-case letters, digits and `_`, and begins "
                               "with a letter.")


@pytest.mark.parametrize("name", ["a", "words_2", "v2_of_mine"])
def test_plain_names_are_taken(params: dict[str, Any], name: str) -> None:
    for section in ("encoder", "pretrain", "train"):
        params[section][name] = dict(next(iter(params[section].values())))
    check(parse(params))


@pytest.mark.parametrize(("dotted", "value", "words"), [
    ("split.val", 95, "`split.val` must be below 1 (got 95)."),
    ("seeds", 1, "`seeds` must be at least 2 (got 1)."),
    ("loop.clip", 0, "`loop.clip` must be above 0 (got 0)."),
])
def test_a_number_out_of_range_says_the_range(params: dict[str, Any], dotted: str, value: Any, words: str) -> None:
    put(params, dotted, value)
    assert message(params) == f"params.yaml: {words}"


def test_settings_of_the_loop_are_no_strategies(params: dict[str, Any]) -> None:
    params["train"] |= {"epochs": 20}
    assert message(params) == (
        "params.yaml: `train.epochs` is no strategy (got 20). `train` has an entry for each strategy, such as {start: "
        "scratch, strategy: joint, lr: 0.003}; the settings of the training loop are under `loop`, and epochs under "
        "`budget`.")


@pytest.mark.parametrize(("text", "words"), [
    ("", " is empty. `git checkout {}` brings it back."),
    ("seeds: 2\nseeds: 3\n", ": the key `seeds` stands there twice, the second time in line 2."),
])
def test_a_file_that_is_no_settings(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value) == f"{path}{words.format(path)}"


@pytest.mark.parametrize("rate", [0, -0.003, float("nan"), float("inf")])
def test_a_learning_rate_is_a_number_above_zero(params: dict[str, Any], rate: float) -> None:
    for entry, key in (("end_to_end", "lr"), ("supervised_lpft", "finetune_lr")):
        changed = deepcopy(params)
        changed["train"][entry][key] = rate
        assert f"`train.{entry}.{key}` must be " in message(changed)


def test_parse_leaves_its_input_alone(params: dict[str, Any]) -> None:
    before = deepcopy(params)
    check(parse(params))
    assert params == before


def test_a_missing_file_says_where_it_looked(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="params.yaml does not exist here"):
        load()


def test_a_file_that_is_not_yaml(tmp_path) -> None:
    (tmp_path / "params.yaml").write_text("seeds: [1, 2\n")
    with pytest.raises(UserError, match="not valid YAML"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n"])
def test_a_file_of_another_shape(tmp_path, text: str) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match="params.yaml"):
        load(tmp_path / "params.yaml")


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, trivium.params, trivium.strategies, trivium.stage\n"
        "heavy = {'torch', 'mlflow', 'great_expectations', 'transformers', 'sklearn', 'matplotlib', 'dvc', 'pandas'}\n"
        "trivium.params.load('../params.yaml')\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
