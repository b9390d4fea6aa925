"""What a value names."""

import pytest

from trivium.modalities.media.place import Place, parse


@pytest.mark.parametrize(("value", "place"), [
    ("img/a.png", Place("img/a.png")),
    ("c://img/a.png", Place("c://img/a.png")),
    ("zip://photos.zip::a/b.png", Place("photos.zip", "zip", "a/b.png")),
    ("zip://photos.zip/a/b.png", Place("photos.zip", "zip", "a/b.png")),
    ("ZIP://my\\photos.ZIP\\a.png", Place("my/photos.ZIP", "zip", "a.png")),
    ("tar://x/shard-000.tar/./a//b.png", Place("x/shard-000.tar", "tar", "a/b.png")),
    ("tar:///data/s.tar::a.png", Place("/data/s.tar", "tar", "a.png")),
    ("zip://s3://bucket/x.zip::a.png", Place("s3://bucket/x.zip", "zip", "a.png")),
    ("zip://no-ending::a.png", Place("no-ending", "zip", "a.png")),
])
def test_places(value: str, place: Place) -> None:
    assert parse(value) == place
    assert parse(str(place)) == place


def test_what_lies_elsewhere() -> None:
    far = {value: parse(value).remote for value in ("a.png", "file:///a.png", "c://a.png", "zip://a.zip::b", "s3://b/a",
                                                    "zip://s3://b/a.zip::c", "memory://a")}
    assert [value for value, one in far.items() if one] == ["s3://b/a", "zip://s3://b/a.zip::c", "memory://a"]


@pytest.mark.parametrize(("value", "words"), [
    ("zip://photos.zip", "names no file in an archive: write zip://ARCHIVE::FILE, such as zip://photos.zip::a/b.png"),
    ("zip://photos.zip::", "names no file"),
    ("tar://photos/a.png", "names no file"),
    ("zip://photos.zip::../../etc/passwd", "leads out of the archive"),
    ("tar://photos.tar/a/../b.png", "leads out of the archive"),
])
def test_what_is_none_says_why(value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(value)
