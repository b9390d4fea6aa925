"""A little folder of stamps that looks like the package; nothing is fetched."""

import os
from pathlib import Path

import pytest

from trivium.data import tables
from trivium.data.settings import Stamps
from trivium.data.sources import stamps
from trivium.settings.errors import UserError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """30 animals and 28 foods spoken in French, 5 of the foods in Spanish too; 2 toys are too few."""
    monkeypatch.chdir(tmp_path)
    for folder, count in (("animals/birds", 30), ("food", 28), ("toys", 2)):
        for i in range(count):
            path = tmp_path / "package/usr/share/tuxpaint/stamps" / folder / f"{folder[0]}{i:02}"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "Un œuf." if folder == "food" and i in (3, 4) else f"{folder} numéro {i}"
            lines = f"{folder} number {i}\nes.utf8=cosa {i}\nfr.utf8={text}\n"
            path.with_suffix(".txt").write_text(lines, encoding="utf-8")
            path.with_suffix(".svg" if i == 0 else ".png").write_bytes(f"picture {path}".encode())
            path.with_name(path.name + "_mirror.png").write_bytes(b"mirror")
            path.with_suffix(".ogg").write_bytes(b"moo")
            if i != 1 or folder == "toys":
                path.with_name(path.name + "_desc_fr.ogg").write_bytes(f"parle {path}".encode())
            if folder == "food" and i < 5:
                path.with_name(path.name + "_desc_es.ogg").write_bytes(f"habla {path}".encode())
    return tmp_path / "package"


def write(package: Path, language: str) -> Path:
    out = package.parent / "data/raw"
    out.mkdir(parents=True)
    stamps.write(out, Stamps(folder=str(package), language=language), 0)
    return out


def test_one_language(package: Path) -> None:
    out = write(package, "fr")
    labels = tables.read(out / "labels.parquet").to_pylist()
    assert [row["label"] for row in labels] == ["animals"] * 30 + ["food"] * 28
    assert labels[0] == {"sample": "animals/birds/a00.fr", "key": "animals/birds/a00.fr", "label": "animals",
                         "group": "animals/birds/a00", "language": "fr"}
    assert tables.read(out / "text.parquet").to_pylist()[2]["value"] == "animals/birds numéro 2"
    images = tables.read(out / "image.parquet").to_pylist()
    assert len(images) == 56  # a00 and f00 are SVG only
    assert images[0]["value"] == "media/image/animals/birds/a01.png"
    assert (out / images[0]["value"]).read_bytes().startswith(b"picture")
    audio = tables.read(out / "audio.parquet").to_pylist()
    assert len(audio) == 56  # a01 and f01 are not spoken
    assert audio[0]["digest"] == tables.digest((out / "media/audio/animals/birds/a00.fr.ogg").read_bytes())
    assert tables.read_json(out / "meta.json")["root"] == "data/raw"


def test_identical_texts_are_one_group(package: Path) -> None:
    groups = {row["sample"]: row["group"] for row in tables.read(write(package, "fr") / "labels.parquet").to_pylist()}
    assert groups["food/f03.fr"] == groups["food/f04.fr"] == "food/f03"
    assert len(set(groups.values())) == 57


def test_a_stamp_in_two_languages_is_one_group_and_one_picture(package: Path) -> None:
    """Spanish texts count from 0 in each folder: they tie animals to foods."""
    out = write(package, "fr, es")
    labels = {row["sample"]: row for row in tables.read(out / "labels.parquet").to_pylist()}
    assert len(labels) == 116
    assert labels["food/f07.es"]["group"] == labels["food/f07.fr"]["group"] == "animals/birds/a07"
    values = {row["key"]: row["value"] for row in tables.read(out / "image.parquet").to_pylist()}
    assert values["food/f07.es"] == values["food/f07.fr"] == "media/image/food/f07.png"
    assert len(tables.read(out / "audio.parquet")) == 56 + 5


def test_languages_that_are_not_there(package: Path) -> None:
    with pytest.raises(UserError, match=r"no stamp is described aloud in `xx`. Recordings there are: fr \(58\)"):
        write(package, "xx")
    (package.parent / "data/raw").rmdir()
    with pytest.raises(UserError, match="in es fewer than two classes have 27 recordings"):
        write(package, "es")


def test_a_folder_without_stamps(package: Path) -> None:
    with pytest.raises(UserError, match="there are no stamps in .*data"):
        stamps.write(package, Stamps(folder=str(package.parent / "data"), language="fr"), 0)


def test_where_nothing_can_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="there is no `apt-get`.*data.stamps.folder in params.yaml"):
        stamps.write(tmp_path, Stamps(folder="", language="fr"), 0)
    fake = tmp_path / "apt-get"
    fake.write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    fake.chmod(0o755)
    with pytest.raises(UserError, match="said: E: Unable to locate package"):
        stamps.write(tmp_path, Stamps(folder="", language="fr"), 0)
    assert os.listdir(tmp_path / ".cache") == []
