import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers import ROOT
from trivium.config import load, parse
from trivium.settings.errors import UserError


@pytest.fixture
def params() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def message(params: Any) -> str:
    with pytest.raises(UserError) as caught:
        parse(params)
    return str(caught.value)


def test_the_file_of_the_repository_is_valid_and_typed() -> None:
    config = load(ROOT / "params.yaml")
    assert config.data.modalities == ("text", "image", "audio")
    assert isinstance(config.train.batch, int)
    assert config.strategies == config.end_to_end + config.fuse


def test_settings_cannot_be_changed_in_place(params: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="frozen"):
        parse(params).seeds = 7  # type: ignore[misc]


@pytest.mark.parametrize(
    ("section", "wrong", "nearest"),
    [
        ((), "budgets", "budget"),
        (("train",), "bacth", "batch"),
        (("data", "symbols"), "sample", "samples"),
        (("preprocess", "audio"), "window", "window_ms"),
        (("pretrain", "selfsup"), "objectiv", "objective"),
    ],
)
def test_an_unknown_key_names_the_nearest(params: dict[str, Any], section: tuple, wrong: str, nearest: str) -> None:
    target = params
    for part in section:
        target = target[part]
    target[wrong] = 1
    text = message(params)
    assert f"unknown key `{'.'.join((*section, wrong))}`" in text
    assert f"did you mean `{nearest}`?" in text


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
        ("train.batch", 0),
        ("train.device", "gpu"),
        ("preprocess.image.channels", 2),
        ("budget.epochs", -1),
        ("compare.confidence", 95),
        ("data.source", "symbol"),
        ("data.modalities", []),
    ],
)
def test_a_value_out_of_range_names_key_and_value(params: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, key = dotted.split(".")
    target = params
    for part in sections:
        target = target[part]
    target[key] = value
    text = message(params)
    assert f"`{dotted}`" in text
    assert repr(value) in text or value == []


def test_a_missing_key_is_named(params: dict[str, Any]) -> None:
    del params["train"]["clip"]
    assert "`train.clip` is missing" in message(params)


def test_all_problems_are_told_at_once(params: dict[str, Any]) -> None:
    params["seeds"] = 0
    params["train"]["bacth"] = 3
    assert len(message(params).splitlines()) == 2


def test_a_strategy_that_is_listed_but_not_described(params: dict[str, Any]) -> None:
    params["fuse"].append("my_fuse")
    assert message(params) == (
        "params.yaml: `my_fuse` is listed under `fuse` or `end_to_end` but has no settings under `strategy`")


def test_a_strategy_that_is_described_but_not_listed(params: dict[str, Any]) -> None:
    params["strategy"]["my_fuse"] = {"kind": "supervised_frozen"}
    assert message(params) == (
        "params.yaml: `strategy.my_fuse` has settings, but neither `fuse` nor `end_to_end` lists it")


def test_a_name_that_comes_twice(params: dict[str, Any]) -> None:
    params["data"]["modalities"] = ["text", "image", "text"]
    assert message(params) == "params.yaml: `data.modalities` names `text` twice"


def test_a_misspelt_name_in_a_list_names_the_nearest(params: dict[str, Any]) -> None:
    params["fuse"][params["fuse"].index("ensemble")] = "ensembel"
    text = message(params)
    assert "did you mean `ensemble`?" in text
    assert "`strategy.ensemble` has settings" in text


def test_a_strategy_without_a_file_names_the_nearest(params: dict[str, Any]) -> None:
    params["fuse"].append("supervised_frosen")
    params["strategy"]["supervised_frosen"] = {}
    assert "did you mean `supervised_frozen`?" in message(params)


def test_a_strategy_without_a_file_says_where_to_write_it(params: dict[str, Any]) -> None:
    params["fuse"].append("qqq")
    params["strategy"]["qqq"] = {}
    assert "write src/trivium/strategies/qqq.py" in message(params)


def test_an_unknown_setting_of_a_strategy(params: dict[str, Any]) -> None:
    params["strategy"]["supervised_frozen"]["rate"] = 0.1
    text = message(params)
    assert "`strategy.supervised_frozen.rate`" in text
    assert "lr" in text


def test_a_start_without_recipe(params: dict[str, Any]) -> None:
    params["strategy"]["ensemble"]["start"] = "superviced"
    assert "no recipe `superviced`" in message(params)


def test_an_unknown_fusion_is_refused_before_anything_runs(params: dict[str, Any]) -> None:
    params["strategy"]["end_to_end"]["fusion"] = "concatt"
    assert "no fusion `concatt`; did you mean `concat`?" in message(params)


def test_an_unknown_objective_is_refused_before_anything_runs(params: dict[str, Any]) -> None:
    params["pretrain"]["selfsup"]["objective"] = "maskd"
    assert "no pretraining objective `maskd`" in message(params)


def test_no_strategy_is_called_pretrain(params: dict[str, Any]) -> None:
    params["fuse"].append("pretrain")
    params["strategy"]["pretrain"] = {"kind": "ensemble"}
    assert "cannot be called `pretrain`" in message(params)


@pytest.mark.parametrize("rate", [0, -0.003, float("nan"), float("inf")])
def test_a_learning_rate_is_a_number_above_zero(params: dict[str, Any], rate: float) -> None:
    for strategy, key in (("end_to_end", "lr"), ("supervised_lpft", "finetune_lr")):
        changed = deepcopy(params)
        changed["strategy"][strategy] = dict(changed["strategy"].get(strategy) or {}) | {key: rate}
        assert f"`strategy.{strategy}.{key}`: Input should be" in message(changed)


def test_a_strategy_with_pretrained_components_is_no_end_to_end_one(params: dict[str, Any]) -> None:
    params["fuse"].remove("supervised_frozen")
    params["end_to_end"].append("supervised_frozen")
    assert "starts from pretrained components (`supervised`): list it under `fuse`" in message(params)


def test_an_ensemble_needs_classifiers(params: dict[str, Any]) -> None:
    params["strategy"]["ensemble"] = {"start": "selfsup"}
    assert "`selfsup` trains without labels, and ensemble needs classifiers" in message(params)


def test_parse_leaves_its_input_alone(params: dict[str, Any]) -> None:
    before = deepcopy(params)
    parse(params)
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
        "import sys, trivium.config, trivium.strategies, trivium.stage\n"
        "heavy = {'torch', 'mlflow', 'great_expectations', 'transformers', 'sklearn', 'matplotlib', 'dvc', 'pandas'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
