"""What a clock is off another, from energies on one time line."""

from pathlib import Path

import numpy as np

from tests.data.clocks import csv, joined
from trivium.data import offsets
from trivium.data.linked_rows import Known
from trivium.data.offsets import LONGEST, RATE, estimate, match
from trivium.data.onclock import Stream

BLANK = round(LONGEST * RATE)  # before and behind a recording


def pulses(*times: float, seconds: float) -> np.ndarray:
    """Energy that is 1 for a fifth of a second at each of `times`."""
    made = np.zeros(round(seconds * RATE) + 2 * BLANK)
    for at in times:
        made[BLANK + round(at * RATE): BLANK + round((at + 0.2) * RATE)] = 1.0
    return made


def crowded(late: float) -> tuple[np.ndarray, np.ndarray]:
    """Nine stretches of two pulses that are simultaneous, and one of twenty, in the other of which they are `late`."""
    rng = np.random.default_rng(5)
    calm = [10.0 * k + at for k in range(9) for at in rng.uniform(1, 9, 2)]
    many = [90.3 + 0.45 * k + rng.uniform(0, 0.15) for k in range(20)]
    return pulses(*calm, *many, seconds=100), pulses(*calm, *(at - late for at in many), seconds=100)


def test_one_crowded_stretch_does_not_decide_for_all():
    found = match("words", "mic", [crowded(0.07)])
    assert found is not None and (found.stretches, found.agree) == (10, 10)
    assert abs(found.seconds - 0.007) < 0.001  # a tenth of 0.07
    assert found.low < 0 < found.seconds < found.high


def test_that_files_begin_and_end_together_says_nothing():
    def noise(seed: int) -> np.ndarray:
        made = np.full(round(30 * RATE) + 2 * BLANK, np.nan)
        made[BLANK:-BLANK] = np.random.default_rng(seed).uniform(0.5, 1.0, round(30 * RATE))
        return made

    found = match("far", "near", [(noise(2 * k), noise(2 * k + 1)) for k in range(5)])
    assert found is not None and (found.sure, found.stretches) == (False, 15) and found.agree < 3
    assert "is no better than the next, and" in found.model_copy(update={"ratio": 1.04}).said
    assert "is 1.1 times as good as the next, and" in found.model_copy(update={"ratio": 1.06}).said


def test_where_no_stretches_tell_it_is_the_lag_of_the_whole():
    a, b = pulses(1.0, 2.3, 4.1, 7.0, seconds=9), pulses(0.5, 1.8, 3.6, 6.5, seconds=9)
    found = match("far", "near", [(a, b)])
    assert found is not None and (found.seconds, found.low, found.stretches, found.sure) == (0.5, None, 1, True)


def test_the_estimate_is_the_middle_of_its_interval():
    mean, low, high = offsets._interval(np.array([0.1, 0.2, 0.3]))
    assert (round(mean, 4), low, high) == (0.2, -0.0484, 0.4484)
    assert offsets._interval(np.array([0.1, 0.2])) is None


class Turned(Known):
    """The same keys with other codes, as another process has them."""

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        found = super().codes(numbers)
        return np.where(found < 0, -1, len(self) - 1 - found)


def test_the_first_ten_recordings_of_the_table_are_looked_at_in_every_process(tmp_path: Path):
    """In the first ten one stream is late by half a second, and in the other ten by two."""
    said, noted = [], []
    for k in range(20):
        for at in np.random.default_rng(k).uniform(0, 60, 12).round(3):
            late = 0.5 if k < 10 else 2.0
            said.append(f"r{k},on,{at},{at + 0.2:.3f}")
            noted.append(f"r{k},off,{at + late:.3f},{at + late + 0.2:.3f}")
    streams = {name: {"modality": "text", "column": "text", "table": {
        "path": str(csv(tmp_path / f"{name}.csv", "rec,text,from,to", *rows)), "start": "from", "end": "to"}}
        for name, rows in (("said", said), ("noted", noted))}
    csv(tmp_path / "events.csv", "id,label,rec,start,end", *(f"e{k},{'xy'[k % 2]},r{k},0,60" for k in range(20)))
    joined(tmp_path, streams)
    read = [Stream.read(tmp_path / f"valid/{name}.parquet", "text") for name in streams]
    for kind in (Known, Turned):
        (found,) = estimate(tmp_path / "valid", str(tmp_path), read, kind(read[0].rows.number))
        assert round(found.seconds, 2) == -0.5
