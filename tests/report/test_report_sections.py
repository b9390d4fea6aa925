"""Sections: there with their inputs, left out without, and right in what they say."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.comparisons import span
from tests.report.page import Page, changed
from tests.report.project import build
from trivium.machine.measured import Measured
from trivium.report.html import HERE, write
from trivium.report.inputs import Inputs
from trivium.report.sections import GROUPS

ALWAYS = {
    "strategies", "pairs", "cost", "learning", "components", "machine", "streams", "ceilings",
    "errors", "calibration", "disagreements", "similarity", "data", "reading", "provenance",
}

def test_every_template_is_of_a_section() -> None:
    sections = {section.template for group in GROUPS for section in group.sections}
    there = {path.name for path in (HERE / "templates").iterdir()}
    assert there == sections | {
        "base.html", "macros.html", "verdict.html", "sweep.html", "sweep_factor.html", "sweep_combinations.html",
        "domains.html", "domains_overview.html", "domains_one.html", "update.html",
        "update_ways.html", "update_sure.html", "look.html", "look_part.html", "look_quarantine.html"}


def test_all_sections_with_all_inputs(page: Page) -> None:
    assert page.sections == ALWAYS | {"budgets", "contributions", "robustness", "attributions", "counterfactuals"}
    linked = {(link["href"] or "")[1:] for link in page.of("a")} - {"content"}
    assert linked == page.sections


@pytest.mark.parametrize(
    ("gone", "left_out"),
    [
        ("reports/evaluate", {"streams", "contributions", "errors", "calibration", "disagreements", "similarity"}),
        ("models", {"learning", "components"}),
        ("data", {"data"}),
        ("reports/measured", {"machine"}),
        ("dvc.lock", set()),
    ],
)
def test_section_without_inputs_is_left_out(tmp_path: Path, gone: str, left_out: set[str]) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    whole = Page(write(root).read_text(encoding="utf-8")).sections
    path = root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert whole - Page(write(root).read_text(encoding="utf-8")).sections == left_out & whole


@pytest.mark.parametrize("content", ["", '{"sec', "[1, 2]"])
def test_a_measurement_that_is_broken_is_left_out(tmp_path: Path, content: str) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    (root / "reports/measured/train@end_to_end.json").write_text(content)
    inputs = Inputs(root, 0)
    assert inputs.measured["train@end_to_end"] == Measured()
    assert inputs.measured["evaluate@end_to_end"].seconds == 9.0
    assert "machine" in Page(write(root).read_text(encoding="utf-8")).sections


def test_comparison_alone_is_enough(tmp_path: Path) -> None:
    root = build(tmp_path / "whole", samples=60, seeds=2)
    (tmp_path / "bare/reports").mkdir(parents=True)
    shutil.copy(root / "reports/comparison.json", tmp_path / "bare/reports")
    page = Page(write(tmp_path / "bare").read_text(encoding="utf-8"))
    assert {"strategies", "pairs", "cost", "ceilings", "reading", "provenance"} == page.sections


def test_a_stream_that_no_model_reads_has_a_dash(tmp_path: Path) -> None:
    """The best single stream is text here, on both seeds: image and audio have given it nothing, not 0 points."""
    root = build(tmp_path, samples=60, seeds=2, strategies={"unimodal": 1.5, "ensemble": 2.0}, extras=True)
    path = root / "reports/evaluate/unimodal/metrics.json"
    found = json.loads(path.read_text())
    for seed in found["seeds"]:
        seed["training"]["chosen"] = "text"
    path.write_text(json.dumps(found))
    page = changed(root, verdict={"sentence": "Take it.", "recommended": "unimodal"},
                   information={"encoders": {"image": {"patches": 0.26, "pixels": None}}, "entropy": 1.58})
    rows = [row for row in page.cells if row and row[0] == "Best single stream"]
    assert ["Best single stream", "+27.5", "–", "–"] in rows
    (subsets,) = (row for row in rows if len(row) == 8)
    assert [cell == "–" for cell in subsets[1:]] == [False, True, True, False, False, True, False]
    assert ["image", "pixels", "–"] in page.cells
    assert "“Best single stream” reads text alone: without it, there is nothing to answer from." in page.words


def test_an_ensemble_that_gains_nothing_is_not_said_to_gain_0_points(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0}, extras=True)
    mean = {"score": span(0.905), "gain": -0.0001, "members": ["end_to_end", "ensemble"], "joint_errors": 1.2}
    said = "".join(changed(root, similarity={"sentence": "", "ensemble": mean}).words)
    assert ("The mean of “End to end” and “Ensemble of single streams” reaches 90.5\u00a0%, as much as the better of "
            "them alone.") in said  # fmt: skip


def test_no_axis_of_shares_goes_beyond_all_of_it(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0}, extras=True)
    curve = [{"level": x, "score": {"mean": y, "low": y, "high": y}} for x, y in ((0, 1.0), (0.1, 1.0))]
    changed(root, robustness={"corruption": {}, "attacks": {"PGD on image": {"end_to_end": curve}}, "summary": {}})
    text = (root / "reports/report.html").read_text(encoding="utf-8")
    section = text.split('<section id="robustness">')[1].split("</section>")[0]
    ticks = [float(tick) for tick in re.findall(r'class="tick"[^>]*>([\d.]+)\xa0%<', section)]
    assert max(ticks) == 100
    assert 'text-anchor="end">100\xa0%' in section


def test_rows_are_counted_once(tmp_path: Path) -> None:
    """The made-up validation knows 60 rows, each with three streams; of two samples, one is lost, one lost a stream."""
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    assert "No row was lost; 3 lost their image." in "".join(changed(root).words)
    path = root / "data/valid/quarantine.parquet"
    table = pq.read_table(path).to_pylist()
    some = [row | {"sample": "q0" if k < 2 else "q2", "table": "labels" if k == 0 else row["table"]}
            for k, row in enumerate(table)]
    pq.write_table(pa.Table.from_pylist(some), path)
    assert "1 of 60 rows went to quarantine; of the others, 1 lost its image." in "".join(changed(root).words)
    pq.write_table(pa.Table.from_pylist(table).slice(0, 0), path)
    assert "Nothing was set aside: all 60 rows passed." in "".join(changed(root).words)


def test_a_manifest_is_named_once(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    path = root / "data/aligned/meta.json"
    about = {"source": "manifest", "title": "manifest.csv", "card": "60 rows of `manifest.csv`."}
    path.write_text(json.dumps(json.loads(path.read_text()) | about))
    said = "".join(changed(root).words)
    assert "in 10 classes: manifest.csv." in said and "60 rows of" not in said


def test_the_pareto_front_is_named(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    path = root / "reports/comparison.json"
    found = json.loads(path.read_text())
    for name, accuracy, flops in (("end_to_end", 0.9, 2e12), ("ensemble", 0.8, 1e12), ("unimodal", 0.7, 1.5e12)):
        found["strategies"][name] |= {"flops": flops, "parameters": {"total": 1e5, "trained": 1e5}}
        found["strategies"][name]["metrics"]["accuracy"] = {"mean": accuracy, "low": 0.6, "high": 1.0}
    path.write_text(json.dumps(found))
    shutil.rmtree(root / "reports/measured")
    said = "".join(Page(write(root).read_text(encoding="utf-8")).words)
    one, two = "“End to end”", "“Ensemble of single streams”"
    either = f"({one} and {two}|{two} and {one})"  # their ranks are not set here
    assert re.search(f"On the Pareto front of accuracy and cost: {either} by training compute; {one} by "
                     r"parameters\.", said)  # fmt: skip


def test_memory_of_a_gpu_is_shown_where_one_was_used(text: str, tmp_path: Path) -> None:
    assert "memory to train" in text and "GPU memory" not in text
    root = build(tmp_path, samples=60, seeds=2)
    path = root / "reports/measured/train@end_to_end.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"peak_gpu_memory_bytes": 3.5e9}))
    section = write(root).read_text(encoding="utf-8").split('<section id="machine">')[1].split("</section>")[0]
    assert "GPU memory to train" in section and "3.50\N{NO-BREAK SPACE}GB" in section


def test_curves_are_drawn_while_they_belong_to_the_comparison(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, extras=True)
    text = write(root).read_text(encoding="utf-8")
    section = text.split('<section id="budgets">')[1].split("</section>")[0]
    said = re.sub(r"<[^>]+>", "", section)
    found = json.loads((root / "reports/comparison.json").read_text())
    names = sorted(f"“{found['strategies'][name]['title']}”" for name in found["verdict"]["tied"])
    assert (f"With half the compute, the present compute and twice the compute, no difference was found between "
            f"{names[0]} and {names[1]}.") in said  # fmt: skip
    assert section.count('class="band"') == 12  # two charts of six strategies
    assert re.findall(r'text-anchor="middle">([\d.]+)</text>', section) == ["0.954", "1.91", "3.82", "15", "30", "60"]
    table = section.split("<details><summary>Every metric at every budget</summary>")[1].split("</details>")[0]
    assert table.count("<tr>") == 1 + 5 * 6  # five points of six strategies
    best = min(found["strategies"].values(), key=lambda entry: entry["rank"])
    line = re.sub(r"<[^>]+>", " ", table.split("half the compute</th>")[1].split("</tr>")[0]).replace("\u00a0", " ")
    for key in ("balanced_accuracy", "macro_f1"):
        mean, low, high = (f"{100 * best['metrics'][key][end]:.1f}" for end in ("mean", "low", "high"))
        assert re.search(rf"{mean}\s%\s+\({low} to {high}\)", line), (key, line)
    other = json.loads((root / "reports/comparison.json").read_text())
    other["strategies"]["ensemble"]["metrics"]["accuracy"]["mean"] += 1e-6
    (root / "reports/comparison.json").write_text(json.dumps(other))
    assert 'id="budgets"' not in write(root).read_text(encoding="utf-8")


def test_disagreements_show_what_was_answered(page: Page) -> None:
    said = "".join(page.words)
    assert re.search(r"True label \d", said) and "(right)" in said and "(wrong)" in said
    assert "All strategies are right on" in said


def test_what_tuning_chose(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    trials = [{"settings": {"lr": 0.003}, "nll": 0.5, "share": 1.0, "flops": 2e9},
              {"settings": {"lr": 0.01}, "nll": 0.9, "share": 0.125, "flops": 2.5e8},
              {"settings": {"lr": 0.00123}, "nll": 0.4, "share": 1.0, "flops": 2e9}]
    seeds = [{"seed": 0, "chosen": {"lr": 0.00123}, "trials": trials},
             {"seed": 1, "chosen": {"lr": 0.003}, "trials": [*trials[:2], trials[2] | {"nll": 0.7}]}]
    tuned = {"end_to_end": {"trials": 3, "space": {"lr": [0.0003, 0.03]}, "seeds": seeds},
             "ensemble": {"trials": 0, "space": {}, "seeds": []}}
    for name, tuning in tuned.items():
        path = root / f"models/{name}/training.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"tuning": tuning}))
    path = root / "reports/comparison.json"
    found = json.loads(path.read_text())
    found["strategies"]["end_to_end"] |= {"trials": 3, "tuning": 4.25e9}
    page = changed(root, strategies=found["strategies"])
    words = "".join(page.words)
    assert ("the same paired seeds, 3 trials of tuning each (where there is anything to tune) and the same compute "
            "budget") in words
    assert ("Every strategy had 3 trials at each seed, the first of them with its settings as they are written. Each "
            "seed chose by its own validation NLL. Nothing to tune, and so no trials: Ensemble of single streams."
            ) in words  # fmt: skip
    assert ["End to end", "lr", "0.003", "0.0003 to 0.03", "0.00123 to 0.003", "0.500 → 0.450", "2 of 6",
            "4.25\u00a0GFLOP", "–"] in page.cells


def test_steps_that_were_skipped_are_told(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    path = root / "models/end_to_end/training.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    assert "with nothing to learn from" not in "".join(Page(write(root).read_text(encoding="utf-8")).words)
    for seed in about["seeds"]:
        seed["history"][1]["bad"] = {"count": 600 + seed["seed"], "step": 1234, "what": "its gradient is not finite",
                                     "rows": [f"<r{k}>" for k in range(10)], "inputs": {}}
    path.write_text(json.dumps(about), encoding="utf-8")
    phase = about["seeds"][0]["history"][1]["phase"]
    assert (f"End to end skipped 1,201 steps with nothing to learn from. The first one was step 1,234 of {phase} "
            "(seed 0): its gradient is not finite. Its rows: <r0>, <r1>, <r2>, <r3>, <r4>, <r5>, <r6>, <r7> and 2 "
            "others.") in "".join(Page(write(root).read_text(encoding="utf-8")).words)


def test_what_is_private_says_what_it_spent_and_what_is_not_counted(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    path = root / "models/supervised_frozen/training.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    for seed in about["seeds"]:
        seed["private"] = {"epsilon": 2.5 + seed["seed"] / 4, "delta": 1e-5, "clip": 1.0, "noise": 0.8, "rate": 0.1,
                           "steps": 90, "besides": ["the validation rows", "the classes"]}
    path.write_text(json.dumps(about), encoding="utf-8")
    said = "".join(Page(write(root).read_text(encoding="utf-8")).words)
    assert said.count("ε 2.75, δ 1e-05") == 1
    assert ("Training was private: each seed spent an epsilon of 2.75 at a delta of 1e-05, counted by Opacus, of each "
            "single train row. Not counted are the validation rows; the classes.") in said
