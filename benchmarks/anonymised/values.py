"""Made-up values to plant, and what only looks like them. Check digits are worked out here, not by what is measured."""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np

Draw = np.random.Generator

# Of each country: how numbers are dialled abroad, and at home; `#` is a digit.
PHONES = {
    "en": [("+44 20 7### ####", "020 7### ####"), ("+44 7400 ######", "07400 ######"),
           ("+1 (212) 55#-####", "(212) 55#-####"), ("+1-415-62#-####", "415-62#-####")],
    "de": [("+49 30 2######", "030 2######"), ("+49 (0)151 2#######", "0151/2#######"), 
           ("0049 89 3#######", "089-3#######")],
    "fr": [("+33 6 1# ## ## ##", "06.1#.##.##.##"), ("+33 (0)1 4# ## ## ##", "01 4# ## ## ##")],
    "es": [("+34 612 ### ###", "612 ### ###"), ("+34 91 4## ## ##", "91 4## ## ##")],
    "it": [("+39 347 #######", "347 #######"), ("+39 06 6#######", "06 6#######")],
    "pt": [("+351 912 ### ###", "912 ### ###"), ("+55 11 9#### ####", "(11) 9####-####")],
    "pl": [("+48 512 ### ###", "512 ### ###"), ("+48 22 6## ## ##", "22 6## ## ##")],
    "ru": [("+7 (495) 2##-##-##", "8 (495) 2##-##-##"), ("+7 916 ###-##-##", "8 916 ###-##-##")],
    "el": [("+30 210 3######", "210 3######"), ("+30 694 #######", "694 #######")],
    "ar": [("+966 50 ### ####", "050 ### ####"), ("+20 100 ### ####", "0100 ### ####")],
    "hi": [("+91 98### #####", "98### #####"), ("+91-11-2#######", "011-2#######")],
    "zh": [("+86 138 #### ####", "138 #### ####"), ("+86 10 6### ####", "010-6#######")],
    "ja": [("+81 90-1###-####", "090-1###-####"), ("+81 3-3###-####", "03-3###-####")],
    "ko": [("+82 10-2###-####", "010-2###-####"), ("+82 2-3##-####", "02-3##-####")],
    "tr": [("+90 532 ### ## ##", "0532 ### ## ##"), ("+90 212 2## ## ##", "0212 2## ## ##")],
}
REGIONS = {"en": ("GB", "US"), "de": ("DE",), "fr": ("FR",), "es": ("ES",), "it": ("IT",),
           "pt": ("PT", "BR"), "pl": ("PL",),
           "ru": ("RU",), "el": ("GR",), "ar": ("SA", "EG"), "hi": ("IN",), "zh": ("CN",), "ja": ("JP",), "ko": ("KR",),
           "tr": ("TR",)}
IBANS = {"DE": "#" * 18, "GB": "WEST" + "#" * 14, "CH": "00" + "#" * 15, "AT": "#" * 16, "NL": "ABNA" + "#" * 10,
         "SA": "#" * 20, "TR": "00061" + "0" + "#" * 16, "GR": "#" * 23, "PL": None, "IE": "AIBK" + "#" * 14}
CARDS = [("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16),
         ("3530", 16), ("62", 16), ("2221", 16), ("36", 14)]
WORDS = ["alpha", "river", "stone", "cloud", "maple", "pixel", "north", "amber",
         "cedar", "delta", "ember", "falcon"]
DOMAINS = ["example.com", "mail.example.org", "example.co.uk", "firma-beispiel.de", "exemple.fr", "correo.es",
           "posta.it", "example.com.br"]


def digits(draw: Draw, form: str) -> str:
    return "".join(str(draw.integers(10)) if sign == "#" else sign for sign in form)


def one(draw: Draw, of: list) -> object:
    return of[int(draw.integers(len(of)))]


def luhn(body: str) -> str:
    """The check digit (ISO/IEC 7812-1)."""
    total = sum(sum(divmod(int(d) * (2 if k % 2 == 0 else 1), 10)) for k, d in enumerate(reversed(body)))
    return str(-total % 10)


def card(draw: Draw, language: str) -> str:
    first, size = one(draw, CARDS)
    body = first + digits(draw, "#" * (size - 1 - len(first)))
    number = body + luhn(body)
    groups = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[size]
    between = one(draw, [" ", " ", "-", ""])
    parts, at = [], 0
    for group in groups:
        parts.append(number[at:at + group])
        at += group
    return between.join(parts)


def iban(draw: Draw) -> str:
    country = one(draw, [name for name, form in IBANS.items() if form])
    body = digits(draw, IBANS[country])
    number = "".join(str(int(sign, 36)) for sign in f"{body}{country}00")
    whole = f"{country}{98 - int(number) % 97:02}{body}"
    return " ".join(whole[k:k + 4] for k in range(0, len(whole), 4)) if draw.random() < 0.7 else whole


def _weighed(body: str, weights: list[int]) -> int:
    return sum(int(d) * w for d, w in zip(body, weights, strict=True))


def cpf(draw: Draw) -> str:
    body = digits(draw, "#" * 9)
    for size in (10, 11):
        rest = _weighed(body, list(range(size, 1, -1))) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def resident(draw: Draw) -> str:
    body = f"110105{draw.integers(1950, 2005)}{draw.integers(1, 13):02}{draw.integers(1, 29):02}"
    body += f"{draw.integers(1000):03}"
    return body + "10X98765432"[_weighed(body, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11]


def dni(draw: Draw) -> str:
    body = digits(draw, "########")
    return body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]


def nir(draw: Draw) -> str:
    body = f"{draw.integers(1, 3)}{draw.integers(40, 100):02}{draw.integers(1, 13):02}75{digits(draw, '######')}"
    return f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {97 - int(body) % 97:02}"


def pesel(draw: Draw) -> str:
    body = f"{draw.integers(50, 100):02}{draw.integers(1, 13):02}{draw.integers(1, 29):02}{digits(draw, '####')}"
    return body + str(-_weighed(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)


def aadhaar(draw: Draw) -> str:
    """Its last digit is Verhoeff's, by the group of the pentagon's symmetries."""
    def times(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
        return 5 + (a - b) % 5 if b < 5 else (a - b) % 5

    turn = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    body, check = str(draw.integers(2, 10)) + digits(draw, "#" * 10), 0
    for k, d in enumerate(reversed(body), 1):
        value = int(d)
        for _ in range(k % 8):
            value = turn[value]
        check = times(check, value)
    check = next(d for d in range(10) if times(check, d) == 0)
    whole = body + str(check)
    return f"{whole[:4]} {whole[4:8]} {whole[8:]}"


NATIONAL: dict[str, Callable[[Draw], str]] = {"pt": cpf, "zh": resident, "es": dni, "fr": nir, "pl": pesel,
                                              "hi": aadhaar}


def account(draw: Draw, language: str) -> str:
    return NATIONAL[language](draw) if language in NATIONAL and draw.random() < 0.5 else iban(draw)


def email(draw: Draw, language: str) -> str:
    local = f"{one(draw, WORDS)}{one(draw, ['.', '_', '-', ''])}{one(draw, WORDS)}"
    local += str(one(draw, ["", "7", "1984", "+news"]))
    if draw.random() < 0.08:
        return f"{local} (at) {str(one(draw, DOMAINS)).replace('.', ' dot ')}"
    if language in ("ru", "el", "de") and draw.random() < 0.15:
        return {"ru": "иван@почта.рф", "el": "νίκος@παράδειγμα.ελ", "de": f"{local}@müller-bäcker.de"}[language]
    return f"{local}@{one(draw, DOMAINS)}"


def url(draw: Draw, language: str) -> str:
    host = one(draw, ["example.com", "shop.example.org", "beispiel.de", "news.example.co.jp", "exemple.fr"])
    path = one(draw, ["", "/", f"/{one(draw, WORDS)}", f"/u/{one(draw, WORDS)}?id={draw.integers(1000)}#top"])
    return f"{one(draw, ['https://', 'http://', 'https://', 'www.', ''])}{host}{path}"


def ip(draw: Draw, language: str) -> str:
    if draw.random() < 0.7:
        return ".".join(str(draw.integers(1, 255)) for _ in range(4))
    parts = [f"{draw.integers(1, 65536):x}" for _ in range(8)]
    return ":".join(parts) if draw.random() < 0.5 else f"2001:db8::{parts[0]}:{parts[1]}"


def phone(draw: Draw, language: str) -> str:
    return digits(draw, one(draw, PHONES[language])[0])


def phone_at_home(draw: Draw, language: str) -> str:
    return digits(draw, one(draw, PHONES[language])[1])


PLANTED = {"email": email, "url": url, "ip": ip, "phone": phone, "card": card, "account": account}


def negative(draw: Draw, language: str) -> str:
    """What is no find: a number or a name of something else."""
    date = f"{draw.integers(1990, 2030)}-{draw.integers(1, 13):02}-{draw.integers(1, 29):02}"
    serial = "".join(one(draw, list(string.ascii_uppercase)) for _ in range(3))
    return str(one(draw, [
        date, f"{date} {draw.integers(24):02}:{draw.integers(60):02}:{draw.integers(60):02}", 
        f"{date[8:]}.{date[5:7]}.{date[:4]}",
        f"{date[5:7]}/{date[8:]}/{date[:4]}", digits(draw, "1,###,###.##"), digits(draw, "€ 1.###,##"),
        digits(draw, "$##.##"),
        digits(draw, "3.1#.#"), digits(draw, "v2.1#.#.#"), digits(draw, "10.0.19###.1###"),
        digits(draw, "978-3-16-14####-#"), digits(draw, "0-306-4####-#"), f"{serial}-{digits(draw, '######')}",
        digits(draw, "#%"), digits(draw, "2######"), digits(draw, "#########"), digits(draw, "##########"),
        digits(draw, "############"), digits(draw, "1Z999AA1##########"), digits(draw, "48.####, 2.####"),
        "1.6e-19", "00:1A:2B:3C:4D:5E", digits(draw, "35######-######-#"), digits(draw, "17#########00"),
        "report_final.pdf",
        "Node.js", "index.html", "e.g.", "U.S.A.", digits(draw, "10.1000/xyz###"), "@river_stone", "#maple",
        digits(draw, "ISO 9001:2015"), digits(draw, "###-###"), digits(draw, "12:##:##"),
        "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    ]))
