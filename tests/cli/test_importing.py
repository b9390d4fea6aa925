"""`trivium import`: the command, and its look without writing."""

import os
from pathlib import Path

import pytest

from tests.cli.own import data, manifest, media
from tests.helpers import digests
from tests.importing.things import parquet, png, put, wav
from trivium.cli.main import main

pytestmark = pytest.mark.usefixtures("project")
SEEN = """\
pets is a folder for each class: data/imported/pets/rows.parquet
note: other files in pets, not read: 1.
target `label`: 2 different labels, so classification; the others are multilabel, ordinal, regression (`task` in \
params.yaml)
note: data/imported/pets/rows.parquet has 8 rows. With fewer than 100, intervals are wide, and hardly anything is \
sure: add rows, if there are more.
note: 2 of 2 classes have fewer than 5 rows: `cat` (4), `dog` (4). These rows will be in quarantine, and the run will \
stop there, since no class is left. Add rows of each, give them the label of another class, or lower \
validate.min_class_count in params.yaml.

column  role                    examples
id      id                      cat/0 | cat/1 | cat/2
label   label (classification)  cat | dog
image   stream image (image)    …/cat/0.png | …/cat/1.png | …/cat/2.png

params.yaml would say
  data.source: "manifest"
  data.watch: "data/imported/pets/rows.parquet"
  task: "classification"
  data.streams: {"image": {"modality": "image"}}
  data.manifest.path: "data/imported/pets/rows.parquet"
  data.manifest.id: "id"
  data.manifest.label: "label"
  encoder.patches.processor.size: 16
  encoder.patches.processor.channels: 1
  encoder.efficientnet.processor.size: 96

Nothing was written.
"""


@pytest.fixture
def pets(project: Path) -> None:
    put({f"pets/{kind}/{k}.png": png() for kind in ("cat", "dog") for k in range(4)} | {"pets/notes.md": ""})


@pytest.mark.usefixtures("pets")
def test_a_dry_run_shows_all_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str],
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    from trivium.cli import roles

    monkeypatch.setattr(roles, "WIDTH", 11)
    before = digests(project, ".")
    capsys.readouterr()
    main(["import", "pets", "--dry-run"])
    assert capsys.readouterr().out == SEEN
    assert digests(project, ".") == before


@pytest.mark.usefixtures("pets")
def test_what_a_dry_run_says_is_what_comes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["import", "pets"])
    said = capsys.readouterr().out
    assert SEEN.partition("would say")[2].partition("\n\nNothing")[0] in said
    assert data()["manifest"]["path"] == "data/imported/pets/rows.parquet"


def test_lines_and_errors_speak_of_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    parquet("m.parquet", [{"image": png(k), "kind": k % 2} for k in range(4)])
    for more in ([], ["--dry-run"]):
        with pytest.raises(SystemExit) as stopped:
            main(["import", "m.parquet", *more])
        assert ("\nm.parquet was taken for a table (CSV, TSV, JSONL, JSON or Parquet), and nothing in it looks like a "
                "label. Each row has id, image, kind. If one of these is to be predicted, say which: `--label COLUMN`."
                ) in str(stopped.value)
    main(["import", "m.parquet", "--label", "kind"])
    assert data()["manifest"]["label"] == "kind"
    with pytest.raises(SystemExit, match="There is no file or folder pet/s/x.csv .* Check the path"):
        main(["import", "pet/s/x.csv"])


def test_data_that_come_with_trivium_and_typing_errors() -> None:
    main(["import", "symbols:mixed"])
    assert (data()["source"], data()["symbols"]["world"]) == ("symbols", "mixed")
    with pytest.raises(SystemExit, match="There is no data `digitts`; did you mean `digits`?"):
        main(["import", "digitts"])


def test_a_clean_table_is_as_trivium_use_has_it(project: Path) -> None:
    media(project / "mine")
    path = manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "image": "img/{i}.png"})
    main(["use", path])
    before = Path("params.yaml").read_bytes()
    main(["import", path])
    assert Path("params.yaml").read_bytes() == before and not Path("data").exists()


def test_data_outside_of_the_repository_stand_in_full(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Else a queued experiment, which runs elsewhere, finds nothing."""
    far = tmp_path_factory.mktemp("far")
    path = manifest(media(far) / "m.jsonl", {"id": "{i}", "label": "{y}", "image": "img/{i}.png"})
    for command in ("use", "import"):
        main([command, path])
        assert (data()["manifest"]["path"], data()["watch"]) == (path, str(far))
    put({f"{far}/pets/{kind}/{k}.png": png() for kind in ("cat", "dog") for k in range(4)})
    main(["import", os.path.relpath(far / "pets"), "--out", str(far / "made")])
    assert data()["manifest"]["path"] == f"{far}/made/rows.parquet"


def test_what_has_no_label_is_called_by_its_name_and_its_form() -> None:
    put({"talk/a.wav": wav(), "talk/a.vtt": "WEBVTT\n\n00:00.000 --> 00:00.005\n<v Anna>Hi\n"})
    with pytest.raises(SystemExit) as error:
        main(["import", "talk", "--dry-run"])
    assert str(error.value).strip() == (
        "talk was taken for recordings with subtitles (SRT or VTT), and nothing in it looks like a label. Each row has "
        "id, audio, start, end, text, speaker, group. If one of these is to be predicted, say which, such as `--label "
        "speaker`. If the labels stand in another table, join it: `--join TABLE --on id`, where its `id` is as here.")


@pytest.mark.parametrize(("cell", "said"), [
    ("C:\\me\\{k}.png", "0 of 4 files of photo were found. `C:\\me\\0.png` was not: this is a place on a drive of "
     "Windows, not one that is seen from the table. If they lie in another folder, name it: `trivium import m.csv "
     "--media FOLDER`."),
    ("pets/cat/0.png;pets/cat/{k}.png", "0 of 4 files of photo were found. `pets/cat/0.png;pets/cat/0.png` was not: "
     "these look like 2 files, and a cell has room for one. Leave one in each cell, or give each a column of its own."),
    (" pets/cat/{k}.PNG ", ""),
])
@pytest.mark.usefixtures("pets")
def test_files_that_are_not_there_are_counted(cell: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    put({"m.csv": "id,label,photo\n" + "".join(f"{k},{'ab'[k % 2]},{cell.format(k=k)}\n" for k in range(4))})
    main(["import", "m.csv", "--dry-run"])
    notes = [line for line in capsys.readouterr().out.splitlines() if "were found" in line]
    assert notes == ([f"note: {said} Rows without their file go to quarantine."] if said else [])
