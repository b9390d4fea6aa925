"""Texts without what tells who people are: each find is replaced by what sort of thing it was, `[EMAIL]`, `[PHONE]`.

It is done as rows come in, before anything is written, and again to whatever a trained model is asked. Finds are those
of patterns, check digits and lists: what has none of these stays (docs/anonymised-text.md has shares).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from trivium.modalities.anonymised import addresses, names, numbers
from trivium.modalities.anonymised.folded import Folded
from trivium.settings.base import Section
from trivium.settings.errors import UserError

Kind = Literal["email", "url", "ip", "account", "card", "phone", "name"]
KINDS: tuple[Kind, ...] = ("email", "url", "ip", "account", "card", "phone", "name")  # what comes first is found first
WORDS = {"url": "web addresses", "email": "e-mail addresses", "ip": "IP addresses", "account": "account numbers",
         "card": "card numbers", "phone": "phone numbers", "name": "names"}
NEEDS = ("phonenumbers", "python-stdnum")  # packages that a served model needs besides
MOST_WORDS = 5  # of a listed name


def _regions(given: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [one for one in given if len(one) != 2 or not one.isascii() or not one.isupper()]:
        raise ValueError(f"a region is a country of two capitals, such as DE (got {wrong[0]!r})")
    return given


class Settings(Section):
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = KINDS
    names: str = ""  # a file with a name on each line, found wherever they stand
    regions: Annotated[tuple[str, ...], AfterValidator(_regions)] = ()  # whose national phone numbers are found as well


def _settings(value: Any) -> Any:
    if isinstance(value, bool):
        return {} if value else None
    return {"kinds": value} if isinstance(value, list | tuple) else value


Anonymise = Annotated[Settings | None, BeforeValidator(_settings)]  # true: all kinds; [email, phone]: these alone


class Rules(BaseModel):
    """What is done to the texts of a stream, as `meta.json` and whatever serves a model keep it.

    key, names: digests of the listed names, keyed, so that the list itself is in no out
    lengths: in words, and for scripts without spaces in signs, that any of them has
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[Kind, ...]
    regions: tuple[str, ...] = ()
    key: str = ""
    names: tuple[str, ...] = ()
    lengths: tuple[int, ...] = ()

    @classmethod
    def of(cls, settings: Settings, where: str) -> Rules:
        """where: the setting, for messages. Raises: UserError (there is no such list, or nothing in it)."""
        kinds = tuple(kind for kind in KINDS if kind in settings.kinds)
        if settings.regions:
            from phonenumbers import SUPPORTED_REGIONS as known  # type: ignore[import-untyped]

            if wrong := [one for one in settings.regions if one not in known]:
                raise UserError(f"params.yaml: `{where}.regions` names {wrong[0]}, which is no country that has phone "
                                "numbers: name it by two capitals, such as DE or FR.")
        if not settings.names:
            return cls(kinds=kinds, regions=settings.regions)
        path = Path(settings.names)
        if not path.is_file():
            raise UserError(f"params.yaml: `{where}.names`: there is no file {path} (seen from {Path.cwd()}). It is a "
                            "text with a name on each line.")
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is no text in UTF-8 ({error}): save it so.") from None
        listed = sorted({found for line in lines if (found := names.plain(line))})
        if not listed:
            raise UserError(f"{path} has no name in it: put one on each line, or take `{where}.names` out of "
                            "params.yaml.")
        if long := [one for one in listed if len(one.split()) > MOST_WORDS]:
            raise UserError(f"{path}: `{long[0]}` has more than {MOST_WORDS} words, and a name has no more.")
        if "name" not in kinds:
            raise UserError(f"params.yaml: `{where}.names` names a list, but `{where}.kinds` has no `name`.")
        key = hashlib.blake2b("\n".join(listed).encode(), digest_size=16).hexdigest()
        return cls(kinds=kinds, regions=settings.regions, key=key, lengths=names.lengths(listed),
                   names=tuple(sorted({names.digest(one, key) for one in listed})))


class Anonymiser:
    """counts: finds of each kind so far;  texts: that any was in."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.counts, self.texts = rules, Counter[str](), 0
        self._listed = names.Listed(rules.key, frozenset(rules.names), rules.lengths) if rules.names else None

    def text(self, text: str) -> str:
        """With `[KIND]` in place of every find. A text that went through this once stays as it is."""
        given = text
        while spans := found(text, self.rules, self._listed):  # what stood beside a find may be one now
            parts, at = list[str](), 0
            for start, end, kind in spans:
                self.counts[kind] += 1
                parts += [text[at:start], f"[{kind.upper()}]"]
                at = end
            text = "".join([*parts, text[at:]])
        self.texts += text != given
        return text

    def cells(self, row: str) -> str:
        """The same of each cell of a table's packed row (see `columns.packed`); what is no such row stays."""
        try:
            given = json.loads(row)
        except (ValueError, RecursionError):
            return row
        if not isinstance(given, dict):
            return row
        before = self.texts
        made = {name: self.text(cell) if isinstance(cell, str) else cell for name, cell in given.items()}
        self.texts = before + (made != given)
        return json.dumps(made, ensure_ascii=False, separators=(",", ":")) if made != given else row

    def value(self, value: str, modality: str) -> str:
        return self.cells(value) if modality == "table" else self.text(value)


def found(text: str, rules: Rules, listed: names.Listed | None = None) -> list[tuple[int, int, str]]:
    """Start, end and kind of every find, in order; none overlaps another."""
    folded = Folded(text)
    taken: list[tuple[int, int, str]] = []
    for kind in rules.kinds:
        for start, end in _spans(kind, folded.text, rules, listed):
            a, b = folded.place(start), folded.place(end - 1) + 1
            if all(b <= other or a >= until for other, until, _ in taken):
                taken.append((a, b, kind))
    return sorted(taken)


def _spans(kind: str, text: str, rules: Rules, listed: names.Listed | None) -> Iterable[tuple[int, int]]:
    if kind in ("url", "email", "ip"):
        return addresses.FOUND[kind](text)
    if kind == "phone":
        return numbers.phones(text, rules.regions)
    if kind == "name":
        return [*(listed.spans(text) if listed else ()), *names.patterns(text)]
    return numbers.cards(text) if kind == "card" else numbers.accounts(text)


def said(counts: Mapping[str, int], texts: int, rows: int) -> str:
    """What was replaced, in words."""
    each = ", ".join(f"{WORDS[kind]}: {counts[kind]:,}" for kind in KINDS if counts.get(kind))
    return f"{texts:,} of {rows:,} values were anonymised" + (f" ({each})" if each else "")
