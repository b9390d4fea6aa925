"""Logs with a known answer: from the distribution of train, and from others."""

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from trivium.modalities import image, text
from trivium.runtime import watch
from trivium.runtime.folder import GRAPH, PROCESSORS
from trivium.runtime.inputs import Inputs
from trivium.runtime.statistics import answer, described
from trivium.runtime.statistics.reference import NAME, Reference, Sketch, sketch, sketches
from trivium.serving import drift
from trivium.settings.errors import UserError

STREAMS = {"words": "text", "photo": "image"}


def known() -> Inputs:
    """A text whose tokenizer knows one word, and a picture."""
    settings = text.Settings(length=64, vocab=64)
    tokenizer, spec = text.fit(["word word word"], settings)
    own = {"name": "text", **settings.model_dump()}
    seen = image.spec(image.Settings(size=8))
    return Inputs({"words": {"spec": spec.plain(), "processor": own, "statistics": None,
                             "tokenizer": tokenizer.to_str()},
                   "photo": {"spec": seen.plain(), "processor": {"name": "image", "size": 8}, "tokenizer": None,
                             "statistics": {"mean": [0.0] * 3, "deviation": [1.0] * 3}}}, list(STREAMS))


INPUTS = known()


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
    seen = described(rows, INPUTS, STREAMS)
    Reference(model=watch.fingerprint(made), streams={s: sketches(one[s] for one in seen) for s in STREAMS},
              answer=sketches(answer.measured(Task(), stored))).write(made / NAME)
    return made


def watching(log: Path, folder: Path, **how: object) -> watch.Watch:
    runner = SimpleNamespace(folder=folder, task=Task(), inputs=INPUTS, streams=STREAMS, read=tuple(STREAMS))
    return watch.Watch(log, runner, **how)  # type: ignore[arg-type]


def told(folder, log: Path, **how) -> tuple[str, set[str]]:
    rows, stored = drawn(1, **{"rows": 400, **how})
    watching(log, folder)(rows, stored)
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
    assert not drift.Compared("words words", 10**6, size, None, 1e-9, one, tuple(counts)).drifts
    assert drift.Compared("words words", 10**6, 0.11, 0.1, 0.04, one, tuple(counts)).drifts


def test_psi_is_that_of_the_formula():
    assert drift.psi(np.array([50, 50]) * 10**6, np.array([80, 20]) * 10**6) == pytest.approx(0.3 * np.log(4), abs=1e-5)


def test_a_constant_statistic_changes_on_either_side():
    one = sketch([28.0] * 50)
    assert [one.count([v] * 3).tolist() for v in (20, 28, 40)] == [[3, 0, 0], [0, 3, 0], [0, 0, 3]]


def test_a_log_has_no_raw_value_unless_asked(folder, tmp_path):
    rows, stored = [{"words": "secret name", "photo": b"no picture"}], np.array([[0.9]])
    watching(tmp_path / "a", folder)(rows, stored)
    assert json.loads((tmp_path / "a").read_text()) == {
        "model": watch.fingerprint(folder),
        "answer": {"label": "a", "confidence": 0.9, "entropy": pytest.approx(0.325083)},
        "streams": {"words": {"state": "given", "characters": 11.0, "words": 2.0, "unknown": 0.5},
                    "photo": {"state": "unreadable"}}}
    watching(tmp_path / "b", folder, raw=True)(rows, stored)
    assert json.loads((tmp_path / "b").read_text())["raw"]["words"] == "secret name"


def test_a_full_log_is_moved_away(folder, tmp_path):
    one = watching(tmp_path / "log", folder, limit=10)
    for _ in range(2):
        one([{"words": "a"}], np.array([[0.9]]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]
    assert len(drift.logged(tmp_path / "log", one.model)) == 2


def test_a_log_of_another_model_is_refused(folder, tmp_path):
    told(folder, tmp_path / "log")
    with pytest.raises(UserError, match="Line 1 of .* is of another model"):
        drift.logged(tmp_path / "log", "other")


def test_numbers_are_compared_at_the_quantiles_of_train():
    """Of 0 to 999 beside 500 to 999: half of them are not above 499."""
    one = sketch([float(k) for k in range(1000)])
    assert len(one.grid) == 39 and one.below[:3] == (25, 50, 75) and one.grid[0] == 24.975
    assert drift.distance(one, np.arange(500.0, 1000)) == pytest.approx(0.5, abs=0.001)
    assert drift.distance(one, np.arange(1000.0)) == 0
    constant = sketch([28.0] * 200)
    assert [drift.distance(constant, np.full(9, v)) for v in (20.0, 28.0, 40.0)] == [1, 0, 1]


def test_the_test_is_that_of_kolmogorov_and_smirnov():
    from scipy.stats import ks_2samp

    draw = np.random.default_rng(0)
    train, log = draw.normal(size=1000), draw.normal(0.1, 1, 800)
    whole = ks_2samp(train, log, method="asymp")
    apart = drift.distance(sketch(train.tolist()), log)
    assert 0.9 * whole.statistic < apart <= whole.statistic
    assert drift.kolmogorov(whole.statistic, 1000, 800) == pytest.approx(whole.pvalue)


def test_a_change_that_keeps_every_tenth_is_chance_for_bins_and_none_for_the_test_of_numbers():
    """All rows of a bin at its lower end: chi-square sees nothing."""
    one = sketch(np.linspace(0, 1, 2001).tolist())
    moved = np.floor(np.linspace(0, 1, 2001, endpoint=False) * 10) / 10 + 0.001
    assert drift.p_value(one, one.count(moved)) > 0.9
    assert drift.kolmogorov(drift.distance(one, moved), 2001, 2001) < 0.001


def test_of_many_words_the_most_usual_are_told_apart():
    one = sketch([f"w{k:02}" for k in range(40) for _ in range(k + 1)])
    assert len(one.names) == 30 and one.names[0] == "w10" and one.counts[-1] == 55 and sum(one.counts) == 820


def test_the_same_rows_give_the_same_bytes_and_few_of_them(folder, tmp_path):
    rows, stored = drawn(0, 1000)
    seen = described(rows, INPUTS, STREAMS)
    again = Reference(model=watch.fingerprint(folder), streams={s: sketches(one[s] for one in seen) for s in STREAMS},
                      answer=sketches(answer.measured(Task(), stored)))
    again.write(tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == (folder / NAME).read_bytes()
    assert (folder / NAME).stat().st_size < 16_000


def test_an_export_of_an_older_version_says_what_it_lacks(folder, tmp_path):
    own = drift.read(folder)
    old = {s: {name: Sketch(edges=one.edges, names=one.names, counts=one.counts) for name, one in known.items()
               if name not in ("entropy", "colourfulness")} for s, known in own.streams.items()}
    for name in (GRAPH, PROCESSORS):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    Reference(model=own.model, streams=old, answer=own.answer).write(tmp_path / NAME)
    said, found = told(tmp_path, tmp_path / "log", light=60)
    assert found == {"photo brightness"}
    assert ("An older version made reference.json: it has nothing to compare photo entropy, photo colourfulness with, "
            "and no quantiles of numbers, so that their bins are tested, which finds less. Export the model again."
            ) in said
    assert drift.lacking(own, drift.logged(tmp_path / "log", own.model)) == ""


def test_the_page_shows_both_distributions_and_says_which_has_moved(folder, tmp_path):
    rows, stored = drawn(1, rows=400, light=60)
    watching(tmp_path / "log", folder)(rows, stored)
    said, found = drift.drift(tmp_path / "log", folder, tmp_path / "drift.html")
    page = (tmp_path / "drift.html").read_text()
    assert found and f"The plots are in {tmp_path / 'drift.html'}." in said
    shown, folded = page.split("<details>")
    assert "<h2>photo brightness: drift</h2>" in shown and "<h2>words words</h2>" in folded
    assert "13 without drift" in folded and "drift</h2>" not in folded and ", D 0." in shown
    sizes = [float(size) for size in re.findall(r"PSI ([\d.]+)", folded)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1]
    assert page.count("<svg") == page.count("<h2>") and "http:" not in page and "https:" not in page
    assert "<title>missing: " in page and "400 rows of a log" in page
