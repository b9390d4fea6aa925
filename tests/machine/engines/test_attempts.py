import os
from pathlib import Path

from trivium.machine.engines import attempts


def write(folder: Path, name: str, content: str, when: int) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)
    os.utime(folder / name, (when, when))


def read(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_an_attempt_goes_on_from_the_last_one_and_leaves_it_alone(tmp_path: Path) -> None:
    older, newer = tmp_path / "key.1.part", tmp_path / "key.2.part"
    write(older, "checkpoint.pt", "old", 100)
    write(newer, "checkpoint.pt", "new", 200)
    write(newer, "trial_0/checkpoint.pt", "deep", 150)
    write(newer, "checkpoint.part", "half", 300)
    write(tmp_path / "another.3.part", "checkpoint.pt", "of another", 400)
    (tmp_path / "key.4.part").mkdir()
    mine = attempts.new(tmp_path / "key")
    attempts.begin(mine, tmp_path / "key")
    assert read(mine) == {"checkpoint.pt": "new", "trial_0/checkpoint.pt": "deep"}
    (mine / "checkpoint.pt").write_text("mine")
    assert read(newer)["checkpoint.pt"] == "new" and read(older) == {"checkpoint.pt": "old"}


def test_what_one_machine_alone_has_begun_counts_as_well(tmp_path: Path) -> None:
    write(tmp_path / "key", "checkpoint.pt", "of the folder itself", 500)
    write(tmp_path / "key.1.part", "checkpoint.pt", "older", 400)
    attempts.begin(tmp_path / "key.2.part", tmp_path / "key")
    assert read(tmp_path / "key.2.part") == {"checkpoint.pt": "of the folder itself"}


def test_names_of_attempts_differ(tmp_path: Path) -> None:
    assert len({attempts.new(tmp_path / "key") for _ in range(100)}) == 100


def test_the_first_attempt_begins_with_nothing(tmp_path: Path) -> None:
    attempts.begin(tmp_path / "deep/key.1.part", tmp_path / "deep/key")
    assert list((tmp_path / "deep/key.1.part").iterdir()) == []


def test_a_finished_attempt_takes_the_place_of_all_others(tmp_path: Path) -> None:
    write(tmp_path / "key", "record.json", "what was there", 100)
    write(tmp_path / "key.1.part", "record.json", "given up", 100)
    write(tmp_path / "key.2.part", "record.json", "finished", 100)
    attempts.end(tmp_path / "key.2.part", tmp_path / "key")
    assert read(tmp_path) == {"key/record.json": "finished"}
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
