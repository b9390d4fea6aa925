import json
from pathlib import Path

import pyarrow as pa
import pytest

from tests.cli.own import manifest, media
from tests.helpers import set_params
from trivium.cli.forget import forget, told
from trivium.cli.main import main
from trivium.cli.traces import Traces
from trivium.cli.use import use
from trivium.data import tables
from trivium.data.sources.forgotten import PATH, Forgotten
from trivium.importing import table
from trivium.settings.errors import UserError

COLUMNS = {"id": "r{i}", "label": "c{y}", "text": "words of row {i}", "image": "img/{i}.png"}


@pytest.fixture
def mine(project: Path) -> Path:
    """A table of six rows with pictures, which params.yaml names."""
    media(project / "own")
    use(manifest(project / "own/rows.jsonl", COLUMNS))
    return project


def test_an_unknown_id_names_the_nearest_and_nothing_is_forgotten(mine: Path) -> None:
    with pytest.raises(UserError, match=r"No row has the id `r44`\. Did you mean .*`r4`.*Nothing was forgotten"):
        forget(["r1", "r44"])
    assert not PATH.exists()


def test_generated_rows_are_about_nobody(project: Path) -> None:
    with pytest.raises(UserError, match="digits` makes its rows itself"):
        forget(["r1"])


def test_a_table_of_ones_own_stays_and_its_files_are_named(mine: Path) -> None:
    before = Path("own/rows.jsonl").read_bytes()
    said = forget(["r1", "r3"])
    assert "2 rows are forgotten: r1, r3." in said and "own/rows.jsonl is your own table, and stays as it is" in said
    assert "Only these rows name the files img/1.png, img/3.png: they are yours, and stay." in said
    assert Path("own/rows.jsonl").read_bytes() == before and Path("own/img/1.png").exists()
    assert Forgotten.at().within(pa.chunked_array([["r0", "r1", "r3", None]])).tolist() == [False, True, True, False]
    assert "These rows are forgotten already." not in said and "r1" not in PATH.read_text()


def test_a_dry_run_changes_nothing(mine: Path) -> None:
    said = forget(["r1"], dry=True)
    assert "1 row would be forgotten: r1." in said and "Nothing was changed." in said and not PATH.exists()


def test_an_imported_table_is_written_anew_without_them_and_their_media(mine: Path) -> None:
    pixels = [Path(f"own/img/{i}.png").read_bytes() for i in (0, 1, 2)]
    rows = [{"id": f"r{i}", "label": f"c{i % 2}", "image": {"bytes": pixels[i % 3], "path": None}} for i in range(6)]
    rows[5]["image"] = rows[0]["image"]  # r2 alone has the third picture
    tables.write(pa.Table.from_pylist(rows), "source.parquet")
    found = table("source.parquet")
    use(str(found.path))
    files = sorted(found.path.parent.glob("media/*/*"))
    said = forget(["r2", "r4"])
    assert f"{found.path} was written anew without them, and the media that only they name are gone" in said
    assert tables.read(found.path)["id"].to_pylist() == ["r0", "r1", "r3", "r5"]
    assert len(files) == 3 and len(sorted(found.path.parent.glob("media/*/*"))) == 2
    tables.write(pa.Table.from_pylist([row for row in rows if row["id"] not in ("r2", "r4")]), "source.parquet")
    never = table("source.parquet", Path("data/imported/never"))
    assert never.path.read_bytes() == found.path.read_bytes()


def test_ids_of_a_file_and_those_that_are_forgotten_already(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("ids.txt").write_text("r1\n\n r2 \n")
    main(["forget", "--file", "ids.txt"])
    assert "2 rows are forgotten: r1, r2." in capsys.readouterr().out
    main(["forget", "r2"])
    assert len(Forgotten.at().ids) == 2
    assert told(mine).startswith("2 rows are forgotten here.")


def test_the_last_step_needs_something_that_is_forgotten_and_comes_alone(mine: Path) -> None:
    for words, why in ((["--gc"], "nothing to clear"), (["r1", "--gc"], "`--gc` comes last")):
        with pytest.raises(SystemExit, match=why):
            main(["forget", *words])


def test_other_parts_of_a_recording_and_the_same_text_are_twins(mine: Path) -> None:
    rows = [json.loads(line) for line in Path("own/rows.jsonl").read_text().splitlines()]
    streams = {"text": [row["text"] for row in rows], "image": [row["image"] for row in rows]}
    streams["image"][4] = streams["image"][1]
    streams["text"][5] = " Words of row 1 and all the rest of it that is long enough to be compared"
    streams["text"][1] = "words of row 1 and all the rest of it that is long enough to be compared"
    plain = {f"{s}{end}": pa.nulls(6, pa.float64()) for s in streams for end in ("_start", "_end")}
    tables.write(pa.table({"sample": [row["id"] for row in rows], "label": [row["label"] for row in rows], **streams,
                           "image_digest": [str(i) for i in range(6)], **plain}), "data/aligned/samples.parquet")
    meta = {"root": "own", "streams": {"text": "text", "image": "image"}}
    Path("data/aligned/meta.json").write_text(json.dumps(meta))
    set_params(mine, {"validate.placeholder_share": 0.9})
    said = forget(["r1"], dry=True)
    assert "r4 has the same file of image" in said and "r5 has the same or nearly the same text" in said
    assert "3 rows would be forgotten: r1, r4, r5" in forget(["r1"], twins=True, dry=True)


def lock(**stages: tuple[dict[str, str], dict[str, str]]) -> None:
    """dvc.lock of stages: what each read, and what came out."""
    import yaml

    made = {name: {"deps": [{"path": path, "md5": md5} for path, md5 in deps.items()],
                   "outs": [{"path": path, "md5": md5} for path, md5 in outs.items()]}
            for name, (deps, outs) in stages.items()}
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": made}, sort_keys=False))


def test_outs_are_old_that_come_of_an_old_one_or_read_what_is_there_no_more(project: Path) -> None:
    for path in ("data/raw", "data/valid", "models/a"):
        Path(path).mkdir(parents=True)
    gone = Forgotten().with_more(["r1"])
    tables.write(pa.table({"sample": ["r0", "r2"]}), "data/raw/labels.parquet")
    lock(ingest=({}, {"data/raw": "1"}), validate=({"data/raw": "1"}, {"data/valid": "2"}),
         train=({"data/valid": "2"}, {"models/a": "3"}))
    assert Traces(project, gone).outs == []
    lock(ingest=({}, {"data/raw": "1"}), validate=({"data/raw": "0"}, {"data/valid": "2"}),
         train=({"data/valid/labels.parquet": "9"}, {"models/a": "3"}))
    assert Traces(project, gone).outs == ["data/valid", "models/a"]
    tables.write(pa.table({"sample": ["r0", "r1"]}), "data/raw/labels.parquet")
    assert Traces(project, gone).outs == ["data/raw", "data/valid", "models/a"]
