import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trivium.data.sources import speech
from trivium.settings.errors import UserError

SPEAK = """
import hashlib, sys
from trivium.data.sources.speech import Speaker, voices
speaker = Speaker()
said = [speaker.say(word, "en", voice, 175, 50).tobytes() for voice in voices() for word in ("three", "four")]
print(hashlib.sha256(b"".join(said)).hexdigest())
"""


def test_two_processes_say_the_same_whatever_memory_holds() -> None:
    """glibc fills new memory with another byte in each: the voices that read it before writing are left out."""
    said = set()
    for fill in (1, 85):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "MALLOC_PERTURB_": str(fill)}
        said.add(subprocess.run([sys.executable, "-c", SPEAK], check=True, capture_output=True, text=True,
                                env=environment).stdout)
    assert len(said) == 1
    assert len(said.pop()) == 65


def test_speech_is_speech() -> None:
    speaker = speech.Speaker()
    seven = speaker.say("seven", "en", "adam", 175, 50)
    assert seven.dtype == np.float32
    assert 0.2 < len(speech.trim(seven)) / speech.RATE < 1
    assert 0.05 < np.abs(seven).max() <= 1
    slow = speaker.say("seven", "en", "adam", 120, 50)
    assert len(speech.trim(slow)) > 1.2 * len(speech.trim(seven))
    assert not speaker.say("", "en", "adam", 175, 50).any()


def test_an_unknown_voice() -> None:
    with pytest.raises(UserError, match=r"no voice tlh\+nobody"):
        speech.Speaker().say("one", "tlh", "nobody", 175, 50)


def test_relatives_are_neighbours_and_breathing_voices_left_out() -> None:
    names = speech.voices()
    assert names[names.index("klatt") + 1] == "klatt2"
    assert len(names) == len(set(names)) > 80
    assert "whisper" not in names


def test_a_deep_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library keeps the path of its data in 160 bytes."""
    import espeakng_loader

    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    (deep / "data").symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(deep / "data"))
    assert len(speech.Speaker().say("one", "en", "adam", 175, 50)) > 1000


def test_resampling_keeps_a_tone() -> None:
    t = np.arange(speech.RATE) / speech.RATE
    tone = speech.resample(np.sin(2 * np.pi * 440 * t).astype(np.float32), 16_000)
    assert len(tone) == 16_000
    np.testing.assert_allclose(tone, np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000), atol=1e-4)
    assert len(speech.resample(np.ones(442, np.float32), 16_000)) == 640  # two times 20 ms


def test_trimming() -> None:
    wave = np.array([0, 0.001, 0.5, 0, -0.2, 0.001, 0], dtype=np.float32)
    assert speech.trim(wave).tolist() == pytest.approx([0.5, 0, -0.2])
    assert speech.trim(np.zeros(3, np.float32)).tolist() == [0, 0, 0]
