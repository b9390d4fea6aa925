"""Logs with a known answer: from the distribution of train, and from others."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trivium.runtime import watch
from trivium.runtime.folder import GRAPH, PROCESSORS
from trivium.serving import drift
from trivium.serving.export.reference import NAME, Reference, gathered, sketch
from trivium.settings.errors import UserError

STREAMS = {"words": "text", "photo": "image"}


class Task:
    def answered(self, stored):
        return {"label": ["ab"[int(p < 0.5)] for p in stored[:, 0]], "probability_a": stored[:, 0],
                "probability_b": 1 - stored[:, 0]}


def png(level: float) -> bytes:
    out = io.BytesIO()
    Image.new("L", (4, 4), int(level)).save(out, "PNG")
    return out.getvalue()


def drawn(seed: int, rows: int, light: float = 0, longer: int = 0, missing: float = 0.1, share: float = 0.5):
    draw = np.random.default_rng(seed)
    made = [{"words": " ".join(["word"] * int(draw.integers(1, 30) + longer)),
             "photo": None if draw.random() < missing else png(draw.integers(40, 160) + light)} for _ in range(rows)]
    sure = draw.uniform(0.6, 1, rows)
    return made, np.where(draw.random(rows) < share, sure, 1 - sure)[:, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("export")
    (made / GRAPH).write_bytes(b"graph")
    (made / PROCESSORS).write_text("{}")
    rows, stored = drawn(0, 1000)
    seen = [watch.described(row, STREAMS) for row in rows]
    Reference(model=watch.fingerprint(made),
              streams={s: {k: sketch(v) for k, v in gathered([one[s] for one in seen]).items()} for s in STREAMS},
              answer={k: sketch(v) for k, v in gathered(watch.answers(Task(), stored)).items()}).write(made / NAME)
    return made


def told(folder, log: Path, **how) -> tuple[str, set[str]]:
    rows, stored = drawn(1, **{"rows": 400, **how})
    watch.Watch(log, folder, Task(), STREAMS)(rows, stored)
    lines = drift.logged(log, watch.fingerprint(folder))
    return drift.drift(log, folder)[0], {one.where for one in drift.compared(drift.read(folder), lines) if one.drifts}


@pytest.mark.parametrize(("how", "names"), [
    ({}, set()), ({"light": 60}, {"photo brightness"}), ({"longer": 15}, {"words words", "words characters"}),
    ({"missing": 0.6}, {"photo state"}), ({"share": 0.9}, {"answer label"})])
def test_what_has_changed_is_told_by_its_name(folder, tmp_path, how, names):
    said, found = told(folder, tmp_path / "log", **how)
    assert found == names
    assert ("Nothing to do" in said) == (not names)
    assert ("`trivium update`" in said) == bool(names)


def test_few_rows_cannot_tell(folder, tmp_path):
    assert told(folder, tmp_path / "log", rows=99, light=90)[0] == "99 rows are too few to tell: wait for 100."


def test_a_small_difference_in_a_million_rows_is_significant_and_no_drift():
    one = sketch([float(k) for k in range(10)] * 100_000)
    counts = np.array(one.counts)
    counts[0] += 5000
    assert drift.p_value(one, counts) < 1e-6
    assert drift.psi(np.array(one.counts), counts) < 0.001
    size = drift.psi(np.array(one.counts), counts)
    assert not drift.Compared("words words", 10**6, size, 1e-9, one, tuple(counts)).drifts
    assert drift.Compared("words words", 10**6, 0.11, 0.04, one, tuple(counts)).drifts


def test_psi_is_that_of_the_formula():
    assert drift.psi(np.array([50, 50]) * 10**6, np.array([80, 20]) * 10**6) == pytest.approx(0.3 * np.log(4), abs=1e-5)


def test_a_constant_statistic_changes_on_either_side():
    one = sketch([28.0] * 50)
    assert [one.count([v] * 3).tolist() for v in (20, 28, 40)] == [[3, 0, 0], [0, 3, 0], [0, 0, 3]]


def test_a_log_has_no_raw_value_unless_asked(folder, tmp_path):
    rows, stored = [{"words": "secret name", "photo": b"no picture"}], np.array([[0.9]])
    watch.Watch(tmp_path / "a", folder, Task(), STREAMS)(rows, stored)
    assert json.loads((tmp_path / "a").read_text()) == {
        "model": watch.fingerprint(folder), "answer": {"label": "a", "confidence": 0.9},
        "streams": {"words": {"state": "given", "characters": 11.0, "words": 2.0}, "photo": {"state": "unreadable"}}}
    watch.Watch(tmp_path / "b", folder, Task(), STREAMS, raw=True)(rows, stored)
    assert json.loads((tmp_path / "b").read_text())["raw"]["words"] == "secret name"


def test_a_full_log_is_moved_away(folder, tmp_path):
    one = watch.Watch(tmp_path / "log", folder, Task(), STREAMS, limit=10)
    for _ in range(2):
        one([{"words": "a"}], np.array([[0.9]]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]
    assert len(drift.logged(tmp_path / "log", one.model)) == 2


def test_a_log_of_another_model_is_refused(folder, tmp_path):
    told(folder, tmp_path / "log")
    with pytest.raises(UserError, match="Line 1 of .* is of another model"):
        drift.logged(tmp_path / "log", "other")


def test_sound_is_measured():
    import soundfile

    out = io.BytesIO()
    wave = np.concatenate([np.zeros(8000), 0.5 * np.sin(np.arange(8000) * 0.5)])
    soundfile.write(out, wave, 8000, format="WAV")
    found = watch.described({"s": out.getvalue()}, {"s": "audio"})["s"]
    assert found == {"state": "given", "seconds": 2.0, "loudness": pytest.approx(-12.04, abs=0.05), "silence": 0.5}


def test_the_page_shows_both_distributions_and_says_which_has_moved(folder, tmp_path):
    rows, stored = drawn(1, rows=400, light=60)
    watch.Watch(tmp_path / "log", folder, Task(), STREAMS)(rows, stored)
    said, found = drift.drift(tmp_path / "log", folder, tmp_path / "drift.html")
    page = (tmp_path / "drift.html").read_text()
    assert found and f"The plots are in {tmp_path / 'drift.html'}." in said
    assert "<h2>photo brightness: drift</h2>" in page and "<h2>words words</h2>" in page
    assert page.count("<svg") == page.count("<h2>") and "http" not in page
    assert "<title>missing: " in page and "400 rows of a log" in page
