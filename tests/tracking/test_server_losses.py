"""A real MLflow server behind a proxy that spoils some of its answers: nothing is lost, and nothing there twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.proxy import Proxy, Spoiled, proxy
from benchmarks.faults.servers import KINDS, Trial, different
from benchmarks.faults.servers import server as served
from tests.fake_outs import fake_outs
from tests.helpers import ROOT
from trivium.settings.errors import UserError
from trivium.tracking import store
from trivium.tracking.sync import sync

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    place = tmp_path_factory.mktemp("trial")
    with served(place / "server") as there, proxy(there.url) as before:
        made = Trial(fake_outs(place / "outs", {"unimodal": 0.8}), before, there)
        made.begin()
        yield made


@pytest.fixture
def clean(trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy, which does nothing yet, and an experiment of its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", trial.before.url)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", tmp_path.name)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    trial.before.count, trial.before.spoil = 0, lambda *_: None
    trial.before.seen.clear()
    yield trial.before
    trial.before.spoil = lambda *_: None


def runs(trial: Trial, experiment: str, where: str = "") -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=trial.there.url)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], where))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_next_sync_completes_what_was_lost(trial: Trial, kind: str) -> None:
    assert trial.lost(kind, random.Random(f"7 {kind}"), f"test-{kind}") == ""


def test_what_is_there_is_really_compared(trial: Trial) -> None:
    """Else the test above says nothing."""
    found = trial.shown("undisturbed-outs")
    names = [run["name"] for run in found["runs"]]
    assert names == ["comparison", "unimodal", "unimodal/seed_0", "unimodal/seed_1"]
    assert set(found["runs"][1]["files"]) == {
        "confusion_matrix.svg", "table.csv", "predictions.parquet", "metrics.json", "training.json"}
    found["runs"][2]["lines"]["val/score"][0][1] += 0.1
    assert different(found, trial.expected).startswith(".runs[2].lines.val/score[0][1] is ")


def test_every_answer_lost_once_makes_nothing_twice(trial: Trial, clean: Proxy, tmp_path: Path) -> None:
    """The client asks again, and the server does it again."""
    clean.spoil = lambda number, *_: Spoiled(asks=True, status=0) if number % 2 else None
    sync(trial.outs)
    clean.spoil = lambda *_: None
    assert different(trial.shown(tmp_path.name), trial.expected) == ""


def test_a_second_sync_asks_six_questions_and_writes_nothing(trial: Trial, clean: Proxy) -> None:
    sync(trial.outs)
    clean.seen.clear()
    assert sync(trial.outs) == "MLflow shows the present outputs already."
    assert [path.rpartition("/")[2].partition("?")[0] for _, path in clean.seen] == [
        "version", "get-by-name", "get-by-name", "search", "get", "search"]


def test_many_parameters_go_in_several_calls(trial: Trial, clean: Proxy, tmp_path: Path) -> None:
    import yaml

    place = Path(shutil.copytree(trial.outs, tmp_path / "outs"))
    lock = yaml.safe_load((place / "dvc.lock").read_text())
    many = {f"key_{k}": k for k in range(250)}
    lock["stages"]["train@unimodal"]["params"]["params.yaml"]["loop"] |= many
    (place / "dvc.lock").write_text(yaml.safe_dump(lock))
    sync(place)
    (run,) = runs(trial, tmp_path.name, "tags.kind = 'parent'")
    assert {key: run.data.params.get(f"loop.{key}") for key in many} == {key: str(k) for key, k in many.items()}


def test_a_stage_gives_up_with_a_slow_server(trial: Trial, clean: Proxy, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivium.tracking.server.LIMIT", 0.0)
    with pytest.raises(UserError, match="it is so slow that 0 s were not enough"):
        sync(trial.outs, hurry=True)
    assert runs(trial, tmp_path.name) == []


def test_ctrl_c_leaves_no_run_running(trial: Trial, clean: Proxy, tmp_path: Path) -> None:
    code = "import sys; from trivium.tracking.sync import sync; sync(sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", code, str(trial.outs)], cwd=ROOT / "src",
                               stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(
                                   signal.SIGINT, signal.default_int_handler))
    until = time.monotonic() + 120
    while not any("log-batch" in path for _, path in clean.seen) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 130, 1)
    assert {run.info.status for run in runs(trial, tmp_path.name)} <= {"FINISHED"}


def test_a_registered_model_has_a_name_that_mlflow_takes(trial: Trial, clean: Proxy,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    from trivium.tracking import registry

    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "/Shared/anna's: cats")
    assert registry.model() == "_Shared_anna_s_ cats"
    with store.opened(trial.outs) as (client, experiment):
        assert client.get_experiment(experiment).name == "/Shared/anna's: cats"
        registry._ready(client)
    names = [one.name for one in MlflowClient(tracking_uri=trial.there.url).search_registered_models()]
    assert "_Shared_anna_s_ cats" in names


def test_files_in_a_folder_of_another_machine_are_refused(trial: Trial, clean: Proxy, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=trial.there.url).create_experiment(tmp_path.name, artifact_location="/srv/mlflow")
    monkeypatch.setattr("trivium.tracking.server.HERE", ())
    with pytest.raises(UserError, match="lie in a folder of that machine .*/srv/mlflow"):
        sync(trial.outs)
    assert not os.path.exists("/srv/mlflow")
