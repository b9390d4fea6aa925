"""Label columns of a manifest, whatever they are written in."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.sources.manifests import ingest, labels, save
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")


def test_one_number_is_one_class_however_it_is_written(folder: Path) -> None:
    given = ["1", " 1.0 ", "1.00", "0", "-0.0", "-2.0", "+1", "01", "1.5", "1.", "v1.0", "10.0"]
    classes = ["1", "1", "1", "0", "0", "-2", "+1", "01", "1.5", "1.", "v1.0", "10"]
    rows = [{"id": f"r{i}", "label": label, "text": "x"} for i, label in enumerate(given)]
    for name in ("m.csv", "m.tsv", "m.jsonl", "m.parquet"):
        assert labels(save(rows, name)) == classes
    mixed = [1, 1.0, "1", "1.0", True, False, None, 2.5, 1e15, "true"]
    (folder / "m.jsonl").write_text("\n".join(
        json.dumps({"id": i, "label": label, "text": "x"}) for i, label in enumerate(mixed)))
    assert labels("mine/m.jsonl") == ["1", "1", "1", "1", "true", "false", None, "2.5", "1000000000000000", "true"]



@pytest.mark.parametrize(("values", "expected"), [
    (pa.array([1.0, None, 0.0, 1e15, float("nan")]), ["1", None, "0", "1000000000000000", None]),
    (pa.array([1.5, 2.0, None], pa.float32()), ["1.5", "2", None]),
    (pa.array([1.0, 2.0, None], pa.float16()), ["1", "2", None]),
    (pa.array([1, 2, None], pa.int8()), ["1", "2", None]),
    (pa.array([True, False, None]), ["true", "false", None]),
    (pa.array(["a ", "a", "1.0"]).dictionary_encode(), ["a", "a", "1"]),
])
def test_typed_labels_of_parquet(folder: Path, values: pa.Array, expected: list[str | None]) -> None:
    ids = [f"r{i}" for i in range(len(values))]
    pq.write_table(pa.table({"id": ids, "label": values, "text": ids}), folder / "m.parquet")
    assert labels("mine/m.parquet") == expected



def test_a_column_of_lists_is_no_column_of_classes(folder: Path) -> None:
    (folder / "m.csv").write_text("id,tags,text\n" + "".join(
        f"{i},\"{('[a]', '[a, b]', '[b, a]')[i % 3]}\",x\n" for i in range(9)))
    with pytest.raises(UserError, match=r"mine/m.csv: column `tags` holds lists \(`\[a\]`, `\[a, b\]`, `\[b, a\]`\)"):
        ingest("mine/m.csv", label="tags")



def test_lists_in_a_label_column_become_json(folder: Path) -> None:
    cells = [["a", "b"], [], None, ['say "é"', None], ["a"]]
    expected = ['["a", "b"]', "[]", None, '["say \\"é\\"", null]', '["a"]']
    path = folder / "m.parquet"
    ids = [str(i) for i in range(5)]
    for kind in (pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.dictionary(pa.int32(), pa.string()))):
        pq.write_table(pa.table({"id": ids, "label": pa.array(cells, kind), "text": ids}), path, row_group_size=2)
        assert [row["label"] for row in ingest("mine/m.parquet", task="multilabel")["labels"]] == expected
    (folder / "m.jsonl").write_text("".join(
        json.dumps({"id": i, "label": cell, "text": "x"}) + "\n" for i, cell in zip(ids, cells, strict=True)))
    assert [row["label"] for row in ingest("mine/m.jsonl", task="multilabel")["labels"]] == expected
    pq.write_table(pa.table({"id": ids[:2], "label": [[1.5, float("nan")], [2.0]], "text": ids[:2]}), path)
    assert [row["label"] for row in ingest("mine/m.parquet", task="regression")["labels"]] == ["[1.5, null]", "[2.0]"]



def test_several_label_columns_become_json_objects(folder: Path) -> None:
    (folder / "m.csv").write_text('id,text,a,"b ""q"""\n1,x,1.0, y \n2,x,,"say ""z"""\n', encoding="utf-8")
    made = ingest("mine/m.csv", task="regression", label=["a", 'b "q"'])
    assert [json.loads(row["label"]) for row in made["labels"]] == [{"a": "1", 'b "q"': "y"},
                                                                    {"a": None, 'b "q"': 'say "z"'}]
