"""`trivium use DATA`: write into params.yaml what makes the pipeline run on DATA, keeping comments and all the rest.

DATA is `digits`, `symbols` (with a world: `digits:mixed`), `stamps` (with languages: `stamps:fr,es`) or the path of a
manifest. For a manifest the columns are found by their names, and the sizes of each encoder's processor by a look
at the data; those with published weights are told what they may be told.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trivium import modalities as kinds
from trivium.cli import sizes
from trivium.data.sources import rows
from trivium.data.sources.manifest import ABOUT, OUTS, REQUIRED, TIMES, is_written, refuse_outs, relative
from trivium.data.sources.worlds import MODALITIES, NAMES
from trivium.machine.files import write
from trivium.params import parse, refuse_empty, refuse_old, unreadable
from trivium.settings.errors import UserError

CARD = "data/README.md"  # what DVC watches where the data is made here
OTHER_FILES = 20  # files in a watched folder that the manifest does not name, besides as many again as it does

NULL = "tag:yaml.org,2002:null"

SYNONYMS = {  # compared without case and signs: `Image_Path` is `imagepath`
    "id": "sampleid sample uid uuid key name index",
    "label": "labels target class category classlabel y",
    "text": "caption sentence transcript transcription utterance description review comment content",
    "image": "img imgpath picture photo frame",
    "audio": "wav wavpath sound recording clip speech",
    "group": "speaker speakerid subject subjectid patient patientid session sessionid user userid author video videoid",
    "split": "subset partition fold",
    "language": "lang locale",
    "domain": "site corpus dataset",
    "start": "starttime startseconds onset begin",
    "end": "endtime endseconds offset stop",
}
MEDIA = ("path", "file", "filename", "filepath")  # `image_path`; and alone, for what its values end in
ENDINGS = {"image": ".png .jpg .jpeg .webp .bmp .gif .tif .tiff", "audio": ".wav .flac .mp3 .ogg .opus .m4a .aiff .aif"}


def use(what: str, params: str | Path = "params.yaml") -> None:
    """Edit `params` in place so that the pipeline runs on `what`, and print what was set.

    Raises: UserError (no such source, world or file; no column for the id, the label or any modality).
    """
    params = Path(params)
    yaml, settings = _load(params)
    refuse_empty(settings, str(params))
    refuse_old(settings, str(params))
    name, _, variant = what.partition(":")
    if name in ("digits", "symbols"):
        changes = _world(name, variant, settings)
    elif name == "stamps":
        changes = {"data.stamps.language": variant} if variant else {}
        changes |= {"data.modalities": list(MODALITIES)} | _processors(sizes.STAMPS, settings)
    else:
        changes = _manifest(Path(what), params.parent, settings)
        name = "manifest"
    changes = {"data.source": name, "data.watch": CARD} | changes
    known = settings["data"]["source"], settings["data"]["manifest"]["path"]
    other = (name, changes.get("data.manifest.path", known[1])) != known
    if other and settings["split"].get("held_out_domain"):
        changes["split.held_out_domain"] = ""  # the name of a domain of the data that was there before
    for key, value in changes.items():
        _set(settings, key, value)
    parse(settings, str(params))
    _save(params, yaml, settings)
    print(f"{params} now says", *(f"{key}: {json.dumps(value)}" for key, value in changes.items()), sep="\n  ")


def _world(source: str, world: str, settings: Any) -> dict[str, Any]:
    if world and world not in NAMES:
        near = difflib.get_close_matches(world, NAMES, 1)
        hint = f"did you mean `{source}:{near[0]}`?" if near else f"known: {', '.join(NAMES)}."
        raise UserError(f"There is no world `{world}`; {hint}")
    chosen = {f"data.{source}.world": world} if world else {}
    return chosen | {"data.modalities": list(MODALITIES)} | _processors(getattr(sizes, source.upper()), settings)


def _processors(values: dict[str, dict[str, Any]], settings: Any) -> dict[str, Any]:
    """The sizes of `values`, per modality, for the encoders of recipes that read with the modality's own processor."""
    from trivium.encoders import reads_plainly

    found: dict[str, Any] = {}
    recipes = [recipe for recipe in settings["pretrain"].values() if isinstance(recipe, Mapping)]
    used = {str(entry) for recipe in recipes for entry in (recipe.get("encoders") or {}).values()}
    for name, entry in settings["encoder"].items():
        own = values.get(str(entry.get("modality")), {}) if name in used and isinstance(entry, Mapping) else {}
        if not own:
            continue
        if "weights" in entry:
            own = _fitting(entry, sizes.published(entry["modality"], own))
        elif not reads_plainly(entry):
            continue
        found |= {f"encoder.{name}.processor.{key}": value for key, value in own.items()}
    return found


def _fitting(entry: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What of `own` may be said of published weights: some models read so many tokens at most, some bring the size of
    their pictures, which their positions are made for, some hear clips of one length only.
    """
    from trivium.encoders import brought
    from trivium.encoders.published import adapter

    weights = str(entry["weights"])
    if not own or adapter(weights):
        return own
    if entry["modality"] == "audio":
        return own if _takes(entry, own) else {}
    try:
        if entry["modality"] == "image":
            return {} if brought.brings_size(weights) else own
        most = brought.most_tokens(weights)
    except UserError:  # nobody here can tell what it reads: it stays as it is
        return {}
    return own | {"length": min(own["length"], most)} if most and "length" in own else own


def _takes(entry: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether these settings can be said of published weights: some models hear clips of one length only."""
    from trivium.encoders import describe

    try:
        describe("published", dict(entry) | {"processor": dict(entry.get("processor") or {}) | dict(own)})
    except UserError:
        return False
    return True


def _manifest(path: Path, root: Path, settings: Any) -> dict[str, Any]:
    configured: dict[str, str] = settings["data"]["manifest"]
    if not path.suffix and not path.exists() and os.sep not in str(path):
        near = difflib.get_close_matches(path.name, ("digits", "symbols", "stamps"), 1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise UserError(f"There is no data `{path}`; {hint}DATA is digits, symbols, stamps or the path of a CSV, JSONL "
                        "or Parquet file.")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the table in it (CSV, JSONL or Parquet, one row per sample).")
    names = rows.columns(path)
    chosen = _chosen(path, configured, root)
    found = _columns(path, names, chosen)
    if lacking := [needed for needed in REQUIRED if needed not in found]:
        what, keys = " and ".join(lacking), " and ".join(f"data.manifest.{needed}" for needed in lacking)
        raise UserError(f"{path} has no column that looks like the {what}. It has {', '.join(names)}: rename one "
                        f"to `{'`, another to `'.join(lacking)}`, or name it as {keys} in params.yaml.")
    media = [m for m in (*MODALITIES, *sorted(set(kinds.names()) - set(MODALITIES))) if m in found]
    table = rows.read(path, [found[m] for m in media]) if media else None
    media = [m for m in media if table is not None and table[found[m]].null_count < table.num_rows]
    if table is None or not media:
        raise UserError(f"{path} has no column with a value for {', '.join(kinds.names())}. It has {', '.join(names)}: "
                        "name one of them as data.manifest.text, image or audio in params.yaml.")
    values = {m: table[found[m]] for m in media}
    files = {relative(value, path.parent) for m in media if not is_written(m)
             for value in values[m].unique().drop_null().to_pylist()}
    refuse_outs(path, files, root)
    if spare := [name for name in names if name not in found.values()]:
        print(f"note: not used: {', '.join(spare)}. To use one, name it under data.manifest in params.yaml (rows of "
              "one `group`, such as a speaker, are never on two sides of a split).")
    # What the file does not have goes back to its usual name, which may be absent.
    lost = {what: what for what, column in configured.items()
            if what not in (*found, "path") and chosen.get(what, column) not in ("", what)}
    for what, column in found.items():
        if column == chosen.get(what) != what and what in names:
            print(f"note: the {what} is read from `{column}`, as params.yaml says, though {path} has a `{what}` too.")
    if (place := _from(root, path)).startswith("../"):
        print(f"note: {place} is outside of this repository, where experiments of `dvc exp run --queue` do not find "
              f"it: for these, `trivium use {path.resolve()}`.")
    return {
        "data.watch": _watch(path, files, root),
        "data.modalities": media,
        "data.manifest.path": place,
        **{f"data.manifest.{what}": column for what, column in (found | lost).items()},
        **_processors(sizes.suit(values, path.parent, _spans(path, found)), settings),
    }


def _chosen(path: Path, configured: dict[str, str], root: Path) -> dict[str, str]:
    """The names of columns in params.yaml, without those that an earlier look at another table gave."""
    before = root / configured["path"]
    if not configured["path"] or before.resolve() == path.resolve():
        return configured
    try:
        given = _columns(before, rows.columns(before), {})
    except UserError:  # it is not there any more
        return configured
    return {what: name for what, name in configured.items() if given.get(what) != name}


def _columns(path: Path, names: list[str], configured: dict[str, str]) -> dict[str, str]:
    """What each column is: the configured name where it is there, else the most usual one. A "" stays out."""
    plain = {_plain(name): name for name in reversed(names)}
    found: dict[str, str] = {}
    for what in (*REQUIRED, *kinds.names(), *ABOUT, *TIMES):
        usual = [what, *(f"{what}{ending}" for ending in MEDIA), *SYNONYMS.get(what, "").split()]
        wanted = rows.named(configured.get(what, what), names, path)
        candidates = [wanted] if wanted else []
        candidates += [plain[name] for name in usual if name in plain]
        candidates = [name for name in candidates if name not in found.values()]
        if configured.get(what) != "" and candidates:
            found[what] = candidates[0]
    for column in (plain[name] for name in MEDIA if name in plain and plain[name] not in found.values()):
        first = next((value for value in rows.read(path, [column])[column].to_pylist() if value), "")
        for what, endings in ENDINGS.items():
            if Path(first).suffix.lower() in endings.split() and what not in found:
                found[what] = column
    if _plain(found.get("end", "")) == "offset" and _plain(found.get("start", "")) != "onset":
        del found["end"]  # elsewhere an offset is a start
    return found


def _spans(path: Path, found: dict[str, str]) -> list[float]:
    """Seconds of each row's part of its recording, where the table has both ends of it."""
    if not set(TIMES) <= found.keys():
        return []
    table = rows.read(path, [found[name] for name in TIMES])
    try:
        start, end = (table[found[name]].cast(pa.float64()) for name in TIMES)
    except pa.ArrowInvalid:  # ingest says in which row
        return []
    seconds = pc.subtract(end, start)
    return seconds.filter(pc.is_finite(seconds)).to_pylist()


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _watch(path: Path, files: set[str], root: Path) -> str:
    """The manifest's folder, where it holds the media and little else, so that a changed one is noticed; else the file.

    DVC cannot watch a folder that it also writes to.
    """
    folder = path.resolve().parent
    outs = [(root / out).resolve() for out in OUTS]
    clash = root.resolve().is_relative_to(folder) or any(
        folder.is_relative_to(out) or out.is_relative_to(folder) for out in outs)
    inside = not any(os.path.normpath(name).startswith("..") for name in files)
    if files and inside and not clash:
        most = 2 * len(files) + OTHER_FILES
        found = list(islice(_walk(folder), most + 1))
        if len(found) <= most and all(map(os.path.exists, found)):  # DVC stops at a link that leads nowhere
            return _from(root, path.parent)
    return _from(root, path)


def _walk(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (os.path.join(where, name) for name in names)


def _from(root: Path, path: Path) -> str:
    """`path` as seen from the root of the repository. One that was given in full and leads elsewhere stays as it is: a
    queued experiment runs in a folder of its own, from where `..` leads to nothing.
    """
    if path.is_absolute() and not Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root)):
        return os.path.normpath(path).replace(os.sep, "/")
    return os.path.relpath(path, root).replace(os.sep, "/")


def _load(params: Path) -> tuple[Any, Any]:
    from ruamel.yaml import YAML, YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(NULL, "null"))
    try:
        return yaml, yaml.load(params.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{params} does not exist here ({Path.cwd()}). Run from the root of the repository.") from None
    except YAMLError as error:
        raise unreadable(params, error) from None


def _save(params: Path, yaml: Any, settings: Any) -> None:
    """Lines that differ only in white space stay as they were."""
    dumped = StringIO()
    yaml.dump(settings, dumped)
    old, new = params.read_text(encoding="utf-8").splitlines(), dumped.getvalue().splitlines()
    if len(old) == len(new):
        new = [a if a.split() == b.split() else b for a, b in zip(old, new, strict=True)]
    write(params.resolve(), "\n".join(new) + "\n")


def _set(settings: Any, dotted: str, value: Any) -> None:
    from ruamel.yaml.comments import CommentedSeq

    *sections, key = dotted.split(".")
    for name in sections:
        settings = settings.setdefault(name, {})
    if settings.get(key) == value:
        return
    if isinstance(value, list):
        value = CommentedSeq(value)
        value.fa.set_flow_style()
    settings[key] = value
