"""A video on the clock of a sound: what is cut out of it, and how far the two are apart."""

import numpy as np
import pytest
import soundfile

from tests import clips
from tests.data.clocks import csv, joined, picked
from trivium.data import tables


@pytest.mark.slow
def test_a_video_is_cut_out_on_the_clock_and_its_offset_is_found(tmp_path):
    rng = np.random.default_rng(4)
    beats, wave = np.sort(rng.uniform(2, 38, 30)), rng.normal(0, 0.01, 40_000)
    moves = np.zeros(40 * 25, bool)
    for at in beats:
        wave[round(at * 1000): round(at * 1000) + 200] += rng.uniform(-0.5, 0.5, 200)
        moves[round((at - 0.7) * 25): round((at - 0.7 + 0.2) * 25)] = True
    soundfile.write(tmp_path / "a.wav", wave, 1000)
    still = np.full((64, 64, 3), 60, np.uint8)
    moved = [np.kron(rng.integers(0, 255, (8, 8, 1), np.uint8), np.ones((8, 8, 3), np.uint8)) for _ in range(9)]
    clips.write(tmp_path / "a.mp4", [moved[k % 9] if one else still for k, one in enumerate(moves)])
    csv(tmp_path / "events.csv", "id,label,rec,time", "e1,x,a,110", "e2,y,a,120")
    tabled = {}
    for name, modality, file in (("near", "audio", "a.wav"), ("far", "video", "a.mp4")):
        path = csv(tmp_path / f"{name}.csv", "rec,file,at", f"a,{file},100")
        tabled[name] = {"modality": modality, "column": "file", "table": {"path": str(path), "time": "at"}}
    rows = joined(tmp_path, tabled, window=[0, 1], checked=True)
    assert picked(rows, "far_start", "far_end", "near_start") == [(10.0, 11.0, 10.0), (20.0, 21.0, 20.0)]
    (found,) = tables.read_json(tmp_path / "aligned/clock.json")["offsets"]
    assert abs(found["seconds"] - 0.7) < 0.02 and found["sure"]
