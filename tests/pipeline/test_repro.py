"""A tiny `dvc repro` of the whole pipeline, for real, in a temporary clone."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import command, digests, environment, set_params, tiny_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pipeline has run. Read only: tests that change it take a copy."""
    project = tiny_project(tmp_path_factory.mktemp("reference"))
    command(project, "dvc", "repro")
    return project


@pytest.fixture
def project(reference: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reference, tmp_path / "project", symlinks=True))


def results(project: Path) -> dict[str, str]:
    """Digests of everything that the stages wrote, less what was measured."""
    found = digests(project, "data", "models", "reports", "export")
    views = ("reports/measured/", "reports/report.html")
    return {path: value for path, value in found.items() if not path.startswith(views)}


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def trained(record: Path) -> bool:
    """Whether a unit that is finished has trained anything."""
    return bool(json.loads(record.read_text())["record"]["history"])


def test_every_stage_leaves_its_outs(reference: Path) -> None:
    for path in (
        "data/raw/labels.parquet", "data/valid/quarantine.parquet", "data/aligned/samples.parquet",
        "data/splits/splits.json", "data/features/features.json", "data/reads/selfsup.json", "models/budget.json",
        "models/pretrain/supervised/image/seed_1/model.safetensors", "models/pretrain/scratch/training.json",
        "models/end_to_end/seed_0/model.safetensors", "models/ensemble/training.json",
        "reports/validation.json", "reports/evaluate/supervised_lpft/predictions.parquet", "reports/comparison.json",
        "reports/explained/explained.json", "reports/explained/changed_0.svg", "export/export.json",
        "export/README.md",
    ):
        assert (reference / path).is_file(), path
    assert not list(reference.rglob("*.part"))
    assert not list((reference / ".cache").rglob("*.pt"))  # checkpoints


def test_a_second_run_does_nothing_and_is_quick(reference: Path) -> None:
    before = os.times()
    output = command(reference, "dvc", "repro")
    after = os.times()
    assert "Data and pipelines are up to date." in output
    assert stages_run(output) == set()
    # Processor time, so that a busy machine does not fail the test; DVC uses one core.
    assert after.children_user - before.children_user + after.children_system - before.children_system <= 5


def test_nothing_is_left_for_git_but_the_lock_and_the_comparison(reference: Path) -> None:
    command(reference, "git", "add", "--all", "--dry-run")
    untracked = command(reference, "git", "ls-files", "--others", "--exclude-standard", "data", "models", "reports",
                        "export")
    summaries = {f"reports/summary/{path.name}" for path in (reference / "reports/summary").iterdir()}
    kept = {"data/README.md", "data/forgotten.json", "reports/comparison.json"}
    assert len(summaries) == 7 and set(untracked.split()) <= kept | summaries


def test_one_strategys_parameter_runs_that_strategy_alone(project: Path) -> None:
    before = results(project)
    set_params(project, {"train.supervised_frozen.lr": 0.01})
    output = command(project, "dvc", "repro")
    assert stages_run(output) == {"budget", "train@supervised_frozen",
                                  "evaluate@supervised_frozen", "latency", "compare", "export"}
    after = results(project)
    changed = {path for path in after if after[path] != before.get(path)}
    assert "models/supervised_frozen/training.json" in changed
    assert all("supervised_frozen" in path or not path.startswith(("models/", "reports/evaluate/")) for path in changed)


def test_a_new_run_that_is_killed_goes_on_to_the_same_bytes(reference: Path, tmp_path: Path) -> None:
    """Elsewhere, from an empty cache: a run that nobody kills and one that is resumed leave the same."""
    project = tiny_project(tmp_path / "again")
    process = subprocess.Popen(["dvc", "repro"], cwd=project, env=environment(project), start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while process.poll() is None and not any(trained(unit) for unit in project.glob(".cache/units/*/record.json")):
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, output
    assert len(list((project / "models/pretrain").glob("[!.]*"))) < 4  # of recipes
    assert "were finished before" in command(project, "dvc", "repro")
    assert results(project) == results(reference)
    assert (project / "dvc.lock").read_bytes() == (reference / "dvc.lock").read_bytes()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The addresses of a bucket, and of the S3 server on this machine that has it."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name, value in (("AWS_ACCESS_KEY_ID", "anna"), ("AWS_SECRET_ACCESS_KEY", "secret"),
                        ("AWS_DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="trivium")
    yield "s3://trivium/store", f"http://{host}:{port}"
    server.stop()


def test_a_bucket_is_a_store_like_a_folder(project: Path, bucket: tuple[str, str]) -> None:
    before, (address, server) = results(project), bucket
    command(project, "dvc", "remote", "add", "--local", "--default", "elsewhere", address)
    command(project, "dvc", "remote", "modify", "--local", "elsewhere", "endpointurl", server)
    command(project, "trivium", "push")
    for folder in (".dvc/cache", "data/raw", "data/features", "models", "reports/evaluate", "export"):
        shutil.rmtree(project / folder)
    assert "The report is reports/report.html." in command(project, "trivium", "pull")
    (project / "reports/measured.json").unlink()
    assert results(project) == before
    assert stages_run(command(project, "dvc", "repro")) == set()


def test_push_and_pull_bring_everything_back(project: Path) -> None:
    """Costs too, but not those of a stage whose outs are no longer the ones that they were measured with."""
    before, measured = results(project), digests(project, "reports/measured")
    assert "git add dvc.lock params.yaml reports/comparison.json reports/summary reports/measured.json" in command(
        project, "trivium", "push")
    carried = project / "reports/measured.json"
    kept = json.loads(carried.read_text())
    kept["split.json"]["outs"] = "of another split"
    carried.write_text(json.dumps(kept))
    for folder in (".dvc/cache", "data/raw", "data/features", "models", "reports/evaluate", "reports/plots", "export",
                   "reports/measured", ".cache"):
        shutil.rmtree(project / folder)
    (project / "reports/report.html").unlink()
    assert "The report is reports/report.html." in command(project, "trivium", "pull")
    carried.unlink()
    assert results(project) == before
    found = digests(project, "reports/measured")
    assert set(measured) - set(found) == {"reports/measured/split.json"}
    assert json.loads((project / "reports/measured/align.json").read_text()) == kept["align.json"]["figures"]
    assert (project / "reports/report.html").is_file()
    assert "up to date" in command(project, "dvc", "status")
