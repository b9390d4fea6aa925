"""Samples with the same content."""

import numpy as np
import pyarrow as pa

from trivium.data.duplicates import duplicate_groups
from trivium.data.placeholders import Common, placeholders


def rows(**digests: list[tuple[str, str]]) -> dict[str, pa.Table]:
    """{stream: [(key, digest)]} as tables."""
    return {m: pa.table({"key": [key for key, _ in cells], "digest": [digest for _, digest in cells]})
            for m, cells in digests.items()}


def test_all_texts_of_a_sample_count_in_any_order() -> None:
    """s0 and s2 have the same two texts; s1 shares one of them with s0, s3 has one twice."""
    labels = pa.table({"sample": ["s0", "s1", "s2", "s3"], "key": ["k0", "k1", "k2", "k3"]})
    text = [("k0", "A"), ("k0", "B"), ("k1", "C"), ("k1", "B"), ("k2", "B"), ("k2", "A"), ("k3", "B"), ("k3", "B")]
    assert duplicate_groups(labels, rows(text=text), {"text": "text"}).to_pylist() == ["s0", None, "s0", None]


def test_one_medium_in_common_is_enough_and_chains_count() -> None:
    labels = pa.table({"sample": ["s0", "s1", "s2", "s3"], "key": ["k0", "k1", "k2", "k3"]})
    image, audio = [("k0", "I"), ("k1", "I"), ("k2", "J"), ("k3", "K")], [("k1", "X"), ("k2", "X"), ("k3", "Y")]
    text = [("k0", "A"), ("k1", "B"), ("k2", "C"), ("k3", "A")]  # beside media, the same text is no duplicate
    streams = {name: name for name in ("image", "audio", "text")}
    assert duplicate_groups(labels, rows(image=image, audio=audio, text=text), streams).to_pylist() == [
        "s0", "s0", "s0", None]


def shared(*counts: int, **columns: list) -> pa.Table:
    """A media table: one file of counts[0] rows, one of counts[1] rows, ..."""
    digests = [f"d{file}" for file, count in enumerate(counts) for _ in range(count)]
    return pa.table({"key": [f"k{i}" for i in range(len(digests))], "digest": digests, **columns})


def found(table: pa.Table, labels: list[int] | None = None, share: float = 0.01) -> list[str]:
    """The digests that are placeholders. labels: of each row, -1 for none."""
    kinds = None if labels is None else np.array(labels)
    numbers = placeholders(table, np.arange(len(table)), Common(share, kinds))
    return [one for one in dict.fromkeys(table["digest"].to_pylist()) if hash(one) in numbers]


def test_what_many_rows_share_is_a_placeholder() -> None:
    assert found(shared(100, *[1] * 200)) == ["d0"]
    assert found(shared(21, *[1] * 200, 30)) == ["d0", "d201"]
    assert found(shared(20, *[1] * 200)) == []  # too few rows
    assert found(shared(21, *[1] * 2079)) == []  # 1 %
    assert found(shared(22, *[1] * 2078)) == ["d0"]
    assert found(shared()) == []


def test_pictures_with_many_rows_each_are_no_placeholders() -> None:
    assert found(shared(*[30] * 20)) == []
    assert found(shared(60, *[6] * 20)) == []
    assert found(shared(61, *[6] * 20)) == ["d0"]


def test_what_one_class_alone_has_is_no_placeholder() -> None:
    table = shared(100, *[1] * 200)
    assert found(table, [7] * 100 + [8] * 200) == []
    assert found(table, [7] * 99 + [8] * 201) == ["d0"]
    assert found(table, [7] * 99 + [-1] * 201) == []  # without a label, it says nothing
    assert found(table, [-1] * 300) == ["d0"]  # no label is known: rows alone decide


def test_the_share_of_rows_is_a_setting() -> None:
    assert found(shared(100, *[1] * 200), share=0.3) == ["d0"]
    assert found(shared(100, *[1] * 200), share=0.34) == []


def test_a_text_that_stands_in_for_none_joins_nothing() -> None:
    """s0 to s29 say "n/a", of two labels; s30 and s31 say the same thing."""
    keys = [f"k{i}" for i in range(90)]
    labels = pa.table({"sample": [f"s{i}" for i in range(90)], "key": keys, "label": list("ab" * 45)})
    text = pa.table({"key": keys, "digest": ["n/a"] * 30 + ["x", "x"] + [f"t{i}" for i in range(58)]})
    groups = duplicate_groups(labels, {"text": text}, {"text": "text"}).to_pylist()
    assert groups == [None] * 30 + ["s30", "s30"] + [None] * 58


def test_parts_of_a_recording_are_no_placeholders() -> None:
    for column in ("start", "end"):
        times = {"start": pa.nulls(150, pa.float64()), "end": pa.nulls(150, pa.float64())}
        times[column] = pa.array([float(i) for i in range(50)] + [None] * 100, pa.float64())
        assert found(shared(50, *[1] * 100, **times)) == []


def test_rows_with_a_placeholder_belong_together_only_for_what_else_they_share() -> None:
    image = shared(30, *[1] * 30)
    keys = image["key"].to_pylist()
    labels = pa.table({"sample": keys, "key": keys})
    audio = pa.table({"key": ["k1", "k40"], "digest": ["x", "x"]})
    found = duplicate_groups(labels, {"image": image, "audio": audio}, {"image": "image", "audio": "audio"}).to_pylist()
    assert {key: group for key, group in zip(keys, found, strict=True) if group} == {"k1": "k1", "k40": "k1"}


def test_the_same_picture_in_two_streams_is_shared_content() -> None:
    labels = pa.table({"sample": ["s0", "s1", "s2"], "key": ["k0", "k1", "k2"]})
    tables = rows(photo=[("k0", "A"), ("k1", "B")], scan=[("k0", "C"), ("k2", "A")], sound=[("k1", "A")])
    streams = {"photo": "image", "scan": "image", "sound": "audio"}
    assert duplicate_groups(labels, tables, streams).to_pylist() == ["s0", None, "s0"]


def test_texts_count_in_whatever_streams_they_stand() -> None:
    """s2 has one of the texts of s0 alone, s3 another one besides."""
    labels = pa.table({"sample": ["s0", "s1", "s2", "s3"], "key": ["k0", "k1", "k2", "k3"]})
    tables = rows(title=[("k0", "A"), ("k1", "B"), ("k3", "A")],
                  body=[("k0", "B"), ("k1", "A"), ("k2", "A"), ("k3", "C")])
    assert duplicate_groups(labels, tables, {"title": "text", "body": "text"}).to_pylist() == ["s0", "s0", None, None]


def test_a_placeholder_of_one_stream_is_no_content_in_another() -> None:
    photo = shared(30, *[1] * 30)
    keys = photo["key"].to_pylist()
    scan = pa.table({"key": keys[-3:], "digest": ["d0", "d0", "d7"]})
    found = duplicate_groups(pa.table({"sample": keys, "key": keys}), {"photo": photo, "scan": scan},
                             {"photo": "image", "scan": "image"}).to_pylist()
    assert {key: group for key, group in zip(keys, found, strict=True) if group} == {"k36": "k36", "k59": "k36"}


def test_cells_of_a_table_tell_texts_apart_and_join_nothing() -> None:
    labels = pa.table({"sample": ["s0", "s1", "s2", "s3", "s4"], "key": ["k0", "k1", "k2", "k3", "k4"]})
    text = pa.table({"key": ["k0", "k1", "k2"], "digest": ["a", "a", "a"]})
    facts = pa.table({"key": ["k0", "k1", "k2", "k3", "k4"], "value": ["x", "x", "y", "x", "x"],
                      "digest": pa.nulls(5, pa.string())})
    chunked = {name: pa.Table.from_batches(table.to_batches()) for name, table in (("text", text), ("facts", facts))}
    found = duplicate_groups(pa.Table.from_batches(labels.to_batches()), chunked, {"facts": "table", "text": "text"})
    assert found.to_pylist() == ["s0", "s0", None, None, None]
