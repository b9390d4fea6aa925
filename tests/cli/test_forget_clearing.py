"""What `trivium forget --gc` clears: DVC's cache, the MLflow store, copies. With real DVC and MLflow, on a tiny
pipeline.
"""

import sqlite3
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.own import manifest
from tests.helpers import command, environment
from trivium.cli.forget import clear, forget
from trivium.cli.use import use
from trivium.settings.errors import UserError
from trivium.tracking import store

pytestmark = pytest.mark.slow
INGEST = """
import json, pathlib, pyarrow as pa, pyarrow.parquet as pq
from trivium.data.sources.forgotten import Forgotten
rows = [json.loads(line) for line in open("own/rows.jsonl")]
names = pa.chunked_array([[row["id"] for row in rows]])
kept = names.filter(pa.array(~Forgotten.at().within(names)))
pathlib.Path("data/raw").mkdir(parents=True, exist_ok=True)
pq.write_table(pa.table({"sample": kept}), "data/raw/labels.parquet")
"""


@pytest.fixture
def made(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two stages, of which DVC's cache has an old version, a run of that, and one that has none."""
    for key, value in environment(project).items():
        monkeypatch.setenv(key, value)
    use(manifest(project / "own/rows.jsonl", {"id": "r{i}", "label": "c{y}", "text": "words of row {i}"}))
    Path("ingest.py").write_text(INGEST)
    Path("data").mkdir(exist_ok=True)
    Path("data/forgotten.json").write_text('{"ids": [], "key": ""}\n')
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {
        "ingest": {"cmd": f"{sys.executable} ingest.py", "deps": ["own", "data/forgotten.json"], "outs": ["data/raw"]},
        "train": {"cmd": "cp -rL data/raw model", "deps": ["data/raw"], "outs": ["model"]}}}))
    command(project, "git", "init", "--quiet")
    command(project, "dvc", "init", "--quiet")
    command(project, "dvc", "repro")
    command(project, "git", "add", "--all")
    command(project, "git", "-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "--message", "all")
    raw = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["ingest"]["outs"][0]["md5"]
    with store.opened(project) as (client, experiment):
        for name, tags in (("old", {"dvc.data/raw": raw}), ("digits", {"dataset": "digits"})):
            run = client.create_run(experiment, tags=tags | {"fingerprint": name}, run_name=name).info.run_id
            client.log_text(run, "words of row 1", "table.csv")
            client.set_terminated(run)
    Path(".cache/features").mkdir(parents=True)
    return project


def cached(project: Path) -> list[Path]:
    return [path for path in (project / ".dvc/cache/files").rglob("*") if path.is_file()]


def test_old_versions_runs_and_copies_go_once_the_outs_are_made_anew(made: Path,
                                                                    capfd: pytest.CaptureFixture[str]) -> None:
    said = forget(["r1"])
    assert "- the present outs: data/raw, model. `dvc repro` makes them anew." in said
    assert "- MLflow, 1 run: old." in said and "own/rows.jsonl" in said
    assert "git filter-repo --path own/rows.jsonl" in said
    with pytest.raises(UserError, match="The present outs still hold such rows"):
        clear(made, True, False)
    command(made, "dvc", "repro")
    before = cached(made)
    clear(made, True, True)
    assert cached(made) == before  # a dry run
    with pytest.raises(UserError, match="add `--yes`"):
        clear(made, False, False)
    assert "That is gone." in (last := clear(made, True, False))
    assert "1 of them with such rows" in capfd.readouterr().out
    assert "DVC's cache" not in last and "MLflow" not in last and "1 commit of own/rows.jsonl" in last
    assert len(before) == 4 and len(cached(made)) == 2 and not Path(".cache/features").exists()
    with sqlite3.connect("mlruns/mlflow.db") as database:
        assert database.execute("SELECT name FROM runs").fetchall() == [("digits",)]
    assert b"r1" not in b"".join(path.read_bytes() for path in Path("mlruns").rglob("*.csv")).replace(b"row 1", b"")
    assert len(list(Path("mlruns").rglob("table.csv"))) == 1


def test_a_cache_that_others_may_use_is_left_alone(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    forget(["r1"])
    command(made, "dvc", "repro")
    command(made, "dvc", "cache", "dir", "--local", str(tmp_path_factory.mktemp("shared")))
    with pytest.raises(UserError, match="lies outside of this project"):
        clear(made, True, False)
