"""Which language a text is in: a guess, by its script and by small words that many texts of a language have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

SCRIPTS = (  # first code point, last one, what the script stands for
    (0x3040, 0x30FF, "Japanese"), (0xAC00, 0xD7AF, "Korean"), (0x4E00, 0x9FFF, "Chinese"), (0x0400, 0x04FF, "Cyrillic"),
    (0x0370, 0x03FF, "Greek"), (0x0590, 0x05FF, "Hebrew"), (0x0600, 0x06FF, "Arabic script"),
    (0x0900, 0x097F, "Devanagari"), (0x0E00, 0x0E7F, "Thai"))
SMALL = {
    "English": "the and of to in is that it was for with not are this a an on at by",
    "German": "der die das und ist nicht ein eine mit auf zu den von im für sie es dem",
    "French": "le la les et est un une des dans pour que qui pas sur du au avec ce",
    "Spanish": "el la los las y es un una de que en por con no para se del al",
    "Italian": "il la le e è un una di che in per con non del della sono gli",
    "Portuguese": "o a os as e é um uma de que em por com não para do da no na",
    "Dutch": "de het een en is van dat niet op te met voor zijn aan er",
}
WORDS = {language: frozenset(words.split()) for language, words in SMALL.items()}
UNKNOWN = "not known"
HINTS = 2  # small words that a guess needs


def guess(text: str) -> str:
    """A language, a script that several share, or `UNKNOWN`."""
    signs = Counter(name for sign in text for low, high, name in SCRIPTS if low <= ord(sign) <= high)
    letters = sum(sign.isalpha() for sign in text)
    if signs and sum(signs.values()) * 2 > letters:
        return "Japanese" if signs["Japanese"] else signs.most_common(1)[0][0]  # which has Chinese signs, too
    words = re.findall(r"[^\W\d_]+", text.lower())
    hits = {language: sum(word in small for word in words) for language, small in WORDS.items()}
    best = max(hits.values())
    found = [language for language, count in hits.items() if count == best]
    return found[0] if best >= HINTS and len(found) == 1 else UNKNOWN


def shares(texts: Iterable[str]) -> list[tuple[str, float]]:
    """(language, share of the texts), the most usual first."""
    counts = Counter(map(guess, texts))
    return [(name, count / counts.total()) for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
