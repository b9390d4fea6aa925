"""Which column of a table is taken for what."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.own import COLUMNS, USUAL, data, manifest, media, sizes
from tests.helpers import set_params
from trivium.cli import columns
from trivium.cli.use import use
from trivium.params import load
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("project")


def usual(chosen: dict[str, Any]) -> dict[str, Any]:
    return {f"data.manifest.{k}": v for k, v in chosen["manifest"].items()
            if k not in ("path", "weight", "unlabelled", "outside", "key")}


def test_a_manifest_with_usual_names(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "text": "word {i}", "image": "img/{i}.png",
                                            "audio": "wav/{i}.wav"}))
    chosen = data()
    assert chosen["source"] == "manifest"
    assert chosen["manifest"]["path"] == "mine/m.jsonl"
    assert chosen["watch"] == "mine"
    assert chosen["streams"] == {s: {"modality": s} for s in ("text", "image", "audio")}
    assert usual(chosen) == USUAL
    said = capsys.readouterr().out
    assert 'data.manifest.path: "mine/m.jsonl"' in said
    assert "domain" not in said


def test_a_manifest_with_other_names(project: Path) -> None:
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {
        "Sample_ID": "{i}", "Class": "{y}", "file": "wav/{i}.wav", "Image Path": "img/{i}.png", "caption": None,
        "speaker": "s{y}", "Subset": "train", "onset": "0", "offset": "0.25"}))
    chosen = data()["manifest"]
    assert [chosen[what] for what in COLUMNS] == [
        "Sample_ID", "Class", "speaker", "Subset", "language", "domain", "time", "onset", "offset"]
    assert list(data()["streams"].items()) == [  # there is a caption column without one caption
        ("image", {"modality": "image", "column": "Image Path"}), ("audio", {"modality": "audio", "column": "file"})]
    assert sizes("bands").items() >= {"seconds": 0.3, "sample_rate": 8000, "bins": 40}.items()


def test_names_whatever_their_case_and_the_white_space_around(project: Path) -> None:
    media(project / "mine")
    set_params(project, {"data.manifest.group": "Home"})
    use(manifest(project / "mine/m.jsonl", {"ID": "{i}", " label": "{y}", "Image": "img/{i}.png", "home ": "h{y}"}))
    chosen = data()["manifest"]
    assert [chosen[what] for what in ("id", "label", "group")] == ["ID", " label", "home "]
    assert data()["streams"] == {"image": {"modality": "image", "column": "Image"}}


def test_a_name_that_somebody_chose_stays_and_an_empty_one_too(project: Path) -> None:
    path = manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "fine": "f{y}", "text": "x {i}",
                                               "speaker": "s{i}"})
    set_params(project, {"data.manifest.label": "fine", "data.manifest.group": ""})
    use(path)
    assert (data()["manifest"]["label"], data()["manifest"]["group"]) == ("fine", "")


def test_names_of_the_manifest_before_are_forgotten(project: Path) -> None:
    use(manifest(project / "one/m.jsonl", {"id": "{i}", "target": "{y}", "caption": "x {i}", "speaker": "s"}))
    use(manifest(project / "two/m.jsonl", {"id": "{i}", "label": "{y}", "text": "x {i}"}))
    assert usual(data()) == USUAL


def test_names_that_were_found_before_are_found_anew_where_the_table_is_another(
    project: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    use(manifest(project / "one/m.jsonl", {"name": "{i}", "category": "{y}", "text": "x {i}", "speaker": "s{i}"}))
    assert [data()["manifest"][what] for what in ("id", "label", "group")] == ["name", "category", "speaker"]
    set_params(project, {"data.streams": {"text": {"modality": "text", "column": "words"}}})  # somebody's choice
    use(manifest(project / "two/m.jsonl", {"id": "{i}", "name": "n", "label": "{y}", "category": "c", "text": "x",
                                           "words": "y {i}", "group": "g{i}", "speaker": "s"}))
    columns = data()["manifest"]
    assert [columns[what] for what in ("id", "label", "group")] == ["id", "label", "group"]
    assert data()["streams"] == {"text": {"modality": "text", "column": "words"}}
    said = capsys.readouterr().out
    assert f"the text is read from `words`, as params.yaml says, though {project}/two/m.jsonl has a `text`" in said
    assert said.count("is read from") == 1 and "note: not used: " in said


def test_an_offset_is_an_end_only_behind_an_onset(project: Path) -> None:
    media(project / "mine")
    columns = {"id": "{i}", "label": "{y}", "audio": "wav/{i}.wav", "offset": "0.1", "duration": "0.2"}
    use(manifest(project / "mine/m.jsonl", columns))
    assert (data()["manifest"]["start"], data()["manifest"]["end"]) == ("start", "end")


def test_every_column_of_media_is_a_stream(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {
        "id": "{i}", "label": "{y}", "Röntgen Bild": "img/{i}.png", "img_path": "img/{i}.PNG", "2nd": "wav/{i}.wav",
        "file": "wav/{i}.wav", "url": "https://example.org/{i}.png", "original": "IMG_{i}.JPG", "body": "some prose",
        "caption": "a b", "title": "c d", "tags": ["x"], "group": "img/{i}.png", "empty": None}))
    assert list(data()["streams"].items()) == [
        ("caption", {"modality": "text"}),
        ("rontgen_bild", {"modality": "image", "column": "Röntgen Bild"}),
        ("img", {"modality": "image", "column": "img_path"}),
        ("audio_2nd", {"modality": "audio", "column": "2nd"}),
        ("audio", {"modality": "audio", "column": "file"})]
    said = capsys.readouterr().out
    assert 'data.streams: {"caption": {"modality": "text"}, ' in said
    assert "note: `original` of" in said and "names files of image, but none of the first is there: it is" in said
    assert list(load().streams) == ["caption", "rontgen_bild", "img", "audio_2nd", "audio"]


def test_streams_that_params_yaml_names_stay(project: Path) -> None:
    media(project / "mine")
    path = manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "ct": "img/{i}.png", "title": "{i}",
                                               "body": "b", "text": "t", "wav": "wav/{i}.wav"})
    mine = {"scan": {"modality": "image", "column": "CT"}, "body": {"modality": "text"}, "title": {"modality": "text"},
            "gone": {"modality": "audio"}}
    set_params(project, {"data.streams": mine})
    for _ in range(2):
        use(path)
        assert list(data()["streams"].items()) == [
            ("body", {"modality": "text"}), ("title", {"modality": "text"}),
            ("scan", {"modality": "image", "column": "ct"}), ("wav", {"modality": "audio"})]
    use("symbols")
    assert list(data()["streams"]) == ["text", "image", "audio"]


def test_streams_that_make_no_sense_are_told_or_found_anew(project: Path) -> None:
    path = manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "text": "{i}"})
    set_params(project, {"data.streams": {"text": {"modality": "txt"}}})
    with pytest.raises(UserError, match="There is no modality `txt`"):
        use(path)
    for stream in ({}, "text"):
        set_params(project, {"data.streams": {"text": stream}})
        use(path)
        assert data()["streams"] == {"text": {"modality": "text"}}


def test_a_column_that_is_called_like_another_modality(project: Path) -> None:
    media(project / "mine")
    set_params(project, {"data.streams": {"image": {"modality": "image"}}})
    picture = "img/{i}.png"
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "audio": picture, "type": picture}))
    assert data()["streams"] == {"image_audio": {"modality": "image", "column": "audio"},
                                 "image_type": {"modality": "image", "column": "type"}}


def test_two_columns_whose_names_are_alike_when_cleaned(project: Path) -> None:
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "a-b": "img/{i}.png", "A b": "img/{i}.png"}))
    assert list(data()["streams"].items()) == [("a_b", {"modality": "image", "column": "a-b"}),
                                               ("a_b_2", {"modality": "image", "column": "A b"})]


def test_columns_of_a_usual_name_are_taken_whatever_their_values_end_in(project: Path) -> None:
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "photo": "img/{i}.avif"}))
    assert data()["streams"] == {"photo": {"modality": "image"}}
    for name in ("m.csv", "m.parquet"):
        import pandas as pd

        frame = pd.DataFrame({"id": range(6), "label": list("ababab"), "x": ["", *(f"img/{i}.png" for i in range(5))]})
        frame.to_csv(project / "mine" / name, index=False) if name == "m.csv" else frame.assign(
            vector=[[0.5]] * 6).to_parquet(project / "mine" / name)
        use(f"mine/{name}")
        assert data()["streams"] == {"x": {"modality": "image"}}


def test_a_column_called_video_is_the_videos_where_it_names_files(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    for cells, group in ((("a.mp4", "b.mov"), {}), (("tape 1", "tape 2"), {"group": "video"})):
        table.write_text("id,label,video\n" + "".join(f"{k},x,{cell}\n" for k, cell in enumerate(cells)))
        found = columns.about(table, ["id", "label", "video"], {})
        assert {what: column for what, column in found.items() if what == "group"} == group
    assert columns.ending(["a.mp4", "b.MOV", "c"]) == "video"
