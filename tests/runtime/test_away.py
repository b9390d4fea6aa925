from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import fragile
from tests.fake_outs import fake_data, fake_models, fake_outs
from tests.fuzz import made
from trivium.machine import limited
from trivium.runtime import away, table
from trivium.serving.predictor import Predictor


def test_results_come_in_the_order_of_the_values_from_here_or_elsewhere() -> None:
    values = ["x" * k for k in range(20)]
    with away.decoding():
        assert away.each(fragile.odd, ("what",), values) == [{"characters": k} for k in range(20)]
    assert away.each(fragile.odd, ("what",), values) == [{"characters": k} for k in range(20)]


def test_what_hangs_or_crashes_is_lost_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "COMPUTING", 0.5)
    slow = "takes longer than 0.5 s of computing to decode"
    with away.decoding():
        assert away.each(fragile.odd, (), ["a", "computes", "segfault", "bb"]) == [
            {"characters": 1}, slow, limited.CRASHED, {"characters": 2}]
        found = away.each(len, (), ["segfault", "computes"])  # a work that would fail
        assert found == [limited.CRASHED, slow] and all(isinstance(one, away.Lost) for one in found)


def test_no_process_starts_where_nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "processes", None)
    with away.decoding():
        assert away.each(fragile.odd, (), []) == []


@pytest.mark.slow
def test_a_sound_that_takes_too_long_costs_its_row_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fake_outs(tmp_path / "served", {"supervised_frozen": 0.9})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    answering = Predictor.of_strategy(root, "supervised_frozen")
    fragile.endless(tmp_path / "endless.wav")
    (tmp_path / "good.wav").write_bytes(made.sounds()["WAV PCM_16"])
    lines = [f"r{k},one two,{'endless' if k == 1 else 'good'}.wav" for k in range(3)] + ["r3,,endless.wav"]
    (tmp_path / "rows.csv").write_text("\n".join(["id,text,audio", *lines]) + "\n")
    monkeypatch.setattr(limited, "COMPUTING", 2.0)
    assert table.write(answering, tmp_path / "rows.csv", tmp_path / "out.parquet", "test") == 1
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    why = "audio 'endless.wav' cannot be used: takes longer than 2 s of computing to decode"
    assert [(row["id"], row["warning"], row["error"]) for row in found] == [
        ("r0", None, None), ("r1", why, None), ("r2", None, None), ("r3", None, why)]
