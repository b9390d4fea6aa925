import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from tests.fake_outs import BUDGET, STRATEGIES, fake_comparison, fake_outs, fake_strategy
from tests.helpers import ROOT
from trivium.comparison.budgets import VARIANTS, gather
from trivium.comparison.out import Comparison
from trivium.data.tables import read_json, write_json
from trivium.settings.errors import UserError
from trivium.tracking import outs, store
from trivium.tracking.sync import sync


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three strategies of two seeds, synced once. To be read only."""
    root = fake_outs(tmp_path_factory.mktemp("synced"))
    sync(root)
    return root


@pytest.fixture
def project(synced: Path, tmp_path: Path) -> Path:
    """A copy of `synced` that may be changed; a copied store is mended."""
    return Path(shutil.copytree(synced, tmp_path / "copy"))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Outs without a store."""
    return fake_outs(tmp_path / "fresh")


def runs(root: Path, where: str = "") -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store.uri(root))
    experiment = client.get_experiment_by_name("trivium")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], where, max_results=1000))


def names(root: Path, where: str = "") -> list[str]:
    return [run.info.run_name for run in runs(root, where)]


def database(root: Path) -> bytes:
    return store.database(root).read_bytes()


def artifacts(run: Any) -> set[str]:
    folder = Path(run.info.artifact_uri)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_parent_per_strategy_with_its_seeds_best_on_top(synced: Path) -> None:
    assert names(synced, "tags.kind != 'seed'") == ["comparison", "supervised_frozen", "unimodal", "end_to_end"]
    parents = {run.info.run_name: run.info.run_id for run in runs(synced, "tags.kind = 'parent'")}
    for name, parent in parents.items():
        assert names(synced, f"tags.`mlflow.parentRunId` = '{parent}'") == [f"{name}/seed_0", f"{name}/seed_1"]
    assert {run.info.status for run in runs(synced)} == {"FINISHED"}


def test_durations_are_those_of_training_and_colours_those_of_the_report(synced: Path) -> None:
    parents = {run.info.run_name: run for run in runs(synced, "tags.kind = 'parent'")}
    assert {run.info.end_time - run.info.start_time for run in parents.values()} == {12_500}
    assert {run.info.end_time - run.info.start_time for run in runs(synced, "tags.kind = 'seed'")} == {6_000}
    assert {name: run.data.tags["mlflow.runColor"] for name, run in parents.items()} == {
        "supervised_frozen": "#0072b2", "end_to_end": "#d55e00", "unimodal": "#009e73"}


def test_what_a_parent_says(synced: Path) -> None:
    (run,) = runs(synced, "tags.kind = 'parent' AND tags.strategy = 'supervised_frozen'")
    metrics, params, tags = run.data.metrics, run.data.params, run.data.tags
    expected = {"test/accuracy": 0.9, "test/accuracy_low": 0.88, "test/accuracy_high": 0.92, "rank": 1.0,
                "failed_share": 0.0, "cost/train_flops": BUDGET, "cost/seconds": 12.5, "cost/parameters": 1000.0,
                "system/cpu_utilization_percentage": 70.0, "train/loss": 0.2}
    assert {name: metrics[name] for name in expected} == expected
    assert params["train.start"] == "supervised" and params["loop.batch"] == "64"
    wanted = {"dataset": "digits", "world": "dominant", "fusion": "concat", "latest": "true", "winner": "true",
              "mlflow.source.name": "dvc repro train@supervised_frozen",
              "dvc.data/reads/supervised.json": "b" * 32}
    assert {key: tags.get(key) for key in wanted} == wanted
    note = tags["mlflow.note.content"]
    assert "only the fusion and the head learn" in note  # from the strategy's own file
    assert "On test **90.0 % accuracy** (interval 88.0 to 92.0 %)" in note and "rank **1** of 3" in note
    assert "“Frozen supervised components”: it beats “End to end”" in note
    assert [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs] == [
        ("digits (dominant) data/reads/supervised.json", "b" * 32), ("digits (dominant) data/raw", "a" * 32)]
    assert artifacts(run) == {"confusion_matrix.svg", "table.csv", "predictions.parquet",
                              "metrics.json", "training.json"}
    table = (Path(run.info.artifact_uri) / "table.csv").read_text().splitlines()
    assert table[0] == "class,precision,recall,f1,support" and table[1].startswith("anna,0.9,0.9,0.9,")


def test_an_objective_of_several_streams(fresh: Path) -> None:
    """`text+audio` is a key of the user's, and no name that MLflow takes."""
    lock = yaml.safe_load((fresh / "dvc.lock").read_text())
    recipe = lock["stages"]["pretrain@supervised"]["params"]["params.yaml"]["pretrain.supervised"]
    recipe["objective"] = {"image": "masked", "text+audio": {"name": "align", "width": 8}}
    (fresh / "dvc.lock").write_text(yaml.safe_dump(lock))
    assert sync(fresh) == "MLflow: 3 strategies written, 0 already there."
    (run,) = runs(fresh, "tags.kind = 'parent' AND tags.strategy = 'supervised_frozen'")
    found = {key: value for key, value in run.data.params.items() if key.startswith("pretrain.objective")}
    assert found == {"pretrain.objective.image": "masked", "pretrain.objective.text-audio.name": "align",
                     "pretrain.objective.text-audio.width": "8"}


def test_measurements_that_are_broken_are_left_out(fresh: Path) -> None:
    for name, content in (("train@unimodal", ""), ("train@unimodal.system", "[1]"), ("evaluate@unimodal", '{"inf')):
        (fresh / f"reports/measured/{name}.json").write_text(content)
    (fresh / "reports/report.html").unlink()  # so that it is written anew
    assert sync(fresh) == "MLflow: 3 strategies written, 0 already there."
    costs = {run.info.run_name: run.data.metrics.get("cost/seconds") for run in runs(fresh, "tags.kind = 'parent'")}
    assert costs == {"supervised_frozen": 12.5, "unimodal": None, "end_to_end": 12.5}


def test_charts_line_up(synced: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store.uri(synced))
    steps = {}
    for run in runs(synced, "tags.kind = 'seed'"):
        history = client.get_metric_history(run.info.run_id, "val/score")
        steps[run.info.run_name] = [point.step for point in history]
    assert steps["end_to_end/seed_0"] == [20, 40, 60, 80, 100]
    assert steps["supervised_frozen/seed_0"] == [60, 70, 80, 90, 100]  # half of the budget went into pretraining
    assert steps["unimodal/seed_1"] == [100]
    assert len({frozenset(run.data.metrics) - {"train/loss"} for run in runs(synced, "tags.kind = 'seed'")}) == 1


def test_the_comparison_run(synced: Path) -> None:
    (run,) = runs(synced, "tags.kind = 'comparison'")
    assert artifacts(run) == {"comparison.json", "report.html"}
    assert run.data.params == {"winner": "supervised_frozen", "recommended": "supervised_frozen",
                               "tied": '["supervised_frozen"]'}
    assert "| 1 | supervised_frozen | 90.0 % | 88.0 to 92.0 % | 1.00e+09 |" in run.data.tags["mlflow.note.content"]


def test_the_second_sync_writes_nothing_and_does_not_import_mlflow(synced: Path) -> None:
    before = database(synced)
    code = ("import sys; from trivium.tracking.sync import sync; print(sync(sys.argv[1])); "
            "assert not {'mlflow', 'torch', 'pandas', 'matplotlib'} & set(sys.modules)")
    done = subprocess.run([sys.executable, "-c", code, str(synced)], cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "already" in done.stdout and database(synced) == before


def test_changed_outs_add_a_run_and_keep_the_old_one(project: Path) -> None:
    fake_strategy(project, "unimodal", 0.95)
    fake_comparison(project, STRATEGIES | {"unimodal": 0.95})
    assert sync(project) == "MLflow: 1 strategy written, 2 already there."
    kinds = Counter((run.data.tags["kind"], run.data.tags["latest"]) for run in runs(project))
    assert kinds == {("parent", "true"): 3, ("seed", "true"): 6, ("comparison", "true"): 1,
                     ("parent", "false"): 1, ("seed", "false"): 2, ("comparison", "false"): 1}
    latest = runs(project, "tags.kind = 'parent' AND tags.latest = 'true'")
    assert {run.info.run_name: run.data.metrics["rank"] for run in latest} == {
        "unimodal": 1.0, "supervised_frozen": 2.0, "end_to_end": 3.0}  # the others' runs learn their new rank
    assert {run.info.run_name for run in latest if run.data.tags["winner"] == "true"} == {"unimodal"}


def test_going_back_finds_the_old_run_again(project: Path) -> None:
    before = {run.info.run_id for run in runs(project, "tags.kind = 'parent'")}
    fake_strategy(project, "unimodal", 0.95)
    sync(project)
    fake_strategy(project, "unimodal", STRATEGIES["unimodal"])
    sync(project)
    latest = runs(project, "tags.kind = 'parent' AND tags.latest = 'true'")
    assert {run.info.run_id for run in latest} == before
    assert len(runs(project, "tags.kind = 'parent'")) == 4


def test_a_new_report_reaches_the_comparison_run(fresh: Path) -> None:
    # Not on a copy of a store that this process has open: MLflow remembers by run id where artifacts go.
    sync(fresh)
    page = fresh / "reports/report.html"
    page.write_text(page.read_text() + "<p>better</p>")
    (fresh / "reports/explained").mkdir()
    (fresh / "reports/explained/changed_0.png").write_bytes(b"picture")
    sync(fresh)
    (run,) = runs(fresh, "tags.kind = 'comparison'")
    assert artifacts(run) == {"comparison.json", "report.html", "explained/changed_0.png"}
    assert (Path(run.info.artifact_uri) / "report.html").read_text().endswith("<p>better</p>")


def test_curves_reach_the_runs_once(fresh: Path) -> None:
    from mlflow import MlflowClient

    compared = read_json(fresh / "reports/comparison.json")
    compared["dataset"]["train"] = 30.0
    write_json(compared, fresh / "reports/comparison.json")
    sync(fresh)
    other = json.loads(json.dumps(compared))
    other["strategies"]["unimodal"]["metrics"]["accuracy"]["mean"] = 0.25
    variant = Comparison.model_validate(other)
    gather(Comparison.model_validate(compared), {one.name: variant for one in VARIANTS}).write(
        fresh / "reports/curves.json")
    for _ in range(2):
        sync(fresh)
        (fresh / "reports/report.html").write_text("<p>with curves</p>")
    (run,) = runs(fresh, "tags.kind = 'parent' AND tags.strategy = 'unimodal'")
    client = MlflowClient(tracking_uri=store.uri(fresh))
    history = client.get_metric_history(run.info.run_id, "budget/accuracy_by_compute")
    assert [(point.step, point.value) for point in history] == [(50, 0.25), (100, 0.8), (200, 0.25)]
    (compared_run,) = runs(fresh, "tags.kind = 'comparison'")
    assert "curves.json" in artifacts(compared_run)


def test_a_moved_store_is_mended(synced: Path, project: Path) -> None:
    for run in runs(project):
        assert run.info.artifact_uri.startswith(str(synced))  # as copied
    assert store.state(project) is None
    sync(project)
    for run in runs(project):
        assert run.info.artifact_uri.startswith(str(store.artifacts(project)))
    assert len(runs(project)) == len(runs(synced))
    assert store.state(project) == store.state(synced)


def test_what_a_killed_sync_left_is_swept(project: Path) -> None:
    from mlflow import MlflowClient

    fake_strategy(project, "unimodal", 0.95)
    fingerprint = next(each.fingerprint for each in outs.read(project).outcomes if each.name == "unimodal")
    client = MlflowClient(tracking_uri=store.uri(project))
    experiment = runs(project)[0].info.experiment_id
    half = {"kind": "parent", "fingerprint": fingerprint}
    parent = client.create_run(experiment, tags=half, run_name="half").info.run_id
    client.create_run(experiment, tags=half | {"kind": "seed", "mlflow.parentRunId": parent}, run_name="half")
    client.create_logged_model(experiment, name="half", source_run_id=parent)
    other = client.create_run(experiment, run_name="somebody's notebook")
    assert sync(project) == "MLflow: 1 strategy written, 2 already there."
    assert names(project, "attributes.status = 'RUNNING'") == ["somebody's notebook"]
    assert "half" not in names(project) and client.search_logged_models([experiment]) == []
    assert client.get_run(other.info.run_id).info.lifecycle_stage == "active"
    latest = runs(project, "tags.latest = 'true' AND tags.strategy = 'unimodal'")
    assert sorted(run.info.run_name for run in latest) == ["unimodal", "unimodal/seed_0", "unimodal/seed_1"]


def test_a_failure_in_the_middle_leaves_no_half_written_run(fresh: Path) -> None:
    (fresh / "reports/evaluate/unimodal/predictions.parquet").write_bytes(b"half of it")
    with pytest.raises(pa.ArrowInvalid):
        sync(fresh, report=False)
    assert names(fresh, "tags.kind = 'parent'") == ["end_to_end"]  # written before, and whole
    assert {run.info.status for run in runs(fresh)} == {"FINISHED"}
    fake_strategy(fresh, "unimodal", STRATEGIES["unimodal"])
    assert sync(fresh) == "MLflow: 2 strategies written, 1 already there."


def test_without_a_comparison_the_runs_are_there_all_the_same(fresh: Path) -> None:
    (fresh / "reports/comparison.json").unlink()
    sync(fresh)
    assert "comparison" not in names(fresh)
    (run,) = runs(fresh, "tags.kind = 'parent' AND tags.strategy = 'unimodal'")
    assert run.data.metrics["test/accuracy"] == 0.8 and "rank" not in run.data.metrics


def test_the_report_can_wait_for_the_next_sync(fresh: Path) -> None:
    (fresh / "reports/report.html").unlink()
    assert sync(fresh, report=False) == "MLflow: 3 strategies written, 0 already there."
    assert names(fresh, "tags.kind != 'seed'") == ["supervised_frozen", "unimodal", "end_to_end"]
    assert store.state(fresh) is None
    (fresh / "reports/report.html").write_text("<p>late</p>")
    assert sync(fresh) == "MLflow: 0 strategies written, 3 already there."
    (run,) = runs(fresh, "tags.kind = 'comparison'")
    assert artifacts(run) == {"comparison.json", "report.html"}
    assert {run.info.status for run in runs(fresh)} == {"FINISHED"} and len(runs(fresh)) == 10


def test_outs_of_gigabytes_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fake_outs(tmp_path, {"unimodal": 0.8})
    predictions = (root / "reports/evaluate/unimodal/predictions.parquet").stat().st_size
    monkeypatch.setattr("trivium.tracking.runs.LARGE", predictions - 1)
    sync(root)
    (run,) = runs(root, "tags.kind = 'parent'")
    assert artifacts(run) >= {"confusion_matrix.svg", "table.csv"}
    assert "predictions.parquet" not in artifacts(run)
    said = (Path(run.info.artifact_uri) / "predictions.parquet.txt").read_text()
    assert said == "reports/evaluate/unimodal/predictions.parquet, 0.0 GB, is not copied into MLflow\n"


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dvc repro"):
        sync(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store_is_said(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    (root / "mlruns").mkdir()
    store.database(root).write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match=r"delete everything in mlruns/ but README\.md"):
        sync(root)


def test_a_store_that_was_deleted_is_made_again_without_the_old_artifacts(project: Path) -> None:
    store.database(project).unlink()
    sync(project)
    assert len(runs(project)) == 10
    assert len(list(store.artifacts(project).iterdir())) == 4  # of three parents and the comparison


@pytest.mark.slow
def test_two_first_syncs_at_once_write_each_run_once(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)  # without a database: MLflow's own migrations crash each other
    code = "import sys; from trivium.tracking.sync import sync; sync(sys.argv[1])"
    command = [sys.executable, "-c", code, str(root)]
    both = [subprocess.Popen(command, cwd=ROOT / "src", stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate()[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(runs(root)) == 10
