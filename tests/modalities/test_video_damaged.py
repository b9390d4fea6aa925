"""What is said of a file that is no whole video."""

import numpy as np
import pytest

from tests import clips
from trivium.modalities import video

SIZE = (48, 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import av

    folder = tmp_path_factory.mktemp("damaged")
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8) for _ in range(50)]
    whole = clips.write(folder / "a.mkv", pictures).read_bytes()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("hello\n" * 99)
    (folder / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.mkv\n#EXT-X-ENDLIST\n")
    (folder / "begin.mkv").write_bytes(whole[:40])
    (folder / "photo.mp4").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    (folder / "noise.mp4").write_bytes(rng.integers(128, 256, 999).astype(np.uint8).tobytes())
    (folder / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    index = clips.write(folder / "b.mp4", pictures).read_bytes()
    (folder / "cut.mp4").write_bytes(index[: len(index) // 2])
    part = len(whole) // 5
    middle = rng.integers(0, 256, part).astype(np.uint8).tobytes()
    (folder / "middle.mkv").write_bytes(whole[: 2 * part] + middle + whole[3 * part:])
    place = whole.find(b"\x44\x89\x88") + 3  # Duration, float64 milliseconds
    (folder / "lies.mkv").write_bytes(whole[:place] + np.array([1e6], ">f8").tobytes() + whole[place + 8:])
    clips.write(folder / "long.mkv", pictures, keys=1000)
    with av.open(str(folder / "long.mkv")) as source, av.open(str(folder / "keyless.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None and not packet.is_keyframe:
                packet.stream = stream
                target.mux(packet)
    clips.write(folder / "claims.mkv", pictures, fps=10_000, times=[k / 10 for k in range(50)])
    clips.write(folder / "loud.mkv", pictures, sound=np.zeros(16_000 * 5, np.float32))
    clips.write(folder / "dumb.mkv", pictures[:2])
    import soundfile

    soundfile.write(folder / "sound.wav", np.zeros(8000), 8000)
    return folder


@pytest.mark.parametrize(("name", "said"), [
    ("empty.mp4", "the file is empty"),
    ("text.mp4", "is text, not a video"),
    ("list.mp4", "is text, not a video"),
    ("cut.mp4", "is cut off before its index, or damaged"),
    ("begin.mkv", "is cut off or damaged"),
    ("photo.mp4", "is a picture (PNG), not a video"),
    ("noise.mp4", "not a video, or of a format that PyAV cannot read"),
    ("nowhere.mp4", "there is no such file"),
    ("sound.wav", "has no pictures, only sound"),
    ("cut.mkv", "says that it lasts 2.00 s, and has no frame behind 0.96 s: it is cut off or damaged"),
    ("lies.mkv", "says that it lasts 1000.00 s, and has no frame behind 2.00 s: it is cut off or damaged"),
    ("keyless.mp4", "none of its frames can be decoded: the file is damaged, or has no key frame"),
])
def test_what_is_wrong_is_said_in_a_sentence(folder, name, said):
    assert video.probe(name, folder) == {"error": said}


def test_a_broken_middle_is_told_with_its_time(folder):
    said = video.probe("middle.mkv", folder)["error"]
    assert said.endswith(" s: the file is damaged") and " of 32 frames that were looked at cannot be decoded" in said
    x, count = video.read("middle.mkv", folder, None, None, video.Settings(size=16))
    assert 4 <= count <= 8 and x[:, 0].any()  # what can be decoded is


def test_a_rate_that_is_claimed_changes_nothing(folder):
    assert video.probe("claims.mkv", folder)["seconds"] == pytest.approx(4.9, abs=0.2)
    assert video.read("claims.mkv", folder, None, None, video.Settings(size=16, frames=64))[1] in (19, 20)


def test_sound_may_go_on_behind_the_pictures(folder):
    assert video.probe("loud.mkv", folder)["seconds"] == pytest.approx(2, abs=0.05)
    assert video.probe("loud.mkv", folder, 3.0, 4.0) == {"error": "starts at 3.0 s, but the recording lasts 2.00 s"}
    assert video.probe("loud.mkv", folder, 1.0, 1.0) == {"error": "ends at 1.0 s, not after its start at 1.0 s"}


def test_pictures_that_are_too_large_are_not_decoded(folder, monkeypatch):
    from trivium.modalities import videos

    monkeypatch.setattr(videos, "MAX_PIXELS", 1000)
    assert video.probe("a.mkv", folder)["error"].startswith("says that its pictures have 48 x 32 pixels: more than")
