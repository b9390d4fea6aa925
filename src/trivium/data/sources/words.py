"""Digits in words, in short phrases of several languages, with typos."""

from __future__ import annotations

import numpy as np

DIGITS = {
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "en": "zero one two three four five six seven eight nine",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
}
PHRASES = {
    "de": ("{}", "die {}", "nummer {}", "es ist {}", "{} bitte"),
    "en": ("{}", "the {}", "number {}", "it is {}", "{} please"),
    "es": ("{}", "el {}", "número {}", "es {}", "{} por favor"),
    "fr": ("{}", "le {}", "numéro {}", "c'est {}", "{} merci"),
    "it": ("{}", "il {}", "numero {}", "ecco {}", "{} grazie"),
    "pl": ("{}", "to {}", "numer {}", "jest {}", "{} proszę"),
}
LANGUAGES = tuple(sorted(DIGITS))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(digit: int, language: str) -> str:
    return DIGITS[language].split()[digit]


def phrase(rng: np.random.Generator, digit: int, language: str, typos: float) -> str:
    """`digit` in a phrase; `typos`: probability that a letter is hit, 0-1."""
    template = PHRASES[language][rng.integers(len(PHRASES[language]))]
    return mistype(rng, template.format(word(digit, language)), typos)


def mistype(rng: np.random.Generator, text: str, typos: float) -> str:
    """`text` with each letter left out, doubled, swapped with the next or replaced, with probability `typos`.

    Spaces stay, and so does at least one letter.
    """
    out = list(text)
    for i in np.flatnonzero(rng.random(len(text)) < typos):
        if out[i] == " ":
            continue
        kind = rng.integers(4)
        if kind == 0:
            out[i] = ""
        elif kind == 1:
            out[i] *= 2
        elif kind == 2 and i + 1 < len(out) and out[i + 1] != " ":
            out[i], out[i + 1] = out[i + 1], out[i]
        else:
            out[i] = _LETTERS[rng.integers(len(_LETTERS))]
    return " ".join("".join(out).split()) or text[0]
