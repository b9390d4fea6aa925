"""New rows are joined with the tables of their streams as those of training were."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.data.clocks import csv, joined, sound
from tests.fake_outs import fake_data, fake_models, fake_outs
from tests.helpers import ROOT
from trivium.data import tables
from trivium.serving import joined as new
from trivium.serving.export.smoke import raw
from trivium.serving.predict import predict_table
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

EVENTS = ("e2,x,a,101", "e1,y,a,105.5", "e3,x,b,200.25", "e4,y,b,900")
KINDS = {"mic": "audio", "words": "text", "temp": "table"}
ALIGN = {"tolerance": 0.1, "window": [-0.5, 0.5]}
ANSWERING = SimpleNamespace(streams=KINDS, task=Classification(["x", "y"]))


def tabled(folder: Path) -> dict:
    sound(folder / "a.wav", 10, seed=1)
    sound(folder / "b.wav", 10, seed=2)
    csv(folder / "mics.csv", "rec,file,at", "a,a.wav,100", "b,b.wav,200")
    csv(folder / "words.csv", "rec,text,from,to", "a,hello,100.8,101.2", "a,you,101.2,101.4", "b,ho,199,200")
    csv(folder / "sensors/temp.csv", "rec,at,temp", "a,100.9,1", "b,201,3")
    return {"mic": {"modality": "audio", "column": "file", "table": {"path": str(folder / "mics.csv"), "time": "at"}},
            "words": {"modality": "text", "column": "text",
                      "table": {"path": str(folder / "words.csv"), "start": "from", "end": "to"}},
            "temp": {"modality": "table", "columns": ["temp"],
                     "table": {"path": str(folder / "sensors/temp.csv"), "time": "at"}}}


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, list[dict]]:
    """Data with its samples, below `data`; and the same files once more, below `new`, without labels."""
    folder = tmp_path / "mine"
    (folder / "sensors").mkdir(parents=True)
    streams = tabled(folder)
    csv(folder / "events.csv", "id,label,rec,time", *EVENTS)
    rows = joined(folder, streams, checked=True, **ALIGN)
    for stage in ("raw", "valid", "aligned"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (folder / stage).rename(tmp_path / "data" / stage)
    shutil.copytree(folder, tmp_path / "new")
    events = [",".join((one.split(",")[0], *one.split(",")[2:])) for one in EVENTS]
    csv(tmp_path / "new/events.csv", "id,rec,time", *events)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["data"] |= {"source": "manifest", "streams": streams}
    params["data"]["manifest"] |= {"path": str(folder / "events.csv"), "key": "rec"}
    params["align"] = ALIGN
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    return tmp_path, rows


def join(root: Path, manifest: str = "new/events.csv") -> list[dict]:
    scratch = root / "scratch"
    scratch.mkdir()
    found, home = new.join(root, root / manifest, ANSWERING, scratch)
    assert home.resolve() == (root / manifest).parent.resolve()
    assert found.count() == sum(len(piece) for piece in found.samples())
    return [row for piece in found.samples() for row in piece]


def test_new_rows_become_what_the_pipeline_made_of_them(project, capsys):
    root, rows = project
    assert new.tabled(root)
    own = {row["sample"]: raw(row, KINDS) for row in rows}
    found = join(root)
    assert [row["id"] for row in found] == ["e2", "e1", "e3", "e4"]  # the order of the file
    assert {row.pop("id"): row for row in found} == own | {"e4": {}}  # which meets nothing, and so has no answer
    assert own["e2"] == {"mic": "a.wav", "mic_start": 0.5, "mic_end": 1.5, "words": "hello you",
                         "temp": '{"temp":"1"}'}
    assert capsys.readouterr().out == ""  # answers go there


def test_ticks_are_in_the_order_of_time(project):
    root, _ = project
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["align"] = {"tolerance": 0.1, "every": "2 s"}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    csv(root / "new/events.csv", "id,rec,time", "r2,b,200", "r1,a,100")
    assert [(row["id"], row.get("mic_start")) for row in join(root)] == [
        (f"r{k}@{at}", float(at)) for k in (2, 1) for at in (0, 2, 4, 6, 8)]


def test_a_whole_batch_without_ticks_says_why(project):
    root, _ = project
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["align"] = {"tolerance": 0.1, "every": "2 s"}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    short = [f"s{k},a,{101 + k / 100},{101.5 + k / 100}" for k in range(64)]
    csv(root / "new/events.csv", "id,rec,start,end", *short, "r1,a,102,104")
    (root / "scratch").mkdir()
    found, _ = new.join(root, root / "new/events.csv", ANSWERING, root / "scratch")
    first, second = found.samples()
    assert (len(first), first[1], second[0]["id"]) == (64, {"id": "s1"}, "r1@0")
    assert found.why["s1"] == "no whole tick of 2 s (align.every) lies in it; it is at 101.010 to 101.510 s"


def test_each_row_or_tick_has_an_answer_or_an_error(tmp_path, capsys):
    fake_outs(tmp_path, {"supervised_frozen": 0.9})
    fake_data(tmp_path)
    fake_models(tmp_path, "supervised_frozen")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    text = {"modality": "text", "column": "text", "table": {"path": "mine/words.csv", "start": "from", "end": "to"}}
    params["data"] |= {"source": "manifest", "streams": {"text": text}}
    params["data"]["manifest"] |= {"path": "mine/events.csv", "key": "rec"}
    params["align"] = {"tolerance": 0.1, "every": "1 s"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / "new").mkdir()
    csv(tmp_path / "new/words.csv", "rec,text,from,to", "a,alpha,0,4", "a,beta,4,5")
    rows = csv(tmp_path / "new/events.csv", "id,rec,start,end", "r1,a,0,1.6", "r2,a,1.6,1.9", "r3,a,1.9,4", "r4,a,8,9")
    assert predict_table(tmp_path, "supervised_frozen", rows, tmp_path / "out.csv") == 2
    cells = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert [(one[0], bool(one[1]), one[-1]) for one in cells] == [
        ("r1@0", True, ""),
        ("r2", False, "no whole tick of 1 s (align.every) lies in it; it is at 1.600 to 1.900 s"),
        ("r3@0.1", True, ""), ("r3@1.1", True, ""),
        ("r4@0", False, "no row of any stream is near in time; it is at 8.000 to 9.000 s")]
    assert "clock: 1 of 4 rows of the table becomes no sample: no whole tick" in capsys.readouterr().err


def test_a_table_that_is_not_there_is_said(project, capsys):
    root, _ = project
    (root / "new/words.csv").unlink()
    assert {row["words"] for row in join(root) if "words" in row} == {None}
    assert f"note: there is no table of words ({root}/new/words.csv): all rows are answered without." in (
        capsys.readouterr().err)


@pytest.mark.parametrize(("lines", "says"), [
    (("id,rec,time", "e1,a,101", "e1,a,102"), "row 2 has the id `e1`, as row 1 has: give each row one of its own"),
    (("id,rec", "e1,a"), "does not say when its rows are, and those of training did: it needs the column `time`"),
    (("id,time", "e1,3"), "has no column `rec`, which data.manifest.key in params.yaml names"),
])
def test_what_cannot_be_joined_is_said(project, lines, says):
    root, _ = project
    csv(root / "new/events.csv", *lines)
    with pytest.raises(UserError, match=says):
        join(root)


def test_where_no_table_is_beside_it_all_are_named(project):
    root, _ = project
    csv(root / "lonely.csv", "id,rec,time", "e1,a,101")
    with pytest.raises(UserError, match=r"beside .*lonely.csv there is none: .* mic \(.*mics.csv\), temp \("):
        join(root, "lonely.csv")


def test_an_estimated_offset_is_that_of_training(project, capsys):
    root, _ = project
    clock = tables.read_json(root / "data/aligned/clock.json")
    clock["streams"]["mic"]["offset"] = 0.25
    tables.write_json(clock, root / "data/aligned/clock.json")
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["align"]["offset"] = {"mic": "estimated"}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    assert [row.get("mic_start") for row in join(root)] == [0.25, 4.75, 0.0, None]
    said = capsys.readouterr().err
    assert "note: +0.250 s are added to the times of mic, as for training, where that was estimated. " in said
    assert "clock: +0.250 s are added to the times of mic, as align.offset in params.yaml asks.\n" in said
