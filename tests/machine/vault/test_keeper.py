"""Units of training are kept while a stage runs, and nothing is left in the clear, whatever ends it."""

import signal
from pathlib import Path

import pytest

from tests.machine.vault.made import KEY, begin, look, private, project, put, wait
from trivium.machine.vault.keeper import MOST, Units

TRAIN = """
    here = Path(".cache/units/u1")
    vault.fetch_units(["u1"])
    print("begins with", sorted(path.name for path in here.glob("*")), flush=True)
    here.mkdir(parents=True, exist_ok=True)
    (here / "checkpoint.pt").write_text("weights")
    {then}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "project", a="cat")


@pytest.mark.slow
def test_a_stage_that_ends_leaves_its_units_encrypted(root: Path) -> None:
    done = begin(root, TRAIN.format(then='(here / "record.json").write_text("{}")'))
    assert done.wait(60) == 0, done.stderr
    assert look(root, ".cache/units/u1/record.json", "units/u1/record.json") == "{}"
    assert look(root, ".cache/units/u1/checkpoint.pt", "units/u1/checkpoint.pt") == "weights"
    assert private(root) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_one_that_is_killed_goes_on_where_it_was(root: Path, how: signal.Signals) -> None:
    first = begin(root, TRAIN.format(then="time.sleep(600)"))
    kept = root / ".cache/units/u1/checkpoint.pt"
    wait(lambda: kept.exists())
    assert len(private(root)) == 1
    first.send_signal(how)
    assert first.wait(30) != 0
    wait(lambda: private(root) == [])
    assert b"weights" not in kept.read_bytes()
    second = begin(root, TRAIN.format(then="pass"))
    assert second.communicate(timeout=60)[0] == "begins with ['checkpoint.pt']\n"


@pytest.mark.slow
def test_the_rest_of_one_that_was_killed_with_its_keeper_goes_with_the_next(root: Path) -> None:
    both = "import os, psutil; psutil.Process().children()[0].kill(); os.kill(os.getpid(), 9)"
    first = begin(root, TRAIN.format(then=both))
    first.wait(60)
    assert len(private(root)) == 1
    live = begin(root, "    print('in', flush=True); time.sleep(600)")
    assert live.stdout is not None and live.stdout.readline() == "in\n"
    assert len(private(root)) == 1  # that of the process that is alive
    assert begin(root, "    pass").wait(60) == 0
    assert len(private(root)) == 1
    live.terminate()
    live.wait(30)
    wait(lambda: private(root) == [])


def test_a_unit_that_is_damaged_is_made_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, inner = root / ".cache/units", root / "inner"
    put(root, ".cache/units/u1/record.json", "{}")  # under a name that is not its own
    Units(inner, home, KEY).fetch("u1")
    assert not (inner / "u1").exists() and not (home / "u1").exists()
    assert "What it belongs to is trained again." in capsys.readouterr().out


def test_what_did_not_change_is_not_encrypted_again(root: Path) -> None:
    home, inner = root / ".cache/units", root / "inner"
    (inner / "u1").mkdir(parents=True)
    (inner / "u1/record.json").write_text("{}")
    Units(inner, home, KEY).keep()
    before = (home / "u1/record.json").stat()
    later = Units(root / "later", home, KEY)
    later.fetch("u1")
    later.keep()
    assert (home / "u1/record.json").stat().st_ino == before.st_ino
    (root / "later/u1/record.json").unlink()
    later.keep()
    assert not (home / "u1/record.json").exists()


def test_the_oldest_units_go(root: Path) -> None:
    home = root / ".cache/units"
    for number in range(MOST + 2):
        (home / f"u{number}").mkdir(parents=True)
    Units(root / "inner", home, KEY).prune()
    assert len(list(home.iterdir())) == MOST
