"""A text as patterns want it: digits of any script as 0-9, full-width signs as ASCII, invisible signs left out."""

from __future__ import annotations

import unicodedata

INVISIBLE = frozenset("\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066"
                      "\u2067\u2068\u2069\ufeff")
HYPHENS = frozenset("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d")
WIDE = "＠．＋／＿（）"  # not the marks of a sentence, which stand before numbers
SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")

# Letters and digits of scripts that set words apart with spaces, so that what touches a find belongs to it.
SPACED = ("A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u0531-\u0587\u0590-\u05ff\u0621-\u064a\u0900-\u097f"
          "\u1e00-\u1eff")


class Folded:
    """text: the folded one, sign by sign."""

    def __init__(self, text: str) -> None:
        self.text, self._places = text, list[int]()
        if not text.isascii():
            kept = [(sign, k) for k, sign in enumerate(text) if sign not in INVISIBLE]
            self.text = "".join(_plain(sign) for sign, _ in kept)
            self._places = [k for _, k in kept]

    def place(self, at: int) -> int:
        """Where in the text that was given the sign `at` of the folded one stands."""
        return self._places[at] if self._places else at


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in HYPHENS:
        return "-"
    if sign in SPACES:
        return " "
    if "\uff01" <= sign <= "\uff5e" and (sign.isalnum() or sign in WIDE):
        return chr(ord(sign) - 0xFEE0)
    digit = unicodedata.decimal(sign, None)
    return sign if digit is None else str(digit)
