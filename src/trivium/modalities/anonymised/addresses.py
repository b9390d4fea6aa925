"""Addresses: of mail, of the web, of machines."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from trivium.modalities.anonymised.folded import SPACED

Spans = Iterator[tuple[int, int]]

LOCAL = rf"[{SPACED}_](?:[{SPACED}_.!#$%&'*+/=?^`{{|}}~-]{{0,62}}[{SPACED}_+~-])?"
DOMAIN = rf"(?:[{SPACED}](?:[{SPACED}-]{{0,61}}[{SPACED}])?\.)+(?:xn--[a-z0-9-]+|(?![0-9])[{SPACED}]{{2,24}})"
MAIL = re.compile(rf"{LOCAL}@{DOMAIN}(?![{SPACED}_-])")
ANY_MAIL = re.compile(r"[^\s@<>()\[\],;:\"（）「」、。，]{1,64}@(?:[^\W_]+\.)+[^\W\d_]{2,24}")  # in any script
SPELT = re.compile(rf"{LOCAL}\s?[\[({{]\s?(?:at|ät|arroba|chez)\s?[\])}}]\s?[{SPACED}-]+"
                   rf"(?:\s?[\[({{]?\s?(?:dot|punkt|punto|point|\.)\s?[\])}}]?\s?[{SPACED}-]+)+", re.IGNORECASE)

SIGN = re.compile(r"@|[\[({]")
SIGNS = r"[A-Za-z0-9\u00a1-\u2fff._~:/?#@!$&'*+,;=%\-()\[\]|]"  # up to where Chinese, Japanese and Korean begin
SCHEME = re.compile(rf"(?:https?|ftps?|sftp|wss?|ssh|git|file)://{SIGNS}+", re.IGNORECASE)
WWW = re.compile(rf"(?<![{SPACED}_@.])www\d?\.[{SPACED}-]+\.{SIGNS}+", re.IGNORECASE)
# Without `http` and `www`: file names and abbreviations look alike, so that the ending must be a usual one.
ENDINGS = ("com|org|net|edu|gov|info|biz|eu|io|dev|app|me|tv|co|uk|de|fr|es|it|nl|be|at|ch|pl|ru|ua|gr|pt|br|mx|ar|jp|"
           "cn|kr|in|tr|se|no|dk|fi|cz|hu|ro|il|sa|ae|eg|au|nz|ca|us|za|link|shop|online|site|blog|xyz|cloud")
BARE = re.compile(rf"(?<![{SPACED}_@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{ENDINGS})"
                  rf"(?![{SPACED}_-]|\.[{SPACED}_]|[\w.+-]*@)(?::\d{{2,5}})?(?:/{SIGNS}*)?", re.IGNORECASE)
UNSURE = frozenset(("me", "in", "at", "no", "it", "is", "be", "to", "so", "as", "us", "es", "co"))  # words, too

FOUR = re.compile(rf"(?<![{SPACED}_.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![{SPACED}_]|\.\d)(?:/\d{{1,2}})?")
SIX = re.compile(rf"(?<![{SPACED}_:.])"
                 rf"[0-9A-Fa-f:]*::?[0-9A-Fa-f:]+(?:\.\d{{1,3}}){{0,4}}(?![{SPACED}_:])(?:/\d{{1,3}})?")
VERSION = re.compile(r"(?:\bv|\bver\.?|version|versión|versione|versão|версия|версии|έκδοση|إصدار|संस्करण|"
                     r"版本|バージョン|버전|release|build|firmware|section|chapter|kapitel|abschnitt|§)\s?:?\s?$",
                     re.IGNORECASE)
DOTTED = re.compile(r"\.[^\W\d_]|://")  # no address of the web is without


def urls(text: str) -> Spans:
    if not DOTTED.search(text):
        return
    for pattern in (SCHEME, WWW, BARE):
        for match in pattern.finditer(text):
            start, end = match.start(), _trimmed(text, *match.span())
            name, path, _ = match[0].lower().partition("/")
            if pattern is BARE and name.rpartition(".")[2] in UNSURE and name.count(".") < 2 and not path:
                continue
            yield start, end


def _trimmed(text: str, start: int, end: int) -> int:
    """Without the marks of the sentence, and without a bracket that it did not open."""
    while end > start and (text[end - 1] in ".,;:!?'\"*…»”’|" or (
            text[end - 1] in ")]" and _unopened(text, start, end))):
        end -= 1
    return end


def _unopened(text: str, start: int, end: int) -> bool:
    close = text[end - 1]
    return text.count(close, start, end) > text.count("(" if close == ")" else "[", start, end)


def mails(text: str) -> Spans:
    if not SIGN.search(text):
        return
    inside = [match.span() for match in SCHEME.finditer(text)]  # of an address of the web
    for pattern in (MAIL, ANY_MAIL, SPELT):
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in inside):
                inside.append(match.span())
                yield match.span()


def machines(text: str) -> Spans:
    for match in FOUR.finditer(text) if text.count(".") > 2 else ():
        if _is_address(match[0]) and not VERSION.search(text, max(0, match.start() - 16), match.start()):
            yield match.span()
    for match in SIX.finditer(text) if text.count(":") > 1 else ():
        if match[0].count(":") > 1 and len(match[0]) > 3 and _is_address(match[0]):
            yield match.span()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


FOUND: dict[str, Callable[[str], Spans]] = {"url": urls, "email": mails, "ip": machines}
