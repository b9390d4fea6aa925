import csv
from pathlib import Path

import pytest

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.serving.predict import predict_sample, predict_table, read
from trivium.settings.errors import UserError


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
    assert capsys.readouterr().err.startswith("note: 1 of 2 samples have no text or image or audio, and")
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["id"] for row in table] == ["a", "b"]
    assert list(table[0]) == ["id", "label", "probability_anna", "probability_ben", "probability_carla"]
    for row in table:
        shares = {name: float(row[f"probability_{name}"]) for name in ("anna", "ben", "carla")}
        assert abs(sum(shares.values()) - 1) < 1e-5 and row["label"] == max(shares, key=lambda name: shares[name])


def test_a_bad_row_leaves_no_file_behind(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("text,image\nalpha,\nbeta,nope.png\n")
    with pytest.raises(UserError, match="Row 2"):
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


@pytest.mark.parametrize("name", ["table.csv", "semicolons.csv", "table.tsv", "table.jsonl", "table.parquet"])
def test_all_formats_and_the_names_of_params_yaml(name: str, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": ["01", "2"], "caption": ["alpha", "beta"], "image": [None, "img\\b.png"]})
    separator = {"semicolons.csv": ";", "table.tsv": "\t"}.get(name, ",")
    write = {"csv": lambda path: frame.to_csv(path, index=False, sep=separator), "parquet": frame.to_parquet,
             "jsonl": lambda path: frame.to_json(path, orient="records", lines=True)}
    write[name.split(".")[1].replace("tsv", "csv")](tmp_path / name)
    found = read(tmp_path / name, ["text", "image"], {"text": "caption"})
    assert found.to_pydict() == {"id": ["01", "2"], "text": ["alpha", "beta"], "image": [None, "img/b.png"]}


def test_bad_tables_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.jsonl").write_text("{broken")
    for name, words in (("a.csv", "none of the columns text; it has x, y"), ("b.csv", "There is no file"),
                        ("a.jsonl", "line 1 is not JSON")):
        with pytest.raises(UserError, match=words):
            read(tmp_path / name, ["text"])
    (tmp_path / "a.xlsx").write_text("")
    with pytest.raises(UserError, match=r"a table with the ending \.csv, \.tsv, \.jsonl"):
        read(tmp_path / "a.xlsx", ["text"])


def test_spans_of_a_table_are_read(root: Path) -> None:
    (root / "spans.csv").write_text("id,audio,start,end\na,data/raw/media/0.wav,,\nb,data/raw/media/0.wav,500,501\n")
    with pytest.raises(UserError, match=r"Row 2: audio .* starts at 500.0 s, but the recording lasts"):
        predict_table(root, "supervised_frozen", root / "spans.csv", None)
