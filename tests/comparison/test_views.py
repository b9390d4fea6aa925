"""The tables and figures that are made from a comparison, and what DVC makes of them."""

import csv
import json
import shutil
from xml.etree import ElementTree

import pytest

from tests.comparison.outs import TITLES, change, compared, write_outs
from tests.helpers import ROOT, command, digests
from trivium.comparison import curves, figures
from trivium.comparison.out import PATH, Comparison
from trivium.data.tables import read, read_json
from trivium.evaluation.metrics import Evaluation
from trivium.training.records import Trained

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["end_to_end", "supervised_frozen", "ensemble"]


@pytest.fixture
def project(tmp_path):
    return write_outs(tmp_path, {"end_to_end": 0.7, "supervised_frozen": 0.8, "ensemble": 0.82}, seeds=2)


def write_views(project, drawn=True, **settings):
    found = Comparison.model_validate(compared(project, NAMES, **settings))
    evaluated = {name: Evaluation.read(project / f"reports/evaluate/{name}/metrics.json") for name in NAMES}
    trained = {name: Trained.read(project / f"models/{name}/training.json") for name in NAMES}
    for folder in ("plots", "figures", "summary"):
        shutil.rmtree(project / "reports" / folder, ignore_errors=True)
        (project / "reports" / folder).mkdir()
    curves.write(project / "reports/plots", found, project / "reports/evaluate", trained)
    curves.summary(project / "reports/summary", found)
    if drawn:
        figures.write(project / "reports/figures", found, evaluated, trained)
    found.write(project / PATH)
    return found.plain()


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables(project):
    found = write_views(project, drawn=False)
    strategies = rows(project / "reports/plots/strategies.csv")
    assert [row["strategy"] for row in strategies] == ["ensemble", "supervised_frozen", "end_to_end"]
    assert float(strategies[0]["accuracy"]) == found["strategies"]["ensemble"]["metrics"]["accuracy"]["mean"]
    learning = rows(project / "reports/plots/learning.csv")
    assert len([row for row in learning if row["strategy"] == "end_to_end"]) == 2 * 15
    ends = [row for row in learning if row["strategy"] == "ensemble"]  # its components' curves are not its own
    assert [(row["phase"], float(row["flops"]), row["train_loss"]) for row in ends] == [("combined", 1e12, "")] * 2
    confusion = rows(project / "reports/plots/confusion.csv")
    assert len(confusion) == 9
    answers = read(project / "reports/evaluate/ensemble/predictions.parquet").to_pandas()
    ash = answers[answers["y"] == 0]
    assert float(confusion[0]["share"]) == pytest.approx((ash["prediction"] == 0).mean(), abs=1e-4)
    assert sum(float(row["share"]) for row in confusion if row["label"] == "ash") == pytest.approx(1, abs=1e-3)
    summary = read_json(project / "reports/summary/ensemble.json")
    best = found["strategies"]["ensemble"]["metrics"]["accuracy"]["mean"]
    assert summary["rank"] == 1 and summary["accuracy"] == best


def test_figures_are_the_same_bytes_every_time(project):
    write_views(project)
    first = digests(project, "reports/figures", "reports/plots")
    assert sorted(path.split("/")[-1] for path in first if "figures" in path) == sorted(
        f"{name}.svg" for name in ("result", "compute", "learning", "subsets"))
    write_views(project)
    assert digests(project, "reports/figures", "reports/plots") == first


def test_figures_show_what_was_found(project):
    found = write_views(project)
    drawn = {path.stem: ElementTree.parse(path).getroot() for path in (project / "reports/figures").iterdir()}
    words = {name: [text.text for text in picture.iter(f"{SVG}text")] for name, picture in drawn.items()}
    for name in ("End to end", "supervised_frozen", "Ensemble"):
        assert all(name in said for said in words.values())
    (bold,) = (text.text for text in drawn["result"].iter(f"{SVG}text") if text.get("font-weight") == "bold")
    assert found["verdict"]["recommended"] == "ensemble" and bold == TITLES["ensemble"]
    assert "knows nothing" in words["result"] and "best possible" in words["result"]
    dots = [dot for dot in drawn["result"].iter(f"{SVG}circle") if dot.get("r") == "2.4"]
    assert len(dots) == 2 * 3  # a seed each
    places = {dot.get("fill"): float(dot.get("cx")) for dot in dots}
    assert places["#0072b2"] > places["#009e73"] > places["#d55e00"]  # ensemble > supervised_frozen > end_to_end
    assert "training compute per seed, pretraining included (TFLOP)" in words["compute"]
    assert "validation NLL (nats); the lowest is kept" in words["learning"]
    full = read_json(project / "reports/evaluate/ensemble/metrics.json")["seeds"]
    assert f"{50 * sum(seed['subsets']['text+image+audio']['score'] for seed in full):.1f}" in words["subsets"]


def test_figures_are_in_the_metric_that_ranks_and_do_without_what_was_not_measured(project):
    for name in NAMES:
        seeds = read_json(project / f"reports/evaluate/{name}/metrics.json")["seeds"]
        change(project, name, seeds=[seed | {"subsets": {}} for seed in seeds])
    write_views(project, metric="nll")
    assert not (project / "reports/figures/subsets.svg").exists()
    drawn = {path.stem: path.read_text() for path in (project / "reports/figures").iterdir()}
    assert "Test negative log-likelihood: mean, 95 % interval" in drawn["result"]
    assert "best possible" not in drawn["result"]
    assert "What the negative log-likelihood costs" in drawn["compute"]


def test_views_where_nothing_was_learned(tmp_path):
    write_outs(tmp_path, dict.fromkeys(NAMES, 1 / 3), seeds=2, seed_sd=0)
    found = write_views(tmp_path)
    assert "recommended" not in found["verdict"]
    assert "bold" not in (tmp_path / "reports/figures/result.svg").read_text()
    best = min(NAMES, key=lambda name: found["strategies"][name]["rank"])
    assert (tmp_path / "reports/plots/confusion.csv").exists() and best
    assert {read_json(path)["recommended"] for path in (tmp_path / "reports/summary").iterdir()} == {0}


@pytest.mark.slow
def test_dvc_shows_plots_and_metrics(project):
    write_views(project, drawn=False)
    shutil.copy(ROOT / "dvc.yaml", project)
    (project / "params.yaml").write_text("data: {watch: data/README.md}\npretrain: {scratch: {}}\n"
                                         "train: {end_to_end: {start: scratch, strategy: joint}}\n")
    command(project, "git", "init", "--quiet")
    command(project, "dvc", "init", "--quiet", "--force")
    shutil.copytree(ROOT / ".dvc/plots", project / ".dvc/plots")
    shown = json.loads(command(project, "dvc", "plots", "show", "--json"))
    assert not shown.get("errors")
    assert len(shown["data"]) == 4
    for plots in shown["data"].values():
        assert plots[0]["content"]["data"]["values"], "a plot without data"
        assert plots[0]["content"]["facet"]["column"]["field"] == "rev", "not drawn by a template of ours"
    (numbers,) = (each["data"] for each in json.loads(command(project, "dvc", "metrics", "show", "--json")).values())
    assert set(numbers) == {f"reports/summary/{name}.json" for name in NAMES}
    assert numbers["reports/summary/ensemble.json"]["data"]["rank"] == 1
