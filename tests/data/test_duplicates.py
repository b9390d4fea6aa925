"""Samples with the same content."""

import pyarrow as pa

from trivium.data.duplicates import duplicate_groups


def rows(**digests: list[tuple[str, str]]) -> dict[str, pa.Table]:
    """{modality: [(key, digest)]} as tables."""
    return {m: pa.table({"key": [key for key, _ in cells], "digest": [digest for _, digest in cells]})
            for m, cells in digests.items()}


def test_all_texts_of_a_sample_count_in_any_order() -> None:
    """s0 and s2 have the same two texts; s1 shares one of them with s0, s3 has one twice."""
    labels = pa.table({"sample": ["s0", "s1", "s2", "s3"], "key": ["k0", "k1", "k2", "k3"]})
    text = [("k0", "A"), ("k0", "B"), ("k1", "C"), ("k1", "B"), ("k2", "B"), ("k2", "A"), ("k3", "B"), ("k3", "B")]
    assert duplicate_groups(labels, rows(text=text), {"text"}).to_pylist() == ["s0", None, "s0", None]


def test_one_medium_in_common_is_enough_and_chains_count() -> None:
    labels = pa.table({"sample": ["s0", "s1", "s2", "s3"], "key": ["k0", "k1", "k2", "k3"]})
    image, audio = [("k0", "I"), ("k1", "I"), ("k2", "J"), ("k3", "K")], [("k1", "X"), ("k2", "X"), ("k3", "Y")]
    text = [("k0", "A"), ("k1", "B"), ("k2", "C"), ("k3", "A")]  # beside media, the same text is no duplicate
    assert duplicate_groups(labels, rows(image=image, audio=audio, text=text), {"text"}).to_pylist() == [
        "s0", "s0", "s0", None]
