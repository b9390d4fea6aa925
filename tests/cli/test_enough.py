from pathlib import Path

import pyarrow as pa

from trivium.cli import enough


def labels(*cells: str | None) -> dict[str, pa.ChunkedArray]:
    return {"label": pa.chunked_array([pa.array(cells, pa.string())])}


def test_few_rows_and_ids_that_come_twice_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\na,x\nb,y\na,z\na,w\n")
    few, twice = enough.notes(path, "id", timed=False, limit=0.05)
    assert few == (f"{path} has 4 rows. With fewer than 100, intervals are wide, and hardly anything is sure: add "
                   "rows, if there are more.")
    assert twice.startswith("2 of 4 rows have an id that came before, such as `a`. They will be in quarantine")
    assert "more than validate.max_bad_fraction allows (5%), so that the run will stop there. Is `id`" in twice
    assert len(enough.notes(path, "id", timed=True, limit=0.05)) == 1
    assert "stop" not in enough.notes(path, "id", timed=False, limit=0.5)[1]


def test_of_enough_rows_nothing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n" + "".join(f"{k}\n" for k in range(100)))
    assert enough.notes(path, "id", timed=False, limit=0.05) == []
    assert enough.of_labels(labels(*"ab" * 50), "classification", 5, 0.05) == []


def test_a_class_of_one_row_is_named() -> None:
    assert enough.of_labels(labels(*"ab" * 30, "c"), "classification", 5, 0.05) == [
        "1 of 3 classes has fewer than 5 rows: `c` (1). These rows will be in quarantine. Add rows of this class, give "
        "it the label of another class, or lower validate.min_class_count in params.yaml."]
    (many,) = enough.of_labels(labels(*"ab" * 30, *"cccddd"), "classification", 5, 0.05)
    assert many.startswith("2 of 4 classes have fewer than 5 rows: `c` (3), `d` (3). These rows will be in quarantine, "
                           "and they are more than validate.max_bad_fraction allows (5%), so that the run will stop")
    (none,) = enough.of_labels(labels(*"aaaaaabbb"), "classification", 5, 0.5)
    assert "and the run will stop there, since one class is left" in none


def test_a_label_that_is_an_object_is_told_of_its_row() -> None:
    assert enough.of_labels(labels(*"ab" * 20, '\ufdd0{"k": 1}'), "classification", 5, 0.05) == [
        "1 of 41 rows has an object, not one value, as the `label`, first row 41. They will be in quarantine."]


def test_rows_without_a_label_and_labels_that_tell_nothing_are_said() -> None:
    assert enough.of_labels(labels(*"ab" * 5, None, None), "classification", 5, 0.05) == [
        "2 of 12 rows have no `label`: they are in no train, val or test set, and serve recipes that need no labels."]
    (constant,) = enough.of_labels(labels(*"1111"), "regression", 5, 0.05)
    assert constant.endswith("As it is, the run will stop at `validate`.")
    (tags,) = enough.of_labels(labels(*["x;y"] * 3, *["x"] * 6, *["z"] * 6), "multilabel", 5, 0.05)
    assert tags.startswith("1 of 3 tags is left out of the target, since fewer than 5 rows have it")
