import shutil
from pathlib import Path

import pytest

from tests.data.sources.manifests import ingest, save
from trivium.data import tables
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")
ROWS = [{"id": "a", "label": "x", "text": "one", "image": "img/a.png"},
        {"id": "b", "label": "y", "text": "two", "image": "img/a.png"}]


def test_a_second_file_brings_rows_without_a_label_from_a_folder_of_its_own() -> None:
    main = save(ROWS)
    Path("more").mkdir()
    shutil.copy("mine/img/a.png", "more/c.png")
    Path("more/extra.csv").write_text("id,image\nc,c.png\nd,\n")
    made = ingest(main, ("text", "image"), unlabelled="more/extra.csv")
    assert [(row["sample"], row["label"]) for row in made["labels"]] == [("a", "x"), ("b", "y"), ("c", None),
                                                                         ("d", None)]
    assert [row["key"] for row in made["text"]] == ["a", "b"]
    assert made["image"][2] == {"key": "c", "value": "../more/c.png", "digest": tables.digest(b"picture")}
    assert tables.read_json("raw/meta.json")["card"] == (
        "2 rows of `m.csv` and 2 of `extra.csv`, which have no label.")


def test_a_second_file_needs_a_stream() -> None:
    main = save(ROWS)
    Path("mine/extra.csv").write_text("id,words\nc,three\n")
    with pytest.raises(UserError, match=r"extra.csv has no column of any stream \(text, image\): its columns are id, "):
        ingest(main, ("text", "image"), unlabelled="mine/extra.csv")


def test_rows_of_a_second_file_weigh_one() -> None:
    main = save([row | {"w": "2"} for row in ROWS])
    Path("mine/extra.csv").write_text("id,text\nc,three\n")
    made = ingest(main, ("text",), weight="w", unlabelled="mine/extra.csv")
    assert [row["weight"] for row in made["labels"]] == ["2", "2", "1"]
