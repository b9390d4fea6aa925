"""What each column of a table is: said by params.yaml, by its name, or by what its values end in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from trivium import modalities
from trivium.data import moments
from trivium.data.settings import STREAMS
from trivium.data.sources import rows
from trivium.data.sources.manifest import ABOUT, REQUIRED, TIMES
from trivium.data.sources.spelled import located
from trivium.data.streams import TAKEN
from trivium.modalities import media
from trivium.modalities.videos import ENDINGS as VIDEO

Streams = dict[str, tuple[str, str]]  # name -> modality, column

SYNONYMS = {  # compared without case and signs: `Image_Path` is `imagepath`
    "id": "sampleid itemid rowid recordid sample uid uuid key name index",
    "label": "labels target class category classlabel y",
    "text": "caption sentence transcript transcription utterance description review comment content",
    "image": "img imgpath picture photo frame",
    "video": "clip film movie footage",
    "audio": "wav wavpath sound recording speech clip",
    "series": "timeseries signal signals waves trace sensor sensors",
    "group": "speaker speakerid subject subjectid patient patientid session sessionid user userid author video videoid",
    "split": "subset partition fold",
    "language": "lang locale",
    "domain": "site corpus dataset",
    "start": "starttime startseconds onset begin",
    "end": "endtime endseconds offset stop",
    "time": "timestamp datetime date taken takenat takenon recorded recordedat recordedon captured capturedat created "
            "createdat observedat measuredat published publishedat",
}
MEDIA = ("path", "file", "filename", "filepath")  # `image_path`; and alone
ENDINGS = {"image": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
           "audio": (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff", ".aif"),
           "video": VIDEO,
           "series": (".npy", ".npz", ".arrow", ".feather", ".hea", ".dat", ".csv", ".tsv", ".parquet")}
LOOK = 50  # values of a column that are looked at


def about(path: Path, names: Sequence[str], configured: Mapping[str, str],
          claimed: Collection[str] = ()) -> dict[str, str]:
    """The columns of what is no stream: the configured name where it is there, else the most usual one that is not
    `claimed`. A "" stays out.
    """
    found: dict[str, str] = {}
    for what in (*REQUIRED, *ABOUT, *TIMES):
        wanted = rows.named(configured.get(what, what), names, path)
        candidates = [name for name in [*([wanted] if wanted else []), *_usual(what, names)]
                      if name not in found.values() and name not in claimed]
        if what == "group" and candidates and path.suffix.lower() in rows.KINDS:  # `video`: its name, or itself
            files = {name for name, values in rows.look(path, LOOK).items() if ending(values)}
            candidates = [name for name in candidates if name == wanted or name not in files]
        if configured.get(what) != "" and candidates:
            found[what] = candidates[0]
    if plain(found.get("end", "")) == "offset" and plain(found.get("start", "")) != "onset":
        del found["end"]  # elsewhere an offset is a start
    return found


def time(path: Path, names: Sequence[str], configured: str, claimed: Collection[str]) -> tuple[str, str]:
    """The column that says when a row is from, and a sentence on it: the `configured` one, else the only one that is
    called so and holds dates. "" for both where there is none, or params.yaml wants none.
    """
    if not configured or (there := rows.named(configured, names, path)):
        return (there or "" if configured else ""), ""
    values = rows.look(path, LOOK)
    dated = [name for name in _usual("time", names) if name not in claimed and (cells := values.get(name))
             and (read := moments.read(pa.chunked_array([cells]))).dates and not read.wrong.any()]
    if len(dated) > 1:
        return "", (f"{', '.join(f'`{name}`' for name in dated)} could each say when a row is from: name one as "
                    "data.manifest.time, and `split.method: time` tests on the latest rows.")
    if not dated:
        return "", ""
    return dated[0], (f"`{dated[0]}` is taken for when a row is from (data.manifest.time). With `split.method: time`, "
                      "models are tested on the latest rows.")


def named(path: Path, names: Sequence[str], configured: Streams) -> Streams:
    """Those of the `configured` streams whose columns are there."""
    found = {s: (modality, rows.named(column, names, path)) for s, (modality, column) in configured.items()}
    return {s: (modality, column) for s, (modality, column) in found.items() if column}


def streams(path: Path, names: Sequence[str], kept: Streams, taken: Collection[str]) -> Streams:
    """`kept`, and what else is one: every column of media files, one of text, and one of each modality of yours.

    taken: columns that are something else. What has no value in any row is left out.
    """
    values = rows.look(path, LOOK)
    found = {s: (modality, column) for s, (modality, column) in kept.items() if values.get(column)}
    taken = {*taken, *(column for _, column in kept.values())}
    free = [name for name in names if values.get(name) and name not in taken]
    chosen: dict[str, str] = {}
    for column in free:
        modality = ending(values[column])
        if modality and (column in _usual(modality, names) or _any_there(values[column], path.parent)):
            chosen[column] = modality
        elif modality:
            print(f"note: `{column}` of {path} names files of {modality}, but none of the first is there: it is left "
                  "out.")
    order = (*STREAMS, *sorted(set(modalities.names()) - {*STREAMS, "table"}))  # tables: see `facts`
    for modality in order:
        if modality not in (*chosen.values(), *(one for one, _ in found.values())):
            chosen |= {column: modality for column in [c for c in _usual(modality, names) if c in free
                                                       and c not in chosen][:1]}
    for column in (name for name in names if name in chosen):
        found[clean(column, chosen[column], found)] = chosen[column], column
    return dict(sorted(found.items(), key=lambda item: [*order, item[1][0]].index(item[1][0])))


def ending(values: Sequence[str]) -> str:
    """The modality of the files that most of these values name; "" where they name none, or pages of the web."""
    found = [Path(value).suffix.lower() for value in values if not re.match("https?://", value)]
    return next((modality for modality, known in ENDINGS.items()
                 if 2 * sum(each in known for each in found) > len(values)), "")


def clean(column: str, modality: str, others: Collection[str] = ()) -> str:
    """The name of a stream that is read from `column`: `Image Path` is `image`, and a `file` says its modality."""
    bare = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", bare)
    words = words[:-1] if words[-1:] and words[-1] in MEDIA else words
    name = "_".join(words) or modality
    if name in TAKEN or not name[0].isalpha() or name in set(modalities.names()) - {modality}:
        name = f"{modality}_{name}"
    return next(each for each in (name, *(f"{name}_{k}" for k in range(2, len(others) + 3))) if each not in others)


def usual_text(names: Sequence[str]) -> str:
    """The column that is taken for text where params.yaml names none; "" where there is none."""
    return next(iter(_usual("text", names)), "")


def plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _usual(what: str, names: Sequence[str]) -> list[str]:
    """The columns that are called as `what` usually is, the most usual first."""
    known = {plain(name): name for name in reversed(names)}
    usual = [what, *(f"{what}{ending}" for ending in MEDIA), *SYNONYMS.get(what, "").split()]
    return [known[name] for name in usual if name in known]


def _any_there(values: Sequence[str], folder: Path) -> bool:
    return any(media.exists(located(value, folder), folder) for value in values)
