"""What the label columns are taken for, and who is asked."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from tests.cli.own import data
from tests.helpers import ROOT, set_params
from trivium.cli import targets
from trivium.cli.main import main
from trivium.cli.targets import guess
from trivium.cli.use import use
from trivium.params import load
from trivium.settings.errors import UserError


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    return tmp_path


def taken(cells: list[Any]) -> Any:
    """The task for a column of these cells."""
    column = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    return guess({"label": pa.chunked_array([column])}).task


def task() -> Any:
    return YAML(typ="safe").load(Path("params.yaml"))["task"]


def save(name: str, **columns: list[Any]) -> str:
    rows = len(next(iter(columns.values())))
    with open(name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", *columns])
        writer.writerows([f"r{i}", f"word {i}", *(column[i] for column in columns.values())] for i in range(rows))
    return name


@pytest.mark.parametrize(("cells", "expected"), [
    ([f"{i * 1.37:.2f}" for i in range(300)], "regression"),
    ([1900 + i % 90 for i in range(300)], "regression"),  # 30 % of the rows
    ([1900 + i % 90 for i in range(3000)], "classification"),
    ([f"{i * 1e-3:e}" for i in range(40)] + ["about 3"] * 4 + [None], "regression"),
    ([i / 2 for i in range(10)] * 30, "classification"),  # grades
    ([1, 2, 3, 4, 5] * 60, "classification"),
    (["0", "1"] * 50, "classification"),
    (["cat", "dog"] * 50, "classification"),
    (["a;b", "b", "c;a", "c"] * 20, "multilabel"),
    (["a|b", "b", "c|a", "c"] * 20, {"name": "multilabel", "separator": "|"}),
    (["cat;even", "cat;odd", "dog;even", "dog;odd", "ox;even", "ox;odd"] * 20, "multilabel"),  # all come again
    (["cat|odd", "cat|even", "dog|odd", "dog|even", "ox|odd", "ox|even"] * 20,
     {"name": "multilabel", "separator": "|"}),
    (["de;Bonn", "de;Ulm", "fr;Metz"] * 20, "classification"),
    (["a, b", "b", "c, a", "c"] * 20, {"name": "multilabel", "separator": ","}),
    (["a;b", "b;a"] + ["a", "b", "c"] * 20, "classification"),  # 3 % of the rows
    (["Smith, John", "Smith, Ann", "Lee, Ann", "Lee, John"] * 9, "classification"),
    (["good; but long and dear, as people said of it", "bad; as people said of it"] * 9, "classification"),
    (['["a"]', '["a", "b"]', "[]"] * 9, "multilabel"),
    (["['a']", "['a', 'b']"] * 9, "multilabel"),
    (["[1.5, 2.0]", "[0.25, 3]"] * 9, "regression"),
    (["1.0.2", "1.1.0"] * 50, "classification"),
])
def test_one_column(cells: list[Any], expected: Any) -> None:
    assert taken(cells) == expected


@pytest.mark.parametrize(("cells", "said"), [
    ([None, None], "no value in any row"), (["7", "7", None], "one value, `7`")])
def test_nothing_to_predict(cells: list[Any], said: str) -> None:
    with pytest.raises(UserError, match=f"The label column `price` has {said}.* Name another one: `trivium use"):
        guess({"price": pa.chunked_array([pa.array(cells, pa.string())])})


def test_a_column_that_cannot_be_classes_is_told_at_once() -> None:
    cells = [f"{i * 1.37:.2f}" if i % 3 else "on request" for i in range(90)]
    with pytest.raises(UserError, match="the label column `price` holds 61 different decimal numbers .*regression"):
        guess({"price": pa.chunked_array([cells])})


def test_labels_that_may_be_tags_say_how_they_become_some() -> None:
    cells = ["cat, even", "cat, odd", "dog, even", "dog, odd", "ox, even", "ox, odd"]
    found = guess({"kind": pa.chunked_array([cells * 9])})
    assert (found.task, found.note) == ("classification", (
        "A label such as `cat, even` is one class here; if `,` stands between several tags of a row, set `task: {name: "
        'multilabel, separator: ","}`'))


def test_few_whole_numbers_may_be_steps_or_a_quantity() -> None:
    found = guess({"stars": pa.chunked_array([["3", "1", "2", "10"] * 9])})
    assert found.seen == "4 different whole numbers from 1 to 10"
    assert found.note == ("If they are steps of a scale, set `task: {name: ordinal, order: [1, 2, 3, 10]}`, and if "
                          "they are a quantity, `task: regression`")
    assert guess({"stars": pa.chunked_array([["0", "1"] * 9])}).note == ""


def test_several_columns() -> None:
    numbers, flags, words = (pa.chunked_array([values]) for values in (["1.5", "2", None], ["0", "1"], ["a", "b"]))
    assert guess({"a": numbers, "b": flags}).task == "regression"
    assert guess({"a": flags, "b": flags}).task == "multilabel"
    with pytest.raises(UserError, match="The label columns a, b are no target together: `b` holds no numbers"):
        guess({"a": numbers, "b": words})


def test_the_guess_is_said_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    comment = Path("params.yaml").read_text().split("task: classification")[1].splitlines()[:2]
    use(save("m.csv", label=[f"{i}.5" for i in range(50)]))
    assert task() == "regression"
    assert ("target `label`: 50 different numbers from 0.5 to 49.5, so regression; the others are classification, "
            "multilabel, ordinal (`task` in params.yaml)\n") in capsys.readouterr().out
    assert [line.strip() for line in Path("params.yaml").read_text().split("task: regression")[1].splitlines()[:2]] == [
        line.strip() for line in comment]
    assert load().compare.metric == "auto"  # nobody ranks numbers by accuracy
    use("symbols")
    assert task() == "classification"


def test_a_task_of_somebody_s_own_stays_with_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    own = {"name": "ordinal", "order": [1, 2, 3]}
    path = save("m.csv", label=[1, 2, 3] * 9)
    use(path)
    set_params(Path("."), {"task": own})
    use(path)
    assert task() == own and "target `label`: ordinal, as `task` in params.yaml says\n" in capsys.readouterr().out
    use(save("other.csv", label=["a", "b"] * 9))
    assert task() == "classification"


def test_settings_stay_where_the_guess_is_the_same_task() -> None:
    own = {"name": "regression", "loss": "huber"}
    set_params(Path("."), {"task": own})
    use(save("m.csv", label=[f"{i}.5" for i in range(50)]))
    assert task() == own


def test_several_labels_and_a_weight(capsys: pytest.CaptureFixture[str]) -> None:
    path = save("m.csv", price=[f"{i}.5" for i in range(50)], Area=list(range(50)), w=[1] * 50, score=["x"] * 50)
    main(["use", path, "--label", "price", "--label", "area", "--weight", "w"])
    assert (task(), data()["manifest"]["label"], data()["manifest"]["weight"]) == ("regression", ["price", "Area"], "w")
    assert "label: [price, Area]" in Path("params.yaml").read_text()
    assert "not used: score." in capsys.readouterr().out
    use(path)  # what params.yaml says already
    assert (task(), data()["manifest"]["label"], data()["manifest"]["weight"]) == ("regression", ["price", "Area"], "w")
    use(save("n.csv", label=["a", "b"] * 9))
    assert (task(), data()["manifest"]["label"], data()["manifest"]["weight"]) == ("classification", "label", "")


@pytest.mark.parametrize(("words", "message"), [
    (["m.csv", "--label", "prise"], "m.csv has no column `prise`, which --label names. Did you mean `price`?"),
    (["m.csv", "--label", "price", "--weight", "v"], "m.csv has no column `v`, which --weight names."),
    (["digits", "--label", "price"], "--label and --weight name columns of a table, and `digits` brings its own"),
])
def test_columns_that_are_not_there(words: list[str], message: str) -> None:
    save("m.csv", price=["1.5", "2.5"] * 9)
    before = Path("params.yaml").read_bytes()
    with pytest.raises(SystemExit) as stopped:
        main(["use", *words])
    assert message in str(stopped.value.code) and Path("params.yaml").read_bytes() == before


@pytest.mark.parametrize(("answers", "expected"), [
    (["y"], "classification"), ([""], "classification"), (["n", "regresion", "regression"], "regression"),
    (["n", "ordinal", ""], {"name": "ordinal", "order": ["1", "2", "3"]}),
    (["n", "ordinal", "3, 2,1"], {"name": "ordinal", "order": ["3", "2", "1"]}),
])
def test_on_a_terminal_people_are_asked(answers: list[str], expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    left = list(answers)
    monkeypatch.setattr(targets, "_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: left.pop(0))
    use(save("m.csv", label=[3, 1, 2] * 9))
    assert task() == expected and left == []
