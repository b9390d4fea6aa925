import csv
import json
from pathlib import Path

import pytest

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.runtime.reading import Table
from trivium.serving.predict import predict_sample, predict_table
from trivium.settings.errors import UserError

TWO = {"text": "text", "image": "image"}


def read(path: Path, streams: dict[str, str], names: dict[str, str] | None = None) -> list[dict]:
    return [row for piece in Table.of(path, streams, names).samples() for row in piece]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fake_outs(tmp_path_factory.mktemp("served"), {"supervised_frozen": 0.9})
    fake_data(folder)
    fake_models(folder, "supervised_frozen")
    media = "data/raw/media/0"
    (folder / "new.csv").write_text(f"id,text,image,audio\na,alpha one,{media}.png,{media}.wav\nb,,,\n")
    return folder


def test_a_table_in_a_table_out(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "predictions.csv"
    predict_table(root, "supervised_frozen", root / "new.csv", out)
    assert capsys.readouterr().err == (
        "note: 1 of 2 rows has no answer; the column `error` says why:\n"
        "  row 2, id b: sample has no text or image or audio, and the model reads nothing else\n")
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["id"] for row in table] == ["a", "b"]
    assert list(table[0]) == [
        "id", "label", "probability_anna", "probability_ben", "probability_carla", "warning", "error"]
    shares = {name: float(table[0][f"probability_{name}"]) for name in ("anna", "ben", "carla")}
    assert abs(sum(shares.values()) - 1) < 1e-5 and table[0]["label"] == max(shares, key=lambda name: shares[name])
    assert table[1]["label"] == table[1]["probability_anna"] == "" and table[1]["error"].startswith("sample has no")


def test_one_bad_row_has_its_reason_and_the_others_their_answer(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """More rows than a batch; the bad ones are in the first and in the last."""
    image, out = root / "data/raw/media/0.png", tmp_path / "out.csv"
    (tmp_path / "half.png").write_bytes(image.read_bytes()[:200])
    files = [image] * 150
    files[1], files[140] = tmp_path / "gone.png", tmp_path / "half.png"
    texts = ["alpha"] * 150
    texts[1] = ""
    lines = [f"r{i},{text},{file}\n" for i, (text, file) in enumerate(zip(texts, files, strict=True))]
    (tmp_path / "some.csv").write_text("id,text,image\n" + "".join(lines))
    predict_table(root, "supervised_frozen", tmp_path / "some.csv", out)
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["id"] for row in table] == [f"r{i}" for i in range(150)]
    assert {i: row["error"] for i, row in enumerate(table) if row["error"]} == {
        1: "image 'gone.png' cannot be used: there is no such file"}
    assert {i: row["warning"] for i, row in enumerate(table) if row["warning"]} == {
        140: "image 'half.png' cannot be used: cannot be decoded: image file is truncated"}
    assert [i for i, row in enumerate(table) if not row["label"]] == [1]
    assert {row["probability_ben"] for row in table} == {
        "", table[0]["probability_ben"], table[140]["probability_ben"]}
    said = capsys.readouterr().err
    assert "note: 1 of 150 rows has no answer; the column `error` says why:\n  row 2, id r1: image 'gone" in said
    assert ("note: 1 of 150 rows has an answer without a stream that cannot be used; the column `warning` says which:\n"
            "  row 141, id r140: image 'half") in said


def test_where_no_row_has_an_answer_no_file_is_left_behind(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("text,image\n,no.png\n,nope.png\n")
    with pytest.raises(UserError, match="None of the 2 rows can be answered:\n  row 1, id 1: image 'no.png' cannot"):
        predict_table(root, "supervised_frozen", tmp_path / "bad.csv", tmp_path / "out.csv")
    for out, why in ((tmp_path, "is a folder"), (tmp_path / "no/out.csv", "there is no folder")):
        with pytest.raises(UserError, match=why):
            predict_table(root, "supervised_frozen", root / "new.csv", out)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


def test_one_sample_in_words(root: Path) -> None:
    lines = predict_sample(root, "supervised_frozen", {"text": "alpha one", "image": None, "audio": None}).splitlines()
    shares = [float(line.split()[-1]) for line in lines]
    assert sorted(line.split()[0] for line in lines) == ["anna", "ben", "carla"]
    assert shares == sorted(shares, reverse=True)


def test_one_sample_that_cannot_be_used(root: Path) -> None:
    with pytest.raises(UserError, match="^The image 'gone.png' cannot be used: there is no such file.$"):
        predict_sample(root, "supervised_frozen", {"text": None, "image": "gone.png", "audio": None})


def test_one_sample_without_what_cannot_be_used(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = {"text": "alpha", "image": None, "audio": None}
    expected = predict_sample(root, "supervised_frozen", text)
    assert predict_sample(root, "supervised_frozen", text | {"image": "gone.png"}) == expected
    assert capsys.readouterr().err == (
        "note: the image 'gone.png' cannot be used: there is no such file; the answer is that of the rest.\n")


@pytest.mark.parametrize("name", ["table.csv", "semicolons.csv", "table.tsv", "table.jsonl", "table.parquet"])
def test_all_formats_and_the_names_of_params_yaml(name: str, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": ["01", "2"], "caption": ["alpha", "beta"], "image": [None, "img\\b.png"]})
    separator = {"semicolons.csv": ";", "table.tsv": "\t"}.get(name, ",")
    write = {"csv": lambda path: frame.to_csv(path, index=False, sep=separator), "parquet": frame.to_parquet,
             "jsonl": lambda path: frame.to_json(path, orient="records", lines=True)}
    write[name.split(".")[1].replace("tsv", "csv")](tmp_path / name)
    found = read(tmp_path / name, TWO, {"text": "caption"})
    assert found == [{"id": "01", "text": "alpha", "image": None}, {"id": "2", "text": "beta", "image": "img/b.png"}]


def test_bad_tables_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.jsonl").write_text("{broken")
    for name, words in (("a.csv", "none of the columns text; it has x, y"), ("b.csv", "There is no file"),
                        ("a.jsonl", "line 1 is not JSON")):
        with pytest.raises(UserError, match=words):
            read(tmp_path / name, {"text": "text"})
    (tmp_path / "a.xlsx").write_text("")
    with pytest.raises(UserError, match=r"a table with the ending \.csv, \.tsv, \.jsonl"):
        read(tmp_path / "a.xlsx", {"text": "text"})


def test_spans_of_a_table_are_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "spans.csv").write_text("id,audio,start,end\na,data/raw/media/0.wav,,\nb,data/raw/media/0.wav,500,501\n")
    predict_table(root, "supervised_frozen", root / "spans.csv", None)
    good, bad = capsys.readouterr().out.splitlines()[1:]
    assert good.startswith("a,") and good.endswith(",,")
    assert bad == ("b,,,,,,\"audio 'data/raw/media/0.wav' cannot be used: starts at 500.0 s, but the recording lasts "
                   "0.20 s\"")


@pytest.mark.parametrize("header", ["id,text,Image,AUDIO", "id, text, image ,audio", " ID,Text,\u00a0image,audio"])
def test_columns_whatever_their_case_and_the_white_space_around(header: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\n1, row , img/a.png ,\n2,, ,b.wav\n", encoding="utf-8")
    assert read(tmp_path / "a.csv", TWO | {"audio": "audio"}) == [
        {"id": "1", "text": " row ", "image": "img/a.png", "audio": None},
        {"id": "2", "text": None, "image": None, "audio": "b.wav"}]


def test_two_columns_that_could_be_meant_are_not_guessed_between(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,Image,IMAGE\nx,a.png,b.png\n")
    with pytest.raises(UserError, match="a.csv has the columns `Image` and `IMAGE`, and none is called exactly"):
        read(tmp_path / "a.csv", TWO)
    (tmp_path / "a.csv").write_text("text,Image,image\nx,a.png,b.png\n")
    assert read(tmp_path / "a.csv", TWO) == [{"text": "x", "image": "b.png"}]


def test_a_stream_is_found_by_its_name_and_by_its_column(tmp_path: Path) -> None:
    streams = {"photo": "image", "scan": "image", "title": "text"}
    names = {"photo": "img", "scan": "photo", "title": "t"}
    for header, row in (("photo,scan,title", "a.png,b.png, x"), ("IMG, Photo ,T", "a.png ,b.png, x"),
                        ("img,photo,title", "a.png,b.png, x")):
        (tmp_path / "a.csv").write_text(f"{header}\n{row}\n")
        assert read(tmp_path / "a.csv", streams, names) == [{"photo": "a.png", "scan": "b.png", "title": " x"}]
    (tmp_path / "a.csv").write_text("scan\nb.png\n")
    assert read(tmp_path / "a.csv", streams, names) == [{"scan": "b.png"}]


def test_rows_have_their_ids_or_numbers_and_the_ending_says_the_form(root: Path, tmp_path: Path) -> None:
    (root / "ids.csv").write_text("ID,Text\nx,alpha\n,beta\n,\n-1,=gamma\n")
    assert predict_table(root, "supervised_frozen", root / "ids.csv", tmp_path / "out.jsonl") == 1
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in found] == ["x", "2", "3", "-1"]
    assert [row["error"] for row in found] == [
        None, None, "sample has no text or image or audio, and the model reads nothing else", None]
    assert sum(found[0][f"probability_{name}"] for name in ("anna", "ben", "carla")) == pytest.approx(1)


def test_a_stream_without_a_column_is_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "near.csv").write_text("text,Image,adio\nalpha,,\n")
    predict_table(root, "supervised_frozen", root / "near.csv", None)
    assert capsys.readouterr().err == (f"note: {root / 'near.csv'} has no column `audio`, so every row is answered "
                                       "without. Did you mean `audio` by the column `adio`?\n")


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 1)])
def test_a_row_without_an_answer_is_an_error_where_that_is_asked_for(
    root: Path, words: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trivium.cli.main import main

    monkeypatch.chdir(root)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    ended = 0
    try:
        main(["predict", "supervised_frozen", "new.csv", "--out", "strict.csv", *words])
    except SystemExit as stopped:
        ended = int(stopped.code or 0)
    assert ended == code and len(Path("strict.csv").read_text().splitlines()) == 3
