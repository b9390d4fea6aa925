"""What a killed sync leaves in the store, and who takes it out."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trivium.tracking import stopped, store


def test_what_was_half_written_is_taken_out_with_its_seeds_and_the_rest_stays(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert stopped.remove(tmp_path) == 0  # no store
    with store.opened(tmp_path) as (client, experiment):
        made = {}
        for name, tags in (("whole", {"fingerprint": "a"}), ("half", {"fingerprint": "b"}), ("other", {})):
            made[name] = client.create_run(experiment, tags=tags).info.run_id
        made["seed"] = client.create_run(experiment, tags={"mlflow.parentRunId": made["half"]}).info.run_id
        client.log_text(made["half"], "a", "a.txt")
        for name in ("whole", "seed"):
            client.set_terminated(made[name])
        assert stopped.remove(tmp_path) == 2
        found = {name: client.get_run(run).info for name, run in made.items()}
        assert {name: (one.status, one.lifecycle_stage) for name, one in found.items()} == {
            "whole": ("FINISHED", "active"), "half": ("KILLED", "deleted"), "other": ("RUNNING", "active"),
            "seed": ("FINISHED", "deleted")}
        assert not (store.artifacts(tmp_path) / made["half"]).exists()
        client.set_terminated(made["other"])
    assert stopped.remove(tmp_path) == 0


def test_a_store_that_cannot_be_written_to_is_left_to_the_next_sync(tmp_path: Path) -> None:
    path = store.database(tmp_path)
    path.parent.mkdir(parents=True)
    path.touch()
    assert stopped.remove(tmp_path) == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (a)")
        connection.commit()
    assert stopped.remove(tmp_path) == 0
