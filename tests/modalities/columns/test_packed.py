import pyarrow as pa
import pytest

from trivium.modalities.columns import packed


def chunked(*values):
    return pa.chunked_array([pa.array(values, pa.string())])


def test_cells_become_one_json_object_per_row_and_come_back():
    cells = {"a b": chunked(" 1 ", "", None, 'say "hi"\n\\'), "é": chunked("x", "", "  ", None)}
    rows = packed.pack(cells)
    assert rows.to_pylist() == ['{"a b":"1","é":"x"}', None, None, '{"a b":"say \\"hi\\" \\\\","é":null}']
    back = packed.unpack(rows, ["é", "a b"])
    assert back["a b"].to_pylist() == ["1", None, None, 'say "hi" \\']
    assert back["é"].to_pylist() == ["x", None, None, None]
    assert packed.names(rows[0].as_py()) == ["a b", "é"]
    assert packed.errors(rows) == [None] * 4


def test_rows_that_were_written_by_hand_are_read_too():
    rows = pa.array(['{"a": 1.5, "b": true}', '{"b": "x"}', None])
    assert {name: column.to_pylist() for name, column in packed.unpack(rows, ["a", "b"]).items()} == {
        "a": ["1.5", None, None], "b": ["true", "x", None]}
    assert packed.errors(rows) == [None, None, None]


def test_many_rows_are_read_in_pieces(monkeypatch):
    monkeypatch.setattr(packed, "CHUNK", 2)
    rows = pa.chunked_array([pa.array(['{"a":"0"}', None, '{"a":"2"}']), pa.array(['{"a":"3"}', None])])
    assert packed.unpack(rows, ["a"])["a"].to_pylist() == ["0", None, "2", "3", None]


def test_what_is_no_object_is_told():
    assert packed.errors(pa.array(["[1]", "{", '{"a":"1"}'])) == [
        "not a JSON object of cells but list",
        "not a JSON object of cells (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))",
        None]
    with pytest.raises(ValueError, match="not a JSON object of cells"):
        packed.unpack(pa.array(["{"]), ["a"])


def test_cells_that_are_nested_too_deep_are_told():
    """Found by tests/fuzz."""
    (why,) = packed.errors(pa.array(["[" * 100_000]))
    assert why.startswith("not a JSON object of cells (maximum recursion depth exceeded")
