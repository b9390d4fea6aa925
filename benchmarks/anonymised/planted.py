"""Texts with planted finds, and where these are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from benchmarks.anonymised import values
from benchmarks.anonymised.values import Draw, one

TOLD = "name, with a title or \u201cmy name is\u201d"
SPACELESS = ("zh", "ko", "ja")  # the family name comes first, and no space behind it


@dataclass(frozen=True)
class Text:
    """planted: start, end, kind and manner of each find."""

    language: str
    text: str
    planted: tuple[tuple[int, int, str, str], ...]


def texts(of: ModuleType, each: int, seed: int) -> Iterator[Text]:
    """`each` texts per language and manner. of: the module with the sentences."""
    draw = np.random.default_rng(seed)
    for language in of.VALUES:
        for _ in range(each):
            for kind in values.PLANTED:
                yield filled(draw, language, str(one(draw, of.VALUES[language])),
                             {"x": (values.PLANTED[kind](draw, language), kind, kind)})
            yield filled(draw, language, str(one(draw, of.VALUES[language])),
                         {"x": (values.phone_at_home(draw, language), "phone", "phone, as dialled at home")})
            for manner, sentences in ((TOLD, of.TOLD), ("name, alone", of.ALONE)):
                listed = draw.random() < 0.5
                what = f"{manner}, {'' if listed else 'not '}on the list"
                yield filled(draw, language, str(one(draw, sentences[language])),
                             {"name": (name(draw, language, of, listed), "name", what)})
            yield filled(draw, language, str(one(draw, of.PLAIN[language])), {})


def name(draw: Draw, language: str, of: ModuleType, listed: bool) -> str:
    """The even ones of each language are on the list."""
    first, last = (str(one(draw, part[::2] if listed else part[1::2])) for part in of.NAMES[language])
    return f"{last}{first}" if language in SPACELESS else f"{first} {last}"


def listed(of: ModuleType) -> list[str]:
    """The names on the list: whole ones."""
    found = []
    for language, (first, last) in of.NAMES.items():
        between = "" if language in SPACELESS else " "
        pairs = [(b, a) if language in SPACELESS else (a, b) for a in first[::2] for b in last[::2]]
        found += [between.join(pair) for pair in pairs]
    return found


def filled(draw: Draw, language: str, sentence: str, given: dict[str, tuple[str, str, str]]) -> Text:
    parts, spans, rest = "", [], sentence
    while "{" in rest:
        before, _, rest = rest.partition("{")
        slot, _, rest = rest.partition("}")
        parts += before
        if slot == "n":
            parts += values.negative(draw, language)
        else:
            value, kind, manner = given[slot]
            spans.append((len(parts), len(parts) + len(value), kind, manner))
            parts += value
    return Text(language, parts + rest, tuple(spans))
