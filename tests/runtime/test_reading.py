"""Which columns of a table are which streams, and rows that hold whole files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trivium.runtime import values
from trivium.runtime.reading import Table
from trivium.settings.errors import UserError

STREAMS = {"text": "text", "image": "image", "audio": "audio"}


def table(path: Path, header: str) -> Table:
    path.write_text(f"{header}\n{','.join('x' for _ in header.split(','))}\n")
    return Table.of(path, STREAMS)


def test_a_stream_that_has_no_column_is_said_with_the_nearest(tmp_path: Path) -> None:
    found = table(tmp_path / "a.csv", "id,Text,imgae,note")
    assert list(found.streams) == ["text"] and found.unused == ("imgae", "note")
    assert found.lacks(["text", "image"], {}) == (
        f"{tmp_path / 'a.csv'} has no column `image`, so every row is answered without. Did you mean `image` by the "
        "column `imgae`?")
    assert found.lacks(["image", "audio"], {}).startswith(
        f"{tmp_path / 'a.csv'} has no columns `image`, `audio`, so every row")
    assert found.lacks(["text"], {}) is None


def test_cells_of_a_table_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Area,kin\n1,2\n")
    cells = {"facts": ["area", "kind"]}
    found = Table.of(tmp_path / "a.csv", {"facts": "table"}, cells=cells)
    assert found.cells == {"facts": {"area": "Area"}}
    assert found.lacks(["facts"], cells) == (f"{tmp_path / 'a.csv'} has no column `kind`, so every row is answered "
                                             "without. Did you mean `kind` by the column `kin`?")


def test_a_table_without_any_stream_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of the columns text, image, audio; it has id, txt. Did you mean `text`"):
        table(tmp_path / "a.csv", "id,txt")


def test_parquet_may_hold_the_files_themselves(tmp_path: Path) -> None:
    pairs = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({
        "id": [1, 2, 3], "text": ["a", None, "c"], "image": pa.array([b"png", None, b""], pa.binary()),
        "audio": pa.array([{"bytes": b"wav", "path": "a.wav"}, {"bytes": None, "path": "img\\b.wav"}, None], pairs)}),
        tmp_path / "a.parquet")
    found = Table.of(tmp_path / "a.parquet", STREAMS)
    assert found.count() == 3
    assert list(found.samples()) == [[
        {"id": "1", "text": "a", "image": b"png", "audio": b"wav"},
        {"id": "2", "text": None, "image": None, "audio": "img/b.wav"},
        {"id": "3", "text": "c", "image": b"", "audio": None}]]
    pq.write_table(pa.table({"image": [b"png"]}), tmp_path / "b.parquet")
    assert list(Table.of(tmp_path / "b.parquet", STREAMS).samples()) == [[{"image": b"png"}]]


def test_rows_come_some_at_a_time_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\n" + "".join(f"t{k}\n" for k in range(150)))
    found = list(Table.of(tmp_path / "a.csv", STREAMS).samples())
    assert [len(piece) for piece in found] == [64, 64, 22]
    assert [row["text"] for piece in found for row in piece] == [f"t{k}" for k in range(150)]


def test_a_damaged_page_of_parquet_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"text": f"row {k}", "image": {"bytes": bytes([k]) * 3000, "path": None}} for k in range(20)]
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.parquet cannot be read as parquet: "):
        list(Table.of(path, STREAMS).samples())


def test_a_stream_may_have_times_of_its_own(tmp_path):
    (tmp_path / "rows.csv").write_text("id,mic,start,end,Mic_start,mic_end\nr1,a.wav,0,9,1.5,2\n")
    (row,) = next(iter(Table.of(tmp_path / "rows.csv", {"mic": "audio", "cam": "video"}).samples()))
    assert values.span(row, "mic") == (1.5, 2.0) and values.span(row, "cam") == (0.0, 9.0)


def test_an_empty_file_in_a_cell_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    for column in ([b"", None, b"x"], [{"bytes": b"", "path": None}, None, {"bytes": b"x", "path": "a.png"}]):
        pq.write_table(pa.table({"image": column}), tmp_path / "a.parquet")
        found = Table.of(tmp_path / "a.parquet", STREAMS)
        assert [row["image"] for rows in found.samples() for row in rows] == [b"", None, b"x"]
