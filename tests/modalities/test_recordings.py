"""Files of series: what is read from each format, and what is said of each fault."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trivium.modalities import recordings, series
from trivium.modalities.recordings import delimited, wfdb
from trivium.modalities.recordings.written import content

SECONDS = np.arange(500) / 100
LEFT, RIGHT = np.sin(2 * np.pi * 3 * SECONDS), np.cos(2 * np.pi * 3 * SECONDS)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def wfdb_files(name, form, left=LEFT, right=RIGHT):
    whole = np.rint(1000 * np.stack([left, right], 1)).astype(np.int64).ravel()
    if form == 16:
        data = whole.astype("<i2").tobytes()
    else:
        low = (whole & 0xFFF).reshape(-1, 2)
        data = np.stack([low[:, 0] & 255, low[:, 0] >> 8 | low[:, 1] >> 8 << 4, low[:, 1] & 255], 1).astype(
            np.uint8).tobytes()
    with open(f"{name}.dat", "wb") as file:
        file.write(data)
    with open(f"{name}.hea", "w") as file:
        file.write(f"# made here\n{name} 2 100 500\n{name}.dat {form} 1000 12 0 0 0 0 left\n"
                   f"{name}.dat {form} 1000 12 0 0 0 0 right\n")


def files():
    table = pa.table({"time": SECONDS, "left": LEFT, "right": RIGHT})
    np.savetxt("a.csv", np.stack([SECONDS, LEFT, RIGHT], 1), delimiter=",", header="time,left,right", comments="")
    np.savetxt("b.tsv", np.stack([1000 * SECONDS, LEFT, RIGHT], 1), delimiter="\t", header="t_ms\tleft\tright",
               comments="")
    np.savez("c.npz", time=SECONDS, left=LEFT, right=RIGHT)
    np.savez("d.npz", fs=100, left=LEFT, right=RIGHT)
    pq.write_table(table, "e.parquet")
    with pa.OSFile("f.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    with open("g.arrow", "wb") as out:
        out.write(content({"left": LEFT, "right": RIGHT}, 100))
    wfdb_files("h", 16)
    wfdb_files("i", 212)
    with zipfile.ZipFile("j.zip", "w") as archive:
        for name in ("a.csv", "i.hea", "i.dat"):
            archive.write(name)
    return ["a.csv", "b.tsv", "c.npz", "d.npz", "e.parquet", "f.arrow", "g.arrow", "h.hea", "h.dat", "i.hea",
            "zip://j.zip::a.csv", "zip://j.zip::i.hea"]


def test_every_format_says_the_same():
    for name in files():
        found = recordings.read(name, ".")
        assert found.channels == ("left", "right"), name
        assert np.allclose(found.seconds, SECONDS, atol=1e-9), name
        assert np.allclose(found.values, [LEFT, RIGHT], atol=6e-4), name
        assert series.probe(name, ".") == {"points": 500, "channels": 2, "duration": pytest.approx(5.0), "gaps": 0.0}


HEADERS = {
    b"100 2 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n": True,
    b"100 2\n100.dat 16\n": True,
    b"# of PhysioNet\r\n100 2 360/360(0) 650000 0:0:0 1/1/1990\r\n100.d0 16x1:0+24 200\r\n": True,
    b"time v\n0 1\n1 2\n": False,
    b"time 1\n0.5 12\n1.5 13\n": False,  # numbers under the name of a channel
    b"t,1\n0.5,1\n": False,
    b"left 1 2 3\n0.25 1.5 2\n0.5 1 2\n": False,
    b"100 2 360 650000\n": False,  # no signal
    b"1 2 3\n4.dat\n5 6\n": False,  # a line each
}


@pytest.mark.parametrize("head", HEADERS)
def test_how_a_header_of_wfdb_begins(head):
    assert wfdb.begins(head) is HEADERS[head]


def test_numbers_below_a_channel_s_number_are_no_header():
    with open("a.txt", "w") as file:
        file.write("time 1\n0.5 12\n1.5 13\n")
    found = recordings.read("a.txt", ".")
    assert found.channels == ("1",) and found.seconds.tolist() == [0.5, 1.5] and found.values.tolist() == [[12, 13]]


def test_a_record_is_known_by_its_header_whatever_it_is_called():
    wfdb_files("r", 16)
    with open("r.hea") as file, open("record.txt", "w") as out:
        out.write(file.read())
    assert recordings.read("record.txt", ".").channels == ("left", "right")


def test_numbers_without_names_or_times():
    np.savetxt("a.txt", np.stack([LEFT, RIGHT], 1))
    np.save("b.npy", np.stack([LEFT, RIGHT], 1))
    for name in ("a.txt", "b.npy"):
        found = recordings.read(name, ".")
        assert found.channels == ("1", "2") and found.seconds[:3].tolist() == [0.0, 1.0, 2.0]


def test_cells_as_people_write_them():
    with open("a.csv", "w") as file:
        file.write("when;v;note\n2026-01-01 00:00:00;1,5;x\n2026-01-01 00:00:01;;y\n2026-01-01 00:00:03;n/a;z\n")
    found = recordings.read("a.csv", ".")
    assert found.seconds.tolist() == [0.0, 1.0, 3.0] and found.channels == ("v",)
    assert np.array_equal(found.values, [[1.5, np.nan, np.nan]], equal_nan=True)
    with open("b.csv", "w") as file:  # the same instant in two zones, as where summer time ends
        file.write("time,v\n2026-10-25T02:59:59+02:00,1\n2026-10-25T02:00:00+01:00,2\n")
    assert recordings.read("b.csv", ".").seconds.tolist() == [0.0, 1.0]


FAULTS = {
    "time,v\n0,1\n1,2\n1,3\n": "point 3 (1 s) has the same time as the one before",
    "time,v\n0,1\n2,2\n1,3\n": "point 3 (1 s) is earlier than the one before: its times run backwards",
    "time,v\n0,1\n,2\n2,3\n": "point 2 has no time",
    "time,v\n0,3.2 mV\n1,3.3 mV\n": "column `v` holds numbers with a unit, such as `3.2 mV`: write numbers alone, and "
                                    "the unit into the name, as in `v (mV)`",
    "time,v\n0 s,1\n1 s,2\n": "has the time `0 s`, which is no time: write numbers alone, and the unit into the name "
                              "of the column",
    "time,v\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:01,2\n":
        "mixes times with a time zone (`2026-01-01T00:00:00Z`) and without (`2026-01-01T00:00:01`): write the zone "
        "into all of them, or into none",
    "time,v\n0,a\n1,b\n": "has no column of numbers besides the time",
    "time,v\n": "has no points: its length is 0",
    "": "the file is empty",
    "time,v\n0,inf\n1,2\n": "channel `v` has infinite values: leave such cells empty",
    "time,v,w\n0,1,inf\n1,2,-inf\n": "channel `w` has infinite values: leave such cells empty",
    "time,v\n0,\n1,\n": "has no value in any channel: there are gaps alone",
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: FAULTS[text][:24])
def test_each_fault_is_one_sentence(text):
    with open("a.csv", "w") as file:
        file.write(text)
    assert series.probe("a.csv", ".") == {"error": FAULTS[text]}


def test_a_word_among_numbers_is_told_and_a_word_for_a_gap_is_one():
    """A channel without a word of warning would be a gap from end to end."""
    cells = [str(k / 10) for k in range(200)]
    said = ("channel `ax` has `error` at point 17, which is no number: write numbers alone, and leave gaps empty")
    for word, wanted in (("error", {"error": said}), (" NA ", ["ax", "ay"]), ("?", ["ax", "ay"]), ("", ["ax", "ay"])):
        cells[16] = word
        with open("a.csv", "w") as file:
            file.write("time,ax,ay,note\n" + "".join(f"{k},{cell},1,walks\n" for k, cell in enumerate(cells)))
        pq.write_table(pa.table({"time": range(200), "ax": cells, "ay": [1.0] * 200}), "a.parquet")
        for name in ("a.csv", "a.parquet"):
            if isinstance(wanted, dict):
                assert series.probe(name, ".") == wanted
            else:
                found = recordings.read(name, ".")
                assert list(found.channels) == wanted and np.flatnonzero(np.isnan(found.values[0])).tolist() == [16]
    with open("b.csv", "w") as file:  # with a comma in numbers; and most of a column is words
        file.write("time;v;note\n0;1,5;3\n1;off;walks\n2;2,5;runs\n")
    assert series.probe("b.csv", ".") == {"error": "channel `v` has `off` at point 2, which is no number: write "
                                                   "numbers alone, and leave gaps empty"}
    with open("b.csv", "w") as file:
        file.write("time;v;note\n0;1,5;3\n1;;walks\n2;2,5;runs\n")
    assert recordings.read("b.csv", ".").channels == ("v",)


def test_faults_of_other_formats():
    np.savez("ragged.npz", a=np.arange(5), b=np.arange(6))
    np.save("objects.npy", np.array([{}], object), allow_pickle=True)
    np.save("wide.npy", np.zeros((2, 1000)))
    np.save("none.npy", np.zeros(0))
    wfdb_files("r", 16)
    headers = {"s": "s 1 100 500\nnone.dat 16 1000\n", "t": "t 1 100 500\nr.dat 80 1000\n",
               "u": "u 2 100 5000\nr.dat 16 1000\nr.dat 16 1000\n", "v": "v 1 100 5\n../r.dat 16 1000\n"}
    for name, text in headers.items():
        with open(f"{name}.hea", "w") as file:
            file.write(text)
    with open("junk.bin", "wb") as out:
        out.write(b"\x01\x02\0\x03" * 9)
    for name, says in {
            "ragged.npz": "its channels have different lengths (a: 5, b: 6)",
            "objects.npy": "the NumPy file holds Python objects: save plain numbers",
            "wide.npy": "has 2 points of 1,000 channels: if that is the wrong way around, save it transposed, points "
                        "first",
            "none.npy": "has no points: its length is 0",
            "s.hea": "`none.dat` is not beside it: a record of WFDB has two files, .hea and .dat",
            "t.hea": "its signals are in WFDB's format 80; 16 and 212 are read: convert it with `xform`",
            "u.hea": "`r.dat` has 500 of the 5,000 points that its header names: it is truncated",
            "v.hea": "its header names the file `../r.dat`: signals lie beside their header",
            "junk.bin": "no recording that can be read: neither CSV, TSV, NPY, NPZ, Arrow, Parquet nor WFDB",
            "gone.csv": "there is no such file", ".": "this is a folder, not a file"}.items():
        assert series.probe(name, ".") == {"error": says}


def test_a_file_that_is_cut_off_is_told():
    files()
    for name in ("c.npz", "e.parquet", "f.arrow"):
        with open(name, "rb") as file:
            whole = file.read()
        with open(name, "wb") as out:
            out.write(whole[: len(whole) // 2])
        assert "damaged" in series.probe(name, ".")["error"], name


def test_what_was_read_is_read_again_when_the_file_changes():
    np.save("a.npy", np.zeros(3))
    assert recordings.read("a.npy", ".").values.tolist() == [[0, 0, 0]]
    np.save("a.npy", np.ones(4))
    assert recordings.read("a.npy", ".").values.tolist() == [[1, 1, 1, 1]]


def test_recordings_of_one_rate_and_length_share_their_times():
    for name, values in (("a", [1, 2, 3]), ("b", [4, 5, 6]), ("c", [7, 8])):
        Path(f"{name}.arrow").write_bytes(content({"x": np.array(values)}, 50))
    Path("d.arrow").write_bytes(content({"t": np.array([0, 0.02, 0.04]), "x": np.array([1, 2, 3])}))
    a, b, c, d = (recordings.read(f"{name}.arrow", ".") for name in "abcd")
    assert a.times is b.times and a.seconds.tolist() == d.seconds.tolist() == [0, 0.02, 0.04] and a.step == 0.02
    assert not a.seconds.flags.writeable and c.seconds.tolist() == [0, 0.02]
    assert [one.values.tolist() for one in (a, b, c)] == [[[1, 2, 3]], [[4, 5, 6]], [[7, 8]]]
    assert (a.times.shared, d.times.shared) == (True, False)


def test_numbers_of_every_type_are_read_alike():
    for kind in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"):
        Path("a.arrow").write_bytes(content({"x": pa.array([1, None, 3], getattr(pa, kind)())}))
        found = recordings.read("a.arrow", ".").values
        assert found.dtype == np.float64 and np.array_equal(found, [[1, np.nan, 3]], equal_nan=True), kind
    table = pa.table({"x": pa.array([None], pa.list_(pa.float32()))})
    with pa.OSFile("none.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    assert series.probe("none.arrow", ".") == {"error": "has no points: its length is 0"}


def test_a_file_of_arrow_that_is_read_in_several_pieces():
    Path("a.arrow").write_bytes(content({"x": np.arange(3 * recordings.SMALL)}))
    assert recordings.read("a.arrow", ".").values[0, [0, 70_000, -1]].tolist() == [0, 70_000, 196_607]


def test_an_archive_that_unpacks_to_far_too_much_is_refused_before_it_does(monkeypatch):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(1 << 18))
    assert len(buffer.getvalue()) < 10_000
    with open("a.npz", "wb") as out:
        out.write(buffer.getvalue())
    monkeypatch.setattr(recordings, "MOST", 1000)
    monkeypatch.setattr(np, "load", None)
    assert series.probe("a.npz", ".") == {
        "error": "has 262,144 numbers, and 1,000 are read at most: cut it into several files"}


ROWS = 400
LARGE = {
    "numbers": ["t,x,y", *(f"{k / 50},{k * 7 % 13},{k / 3:.6f}" for k in range(ROWS))],
    "gaps": ["time_ms,x,y", *(f"{k * 20},{'' if k % 7 else k},{'NaN' if k % 5 else k / 7}" for k in range(ROWS))],
    "whole numbers at first": ["x,y", *(f"{k},{k if k < 390 else k / 3}" for k in range(ROWS))],
    "no names": [f"{k}\t{k * k}" for k in range(ROWS)],
    "decimal commas": ["t;x", *(f"{k};{k},5" for k in range(ROWS))],
    "spaces": ["t x", *(f"{k}  {k / 7:.5f}" for k in range(ROWS))],
    "dates": ["date,x", *(f"2026-01-31T12:{k // 60:02d}:{k % 60:02d}.25,{k / 9}" for k in range(ROWS))],
    "dates with a zone": ["date,x", *(f"2026-01-31T12:{k // 60:02d}:{k % 60:02d}+01:00,{k / 9}" for k in range(ROWS))],
    "days": ["date,x", *(f"20{k // 300 + 10}-{k // 25 % 12 + 1:02d}-{k % 25 + 1:02d},{k}" for k in range(ROWS))],
    "blank lines": ["t,x", *(f"{k},{k}\n" for k in range(ROWS))],
    "words in a column": ["t,x,state", *(f"{k},{k},on" for k in range(ROWS))],
    "true and false": ["t,x,state", *(f"{k},{k},{'true' if k % 2 else 'false'}" for k in range(ROWS))],
}


@pytest.mark.parametrize("lines", LARGE.values(), ids=LARGE)
def test_in_pieces_the_values_are_the_same(tmp_path, monkeypatch, lines):
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "b.csv").write_text("\n".join(lines))  # its last line has no end
    whole = recordings.read("a.csv", tmp_path)
    monkeypatch.setattr(delimited, "LARGE", 0)
    monkeypatch.setattr(delimited, "BLOCK", 999)
    recordings._kept.cache_clear()
    for name in ("a.csv", "b.csv"):
        found = recordings.read(name, tmp_path)
        assert found.channels == whole.channels and found.since == whole.since and found.timed == whole.timed
        assert found.seconds.tobytes() == whole.seconds.tobytes() and found.values.tobytes() == whole.values.tobytes()
        assert found.values.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("lines", [
    ["t,x", *(f"{k},{k}" for k in range(ROWS)), "400,3.2 mV"],
    ["t,x", *(f"{k},{k}" for k in range(ROWS)), "400,1,2"],
    ["date,x", *(f"2026-01-31T12:{k // 60:02d}:{k % 60:02d},{k}" for k in range(ROWS)), "2026-01-31T13:00:00Z,1"],
    ["t,x", *(f"{k},{k}" for k in range(ROWS)), "399,1"],
])
def test_in_pieces_what_is_wrong_is_said_as_before(tmp_path, monkeypatch, lines):
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    said = [series.probe("a.csv", tmp_path)["error"]]
    monkeypatch.setattr(delimited, "LARGE", 0)
    monkeypatch.setattr(delimited, "BLOCK", 999)
    assert series.probe("a.csv", tmp_path)["error"] == said[0]


def test_only_what_is_large_is_read_in_pieces(tmp_path, monkeypatch):
    def never(*_: object) -> None:
        raise AssertionError("this file is small")

    monkeypatch.setattr(delimited, "_in_pieces", never)
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    assert recordings.read("a.csv", tmp_path).values.tolist() == [[1, 2]]
    monkeypatch.setattr(delimited, "LARGE", 0)
    recordings._kept.cache_clear()
    with pytest.raises(AssertionError, match="this file is small"):
        recordings.read("a.csv", tmp_path)
