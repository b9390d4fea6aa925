"""Large libraries are imported without what nobody asks for."""

import gc
import subprocess
import sys

import pytest

from tests.helpers import ROOT
from trivium.machine.imports import fast


def test_what_is_named_is_loaded_when_it_is_used() -> None:
    code = """
import sys
from trivium.machine.imports import fast

with fast("wave"):
    import wave
    import colorsys
print(type(wave).__name__, "Wave_read" in object.__getattribute__(wave, "__dict__"))
print(wave.Wave_read.__name__, type(wave).__name__, colorsys.rgb_to_hsv(0, 0, 0))
print(any("Later" in str(finder) for finder in sys.meta_path))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(ROOT / "src")})
    assert done.stdout.splitlines() == ["_LazyModule False", "Wave_read module (0.0, 0.0, 0)", "False"]


def test_garbage_is_looked_for_again_afterwards() -> None:
    finders = list(sys.meta_path)
    with pytest.raises(ImportError), fast():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled() and sys.meta_path == finders
    gc.unfreeze()
