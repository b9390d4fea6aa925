"""Single drum hits (audio).

    python -m benchmarks.real.drums SOURCE OUT

Rows: 569 recordings of Hydrogen's drum kits, the first two seconds of each as mono WAV at its own rate. Label: the kind
of drum (hi-hat, kick, snare, tom, cymbal), told by the instrument's name; other instruments are left out. Group: the
drum kit, 14 of them. Licence: by kit GPL-2, CC BY-SA 3.0 or CC0, as the packages' `copyright` files say.
Needs: apt-get and dpkg (the packages hydrogen-drumkits 2017.09.19, a 143 MB download, and hydrogen-data 1.2.0, 7 MB),
soundfile.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import soundfile

from benchmarks.real.common import Row, debian, start

LONGEST = 2.0  # seconds
KINDS = {"hi-hat": r"hat|\bhh|chh|ohh", "kick": r"kick|bass ?drum|\bbd|\bkd", "snare": r"snare|\bsd|\bsn\b|rim|stick",
         "tom": r"\btom|tom\b", "cymbal": r"crash|ride|cymbal|china|splash"}  # the first that is found


def kind_of(instrument: str) -> str | None:
    """The label that an instrument's name tells; None for other instruments."""
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, instrument.lower())), None)


def hits(xml: str | bytes) -> list[tuple[str, str]]:
    """(file, kind) of every recording of a kit's instruments that have a kind, each file once."""
    found: dict[str, str] = {}
    for instrument in (each for each in ElementTree.fromstring(xml).iter() if each.tag.endswith("instrument")):
        kind = kind_of(next((each.text or "" for each in instrument if each.tag.endswith("name")), ""))
        for file in instrument.iter():
            if kind and file.tag.endswith("filename") and file.text:
                found.setdefault(file.text, kind)
    return list(found.items())


def build(source: Path, out: Path) -> list[Row]:
    rows: list[Row] = []
    for package in ("hydrogen-drumkits", "hydrogen-data"):
        for kit in sorted((debian(package, source) / "usr/share/hydrogen/data/drumkits").iterdir()):
            for file, kind in hits((kit / "drumkit.xml").read_bytes()):
                if not (kit / file).exists():
                    continue
                wave, rate = soundfile.read(kit / file, always_2d=True)
                name = re.sub(r"[^A-Za-z0-9]+", "-", f"{kit.name} {Path(file).stem}")
                wav = Path("media") / f"{name}.wav"
                soundfile.write(out / wav, wave.mean(1)[:int(rate * LONGEST)], rate)
                rows.append({"id": name, "label": kind, "audio": str(wav), "group": kit.name})
    return rows


if __name__ == "__main__":
    start(build)
