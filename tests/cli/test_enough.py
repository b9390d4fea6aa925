from pathlib import Path

from trivium.cli import enough


def test_few_rows_and_ids_that_come_twice_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\na,x\nb,y\na,z\na,w\n")
    few, twice = enough.notes(path, "id", timed=False)
    assert few == f"{path} has 4 rows. With fewer than 50, intervals are wide, and hardly anything is sure."
    assert twice.startswith("2 of 4 rows have an id that came before, such as `a`. They will be in quarantine")
    assert len(enough.notes(path, "id", timed=True)) == 1


def test_of_enough_rows_nothing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n" + "".join(f"{k}\n" for k in range(50)))
    assert enough.notes(path, "id", timed=False) == []
