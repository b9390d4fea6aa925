"""Is it really one class per row that the label column names? Lists of tags and quantities look like classes, too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trivium.settings.errors import UserError

LIST = re.compile(r"[\[{].*[\]}]", re.DOTALL)
DECIMAL = re.compile(r"[+-]?\d*[.,]\d+")
GROUPED = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?")  # 1,234.50
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
MEASURED = re.compile(r"(?P<before>[€$£¥]?)\s*[+-]?\d[\d.,' ]*\s*(?P<behind>[€$£¥%°]?[^\W\d_]{0,5}[²³]?)")
SEPARATORS = ("|", ";")
FEW = 20  # different labels; so many decimal numbers may be grades or versions
MOST = 1000  # classes that can be compared
OTHER = "; if it is another column, name that one as data.manifest.label in params.yaml."


def refuse(found: Sequence[str], column: str, title: str = "") -> None:
    """Look at the different labels of a `column`. title: of the data, if there is more than one.

    Raises: UserError (there are more than 1,000; most are lists; or of more than 20 most are decimal numbers, numbers
        with marks between the thousands, or numbers with a unit).
    """
    where = f"{title}: column `{column}`" if title else f"the label column `{column}`"
    shown = ", ".join(f"`{label}`" for label in found[:3])
    if _lists(found):
        raise UserError(f"{where} holds lists ({shown}), and every combination would be a class of its own. If they "
                        f"are tags of which a row may have several, set `task: multilabel` in params.yaml{OTHER}")
    numbers = [label for label in found if DECIMAL.fullmatch(label)]
    points = [label for label in numbers if "," not in label]
    if len(found) > FEW and 2 * len(points) > len(found):
        raise UserError(f"{where} holds {len(found):,} different decimal numbers ({shown}), which look like a "
                        "quantity, and every one would be a class of its own. Set `task: regression` in "
                        f"params.yaml{OTHER}")
    grouped = [label for label in found if ("," in label and DECIMAL.fullmatch(label)) or GROUPED.fullmatch(label)]
    if len(found) > FEW and 2 * len({*numbers, *grouped}) > len(found):
        raise UserError(f"{where} holds {len(found):,} different numbers such as `{grouped[0]}`, which look like a "
                        "quantity, and every one would be a class of its own. Write them with a decimal point and "
                        f"nothing between the digits, such as 1234.5, and set `task: regression` in params.yaml{OTHER}")
    if len(found) > FEW and (unit := _unit(found)):
        raise UserError(f"{where} holds {len(found):,} different numbers with `{unit}` ({shown}), which look like a "
                        "quantity, and every one would be a class of its own. Write the numbers alone, such as 1234.5; "
                        f"the unit stands in params.yaml: `task: {{name: regression, units: {{{column}: {unit}}}}}`"
                        f"{OTHER}")
    if len(found) > MOST:
        numeric = 2 * sum(bool(NUMBER.fullmatch(label)) for label in found) > len(found)
        mend = ("They are numbers: if they are a quantity, set `task: regression` in params.yaml" if numeric else
                "If a cell holds several tags, set `task: multilabel` in params.yaml")
        raise UserError(f"{where} has {len(found):,} different labels ({shown}, ...); at most {MOST:,} classes can be "
                        f"compared. {mend}{OTHER}")


def note(found: Sequence[str], where: str) -> str:
    """What is odd about these labels, though they may be classes; "" where nothing is."""
    for sign in SEPARATORS:
        if several := tagged(found, sign):
            return (f"{where} has labels with `{sign}` (`{several[0]}`): every combination is a class of its own. If "
                    "they are several tags, set `task: multilabel` in params.yaml.")
    if len(found) > FEW and all(NUMBER.fullmatch(label) for label in found):
        return (f"{where} has {len(found):,} different whole numbers, and each is a class of its own. If they are a "
                "quantity, set `task: regression` in params.yaml.")
    return ""


def tagged(found: Sequence[str], sign: str) -> list[str]:
    """The labels that hold several tags with `sign` between them; none where the parts are as many as the labels."""
    several = [label for label in found if sign in label]
    parts = {part.strip() for label in several for part in label.split(sign)}
    return several if len(several) > 1 and len(parts) < len(several) + len(parts.intersection(found)) else []


def _unit(found: Sequence[str]) -> str:
    """What stands beside the number in most of the labels, where it is one and the same; else ""."""
    both = [each["before"] or each["behind"] for label in found if (each := MEASURED.fullmatch(label))]
    units = set(both) - {""}
    return units.pop() if len(units) == 1 and 2 * sum(map(bool, both)) > len(found) else ""


def _lists(found: Sequence[str]) -> bool:
    lists = [label for label in found if LIST.fullmatch(label)]
    return 2 * len(lists) > len(found) and any("," in label for label in lists)
