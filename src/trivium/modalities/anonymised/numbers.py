"""Numbers that stand for somebody: of phones, cards, accounts and persons. Check digits tell most of them from others.

What numbers of which country look like is what `phonenumbers` (of Google's libphonenumber) and `python-stdnum` know.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence

from trivium.modalities.anonymised.folded import SPACED

Spans = Iterator[tuple[int, int]]

CARD = re.compile(rf"(?<![{SPACED}_.,-])(?<!\d[ ])\d(?:[ -]?\d){{11,18}}(?![{SPACED}_]|[.,-]?\d)")
# First digits and lengths (ISO/IEC 7812 as the networks use it): Visa, Mastercard, American Express, Diners, Discover,
# JCB, UnionPay, Mir, Maestro.
ISSUED = ((r"4", (13, 16, 19)), (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)), (r"3[47]", (15,)),
          (r"30[0-5]|36|38|39", (14,)), (r"6011|64[4-9]|65", (16, 19)), (r"352[89]|35[3-8]", (16,)),
          (r"62|81", (16, 17, 18, 19)), (r"220[0-4]", (16,)),
          (r"5018|5020|5038|5893|6304|6759|676[1-3]", range(12, 20)))

IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
# Numbers of persons and accounts whose form is their own, or that have a date in them, besides their check digits.
OTHERS = (
    ("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"), ("br.cnpj", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"),
    ("cn.ric", r"\d{17}[\dXx]"), ("kr.rrn", r"\d{6}-\d{7}"), ("us.ssn", r"\d{3}-\d{2}-\d{4}"),
    ("es.dni", r"\d{8}[ -]?[A-Za-z]"), ("es.nie", r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]"),
    ("es.ccc", r"\d{4}[ -]\d{4}[ -]\d{2}[ -]\d{10}"),
    ("it.codicefiscale", r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]"),
    ("fr.nir", r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"), ("de.idnr", r"\d{2} \d{3} \d{3} \d{3}"),
    ("in_.aadhaar", r"\d{4} \d{4} \d{4}"), ("se.personnummer", r"\d{6}[-+]\d{4}"),
    ("fi.hetu", r"\d{6}[-+A]\d{3}[\dA-Za-z]"), ("pl.pesel", r"\d{11}"),
)
GROUPED = ("fr.nir", "de.idnr", "in_.aadhaar")  # might be a part of a longer number, such as that of a card
ALONE = (r"(?<!\d[ ])", r"(?![ ]\d)")
FORMS = tuple((name, re.compile(f"{before}(?<![{SPACED}_./-]){form}(?![{SPACED}_/]|[.-]\\d){after}"))
              for name, form in OTHERS for before, after in [ALONE if name in GROUPED else ("", "")])

MANY = re.compile(r"(?:\d[^\d]{0,3}){7}")  # digits, without which no such number is
PART = re.compile(r"\d[.:]$")
DIGITS = re.compile(r"\d(?:[\s().\-/]{0,3}\d){5}")  # no phone number has fewer
ABROAD = re.compile(rf"(?<![{SPACED}_.,/+-])(?:00|\(00\)|011)[ ]?"
                    rf"(?=[1-9]\d)(?:[\s().\-/]{{0,2}}\d){{7,14}}(?![{SPACED}_])")
DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2}")
INTERNATIONAL = re.compile(r"\+[\s(]{0,2}\d")


def cards(text: str) -> Spans:
    for match in CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if any(re.match(first, digits) and len(digits) in lengths for first, lengths in ISSUED) and (
                _valid("luhn", digits) and len(set(digits)) > 1):
            yield match.span()


def accounts(text: str) -> Spans:
    if not MANY.search(text):
        return
    for match in IBAN.finditer(text):
        for end in range(match.end(), match.start() + 14, -1):  # a word may follow at once
            if not (end < len(text) and text[end].isascii() and text[end].isalnum()) and _valid(
                    "iban", text[match.start():end]):
                yield match.start(), end
                break
    for name, form in FORMS:
        yield from (match.span() for match in form.finditer(text) if _valid(name, match[0]))


def phones(text: str, regions: Sequence[str] = ()) -> Spans:
    """regions: of which national forms, without the country's number, are found as well."""
    if not DIGITS.search(text):
        return
    import phonenumbers

    for match in ABROAD.finditer(text):  # 00 or 011 in place of the plus
        bare = re.sub(r"^\(?(?:00|011)\)?", "+", match[0])
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(bare)):
                yield match.span()
        except phonenumbers.NumberParseException:
            continue
    for region in (*([None] if INTERNATIONAL.search(text) else ()), *regions):
        for found in phonenumbers.PhoneNumberMatcher(text, region):
            inside = region and PART.search(text, 0, found.start)  # the end of a version, or of an address
            if not inside and not DATE.fullmatch(found.raw_string):
                yield found.start, found.end


def _valid(name: str, text: str) -> bool:
    return bool(importlib.import_module(f"stdnum.{name}").is_valid(text))
