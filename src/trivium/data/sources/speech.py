"""Speech from espeak-ng, driven through ctypes: muted, in memory, about 1,000 words a second.

The synthesiser keeps hidden state from one utterance to the next (phases of its oscillators), so the same word sounds
a little different the second time. `Speaker` is therefore deterministic per process: the same utterances in the same
order, from the first one on, give the same samples. `digits` speaks each pool in a process of its own.
"""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from trivium.settings.errors import UserError

RATE = 22_050  # samples per second of the synthesiser
_SYNCHRONOUS, _DO_NOT_EXIT = 2, 0x8000  # espeak_AUDIO_OUTPUT: to the callback, no sound; option of espeak_Initialize
_UTF8, _SPEED, _PITCH = 1, 1, 3  # espeak_Synth's text encoding; two of espeak_PARAMETER
_LONGEST_PATH = 120  # characters; the library keeps its data path in a buffer of 160


def voices() -> list[str]:
    """Names of the voice variants, sorted so that relatives (klatt, klatt2, ...) are neighbours.

    Left out: variants with a `breath`, whose filter reads memory that was never set, so that no two runs agree.
    """
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    files = (file for file in folder.iterdir() if file.is_file())
    quiet = [file.name for file in files if not any(line.startswith(b"breath ") for line in _lines(file))]
    return sorted(quiet, key=lambda name: (name.casefold(), name))


def _lines(file: Path) -> list[bytes]:
    return [line.strip().replace(b"\t", b" ") for line in file.read_bytes().splitlines()]


class Speaker:
    """The synthesiser; one per process. Raises: UserError where the library cannot start."""

    def __init__(self) -> None:
        import espeakng_loader

        self._chunks: list[np.ndarray] = []
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
        if len(data) > _LONGEST_PATH:
            self._shortcut = tempfile.TemporaryDirectory()
            link = Path(self._shortcut.name) / "espeak-ng-data"
            link.symlink_to(data, target_is_directory=True)
            data = str(link)
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT)
        if rate != RATE:
            raise UserError(f"the speech synthesiser could not start from {data} (it answered {rate}): "
                            "reinstall it with `pip install --force-reinstall espeakng-loader`.")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._collect)  # kept: the library holds only a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, language: str, voice: str, words_per_minute: int, pitch: int) -> np.ndarray:
        """`text` as float32 samples in -1..1 at RATE; `pitch` 0-100. Raises: UserError for an unknown voice."""
        if self._library.espeak_SetVoiceByName(f"{language}+{voice}".encode()) != 0:
            raise UserError(f"the speech synthesiser has no voice {language}+{voice}.")
        self._library.espeak_SetParameter(_SPEED, words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._chunks.clear()
        spoken = text.encode()
        self._library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken) + 1), 0, 1, 0, _UTF8, None, None)
        return np.concatenate([np.zeros(0, np.int16), *self._chunks]).astype(np.float32) / 32768

    def _collect(self, samples: Any, count: int, events: int) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def resample(wave: np.ndarray, rate: int) -> np.ndarray:
    """`wave` [N] at RATE as float32 [about N * rate / RATE], band-limited, silence added up to whole 20 ms.

    Through the spectrum of the whole: exact where both rates have whole samples in 20 ms.
    """
    old, new = RATE // 50, rate // 50
    steps = -(-len(wave) // old)
    spectrum = np.fft.rfft(wave, steps * old)[: steps * new // 2 + 1]
    return (np.fft.irfft(spectrum, steps * new) * (new / old)).astype(np.float32)


def trim(wave: np.ndarray, floor: float = 0.02) -> np.ndarray:
    """`wave` without the silence around it: where it stays below `floor` of its peak."""
    loud = np.flatnonzero(np.abs(wave) > floor * np.abs(wave).max(initial=0.0))
    return wave[loud[0] : loud[-1] + 1] if len(loud) else wave
