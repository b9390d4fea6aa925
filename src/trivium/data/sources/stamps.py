"""Drawings and photos with written and spoken descriptions: Debian's package tuxpaint-stamps-default.

A sample is a stamp described in one language: the picture (where it is a PNG; some stamps are SVG only), the
description in that language, and its recording. The label is the top folder. Folders with fewer than MIN_SPOKEN
recordings in the chosen languages are left out: they are too small to learn, let alone to test on.
"""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from trivium.data import tables
from trivium.data.linked_rows import codes, components
from trivium.data.settings import STREAMS
from trivium.data.sources import raw
from trivium.machine.progress import track
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.settings import Stamps

PACKAGE = "tuxpaint-stamps-default"
CACHE = Path(".cache/stamps")
INSIDE = Path("usr/share/tuxpaint/stamps")
MIN_SPOKEN = 27  # stamps with a recording in a class; ten classes have them in the languages with 900 recordings
ENGLISH = "en"


class Stamp(NamedTuple):
    """One stamp in one language; media are None where there is none."""

    name: str  # path below the stamps' folder, without the ending
    language: str
    text: str | None
    image: Path | None
    audio: Path | None

    @property
    def label(self) -> str:
        return self.name.split("/")[0]

    @property
    def key(self) -> str:
        return f"{self.name}.{self.language}"


def write(out: Path, settings: Stamps, seed: int, streams: Collection[str] = STREAMS) -> None:
    """Tables and copies of the media in `out`.

    Raises: UserError (the package cannot be fetched, is not in the folder, or has no such language).
    """
    languages = [name for name in settings.language.replace(",", " ").split() if name]
    stamps = _choose(_folder(settings.folder), languages)
    groups = _groups(stamps)
    labels = raw.table(sample=[s.key for s in stamps], key=[s.key for s in stamps], label=[s.label for s in stamps],
                       group=groups, language=[s.language for s in stamps])
    raw.save(out, labels, {m: _table(out, m, stamps) for m in streams}, source="stamps", root=raw.root(out),
             title=f"stamps, described in {', '.join(languages)}", card=CARD)


def _choose(folder: Path, languages: list[str]) -> list[Stamp]:
    """All stamps of the classes that are large enough, sorted by key."""
    stamps = [_read(folder, path, language) for path in folder.rglob("*.txt") for language in languages]
    spoken = Counter(label for _, label in {(stamp.name, stamp.label) for stamp in stamps if stamp.audio})
    for language in languages:
        if not any(stamp.audio for stamp in stamps if stamp.language == language):
            endings = (path.stem.rpartition("_desc")[2].lstrip("_") for path in folder.rglob("*_desc*.ogg"))
            known = Counter(ending or ENGLISH for ending in endings)
            most = ", ".join(f"{name} ({count})" for name, count in known.most_common() if count >= MIN_SPOKEN)
            raise UserError(f"params.yaml: data.stamps.language: no stamp is described aloud in `{language}`. "
                            f"Recordings there are: {most}. Several are written as `fr, es`.")
    large = {label for label, count in spoken.items() if count >= MIN_SPOKEN}
    if len(large) < 2:
        raise UserError(f"params.yaml: data.stamps.language: in {', '.join(languages)} fewer than two classes have "
                        f"{MIN_SPOKEN} recordings. Take a language with more (fr, ru, ro, ca, bg, es), or several: "
                        "`fr, es`.")
    chosen = [s for s in stamps if s.label in large and (s.text or s.image or s.audio)]
    return sorted(chosen, key=lambda stamp: stamp.key)


def _read(folder: Path, path: Path, language: str) -> Stamp:
    """The stamp that `path`, its English description, belongs to."""
    first, *others = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    translations = dict(line.split(".utf8=", 1) for line in others if ".utf8=" in line)
    text = first if language == ENGLISH else translations.get(language, "")
    suffix = "" if language == ENGLISH else f"_{language}"
    image, audio = path.with_suffix(".png"), path.with_name(f"{path.stem}_desc{suffix}.ogg")
    return Stamp(path.relative_to(folder).with_suffix("").as_posix(), language, text.strip() or None,
                 image if image.exists() else None, audio if audio.exists() else None)


def _groups(stamps: list[Stamp]) -> list[str]:
    """The same name for all that share a stamp or an identical text, or are tied by a chain of such."""
    texts = [" ".join(unicodedata.normalize("NFC", s.text).casefold().split()) if s.text else None for s in stamps]
    tied = components(len(stamps), [codes(pa.array([s.name for s in stamps])), codes(pa.array(texts, pa.string()))])
    first: dict[int, str] = {}
    return [first.setdefault(group, stamp.name) for group, stamp in zip(tied.tolist(), stamps, strict=True)]


def _table(out: Path, stream: str, stamps: list[Stamp]) -> pa.Table:
    have = [stamp for stamp in stamps if getattr(stamp, stream)]
    keys = [stamp.key for stamp in have]
    if stream == "text":
        texts = [stamp.text or "" for stamp in have]
        return raw.table(key=keys, value=texts, digest=[tables.digest(text.encode()) for text in texts])
    values, digests = [], []
    for stamp in track(have, f"stamps: copying {stream}", len(have), "file"):
        source = getattr(stamp, stream)
        name = stamp.name if stream == "image" else stamp.key  # one picture serves all languages
        target = out / "media" / stream / f"{name}{source.suffix}"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        values.append(target.relative_to(out).as_posix())
        digests.append(tables.digest(source.read_bytes()))
    return raw.table(key=keys, value=values, digest=digests)


def _folder(given: str) -> Path:
    """Where the stamps lie: in the folder of the settings, else in a cache that is filled on first use."""
    for base in [Path(given)] if given else [CACHE]:
        for folder in (base / INSIDE, base):
            if next(folder.glob("*/**/*_desc*.ogg"), None):
                return folder
    if given:
        raise UserError(f"params.yaml: data.stamps.folder: there are no stamps in {given}. It should be {PACKAGE} as "
                        f"`dpkg -x` unpacks it, or the folder {INSIDE} in it.")
    _fetch()
    return CACHE / INSIDE


def _fetch() -> None:
    """Debian's package into the cache; needs apt and dpkg, but no rights."""
    scratch = CACHE.with_name(CACHE.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    print(f"stamps: fetching Debian's {PACKAGE} (161 MB) into {CACHE}", flush=True)
    try:
        _run(["apt-get", "download", "-qq", PACKAGE], scratch)
        for package in sorted(scratch.glob("*.deb")):
            _run(["dpkg", "-x", package.name, "."], scratch)
            package.unlink()
        shutil.rmtree(CACHE, ignore_errors=True)
        scratch.rename(CACHE)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    by_hand = (f"Get {PACKAGE} by hand: on Debian or Ubuntu `apt-get download {PACKAGE}` (after `sudo apt-get update` "
               "where the package lists are old), elsewhere from Debian's package page; unpack it with "
               "`dpkg -x <file>.deb <folder>` and name the folder as data.stamps.folder in params.yaml.")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise UserError(f"the stamps cannot be fetched here: there is no `{command[0]}`. {by_hand}") from None
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"the stamps cannot be fetched: `{' '.join(command)}` said: {said} {by_hand}")


CARD = """The stamps of the drawing program Tux Paint (Debian package tuxpaint-stamps-default, GPL-2): drawings and
photos of things, each with a description in words and aloud. Label: the top folder (animals, food, symbols, ...), where
27 or more of its stamps are described aloud. The three modalities belong together by nature: the recording reads the
description of the picture, so written and spoken words know nearly the same. Pictures are from 7 to 2,348 pixels wide
and many have an alpha channel; stamps that are SVG only have no picture here, and some have no recording. Stamps with
an identical description, and a stamp in several languages, are one group."""
