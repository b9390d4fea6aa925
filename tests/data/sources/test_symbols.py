from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.helpers import digests
from trivium.data import tables
from trivium.data.settings import Symbols
from trivium.data.sources.symbols import write


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """400 rows of the world `mixed`: text b, image 2b + u, audio v, label 2b + (u xor v)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw.part").mkdir(parents=True)
    write(Path("data/raw.part"), Symbols(world="mixed", samples=400), 3)
    return tmp_path / "data/raw.part"


def test_tables(raw: Path) -> None:
    labels = tables.read(raw / "labels.parquet").to_pylist()
    assert labels[0]["sample"] == labels[0]["key"] == "s00000"
    assert sorted({row["label"] for row in labels}) == ["0", "1", "2", "3"]
    image = tables.read(raw / "image.parquet").to_pylist()[7]
    assert image["value"] == "media/image/s00007.png"
    assert image["digest"] == tables.digest((raw / image["value"]).read_bytes())
    text = tables.read(raw / "text.parquet").to_pylist()[7]
    assert text["digest"] == tables.digest(text["value"].encode())
    meta = tables.read_json(raw / "meta.json")
    assert (meta["source"], meta["root"]) == ("symbols", "data/raw")
    assert meta["world"]["bits"] == {"text": 1, "image": 1, "audio": 0, "all": 2}


def test_the_signals_tell_the_symbols(raw: Path) -> None:
    """Decoded by what each signal is known to be, the symbols give the label; pictures and tones are noisy."""
    y = np.array([int(row["label"]) for row in tables.read(raw / "labels.parquet").to_pylist()])
    words = [row["value"].split() for row in tables.read(raw / "text.parquet").to_pylist()]
    assert {len(row) for row in words} == {16}
    keywords = [[word for word in row if word[0] == "k"] for row in words]
    assert {len(row) for row in keywords} == {2}
    assert all(one == other for one, other in keywords)
    b = np.array([int(row[0][1:]) // 4 for row in keywords])
    assert (b == y // 2).all()

    pictures = np.stack([np.asarray(Image.open(path)) for path in sorted((raw / "media/image").iterdir())]) - 128.0
    assert pictures.shape == (400, 12, 12)
    assert 26 < pictures.std() < 32  # 8 grey levels times sqrt(1 + 3.5^2)
    templates = np.random.default_rng(12).normal(size=(4, 12, 12))
    image = (pictures[:, None] * templates).sum((2, 3)).argmax(1)
    assert (image // 2 == b).mean() > 0.9

    waves = np.stack([soundfile.read(path)[0] for path in sorted((raw / "media/audio").iterdir())])
    assert waves.shape == (400, 128)
    assert abs(waves.std() * 8 - (0.5 + 1.5**2) ** 0.5) < 0.03
    v = np.abs(np.fft.rfft(waves))[:, [6, 9]].argmax(1)
    assert (2 * b + (image % 2 ^ v) == y).mean() > 0.85


def test_the_same_bytes_again_and_others_from_another_seed(raw: Path) -> None:
    (raw.parent / "again").mkdir()
    write(raw.parent / "again", Symbols(world="mixed", samples=400), 3)
    again = digests(raw.parent / "again", ".")
    assert {k: v for k, v in again.items() if k != "meta.json"} == {
        k: v for k, v in digests(raw, ".").items() if k != "meta.json"}
    (raw.parent / "other").mkdir()
    write(raw.parent / "other", Symbols(world="mixed", samples=400), 4)
    assert digests(raw.parent / "other", ".")["text.parquet"] != again["text.parquet"]


def test_fewer_streams_are_the_same_ones(raw: Path) -> None:
    (raw.parent / "audio").mkdir()
    write(raw.parent / "audio", Symbols(world="mixed", samples=400), 3, ("audio",))
    assert sorted(path.name for path in (raw.parent / "audio").iterdir()) == [
        "audio.parquet", "labels.parquet", "media", "meta.json"]
    assert (raw.parent / "audio/audio.parquet").read_bytes() == (raw / "audio.parquet").read_bytes()
