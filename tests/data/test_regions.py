"""Regions of pictures, joined by key to samples and to what is said of them."""

import numpy as np
import pytest
from PIL import Image

from tests.data.clocks import csv, ingested, joined, picked
from trivium.data import tables
from trivium.modalities import image
from trivium.modalities.media import regions
from trivium.settings.errors import UserError

GREY = image.Settings(size=8, channels=1)


def streams(folder, *rows: str) -> dict:
    """A picture whose pixel at (x, y) is 10 y + x, 10 wide and 8 high; its regions, and phrases."""
    Image.fromarray((10 * np.arange(8)[:, None] + np.arange(10)).astype(np.uint8)).save(folder / "a.png")
    boxes = csv(folder / "boxes.csv", "rec,file,x,y,width,height", *rows)
    words = csv(folder / "words.csv", "rec,text", "p,a red", "p,ball", "q,the sky")
    return {"part": {"modality": "image", "column": "file",
                     "table": {"path": str(boxes), "box": ["x", "y", "width", "height"]}},
            "words": {"modality": "text", "column": "text", "table": {"path": str(words)}}}


def test_regions_meet_the_phrases_of_their_key(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec", "e1,x,p", "e2,y,q", "e3,y,r")
    given = streams(tmp_path, "p,a.png,1,2,4,4", "p,a.png,7,2,2,3", "q,a.png,0,0,8,8", "r,a.png,,,,")
    rows = joined(tmp_path, given, checked=True)
    assert picked(rows, "sample", "part", "words") == [
        ("e1", "a.png#xywh=1,2,4,4;7,2,2,3", "a red ball"), ("e2", "a.png#xywh=0,0,8,8", "the sky"),
        ("e3", "a.png", None)]
    assert len({row["part_digest"] for row in rows}) == 1  # of the picture, which split keeps on one side
    assert rows[0]["duplicate_group"] == rows[1]["duplicate_group"] == "e1"


def test_what_is_in_no_region_is_not_seen(tmp_path):
    streams(tmp_path)
    one = image.decode("a.png#xywh=1,2,8,6", tmp_path, None, None, GREY)[0]
    assert one.shape == (8, 8) and one[1].tolist() == [*range(21, 29)]  # six rows, in the middle of eight
    several = image.decode("a.png#xywh=1,2,2,6;7,2,2,6", tmp_path, None, None, GREY)[0]
    assert several[1].tolist() == [21, 22, 255, 255, 255, 255, 27, 28]
    assert image.probe("a.png#xywh=1,2,4,5", tmp_path) == {"width": 4, "height": 5}
    assert image.probe("a.png", tmp_path) == {"width": 10, "height": 8}


@pytest.mark.parametrize(("row", "says"), [
    ("p,a.png,-1,0,4,4", "boxes.csv: row 1 has the region x -1, y 0, width 4, height 4, which lies outside"),
    ("p,a.png,1,0,0,4", "boxes.csv: row 1 has the region x 1, y 0, width 0, height 4, .* has no area"),
    ("p,a.png,1,wide,4,4", "boxes.csv: row 1 has `wide`, which is no number of pixels in the column `y`"),
    ("p,a.png,1,2,4,", "boxes.csv: row 1 has nothing in the column `height`")])
def test_a_region_that_is_none_names_its_row(tmp_path, row, says):
    csv(tmp_path / "events.csv", "id,label,rec", "e1,x,p", "e2,y,q")
    with pytest.raises(UserError, match=says):
        ingested(tmp_path, streams(tmp_path, row))


def test_a_region_beyond_its_picture_goes_to_quarantine(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec", "e1,x,p", "e2,y,q")
    joined(tmp_path, streams(tmp_path, "p,a.png,1,2,4,4", "q,a.png,8,2,4,3"), checked=True)
    (lost,) = tables.read(tmp_path / "valid/quarantine.parquet").to_pylist()
    assert lost["reason"] == ("its region at 8, 2 of 4 x 3 pixels reaches beyond the picture, which has 10 x 8")


def test_regions_are_written_and_read():
    assert regions.split(regions.marked("b#1.png", [(1.5, 2, 3, 4)])) == ("b#1.png", ((1.5, 2.0, 3.0, 4.0),))
    assert regions.split("a#xywh=1,2.png") == ("a#xywh=1,2.png", ())
