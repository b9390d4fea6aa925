"""Tables of all sorts, joins, and what Hugging Face and COCO write."""

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.importing.things import no_id, parquet, png, put, rows, wav
from trivium import importing
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")
FEATURES = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
            "tags": {"feature": {"names": ["red", "round"], "_type": "ClassLabel"}, "_type": "Sequence"},
            "old": [{"names": ["u", "v"], "_type": "ClassLabel"}]}


def described(table: pa.Table, features: dict[str, Any]) -> pa.Table:
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def stream(path: str, table: pa.Table, cut: int = 0) -> None:
    """As `save_to_disk` writes it."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with pa.ipc.new_stream(path, table.schema) as file:
        file.write_table(table)
    if cut:
        Path(path).write_bytes(Path(path).read_bytes()[:cut])


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.jsonl", "m.parquet"])
def test_a_clean_table_is_used_where_it_lies(name: str) -> None:
    put({"img/a.png": png()})
    made = [{"id": str(k), "label": "ab"[k % 2], "text": "x", "image": "img/a.png"} for k in range(3)]
    if name == "m.parquet":
        parquet(name, made)
    elif name == "m.jsonl":
        put({name: "".join(json.dumps(row) + "\n" for row in made)})
    else:
        sign = "," if name == "m.csv" else "\t"
        put({name: "\n".join(sign.join(cells) for cells in [made[0].keys(), *(row.values() for row in made)]) + "\n"})
    assert importing.table(name, lacks_id=no_id).path == Path(name)
    assert not Path("data").exists()


def test_a_folder_with_one_table_in_it_is_that_table() -> None:
    put({"mine/m.csv": "id,label,image\n1,a,img/a.png\n", "mine/img/a.png": png()})
    assert importing.table("mine").path == Path("mine/m.csv")


def test_rows_without_an_id_get_a_number() -> None:
    put({"m.csv": "label,text\na,x\nb,\n"})
    assert rows("m.csv") == [{"id": "1", "label": "a", "text": "x"}, {"id": "2", "label": "b"}]


def test_bytes_structs_base64_and_paths_in_one_parquet() -> None:
    coded = base64.b64encode(png(3)).decode()
    put({"lies.png": png(4)})
    parquet("m.parquet", [
        {"id": 1, "raw": png(1), "both": {"bytes": png(2), "path": "x/y.png"}, "coded": coded, "score": 0.5,
         "ok": True},
        {"id": 2, "raw": None, "both": {"bytes": None, "path": "lies.png"}, "coded": f"data:image/png;base64,{coded}",
         "score": float("nan"), "ok": None},
        {"id": 3, "raw": b"broken", "both": {"bytes": b"broken", "path": "z.jpg"}, "coded": "", "score": 2.0,
         "ok": False}])
    home = importing.table("m.parquet").path.parent
    first, second, third = rows("m.parquet")
    assert [(home / first[name]).read_bytes() for name in ("raw", "both", "coded")] == [png(1), png(2), png(3)]
    assert second == {"id": "2", "both": "../../../lies.png", "coded": first["coded"]}
    assert (Path(third["raw"]).suffix, Path(third["both"]).suffix) == (".bin", ".jpg")  # which `validate` looks at
    assert [row.get("score") for row in (first, third)] == ["0.5", "2"]
    assert [row.get("ok") for row in (first, third)] == ["true", "false"]


def test_objects_in_json_have_no_place() -> None:
    put({"m.json": json.dumps({"data": [{"id": 1, "label": ["a", "b"], "more": {"x": 1}, "text": "t"}]}),
         "n.jsonl": '{"label": "a", "more": {"x": 1}}\n{"label": "b", "tags": ["x"]}\n'})
    assert rows("m.json") == [{"id": "1", "label": '["a", "b"]', "text": "t"}]
    assert importing.table("m.json").notes == ("`more` holds objects in 1 rows, which are left out.",)
    assert rows("n.jsonl") == [{"id": "1", "label": "a"}, {"id": "2", "label": "b", "tags": '["x"]'}]


def test_files_beside_the_table_then_in_the_folder_of_media() -> None:
    put({"t/m.csv": "id,label,image\n1,a,here.png\n2,b,there.png\n3,b,old/deep.png\n4,b,lost.png\n",
         "t/here.png": png(), "media/there.png": png(), "media/deep.png": png()})
    assert [row["image"] for row in rows("t/m.csv", media=Path("media"))] == [
        "../../../t/here.png", "../../../media/there.png", "../../../media/deep.png", "../../../t/lost.png"]
    with pytest.raises(UserError, match="There is no folder nowhere .*, which `--media` names"):
        importing.table("t/m.csv", media=Path("nowhere"))


def test_joins_keep_rows_without_a_partner_and_count_them() -> None:
    put({"a/m.csv": "id,who,image\n1,7,x.png\n2,7.0,y.png\n3,9,x.png\n4,,x.png\n", "a/x.png": png(), "a/y.png": png(),
         "b/people.csv": "Person,age,image,label\n7,31,p.png,u\n8,5,p.png,v\n", "b/p.png": png()})
    found = importing.table("a/m.csv", join=["b/people.csv"], on=["who=person"])
    assert pq.read_table(found.path).to_pylist()[1:3] == [
        {"id": "2", "who": "7.0", "image": "../../../a/y.png", "age": "31", "image_people": "../../../b/p.png",
         "label": "u"},
        {"id": "3", "who": "9", "image": "../../../a/x.png", "age": None, "image_people": None, "label": None}]
    assert found.notes == (
        "2 rows joined with b/people.csv; 2 of 4 rows of a/m.csv have no partner there, and lack its cells; 1 of 2 "
        "rows of b/people.csv have none in a/m.csv, and are left out.",)


@pytest.mark.parametrize(("on", "why"), [
    ("who", "No row of m.csv has a partner in n.csv: `who` holds such as `1`, and `who` there such as `a`. "
            "Name columns that hold the same: `--on HERE=THERE`. n.csv has who, twice."),
    ("me=who", "m.csv has no column `me`, which `--on` names. It has id, who, twice."),
    ("who=me", "n.csv has no column `me`, which `--on` names. It has who, twice."),
    ("twice", "`x` stands in `twice` of n.csv more than once, so a row would have several partners. Make n.csv the"),
])
def test_joins_that_cannot_be(on: str, why: str) -> None:
    put({"m.csv": "id,who,twice\n1,1,x\n2,2,x\n", "n.csv": "who,twice\na,x\nb,x\n"})
    with pytest.raises(UserError, match=why):
        importing.table("m.csv", join=["n.csv"], on=[on])
    with pytest.raises(UserError, match="`--join TABLE` and `--on KEY` belong together"):
        importing.table("m.csv", join=["n.csv"])


def test_a_data_set_saved_on_disk_has_the_names_of_its_classes() -> None:
    table = described(pa.table({"image": [{"bytes": png(), "path": None}, {"bytes": wav(), "path": "a"}],
                                "label": [1, -1], "tags": [[0, 1], []], "old": [[1], [0]]}), FEATURES)
    for side in ("train", "test"):
        stream(f"d/{side}/data-00000-of-00001.arrow", table)
        put({f"d/{side}/state.json": '{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}',
             f"d/{side}/dataset_info.json": "{}"})
    put({"d/dataset_dict.json": '{"splits": ["train", "test"]}'})
    found = rows("d")
    assert [{name: cell for name, cell in row.items() if name != "image"} for row in found[:2]] == [
        {"id": "1", "label": "dog", "tags": '["red", "round"]', "old": '["v"]', "split": "train"},
        {"id": "2", "tags": "[]", "old": '["u"]', "split": "train"}]
    assert [row["split"] for row in found] == ["train", "train", "test", "test"]
    assert Path(found[1]["image"]).suffix == ".wav"


def test_arrow_and_parquet_that_are_cut_off() -> None:
    table = pa.table({"text": [f"row {k}" for k in range(1000)], "label": [k % 2 for k in range(1000)]})
    stream("d/data.arrow", table, cut=4000)
    put({"d/state.json": '{"_data_files": [{"filename": "data.arrow"}]}', "e/state.json": '{"_data_files": '
         '[{"filename": "lost.arrow"}]}'})
    pq.write_table(table, "whole.parquet")
    put({"p/a.parquet": Path("whole.parquet").read_bytes()[:-100], "p/b.parquet": Path("whole.parquet").read_bytes()})
    for source, file in (("d", "d/data.arrow"), ("p", "p/a.parquet")):
        with pytest.raises(UserError, match=rf"{file} is cut off or damaged \(.*\): fetch or write this file again"):
            importing.table(source)
    with pytest.raises(UserError, match="e is incomplete: lost.arrow is missing. Copy the whole folder again."):
        importing.table("e")
    put({"none.arrow": b"", "torn.arrow": Path("d/data.arrow").read_bytes()[:40]})
    for file in ("none.arrow", "torn.arrow"):
        with pytest.raises(UserError, match=rf"^{file} is cut off or damaged \(.*\): fetch or write this file again"):
            importing.table(file)


def test_a_wrong_offset_in_a_damaged_file_does_not_end_the_process() -> None:
    stream("d/data.arrow", pa.table({"text": ["words", "more"]}))
    content = Path("d/data.arrow").read_bytes()
    offsets = b"\0\0\0\0\5\0\0\0\t\0\0\0"
    assert content.count(offsets) == 1
    Path("d/data.arrow").write_bytes(content.replace(offsets, b"\0\0\0\0\0\0\0\x40\t\0\0\0"))
    put({"d/state.json": "[1]"})
    with pytest.raises(UserError, match="d/data.arrow is cut off or damaged"):
        importing.table("d")


def coco(annotations: list[dict[str, Any]]) -> str:
    return json.dumps({"images": [{"id": k, "file_name": f"{k}.png"} for k in (1, 2, 3)], "annotations": annotations,
                       "categories": [{"id": 10, "name": "cat"}, {"id": 20, "name": "dog"}]})


def test_annotations_of_coco() -> None:
    put({f"c/{side}/{k}.png": png() for side in ("train", "valid") for k in (1, 2, 3)})
    single = [{"id": 1, "image_id": 1, "category_id": 10, "bbox": [1, 2, 3.5, 4]},
              {"id": 2, "image_id": 2, "category_id": 20}, {"id": 3, "image_id": 2, "category_id": 20}]
    put({"c/train/_annotations.json": coco(single)})
    where = "c/train/_annotations.json"
    assert rows(where) == [{"id": "1", "image": "../../../c/train/1.png", "label": "cat"},
                           {"id": "2", "image": "../../../c/train/2.png", "label": "dog"},
                           {"id": "3", "image": "../../../c/train/3.png"}]
    assert rows(where, boxes=True)[0] == {
        "id": "1", "image": "../../../c/train/1.png", "group": "1", "label": "cat", "x": "1", "y": "2", "width": "3.5",
        "height": "4"}
    put({"c/valid/_annotations.json": coco([*single, {"id": 4, "image_id": 1, "category_id": 20}])})
    assert [(row["id"], row["label"], row["split"]) for row in rows("c")] == [
        ("train/1", '["cat"]', "train"), ("train/2", '["dog"]', "train"), ("train/3", "[]", "train"),
        ("val/1", '["cat", "dog"]', "val"), ("val/2", '["dog"]', "val"), ("val/3", "[]", "val")]
    put({"c/train/captions.json": coco([{"id": 1, "image_id": 3, "caption": "a cat"}])})
    assert rows("c/train/captions.json") == [
        {"id": "1", "image": "../../../c/train/3.png", "group": "3", "text": "a cat"}]


def test_annotations_without_their_pictures() -> None:
    odd = {"images": [{"id": 1, "file_name": "x" * 300}, {"id": 2, "file_name": "2.png"}], "categories": 5,
           "annotations": [{"image_id": 2, "category_id": [1], "bbox": 7}]}
    put({"b/odd.json": json.dumps(odd), "b/2.png": png()})
    assert rows("b/odd.json", boxes=True) == [{"id": "2", "image": "../../../b/2.png", "group": "2"}]
    put({"c/a.json": coco([]), "far/1.png": png(), "far/2.png": png(), "far/3.png": png()})
    with pytest.raises(UserError, match="None of the 3 pictures that c/a.json names is there, such as c/1.png: name"):
        importing.table("c/a.json")
    assert [row["image"] for row in rows("c/a.json", media=Path("far"))] == [f"../../../far/{k}.png" for k in (1, 2, 3)]


def test_jsonl_of_windows_with_objects_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    lines = [{"id": str(k), "label": "ab"[k % 2], "text": f"über {k}", "more": {"a": 1}} for k in range(3)]
    Path("m.jsonl").write_bytes("\n".join(json.dumps(one, ensure_ascii=False) for one in lines).encode("cp1252"))
    assert importing.table("m.jsonl", lacks_id=no_id).path == Path("m.jsonl")
    assert [row["text"] for row in rows("m.jsonl", media=Path())] == ["über 0", "über 1", "über 2"]
    assert "it is read as Windows-1252" in capfd.readouterr().err
