import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.sources.manifests import ingest, labels, save
from trivium.data import tables
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")
ROWS = [
    {"id": "007", "label": "NA", "text": 'say "hi",\nnow', "image": "img/a.png", "audio": ""},
    {"id": "1e3", "label": "café", "text": "", "image": "img/a.png", "audio": "b.wav"},
    {"id": "x", "label": "NA", "text": " z ", "image": "", "audio": "lost.wav"},
]


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.jsonl", "m.parquet"])
def test_every_format_gives_the_same_tables(name: str) -> None:
    made = ingest(save(ROWS, name), ("text", "image", "audio"))
    empty = {"group": None, "split": None, "language": None, "domain": None}
    assert made["labels"] == [{"sample": i, "key": i, "label": label} | empty
                              for i, label in (("007", "NA"), ("1e3", "café"), ("x", "NA"))]
    assert made["text"] == [
        {"key": "007", "value": 'say "hi",\nnow', "digest": tables.digest(b'say "hi", now')},
        {"key": "x", "value": " z ", "digest": tables.digest(b"z")}]
    assert made["image"] == [{"key": key, "value": "img/a.png", "digest": tables.digest(b"picture")}
                             for key in ("007", "1e3")]
    assert made["audio"] == [{"key": "1e3", "value": "b.wav", "digest": tables.digest(b"sound")},
                             {"key": "x", "value": "lost.wav", "digest": None}]
    meta = tables.read_json("raw/meta.json")
    assert (meta["source"], meta["root"], meta["title"]) == ("manifest", "mine", name)


def test_what_looks_like_a_number_in_a_csv_stays_as_it_is() -> None:
    rows = [{"id": "007", "label": "01", "text": "true"}, {"id": "1.0", "label": "NaN", "text": "2020-01-01"}]
    assert [(row["key"], row["label"]) for row in ingest(save(rows))["labels"]] == [("007", "01"), ("1.0", "NaN")]


def test_a_group_is_one_however_its_number_is_written(folder: Path) -> None:
    """Else one patient were on two sides."""
    (folder / "m.csv").write_text("id,label,text,group\n1,a,x,7\n2,b,y,7.0\n")
    assert [row["group"] for row in ingest("mine/m.csv")["labels"]] == ["7", "7"]


def test_numbers_of_jsonl_and_parquet_become_text(folder: Path) -> None:
    rows = [{"id": 1, "label": 0, "text": "a"}, {"id": 2, "label": 1, "text": "b"}]
    (folder / "n.jsonl").write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    for path in ("mine/n.jsonl", save(rows, "n.parquet")):
        assert [(row["sample"], row["label"]) for row in ingest(path)["labels"]] == [("1", "0"), ("2", "1")]


def test_columns_of_other_names_and_semicolons(folder: Path) -> None:
    (folder / "m.csv").write_bytes("\ufeffname;kind;words;who\n1;a;x, y;Ann\n2;b;z;\n".encode())
    made = ingest("mine/m.csv", id="name", label="kind", text="words", group="who")
    assert [row["group"] for row in made["labels"]] == ["Ann", None]
    assert made["text"][0]["value"] == "x, y"


def test_names_that_look_the_same_are_the_same(folder: Path) -> None:
    (folder / "m.csv").write_text("id, label, text, group, split\n"
                                  "1, cafe\u0301, x, g, Train \n 2,caf\u00e9, y, g, \n3,b,z,,\n", encoding="utf-8")
    made = ingest("mine/m.csv", label=" label", text=" text", group=" group", split=" split")
    assert [(row["key"], row["label"], row["group"], row["split"]) for row in made["labels"]] == [
        ("1", "caf\u00e9", "g", "train"), ("2", "caf\u00e9", "g", None), ("3", "b", None, None)]
    assert [(row["key"], row["value"]) for row in made["text"]] == [("1", " x"), ("2", " y"), ("3", "z")]


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_columns_whatever_their_case_and_the_white_space_around(name: str) -> None:
    rows = [{"ID": str(i), " Label ": "ab"[i], "TEXT": "x", " image": "img/a.png", "Speaker": f"s{i}"} for i in (0, 1)]
    made = ingest(save(rows, name), ("text", "image"), group="speaker")
    found = [(row["sample"], row["label"], row["group"]) for row in made["labels"]]
    assert found == [("0", "a", "s0"), ("1", "b", "s1")]
    assert [row["value"] for row in made["image"]] == ["img/a.png"] * 2


def test_quotes_and_nameless_columns(folder: Path) -> None:
    """A quoted cell may have lines and quotes in it, a bare one quotes; spreadsheets leave empty columns."""
    (folder / "m.csv").write_bytes(b'id,"label",text,,\r\n1,a,"x\n""y"", z",,\r\n2,b,5" or "6",,\r\n'
                                   b'3,b,"so" to say,,\r\n4,b,"",,')
    assert [row["value"] for row in ingest("mine/m.csv")["text"]] == ['x\n"y", z', '5" or "6"', "so to say"]
    assert len(tables.read("raw/labels.parquet")) == 4


def test_a_column_that_begins_late(folder: Path) -> None:
    lines = [{"id": i, "label": i % 2, "text": "x"} | ({"group": "g"} if i == 2999 else {}) for i in range(3000)]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert ingest("mine/m.jsonl")["labels"][-1]["group"] == "g"


def test_nan_is_an_empty_cell(folder: Path) -> None:
    """As pandas and others write it. (What is written NaN in a CSV is a word.)"""
    rows = [{"id": i, "label": float(i % 2) if i else float("nan"), "text": "x"} for i in range(3)]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for path in ("mine/m.jsonl", save(rows, "m.parquet")):
        assert labels(path) == [None, "1", "0"]


def test_half_a_character_is_replaced(folder: Path) -> None:
    (folder / "m.jsonl").write_text('{"id": 1, "label": "a", "text": "x \\ud83d"}\n'
                                    '{"id": 2, "label": "b", "text": "y"}')
    assert [row["value"] for row in ingest("mine/m.jsonl")["text"]] == ["x ?", "y"]


def test_parts_of_recordings_and_given_splits() -> None:
    rows = [{"id": "1", "label": "a", "audio": "b.wav", "text": "x", "start": "0.5", "end": "1", "split": "Training"},
            {"id": "2", "label": "b", "audio": "b.wav", "text": "x", "start": "1", "end": "", "split": "dev"},
            {"id": "3", "label": "b", "audio": "", "text": "x", "start": "", "end": "", "split": "test"}]
    made = ingest(save(rows), ("text", "audio"))
    assert [(row["start"], row["end"]) for row in made["audio"]] == [(0.5, 1.0), (1.0, None)]
    assert set(made["text"][0]) == {"key", "value", "digest"}
    assert [row["split"] for row in made["labels"]] == ["train", "val", "test"]


def test_an_absolute_path_is_seen_from_the_manifest(folder: Path) -> None:
    rows = [{"id": str(i), "label": str(i), "image": str(folder / "img/a.png")} for i in range(2)]
    assert ingest(save(rows), ("image",))["image"][0] == {
        "key": "0", "value": "img/a.png", "digest": tables.digest(b"picture")}


NFD, NFC = "e\u0301 1.png", "\u00e9 1.png"


@pytest.mark.parametrize(("disk", "written"), [
    (NFD, NFC), (NFC, NFD), (NFD, "e%CC%81%201.png"), (NFD, "%C3%A9%201.png"), (NFC, "img/../%C3%A9%201.png"),
    (NFD, "file://{folder}/e%CC%81%201.png"), (NFD, "file://localhost{folder}/e%CC%81%201.png"),
    (NFC, "file://{folder}/e%CC%81%201.png"), ("50%25.png", "50%25.png"), ("50%.png", "50%25.png"),
])
def test_every_spelling_of_a_name_finds_the_file(folder: Path, disk: str, written: str) -> None:
    (folder / disk).write_bytes(b"picture")
    rows = [{"id": str(i), "label": str(i), "image": written.format(folder=folder)} for i in range(2)]
    for row in ingest(save(rows), ("image",))["image"]:
        assert row["digest"] == tables.digest(b"picture")
        assert (folder / row["value"]).read_bytes() == b"picture"


def test_a_name_that_is_nowhere_stays_as_it_is(folder: Path) -> None:
    names = ["C:\\Users\\me\\a.png", "nobody://example.org/a.png", "a.png;b.png", "x" * 5000, "no%20where.png"]
    rows = [{"id": str(i), "label": str(i), "image": name} for i, name in enumerate(names)]
    assert [(row["value"], row["digest"]) for row in ingest(save(rows), ("image",))["image"]] == [
        ("C:/Users/me/a.png", None), *((name, None) for name in names[1:])]


def test_the_same_bytes_from_any_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from the folder of an experiment, where the manifest is named in full."""
    path = tmp_path / save([{"id": str(i), "label": str(i), "image": "img/a.png"} for i in range(2)])
    made = []
    for place in (tmp_path, tmp_path / "else/where"):
        place.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(place)
        ingest(str(path), ("image",))
        made.append({name: (place / "raw" / name).read_bytes() for name in ("meta.json", "image.parquet")})
    assert made[0] == made[1]
    assert tables.read_json("raw/meta.json")["root"] == str(folder)


def test_a_path_of_windows() -> None:
    rows = [{"id": str(i), "label": str(i), "image": "img\\a.png"} for i in range(2)]
    assert ingest(save(rows), ("image",))["image"][0] == {
        "key": "0", "value": "img/a.png", "digest": tables.digest(b"picture")}


def test_rows_are_not_judged_and_an_id_that_comes_twice_joins_nothing() -> None:
    rows = [{"id": "1", "label": "", "text": "x"}, {"id": "1", "label": "a", "text": ""},
            {"id": "", "label": "b", "text": "z"}, {"id": "1", "label": "b", "text": "w"}]
    made = ingest(save(rows))
    assert [(row["sample"], row["key"], row["label"]) for row in made["labels"]] == [
        ("1", "1", None), ("1", "1 (row 2)", "a"), (None, None, "b"), ("1", "1 (row 4)", "b")]
    assert [(row["key"], row["value"]) for row in made["text"]] == [("1", "x"), (None, "z"), ("1 (row 4)", "w")]


def test_a_made_up_key_is_nobodys_id() -> None:
    rows = [{"id": name, "label": "ab"[k % 2], "text": f"t{k}"} for k, name in enumerate(("d", "d", "d (row 2)", "d"))]
    keys = [row["key"] for row in ingest(save(rows))["text"]]
    assert keys == ["d", "d (row 2) (row 2)", "d (row 2)", "d (row 4)"]


def test_white_space_is_no_text_and_no_part_of_a_path(folder: Path) -> None:
    (folder / "m.csv").write_text("id,label,text,image\n1, a, , img/a.png \n2,b,x, \n")
    made = ingest("mine/m.csv", ("text", "image"))
    assert [(row["key"], row["value"]) for row in made["text"]] == [("2", "x")]
    assert [(row["key"], row["value"], row["digest"]) for row in made["image"]] == [
        ("1", "img/a.png", tables.digest(b"picture"))]


def test_texts_that_models_see_alike_have_one_digest() -> None:
    rows = [{"id": str(i), "label": str(i % 2), "text": text}
            for i, text in enumerate(("caf\u00e9 noir", "cafe\u0301  noir ", "cafe noir"))]
    one, two, other = (row["digest"] for row in ingest(save(rows))["text"])
    assert one == two != other


def test_times_that_are_not_a_number_are_empty() -> None:
    rows = [{"id": str(i), "label": str(i), "audio": "b.wav", "start": ("nan", "0.5")[i], "end": ("2", "NaN")[i]}
            for i in range(2)]
    assert [(row["start"], row["end"]) for row in ingest(save(rows), ("audio",))["audio"]] == [(None, 2.0), (0.5, None)]


def test_an_absolute_path_behind_a_link_to_the_folder(folder: Path) -> None:
    real = folder.rename(folder.parent / "deep-down")
    (real / "img").rename(folder.parent / "pictures")
    folder.parent.joinpath("far/away").mkdir(parents=True)
    linked = folder.parent / "far/away/link"
    linked.symlink_to(real)
    for picture in (linked / "b.wav", folder.parent / "pictures/a.png"):
        rows = [{"id": str(i), "label": str(i), "image": str(picture)} for i in range(2)]
        with (real / "m.csv").open("w") as file:
            file.writelines(["id,label,image\n", *(f"{row['id']},{row['label']},{row['image']}\n" for row in rows)])
        digest = tables.digest(picture.read_bytes())
        assert [row["digest"] for row in ingest("far/away/link/m.csv", ("image",))["image"]] == [digest] * 2


@pytest.mark.parametrize("place", ["data/raw", "data/raw/img/deep", "models", "reports/mine"])
def test_data_where_stages_empty_folders_are_refused(place: str) -> None:
    Path(place).mkdir(parents=True)
    (Path(place) / "a.png").write_bytes(b"picture")
    rows = [{"id": str(i), "label": str(i), "image": f"../{place}/a.png"} for i in range(2)]
    with pytest.raises(UserError, match=rf"m.csv: `../{place}/a.png` is in {place[:6]}.*your only copy would be lost"):
        ingest(save(rows), ("image",))
    table = Path(save([row | {"image": "img/a.png"} for row in rows])).rename(Path(place) / "m.csv")
    with pytest.raises(UserError, match="`m.csv` is in .*your only copy would be lost"):
        ingest(str(table), ("image",))


@pytest.mark.parametrize(("text", "changes", "message"), [
    ("id,labl,text\n1,a,x\n", {}, r"m.csv has no column `label`, which data.manifest.label .*Did you mean `labl`\? The "
                                  r"file has the columns id, labl, text"),
    ("id,label,words\n1,a,x\n", {}, "no column `text`, which data.streams.text"),
    ("id,label,text\n1,a,x\n2,b,y\n", {"label": ""}, "data.manifest.label is empty, but it is needed"),
    ("id,label,text,speakr\n1,a,x,s\n2,b,y,t\n", {"group": "speaker"}, "no column `speaker`.*Did you mean `speakr`"),
    ("id,label,text,text\n1,a,x,y\n", {}, "two columns `text`"),
    ("id,label,text\n1,a,x\n2,b\n", {}, "cannot be read as csv: .*Row #3: Expected 3 columns, got 2.* double quotes"),
    ('id,label,text\n1,a,"x\n2,b,y\n3,b,z\n', {}, "m.csv, line 2: a cell begins with a double quote that is not"),
    ('id,label,text\n1,a,x\n2,a,"y\n3,b,"z"\n4,b,v\n', {}, "m.csv, line 3: a cell begins with a double quote"),
    ("id,label,text\n", {}, "has no rows"),
    ("", {}, "is empty"),
    ("id,label,text\n1,a,x\n2,a,y\n", {}, "only the label a; there must be at least two classes"),
    ("id,label,text\n1,,x\n2,,y\n", {}, "has no label; there must be at least two classes"),
    ("id,label,text\n" + "".join(f"{i},{i},x\n" for i in range(1001)), {}, "1,001 different labels"),
    ("id,label,text,split\n1,a,x,train\n2,b,y,holdout\n", {}, "row 2 is in the split `holdout`"),
    ("id,label,text,split\n1,a,x,train\n2,b,y,domain\n", {}, "row 2 is in the split `domain`"),
    ("id,label,text,start,end\n1,a,x,0,1\n2,b,y,0:01,1\n", {}, "row 2 has the start `0:01`, which is not a number"),
    ("id,label,text,start,end\n1,a,x,0,1\n2,b,y,1_0,1\n", {}, "row 2 has the start `1_0`, which is not a number"),
    ("", {"path": ""}, "data.manifest.path is empty"),
    ("", {"path": "mine/n.csv"}, r"no file mine/n.csv .* Did you mean mine/m.csv\?"),
    ("", {"path": "mine/b.wav"}, "should be a table with the ending .csv, .tsv"),
])
def test_what_people_are_told(folder: Path, text: str, changes: dict[str, str], message: str) -> None:
    (folder / "m.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        ingest("mine/m.csv", **changes)
    assert not Path("raw").exists()


@pytest.mark.parametrize(("name", "content", "message"), [
    ("m.jsonl", b'{"id": 1}\n{"id": 2,, }\n', "m.jsonl, line 2 is not JSON"),
    ("m.jsonl", b'["id"]\n', "line 1 is a JSON list"),
    ("m.jsonl", b"[" * 10**5, "line 1 is not JSON"),
    ("m.parquet", b"PAR2", "cannot be read as parquet"),
    ("m.csv", b"id,label,text\n1,a,\x81\n", "is no text in UTF-8, UTF-16 or Windows-1252: save it in UTF-8"),
    ("m.jsonl", b'{"id": 1, "label": "\x81"}\n', "is no text in UTF-8, UTF-16 or Windows-1252: save it in UTF-8"),
])
def test_files_that_cannot_be_read(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        ingest(f"mine/{name}")


def test_parquet_that_is_damaged_inside(folder: Path) -> None:
    path = folder / "m.parquet"
    columns = {"id": range(2000), "label": ["a", "b"] * 1000, "text": [f"{i * i}" for i in range(2000)]}
    pq.write_table(pa.table(columns), path)
    content = bytearray(path.read_bytes())
    content[500:600] = b"\xaa" * 100
    path.write_bytes(content)
    with pytest.raises(UserError, match="m.parquet cannot be read as parquet: "):
        ingest("mine/m.parquet")


@pytest.mark.parametrize(("cell", "kind"), [({"bytes": b"x", "path": "a.png"}, "struct<"), (b"\x89PNG\xff", "binary"),
                                            (["a.png"], "list<")])
def test_a_column_that_does_not_hold_one_value_per_row(cell: Any, kind: str) -> None:
    path = save([{"id": i, "label": "ab"[i], "image": cell} for i in range(2)], "m.parquet")
    with pytest.raises(UserError, match=f"column `image` holds {kind}.*one text, number or path per row"):
        ingest(path, ("image",))
