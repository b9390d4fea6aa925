"""Is it really one class per row that the label column names? Lists of tags and quantities look like classes, too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trivium.settings.errors import UserError

LIST = re.compile(r"[\[{].*[\]}]", re.DOTALL)
DECIMAL = re.compile(r"[+-]?\d*[.,]\d+")
SEPARATORS = ("|", ";")
FEW = 20  # different labels; so many decimal numbers may be grades or versions
OTHER = "; if it is another column, name that one as data.manifest.label in params.yaml."


def labels(found: Sequence[str], where: str) -> None:
    """Look at the different labels of a column, `where`; print a note where they may be several tags in one cell.

    Raises: UserError (most are lists, or decimal numbers of which there are more than 20).
    """
    shown = ", ".join(f"`{label}`" for label in found[:3])
    lists = [label for label in found if LIST.fullmatch(label)]
    if 2 * len(lists) > len(found) and any("," in label for label in lists):
        raise UserError(f"{where} holds lists ({shown}), and every combination would be a class of its own. Give each "
                        f"row the one label that is to be told{OTHER}")
    numbers = [label for label in found if DECIMAL.fullmatch(label)]
    if len(found) > FEW and 2 * len(numbers) > len(found):
        raise UserError(f"{where} holds {len(found):,} different decimal numbers ({shown}), which look like a "
                        "quantity, and every one would be a class of its own. Put them into ranges (`low`, `middle`, "
                        f"`high`) first{OTHER}")
    for sign in SEPARATORS:
        several = [label for label in found if sign in label]
        parts = {part.strip() for label in several for part in label.split(sign)}
        if len(several) > 1 and len(parts) < len(several) + len(parts.intersection(found)):
            print(f"note: {where} has labels with `{sign}` (`{several[0]}`): every combination is a class of its own. "
                  "If they are several tags, give each row the one that is to be told.")
            return
