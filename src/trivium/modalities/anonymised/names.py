"""Names of people: those of a list, those that a title stands before or a form of address behind, and those that
somebody gives as his own ("my name is ..."). A name that stands alone and is on no list is not found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from trivium.modalities.anonymised import spoken

Spans = Iterator[tuple[int, int]]

MARKS = r"\u0300-\u036f\u0900-\u0963\u064b-\u0652"  # that join a letter
WORD = re.compile(rf"[^\W\d_][{MARKS}]*(?:[^\W\d_]|[{MARKS}])*")
JOINT = re.compile(r"[ '’.·・-]{1,2}")  # what may stand between the words of one name
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")  # Chinese, Japanese, Korean

UPPER = "A-ZÀ-ÖØ-ÞĀ-ŽΆ-ΏΑ-ΫЀ-ЯҐԱ-Ֆ\u1e00-\u1eff"
LETTER = r"(?:[^\W\d_]|['’\u0300-\u036f])"
NAME = rf"[{UPPER}](?:{LETTER}*[^\W\d_]|\.)?(?:-[{UPPER}]{LETTER}*)?"
WHOLE = rf"{NAME}(?:[ ](?:(?:{spoken.PARTICLES})[ ]?)?{NAME}){{0,3}}"
TITLED = re.compile(rf"(?<!\w)(?:{spoken.TITLES})(?:\.?-Ing)?\.?(?:[ ]?(?:Dr|Prof|med|Ing)\.)*[ ]{{1,2}}({WHOLE})")
OWN = re.compile(rf"(?<!\w)(?i:{spoken.OWN})[ ]{{1,2}}({WHOLE})")
DOUBTFUL = re.compile(rf"(?i:{spoken.DOUBTFUL})")

AR, HI, HE, HAN, KATAKANA, HANGUL = (r"\u0621-\u064a", r"\u0900-\u0963", r"\u05d0-\u05ea", r"\u4e00-\u9fff",
                                     r"\u30a1-\u30faー・", r"\uac00-\ud7af")
SPACED = tuple(re.compile(rf"(?<!\w)(?:{before})[ ]([{own}]{{2,}}(?:[ ][{own}]{{2,}}){{0,2}})") for before, own in (
    (spoken.ARABIC, AR), (spoken.HINDI, HI), (spoken.HEBREW, HE)))
JAPANESE = (re.compile(rf"([{HAN}々]{{1,4}}(?:[ ][{HAN}々]{{1,2}})?|[{KATAKANA}]{{2,12}})(?={spoken.JAPANESE})"),
            re.compile(rf"(?:{spoken.JAPANESE_OWN})([{HAN}々]{{2,5}}|[{KATAKANA}]{{2,12}})(?={spoken.JAPANESE_IS})"))
NOT_JAPANESE = re.compile(spoken.JAPANESE_NOT)
OTHERS = (re.compile(rf"([{spoken.CHINA}][{HAN}]{{0,2}}?)(?={spoken.CHINESE})"),
          re.compile(rf"(?:{spoken.CHINESE_OWN})([{spoken.CHINA}][{HAN}]{{1,2}}?)(?=[，。,.！!\s]|$)"),
          re.compile(rf"(?<![{HANGUL}])([{spoken.KOREA}][{HANGUL}]{{1,2}})[ ]?(?={spoken.KOREAN})"),
          re.compile(rf"(?:{spoken.KOREAN_OWN})[ ]([{spoken.KOREA}][{HANGUL}]{{1,2}}?)(?={spoken.KOREAN_IS})"))


def patterns(text: str) -> Spans:
    """Names that the words around them tell; the titles stay."""
    for match in TITLED.finditer(text):
        if first := _until(match[1], spoken.NOT):
            yield match.start(1), match.start(1) + first
    for match in OWN.finditer(text):
        first = _until(match[1], spoken.NOT)
        if first and (" " in match[1] or not DOUBTFUL.match(match[0])):
            yield match.start(1), match.start(1) + first
    if text.isascii():
        return
    for pattern in SPACED:
        for match in pattern.finditer(text):
            if size := _until(match[1], spoken.NO_NAME):
                yield match.start(1), match.start(1) + size
    for pattern in JAPANESE:
        yield from (match.span(1) for match in pattern.finditer(text) if not NOT_JAPANESE.search(match[1]))
    for pattern in OTHERS:
        yield from (match.span(1) for match in pattern.finditer(text))


def _until(found: str, stop: frozenset[str]) -> int:
    """How long `found` is, up to the first of its words that is one of `stop`."""
    words = found.split(" ")
    return len(" ".join(words[:next((k for k, word in enumerate(words) if word in stop), len(words))]))


def plain(name: str) -> str:
    """As names are compared: words in lower case with a space between; empty where there is none."""
    return " ".join(match[0] for match in WORD.finditer(unicodedata.normalize("NFKC", name).casefold()))


def digest(plain: str, key: str) -> str:
    return hashlib.blake2b(plain.encode(), digest_size=8, key=bytes.fromhex(key)).hexdigest()


def lengths(listed: Iterable[str]) -> tuple[int, ...]:
    """In words, of plain names; those of scripts without spaces in signs, as negative numbers."""
    return tuple(sorted({-len(one) if UNSPACED.search(one) else len(one.split()) for one in listed}))


class Listed:
    """Names of which only digests are known."""

    def __init__(self, key: str, names: frozenset[str], lengths: tuple[int, ...]) -> None:
        self.key, self.names = key, names
        self.words = sorted((one for one in lengths if one > 0), reverse=True)
        self.signs = sorted((-one for one in lengths if one < 0), reverse=True)

    def spans(self, text: str) -> Spans:
        """The longest name at each place. In scripts that have capitals, its words must begin with one."""
        words = [match.span() for match in WORD.finditer(text)]
        k = 0
        while k < len(words):
            k += self._at(text, words, k) or 1
            if self._end:
                yield self._start, self._end
        if self.signs and UNSPACED.search(text):
            yield from self._unspaced(text)

    def _at(self, text: str, words: list[tuple[int, int]], k: int) -> int:
        """How many words from the one at `k` are a name."""
        self._start, self._end = words[k][0], 0
        for count in self.words:
            own = words[k:k + count]
            if len(own) == count and not _lower(text[own[0][0]]) and all(
                    JOINT.fullmatch(text, before[1], after[0]) for before, after in pairwise(own)):
                said = plain(text[own[0][0]:own[-1][1]])
                if digest(said, self.key) in self.names:
                    self._end = own[-1][1]
                    return count
        return 0

    def _unspaced(self, text: str) -> Spans:
        at = 0
        while at < len(text):
            size = next((size for size in self.signs if UNSPACED.match(text, at) and at + size <= len(text)
                         and digest(plain(text[at:at + size]), self.key) in self.names), 0)
            if size:
                yield at, at + size
            at += size or 1


def _lower(sign: str) -> bool:
    return sign != sign.upper() and sign == sign.lower()
