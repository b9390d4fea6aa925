"""Runs on a real MLflow server, whose files are its own (`mlflow-artifacts:`)."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.servers import server as served
from tests.fake_outs import STRATEGIES, fake_comparison, fake_outs, fake_strategy
from trivium.settings.errors import UserError
from trivium.tracking import exports, server, store
from trivium.tracking.sync import attempt, sync


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server") / "there") as there:
        yield there.url


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_outs(tmp_path_factory.mktemp("outs"))


@pytest.fixture
def project(outs: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Outs without a store, and an experiment of its own on the server."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", tmp_path.name)
    return Path(shutil.copytree(outs, tmp_path / "anna"))


def names(url: str, experiment: str, where: str) -> list[str]:
    from mlflow import MlflowClient

    client = MlflowClient(url)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return sorted(run.info.run_name for run in client.search_runs([found.experiment_id], where))


@pytest.mark.slow
def test_runs_and_files_go_to_the_server_once(project: Path, url: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    assert sync(project) == "MLflow: 3 strategies written, 0 already there."
    assert sync(project) == "MLflow shows the present outputs already."
    assert not store.database(project).exists()
    exported = project / "exports/unimodal"
    exported.mkdir(parents=True)
    (exported / "model.onnx").write_bytes(b"graph")
    exports.promise(project, "unimodal", exported)
    assert sync(project) == ("MLflow shows the present outputs already. "
                             "The export of `unimodal` is in `export/` of its run.")
    assert sync(project) == "MLflow shows the present outputs already."
    assert names(url, tmp_path.name, "tags.kind != 'seed'") == [
        "comparison", "end_to_end", "supervised_frozen", "unimodal"]
    client = MlflowClient(url)
    experiment = client.get_experiment_by_name(tmp_path.name)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], "tags.strategy = 'unimodal' AND tags.kind = 'parent'")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"metrics.json", "predictions.parquet"}
    assert [file.path for file in client.list_artifacts(run.info.run_id, "export")] == ["export/model.onnx"]


@pytest.mark.slow
def test_two_people_share_runs_and_leave_each_others_alone(project: Path, url: str, tmp_path: Path) -> None:
    sync(project)
    bert = Path(shutil.copytree(project, tmp_path / "bert"))
    assert sync(bert) == "MLflow: 0 strategies written, 3 already there."
    fake_strategy(bert, "unimodal", 0.95)
    fake_comparison(bert, STRATEGIES | {"unimodal": 0.95})
    assert sync(bert) == "MLflow: 1 strategy written, 2 already there."
    mine = f"tags.owner = '{server.owner(project)}' AND tags.kind = 'parent' AND tags.latest = 'true'"
    assert names(url, tmp_path.name, mine) == ["end_to_end", "supervised_frozen", "unimodal"]
    first = f"tags.owner = '{server.owner(project)}' AND tags.kind = 'parent' AND metrics.rank = 1"
    assert names(url, tmp_path.name, first) == ["supervised_frozen"]  # the second of Bert's, which is not hers to know
    theirs = f"tags.owner = '{server.owner(bert)}' AND tags.kind = 'parent'"
    assert names(url, tmp_path.name, theirs) == ["unimodal"]


@pytest.mark.slow
def test_what_was_cut_off_is_swept_and_completed(project: Path, url: str, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-written runs of this folder go; the running run of another person stays."""
    from mlflow import MlflowClient

    client = MlflowClient(url)
    experiment = client.create_experiment(tmp_path.name)
    client.create_run(experiment, tags={"fingerprint": "x", "owner": "bert@desk 0000"}, run_name="bert's")
    client.create_run(experiment, tags={"fingerprint": "y", "owner": server.owner(project)}, run_name="cut off")
    assert sync(project) == "MLflow: 3 strategies written, 0 already there."
    assert names(url, tmp_path.name, "attributes.status = 'RUNNING'") == ["bert's"]
    assert "cut off" not in names(url, tmp_path.name, "")


def test_a_server_that_is_not_there_costs_a_stage_one_sentence(outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening: refused
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://anna:secret@127.0.0.1:{held.getsockname()[1]}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        said = attempt(outs)
    assert said.startswith("note: MLflow at http://127.0.0.1:")
    assert "it does not answer" in said and "secret" not in said
    assert said.endswith("Nothing is lost: all results are here, and the next `trivium sync` writes what is missing "
                         "there.")


def test_what_is_no_server_is_said(outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://anna:secret@db/mlflow")
    with pytest.raises(UserError) as error:
        sync(outs)
    assert str(error.value) == (
        "MLFLOW_TRACKING_URI is `postgresql://db/mlflow`, which is no MLflow server. Set it to http://HOST:PORT or "
        "https://HOST, or unset it: then runs go to mlruns/.")


def test_owners_differ_by_folder_and_show_no_path(tmp_path: Path) -> None:
    one, other = server.owner(tmp_path / "a"), server.owner(tmp_path / "b")
    assert one != other and str(tmp_path) not in one
