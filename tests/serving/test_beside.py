"""New rows beside training rows: of the same data nothing is said, and what is planted is."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from trivium.modalities import audio, image, text
from trivium.runtime.answering import Answering
from trivium.runtime.inputs import Inputs
from trivium.runtime.statistics.reference import sketch
from trivium.runtime.unlike import Unlike, seen, shifts
from trivium.serving import beside
from trivium.serving.beside import Beside

HERE = Path(".")
ENGLISH = ["the", "a", "small", "grey", "cat", "dog", "sits", "runs", "on", "in", "house", "garden", "and", "with",
           "his", "her", "old", "new", "big", "street"]
GERMAN = ["der", "ein", "kleine", "graue", "katze", "hund", "sitzt", "läuft", "auf", "haus", "garten", "und", "mit",
          "sein", "ihr", "alt", "neu", "große", "straße", "zu"]


def known() -> Answering:
    """Of a text, a picture and a sound; it never answers."""
    tokenizer, spec = text.fit([" ".join(ENGLISH)] * 3, text.Settings(length=32, vocab=256))
    about = {"words": {"spec": spec.plain(), "processor": {"name": "text", "length": 32, "vocab": 256},
                       "statistics": None, "tokenizer": tokenizer.to_str()}}
    for s, part in (("photo", image), ("sound", audio)):
        about[s] = {"spec": part.spec(part.Settings()).plain(), "processor": {"name": part.__name__.split(".")[-1]},
                    "tokenizer": None, "statistics": {"mean": [0.0] * 40, "deviation": [1.0] * 40}}
    made = Answering()
    made.inputs = Inputs(about, ["words", "photo", "sound"])
    made.streams, made.read = made.inputs.streams, ("words", "photo", "sound")
    return made


KNOWN = known()


def png(draw: np.random.Generator, light: float) -> bytes:
    out, level = io.BytesIO(), draw.uniform(80, 220) * light
    Image.fromarray(np.clip(draw.normal(level, 20, (6, 6, 3)), 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def wav(draw: np.random.Generator, loud: float) -> bytes:
    out = io.BytesIO()
    wave = draw.uniform(0.05, 0.3) * loud * np.sin(np.arange(400) * draw.uniform(0.05, 0.5))
    soundfile.write(out, wave, 8000, format="WAV")
    return out.getvalue()


def rows(seed: int, count: int, light: float = 1, loud: float = 1, words=ENGLISH, missing: float = 0.1) -> list[dict]:
    draw = np.random.default_rng(seed)
    return [{"words": " ".join(draw.choice(words, int(draw.integers(4, 20)))), "photo": png(draw, light),
             "sound": None if draw.random() < missing else wav(draw, loud)} for _ in range(count)]


def looked(samples: list[dict], train: list) -> list[str]:
    found = Beside(KNOWN, train, HERE)
    for start in range(0, len(samples), 64):
        found.see(samples[start:start + 64])
    return found.told()


@pytest.fixture(scope="module")
def train() -> list:
    return seen(KNOWN, rows(0, 500), HERE)


@pytest.mark.slow
def test_of_held_out_rows_of_the_same_data_nothing_is_said(train: list) -> None:
    rest = seen(KNOWN, rows(1, 700), HERE)
    draw, said = np.random.default_rng(2), []
    for _ in range(20):
        one = Beside(KNOWN, train, HERE)
        one.kept = [rest[k] for k in draw.choice(len(rest), 300, replace=False)]
        said.append(one.told())
    assert sum(map(bool, said)) <= 1, said


@pytest.mark.parametrize(("how", "words"), [
    ({"light": 0.6}, "brightness of photo is at most"), ({"loud": 0.1}, "loudness of sound is at most"),
    ({"words": GERMAN}, "of words is"), ({"missing": 0.7}, "sound is missing in 7")])
def test_what_is_planted_is_said_in_two_lines(train: list, how: dict, words: str) -> None:
    first, second = looked(rows(3, 300, **how), train)
    assert first.startswith("these rows do not look like the training data: ") and words in first, first
    assert first.count(";") == 0  # the other streams are as they were
    share = int(second.removeprefix("a simple classifier tells these rows from the training rows in ").split()[0])
    assert share > 70 and second.endswith(" % of cases (50 % means that they look alike).")


def test_few_rows_tell_only_what_is_sure(train: list) -> None:
    assert looked(rows(4, 29, light=0.2), train) == []
    assert len(looked(rows(4, 40, light=0.2), train)) == 2
    assert looked(rows(4, 40), train) == []


def test_of_many_rows_as_many_are_kept_from_all_over(train: list) -> None:
    one = Beside(KNOWN, train, HERE)
    for start in range(0, 3000, 50):
        one.see([{"words": " ".join(["cat"] * (1 if start < 1500 else 2))} for _ in range(50)])
    counts = [row.statistics["words"]["words"] for row in one.kept]
    assert len(counts) == 500 and 200 < counts.count(1.0) < 300


def test_where_shares_differ_is_in_words() -> None:
    told = list(shifts(
        {"facts": {"area value": sketch([float(k) for k in range(100)]),
                   "kind value": sketch(["a"] * 90 + ["b"] * 10)}},
        [{"facts": {"area value": 40.0 + k % 10, "kind value": "b" if k % 2 else "new"}} for k in range(100)]))
    assert told == ["`kind` of facts is none of those known in 50 % of them (0 % of the training rows)"]


def test_ranks_of_the_same_are_the_same_and_of_none_are_nothing() -> None:
    assert beside._ranks(np.array([5.0, 1.0, np.nan, 5.0, 9.0])).tolist() == [0, -1, 0, 0, 1]


def test_an_exported_model_says_what_has_shifted(train: list) -> None:
    one = Unlike(KNOWN, Beside(KNOWN, train, HERE).known, HERE)
    one.see(rows(5, 100, light=0.3))
    (said,) = one.told()
    assert said.startswith("these rows do not look like the training data: brightness of photo is at most")
