"""`trivium curves`: the comparison again with less and more compute and with fewer labels."""

from __future__ import annotations

from pathlib import Path

from trivium.comparison.budgets import OUT, gather, variants
from trivium.comparison.out import PATH, Comparison
from trivium.settings.errors import UserError


def make(root: Path) -> str:
    """Run what is missing, write `reports/curves.json`, make the report and the MLflow runs anew; what came out.

    Raises:
        UserError: there is no comparison yet, it is not of the present settings, or an experiment failed.
    """
    from trivium.experiments.dvc import run
    from trivium.params import load
    from trivium.report import html
    from trivium.tracking.sync import attempt

    present = Comparison.found(root / PATH)
    if present is None:
        raise UserError(f"There is no comparison yet ({PATH}): run `make repro`, or `dvc repro`, and then this.")
    asked = variants(load(root / "params.yaml").budgets, present.dataset.train)
    found = gather(present, run(root, asked), asked)
    found.write(root / OUT)
    html.write(root)
    print(attempt(root))
    return "\n".join([found.compute.sentence, found.labels.sentence, f"The curves are in {OUT}, in "
                      "reports/report.html and in MLflow; `dvc exp show` lists the experiments."])
