"""export: the recommended model as a folder that answers without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trivium.stage import fresh, run

if TYPE_CHECKING:
    from trivium.params import Params


def main(_: Params) -> None:
    from trivium.comparison.out import PATH, Comparison
    from trivium.serving.export import write
    from trivium.serving.export.graph import Unsayable

    verdict = Comparison.read(PATH).verdict
    try:
        with fresh("export") as out:
            if verdict.recommended:
                made = write.write(Path("."), verdict.recommended, out, small=True, here=False)
            else:
                made = write.note(out, f"Nothing is recommended, so nothing is exported. {verdict.sentence}")
    except Unsayable as error:  # the comparison stands, and so does its report
        with fresh("export") as out:
            made = write.note(out, str(error))
    print(write.said(made, Path("export")))


if __name__ == "__main__":
    run("export", main)
