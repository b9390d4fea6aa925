"""`trivium look`: the page and the terminal, of real outs of the stages up to `split`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.clocks import LENIENT, csv, ingested, sound
from tests.raw_tables import SETTINGS, audio, image, labels, texts, write
from trivium.data import leaks, tables, twins
from trivium.data.alignment import align
from trivium.data.cut import Cut
from trivium.data.meta import Meta
from trivium.data.settings import Align, Split
from trivium.data.splits import split
from trivium.data.validation import validate
from trivium.report.look import classes, languages, page, price, streams
from trivium.report.look import twins as looked
from trivium.report.look.seen import Seen
from trivium.report.parts import Table

EVIL = "<script>alert(1)</script>"
STREAMS = {"image": "image", "audio": "audio", "text": "text"}
COUNT = 90


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 samples of a, b and EVIL: 30 with one grey picture, half without sound, s88 and s89 with one picture across
    the given split; s0 has a picture that cannot be read.
    """
    root = tmp_path_factory.mktemp("looked")
    (root / "grey.png").parent.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), "grey").save(root / "grey.png")
    pictures = [image(root, i) for i in range(COUNT)]
    for one in pictures[1:31]:
        one |= {"value": "grey.png", "digest": tables.digest((root / "grey.png").read_bytes())}
    pictures[89] |= {"value": pictures[88]["value"], "digest": pictures[88]["digest"]}
    (root / "0.png").write_bytes(b"nothing")
    sounds = [audio(root, i) for i in range(0, COUNT, 2)]
    words = [f"the {EVIL} and {i}" for i in range(COUNT)]
    sides = ["train"] * 60 + ["val"] * 14 + ["test"] * 15 + ["train"]
    raw = write(root, labels(COUNT, label=["a", "b", EVIL] * 30, split=sides), image=pictures, audio=sounds,
                text=texts(words))
    settings = SETTINGS.model_copy(update={"text_length": (1, 100)})
    tables.write_json(validate(raw, root / "data/valid", STREAMS, settings), root / "reports/validation.json")
    align(root / "data/valid", root / "data/aligned", STREAMS, Align(tolerance=0.1))
    split(root / "data/aligned", root / "data/splits", Split(method="holdout", val=0.2, test=0.2, labels=1.0,
                                                             group_identical_text=False, held_out_domain=""), 2)
    found = twins.find(root / "data/aligned", 0.01)
    leaks.measure(root / "data/aligned", root / "data/splits", found, False).write(root / leaks.PATH)
    return root


def test_the_terminal_says_what_there_is(project: Path) -> None:
    out, said = page.write(project)
    assert out == Path("reports/look.html") and (project / out).exists()
    lines = said.splitlines()
    assert lines[0] == "90 samples with audio, image, text, in 3 classes: small"
    assert "  audio  audio, 45 samples, 0.1 seconds" in lines
    assert "Classes have 30 rows each." in lines
    assert ("2 samples share content with another, in 1 group: they stay on one side of every split. In all, 89 "
            "groups are split.") in lines
    told = [line for line in lines if line.startswith("!")]
    assert "! 30 rows with 3 different labels have the same image, `grey.png`: it is taken for a placeholder." in told
    leaked = "! By the data's own split column, 1 of 15 test rows have the same image as a train row: `s88` like `s89`"
    assert any(line.startswith(leaked) for line in told)


def test_of_stretches_nothing_is_said_to_share_content(tmp_path: Path) -> None:
    """Two rows are of one recording, 20 s long, and one is set aside: 20 seconds are 5 stretches."""
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,0,10", "r2,y,a,10,20", "r3,x,b,,")
    sound(tmp_path / "a.wav", 20)
    (tmp_path / "b.wav").write_bytes(b"nothing")
    mics = csv(tmp_path / "mics.csv", "rec,file,at", "a,a.wav,0", "b,b.wav,0")
    streams = {"mic": {"modality": "audio", "column": "file", "table": {"path": str(mics), "time": "at"}}}
    raw, own = ingested(tmp_path, streams), Split(method="holdout", val=0.2, test=0.2, labels=1.0,
                                                  group_identical_text=False, held_out_domain="")
    found = validate(raw, tmp_path / "data/valid", {"mic": "audio"}, LENIENT)
    assert found["duplicates"]["samples"] == 2
    tables.write_json(found, tmp_path / "reports/validation.json")
    align(tmp_path / "data/valid", tmp_path / "data/aligned", {"mic": "audio"},
          Align.model_validate({"tolerance": 0.1, "every": "1 s"}))
    split(tmp_path / "data/aligned", tmp_path / "data/splits", own, 1)
    leaked = leaks.measure(tmp_path / "data/aligned", tmp_path / "data/splits",
                           twins.find(tmp_path / "data/aligned", 0.01), False)
    assert [(one.stream, one.of, one.rows) for one in leaked.seeds[0]] == [("mic", 4, 0)]
    assert leaked.whole == [0]
    leaked.write(tmp_path / leaks.PATH)
    said = page.write(tmp_path)[1]
    assert "Recordings are cut into 5 stretches, each on one side of every split. In all, 5 groups are split." in said
    assert "! Fewer than 3 recordings cannot be split, so they are cut into 5 stretches, each on one side" in said
    meta = Meta.read(tmp_path / "data/aligned/meta.json")  # of a log that was imported, the table knows it
    meta.model_copy(update={"cut": Cut(stretches=7, across=0)}).write(tmp_path / "data/aligned/meta.json")
    assert "so they are cut into 7 stretches" in page.write(tmp_path)[1]
    assert "went to quarantine" in said and "share content" not in said and "train row" not in said


def test_a_stream_that_some_classes_lack_stands_out(project: Path) -> None:
    found = Seen(project)
    assert streams.tells(found) == []
    k = found.streams.index("audio")
    found.present = found.present.copy()
    found.present[:, k] = found.strata == 0
    assert streams.tells(found) == [
        f"100.0\xa0% of {EVIL} have audio, and 0.0\xa0% of a: a model can tell these by what is missing. "
        "Ask whether it will be so for new data, too."]


def test_a_split_column_that_is_not_used_is_in_no_table(project: Path) -> None:
    found = Seen(project)
    assert found.leaks is not None and found.leaks.given
    for given, heads in ((found.leaks.given, ["stream", "given split", "seed 0", "most of any seed"]),
                         ([], ["stream", "seed 0", "most of any seed"])):
        found.leaks = found.leaks.model_copy(update={"given": given})
        figure = looked.leaks(found)
        assert figure is not None and isinstance(figure.body, Table)
        assert figure.body.columns == heads and {len(row) for row in figure.body.rows} == {len(heads)}
        assert ("split column" in figure.caption) == bool(given)


def test_the_page_escapes_what_comes_from_data(project: Path) -> None:
    page.write(project)
    text = (project / page.OUT).read_text(encoding="utf-8")
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "30 rows have this image" in text and "data:image/png" in text and "data:audio/flac" in text
    assert "is_missing" not in text and "http://" not in text.replace("http://www.w3.org", "")


def test_what_is_missing_together(project: Path) -> None:
    found = Seen(project)
    figure = streams.patterns(found)
    assert figure is not None
    rows = [[cell.content for cell in row] for row in figure.body.rows]  # type: ignore[union-attr]
    assert rows[0][:4] == ["–", "yes", "yes", "45"]  # of two that are as many, the first
    assert sorted(row[3] for row in rows) == ["1", "44", "45"]
    shares = streams.by_class(found)
    assert shares is not None
    assert next([cell.content for cell in row] for row in shares.body.rows) == [  # type: ignore[union-attr]
        EVIL, "30", "50.0\xa0%", "100.0\xa0%", "100.0\xa0%"]
    assert page.missing(found) == ["45 of 90 samples have no audio.", "1 of 90 samples have no image."]


def test_examples_are_of_rows_that_models_learn_from(project: Path) -> None:
    found = Seen(project, 100_000)
    learned = set(np.array([f"s{i}" for i in range(60)]).tolist())
    cards = classes.examples(found)
    assert len(cards) == 6 and {card.note.removeprefix("Sample ") for card in cards} <= learned


def test_languages_are_guessed() -> None:
    said = {"the cat is on the table": "English", "der Hund und die Katze": "German",
            "le chat est dans la rue": "French", "кот сидит на столе": "Cyrillic", "猫在桌子上": "Chinese",
            "猫がいる": "Japanese", "cat": "not known", "": "not known"}
    assert {text: languages.guess(text) for text in said} == said
    assert languages.shares(["the cat is here", "x", "the dog is there"]) == [("English", 2 / 3), ("not known", 1 / 3)]


PRICE = price.Price(
    (price.Part("preprocess", 0.0, 30.0, memory=5 * 10**8, clock=30.0),
     price.Part("train@one", 2.0, 600.0, units=3, beside=2, memory=2 * 10**9),
     price.Part("compare", 5.0, 3.0)),
    there=4 * 10**9, savings=(price.Saving("`seeds: 2` instead of 3", 0.46, 200.0),))


def test_a_price_in_words() -> None:
    said = PRICE.said.replace("\xa0", " ")
    assert said == (
        "A whole run will take about 7 min on this machine, if it does nothing else: the data 30 s, strategies 7 min, "
        "comparison and report 8.0 s. That is 11 min of computing, of which 7.0 s go to loading libraries for 2 "
        "stages. 30 s of it are done already. The most memory is for `train@one`: about 2.00 GB, 2 at a time. 4.00 GB "
        "are there.")
    assert PRICE.seconds == 30 + 402 + 8  # three seeds, two at a time, are two rounds of 200 s
    assert [line.replace("\xa0", " ") for line in PRICE.lines[2:]] == [
        "What would save time or memory:", "  `seeds: 2` instead of 3  46 % of the time, 3 min"]


def test_too_little_memory_is_a_warning() -> None:
    said = replace(PRICE, there=10**9).said.replace("\xa0", " ")
    assert ("Warning: the most memory is for `train@one`: about 2.00 GB, 2 at a time. 1.00 GB are there, so that it "
            "may be killed. In params.yaml, lower `loop.workers`, then `loop.batch`, or choose smaller "
            "encoders.") in said


def test_the_price_stands_on_the_page_and_in_the_terminal(project: Path) -> None:
    said = page.write(project, PRICE)[1]
    assert PRICE.said in said and "  `seeds: 2` instead of 3" in said
    text = (project / page.OUT).read_text(encoding="utf-8")
    assert "train@one" in text and "seeds: 2 instead of 3" in text and "What each stage will take" in text
    assert "`trivium look --time`" in page.write(project)[1]


def test_the_report_says_the_same(project: Path) -> None:
    from types import SimpleNamespace

    from trivium.report.sections import data

    figures = data._looked(SimpleNamespace(root=project))  # type: ignore[arg-type]
    assert [figure.title for figure in figures] == ["Lengths, sizes, durations", "Which are there together",
                                                    "Test rows with a twin in train"]


def test_near_duplicates_are_named_without_a_split_column(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from tests.data.alike_media import as_jpeg, picture, save_picture
    from trivium.data.settings import Near
    from trivium.report.sections import data

    pictures = [picture(i) for i in range(40)]
    pictures[7] = as_jpeg(pictures[2], 40)
    rows = [image(tmp_path, i) for i in range(40)]
    for i, one in enumerate(pictures):
        rows[i]["value"] = save_picture(one, tmp_path / f"{i}.png")
        rows[i]["digest"] = tables.digest((tmp_path / f"{i}.png").read_bytes())
    raw, kinds = write(tmp_path, labels(40, label=["a", "b"] * 20), image=rows), {"image": "image"}
    settings = SETTINGS.model_copy(update={"image_side": (1, 999)})
    tables.write_json(validate(raw, tmp_path / "data/valid", kinds, settings), tmp_path / "reports/validation.json")
    align(tmp_path / "data/valid", tmp_path / "data/aligned", kinds, Align(tolerance=0.1))
    found = twins.find(tmp_path / "data/aligned", 0.01, Near())
    split(tmp_path / "data/aligned", tmp_path / "data/splits", Split(
        method="holdout", val=0.2, test=0.2, labels=1.0, group_identical_text=False, held_out_domain=""), 1,
        {"image": found[0].by_row()})
    leaks.measure(tmp_path / "data/aligned", tmp_path / "data/splits", found, True).write(tmp_path / leaks.PATH)
    said = "Near-duplicates in image keep 2 samples on one side: `s2` like `s7`."
    _, shown = page.write(tmp_path)
    assert f"No sample shares content with another. {said} In all, 39 groups are split." in shown.splitlines()
    assert "Samples s2 and s7." in (tmp_path / page.OUT).read_text(encoding="utf-8")
    captions = [one.caption for one in data._looked(SimpleNamespace(root=tmp_path))]  # type: ignore[arg-type]
    assert any(said in one for one in captions)
