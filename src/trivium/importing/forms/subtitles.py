"""Recordings with subtitles (SRT or VTT) beside them: a row for each cue, with the recording and its part of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from trivium.importing import folders, trees
from trivium.importing.asked import Asked, Row, Rows
from trivium.settings.errors import UserError

WORDS = "recordings with subtitles (SRT or VTT)"
ENDINGS = (".srt", ".vtt")
TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
CUE = re.compile(rf"\s*{TIME}\s*-->\s*{TIME}")
VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^>]+)>")
TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")
LOOK = 10_000  # files that tell whether there are subtitles


def knows(asked: Asked) -> bool:
    return asked.path.is_dir() and any(name.lower().endswith(ENDINGS) for name in islice(trees.names(asked.path), LOOK))


def rows(asked: Asked) -> Rows:
    """id, audio, start and end (seconds), text, group (the recording); language and speaker where they are said.

    Raises: UserError (no recording for any of the subtitles, no cue in a file).
    """
    path = asked.path
    every = list(trees.names(path))
    recordings = {name.rpartition(".")[0]: name for name in every if folders.modality(name) == "audio"}
    left, alone = set(recordings), []
    for name in (name for name in every if name.lower().endswith(ENDINGS)):
        stem = name.rpartition(".")[0]
        language = "" if stem in recordings else PurePosixPath(stem).suffix[1:]  # talk.en.srt
        recording = stem if stem in recordings else stem.removesuffix(f".{language}")
        if recording not in recordings:
            alone.append(name)
            continue
        left.discard(recording)
        count = 0
        for count, cue in enumerate(cues(trees.text(path, name)), 1):
            yield {"id": f"{stem}-{count:04d}", "audio": path / recordings[recording]} | cue | {"group": recording} | (
                {"language": language} if language else {})
        if not count:
            raise UserError(f"{path / name} has no cue: a line such as `00:00:01,000 --> 00:00:02,500` begins one.")
    if len(left) == len(recordings):
        raise UserError(f"{path} has subtitles, but no recording beside any of them, such as "
                        f"{Path(alone[0]).stem}.wav for {alone[0]}.")
    if left:
        asked.note(f"recordings without subtitles, left out: {len(left):,}.")
    if alone:
        asked.note(f"subtitles without a recording, left out: {len(alone):,}, such as {alone[0]}.")


def cues(text: str) -> Iterator[Row]:
    """start, end, text, and speaker where a cue has a voice; those without words are left out."""
    lines = text.splitlines()
    starts = [k for k, line in enumerate(lines) if CUE.match(line)]
    for k, place in enumerate(starts):
        words = []
        for line in lines[place + 1 : starts[k + 1] if k + 1 < len(starts) else len(lines)]:
            if not line.strip():
                break
            words.append(line.strip())
        said = " ".join(words)
        found, voice = CUE.match(lines[place]), VOICE.search(said)
        plain = " ".join(html.unescape(TAG.sub(" ", said)).split())
        if found and plain:
            yield {"start": _seconds(found.groups()[:4]), "end": _seconds(found.groups()[4:]), "text": plain} | (
                {"speaker": html.unescape(voice[1]).strip()} if voice else {})


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, part = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return (whole * 1000 + int((part or "0").ljust(3, "0"))) / 1000
