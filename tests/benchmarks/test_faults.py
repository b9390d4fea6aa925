"""The campaign of faults: what it counts and writes; and a small share of it on a stage of its own."""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from benchmarks.faults import Fault, Kind, Tally, __main__, faults
from benchmarks.faults.forks import Cold, gone
from tests.helpers import digests, tiny_project


def test_a_tally_says_what_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally("kill: a stage", "killed")
    tally.add("", "trial 0")
    tally.add("the next run makes other bytes: a/b", "trial 1, split")
    assert tally.kind().model_dump() == {"tried": 2, "survived": 1, "what": "killed"}
    assert capsys.readouterr().err == "kill: a stage, trial 1, split: LOST: the next run makes other bytes: a/b\n"


def test_a_share_of_a_campaign_is_the_same_share_of_each_kind() -> None:
    few = Fault("few", lambda repetitions, folder, seed: {}, 10)
    assert [few.repetitions(asked) for asked in (1, 20, 200, 400)] == [1, 1, 10, 20]


def test_kills_and_interrupts_are_full_at_200() -> None:
    known = faults()
    assert {"kills", "interrupts", "special", "whole"} <= set(known)
    assert known["kills"].full == known["interrupts"].full == 200


def test_results_are_put_beside_those_of_other_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "faults.json"
    path.write_text('{"kinds": {"old": {"tried": 3, "survived": 3, "what": "was here"}}}')
    made = {"new": {"tried": 2, "survived": 1, "what": "is new"}}
    monkeypatch.setattr(__main__, "faults", lambda: {"mine": Fault("mine", lambda *_: made, 200)})
    assert __main__.main(["--repetitions", "2", "--out", str(path)]) == 1
    written = json.loads(path.read_text())
    assert written["kinds"] == {"old": {"tried": 3, "survived": 3, "what": "was here"}} | made
    assert written["machine"]["versions"]["dvc"]


def test_a_kind_is_nothing_else() -> None:
    with pytest.raises(ValueError, match="more"):
        Kind.model_validate({"tried": 1, "survived": 1, "what": "a", "more": 1})


@pytest.mark.slow
def test_a_stage_is_interrupted_at_any_moment_and_makes_the_same_bytes_afterwards(tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "project", data__symbols__samples=200)
    ingest, log = ["python", "-m", "pipeline.ingest"], tmp_path / "said"
    started = time.monotonic()
    assert Cold(ingest, project, log, {}).wait(300) == 0, log.read_text()
    length, expected, draw = time.monotonic() - started, digests(project, "data/raw"), random.Random(0)
    for number, codes in ((signal.SIGINT, (130, -2)), (signal.SIGTERM, (143, -15))) * 2:
        shutil.rmtree(project / "data/raw")
        running = Cold(ingest, project, log, {})
        time.sleep(draw.uniform(0.1, 0.8) * length)
        os.killpg(running.pid, number)
        code = running.wait(20)
        assert code in (*codes, 0), log.read_text()
        assert "Traceback" not in log.read_text() and not gone(running.pid, "", 5.0)
        assert not list((project / "data").glob("*.part"))
        assert Cold(ingest, project, log, {}).wait(300) == 0, log.read_text()
        assert digests(project, "data/raw") == expected
