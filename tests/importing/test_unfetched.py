"""An address that an import could not fetch keeps its place, is asked by nobody again, and `validate` says why."""

import pyarrow as pa

from trivium.data.sources import not_one


def test_the_cell_says_why_and_reads_as_it_was() -> None:
    cells = pa.chunked_array([["a.png", not_one.unfetched("https://a.example/b.png", "the server\nanswers 404"), None,
                               f"{not_one.MARK}[1, 2]"]])
    assert not_one.why(cells) == {1: "an address that the import could not fetch: the server answers 404",
                                  3: "a list, not one value"}
    assert not_one.bare(cells).to_pylist() == ["a.png", "https://a.example/b.png", None, "[1, 2]"]
    assert not_one.plain(cells[1].as_py()) == "https://a.example/b.png"
