import json
import os
import shutil
from pathlib import Path

import pytest

import trivium.cli.status
from tests.fake_outs import fake_outs
from tests.helpers import command, tiny_project
from trivium.cli.status import _pending, show, status
from trivium.data.tables import read_json, write_json
from trivium.settings.errors import UserError

DVC = {
    "ingest": [{"changed deps": {"params.yaml": "new"}}, {"changed outs": {"data/raw": "deleted"}}],
    "fuse@supervised_lpft": [{"changed deps": {"params.yaml": {"strategy.supervised_lpft": "modified"}}}],
    "align": ["changed command", {"changed deps": {"data/valid": "modified"}},
              {"changed outs": {"data/aligned": "not in cache"}}],
}


def test_what_would_run_and_why() -> None:
    assert _pending(DVC) == [
        "  never ran here: ingest",
        "  fuse@supervised_lpft: params.yaml: strategy.supervised_lpft changed",
        "  align: changed command; data/valid changed; "
        "output data/aligned is not in the cache (`dvc pull` may have it)",
        "  and the stages after these, where their inputs then differ",
    ]
    assert _pending({}) == ["  nothing: all outputs are up to date"]


def test_many_reasons_are_cut_short() -> None:
    deps = {f"src/{k}.py": "modified" for k in range(7)}
    assert _pending({"compare": [{"changed deps": deps}]})[0] == (
        "  compare: src/0.py changed; src/1.py changed; src/2.py changed; src/3.py changed; and 3 more")


def test_status_of_a_project_that_never_ran(tmp_path: Path) -> None:
    project = tiny_project(tmp_path)
    said = command(project, "env", "PYTHONPATH=src", "python", "-m", "trivium.cli", "status")
    assert "never ran here: ingest, validate" in said
    assert "end_to_end         not trained yet" in said


def test_status_of_a_strategy_that_was_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fake_outs(tmp_path)
    monkeypatch.setattr(trivium.cli.status, "_dvc_status", lambda _: {})
    path = root / "models/unimodal/training.json"
    write_json(read_json(path) | {"seeds": [], "skipped": {
        "budget": 2e9, "needed": 5e9, "setting": "`budget.epochs: 50`", "sentence": "No."}}, path)
    write_json(read_json(path), root / "reports/evaluate/unimodal/metrics.json")
    assert status(root).splitlines()[-3:] == [
        "  end_to_end         evaluated (2 seeds), 70.0 % accuracy on test",
        "  supervised_frozen  evaluated (2 seeds), 90.0 % accuracy on test",
        "  unimodal           not begun: it needs 2.5 times the budget"]


def test_status_outside_of_a_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"params\.yaml does not exist"):
        status(tmp_path)


def test_outputs_that_are_elsewhere_take_one_entry_for_all_stages() -> None:
    elsewhere = [{"changed deps": {"data/raw": "deleted"}}, {"changed outs": {"data/valid": "not in cache"}}]
    edited = [{"changed deps": {"params.yaml": {"align": "modified"}}},
              {"changed outs": {"data/aligned": "not in cache"}}]
    assert _pending({"ingest": elsewhere[1:], "validate": elsewhere, "align": edited}) == [
        "  outputs neither here nor in the cache (`dvc pull` may have them): ingest, validate",
        "  align: params.yaml: align changed; output data/aligned is not in the cache (`dvc pull` may have it)",
        "  and the stages after these, where their inputs then differ",
    ]


def test_results_that_came_with_the_repository_are_not_taken_for_ones_made_here(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    assert "predict" in show(root) and "came with the repository" not in show(root)
    (root / "reports/report.html").unlink()
    shutil.rmtree(next((root / "reports/evaluate").iterdir()))  # of a run that was interrupted
    assert "These results came with the repository" in show(root) and "predict" not in show(root)
    assert not (root / "reports/report.html").exists()


def test_a_report_of_another_comparison_or_none_is_made_anew(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    page, compared = root / "reports/report.html", root / "reports/comparison.json"
    show(root)
    first = page.read_text()
    page.write_text(first + "<!-- as it was -->")
    show(root)
    assert page.read_text().endswith("<!-- as it was -->")
    found = json.loads(compared.read_text())
    found["verdict"]["sentence"] = "Zebra beats everybody."
    compared.write_text(json.dumps(found))  # as `dvc checkout` and `dvc pull` do it
    assert "report.html" in show(root)
    assert "Zebra beats everybody." in page.read_text() and "as it was" not in page.read_text()
    page.unlink()
    show(root)
    assert "Zebra beats everybody." in page.read_text()


def test_the_verdict_is_wrapped_and_the_report_is_named_only_when_it_is_there(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    path = root / "reports/comparison.json"
    found = json.loads(path.read_text())
    found["verdict"]["sentence"] = "word " * 60
    path.write_text(json.dumps(found))
    shutil.rmtree(root / "reports/evaluate")
    said = show(root)
    assert max(map(len, said.splitlines())) <= 100 and "report.html" not in said


def test_the_answer_comes_first_and_the_table_has_the_constant_answer(tmp_path: Path) -> None:
    said = show(fake_outs(tmp_path)).splitlines()
    assert said[1] == "Which way to train on Digits?"
    assert said[3].startswith("Take “Frozen supervised components”: it beats “End to end” by 20.0 points of accuracy")
    table = [line.split() for line in said if line.startswith((" ", "rank"))]
    assert table[1][:6] == ["1", "Frozen", "supervised", "components", "90.0", "%"]
    assert table[4] == ["always", "“anna”", "35.0", "%", "17.0", "%", "1.100", "nats"]


def test_a_constant_answer_of_many_words_stands_below_the_table(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    path = root / "reports/comparison.json"
    found = json.loads(path.read_text())
    found["dataset"]["task"] = "regression"
    found["constant"]["label"] = "rent 925 EUR, area 82.9 m² (the mean of train)"
    path.write_text(json.dumps(found))
    said = show(root).splitlines()
    table = [line.split() for line in said]
    assert ["constant", "answer", "35.0", "%", "17.0", "%", "1.100", "nats"] in table
    assert "constant answer: always rent 925 EUR, area 82.9 m² (the mean of train)" in said


def test_where_nothing_was_learned_no_prediction_is_proposed(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    path = root / "reports/comparison.json"
    found = json.loads(path.read_text())
    found["verdict"] |= {"winner": None, "recommended": None, "sentence": "Nothing was learned."}
    found["verdict"]["reason"] = "Big was not begun."
    found["skipped"] = {"big": {"title": "Big", "budget": 1.0, "needed": 3.0, "setting": "",
                                "sentence": "Big was not begun."}}
    found["metric"] = "nll"
    path.write_text(json.dumps(found))
    said = show(root)
    assert "Nothing was learned." in said and said.count("Big was not begun.") == 1 and "predict" not in said
    assert "class shares" in said and "1.100 nats" in said


@pytest.mark.parametrize(("metric", "heads", "constant"), [
    ("accuracy", ["accuracy", "95", "%", "interval", "macro", "F1", "NLL", "FLOPs", "failed"],
     ["always", "“anna”", "35.0", "%", "17.0", "%", "1.100", "nats"]),
    ("macro_f1", ["macro", "F1", "95", "%", "interval", "NLL", "ECE", "FLOPs", "failed"],
     ["always", "“anna”", "17.0", "%", "1.100", "nats", "10.0", "%"]),
    ("nll", ["NLL", "95", "%", "interval", "macro", "F1", "ECE", "FLOPs", "failed"],
     ["the", "class", "shares", "of", "train", "1.100", "nats", "17.0", "%", "10.0", "%"]),
])
def test_what_ranks_has_one_column(tmp_path: Path, metric: str, heads: list[str], constant: list[str]) -> None:
    path = fake_outs(tmp_path) / "reports/comparison.json"
    found = json.loads(path.read_text())
    for entry in found["strategies"].values():
        entry["metrics"] |= dict.fromkeys(("nll", "macro_f1"), entry["metrics"]["accuracy"])
    path.write_text(json.dumps(found | {"metric": metric}))
    table = [line.split() for line in show(tmp_path).splitlines() if line.startswith((" ", "rank"))]
    assert (table[0][2:], table[4]) == (heads, constant)


def test_a_comparison_that_stopped_on_the_way_is_told(tmp_path: Path) -> None:
    measured = fake_outs(tmp_path) / "reports/measured"
    for when, name in enumerate(("compare", "evaluate@unimodal", "evaluate@unimodal.system"), 1000):
        (measured / f"{name}.json").write_text("{}")
        os.utime(measured / f"{name}.json", (when, when))
    assert "`compare` did not come to its end since strategies were evaluated" in show(tmp_path)
    os.utime(measured / "compare.json", (1001, 1001))
    assert "`compare` did not" not in show(tmp_path)
