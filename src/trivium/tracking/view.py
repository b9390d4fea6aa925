"""How the runs table looks when it is opened: named views that the experiment keeps (the menu *Views*).

MLflow 3.17 stores a view as the experiment tag `mlflow.sharedViewState.<key>`; another version that reads it otherwise
shows its own default table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from mlflow import MlflowClient

FIRST = "strategies"  # the view that `trivium ui` opens
WIDTHS = {  # column -> pixels, after those of the results
    "metrics.`cost/train_flops`": 130, "metrics.`cost/seconds`": 115, "metrics.`cost/parameters`": 130,
    "params.`train.start`": 130, "tags.`fusion`": 90, "tags.`dataset`": 90, "tags.`world`": 100,
}
SECTIONS = ("test", "val", "train", "cost", "budget", "contribution", "probe", "subset_score", "subset_nll",
            "corrupted_score", "held_out")  # of the charts, in this order
PRESENT = "tags.latest = 'true'"
VIEWS: dict[str, dict[str, Any]] = {
    FIRST: {"name": "Strategies, best first", "searchFilter": f"{PRESENT} AND tags.kind != 'seed'",
            "orderByKey": "metrics.`rank`", "orderByAsc": True},
    "seeds": {"name": "Strategies with their seeds", "searchFilter": PRESENT,
              "orderByKey": "attributes.start_time", "orderByAsc": False},
    "history": {"name": "All runs, older results too", "searchFilter": "tags.kind != 'seed'",
                "orderByKey": "attributes.start_time", "orderByAsc": False},
}


def columns(first: str, beside: Sequence[str]) -> dict[str, int]:
    """Column -> pixels. first: the key of the metric that ranks;  beside: of those that stand next to it."""
    names = [f"test/{first}", f"test/{first}_low", f"test/{first}_high", *(f"test/{key}" for key in beside)]
    return {"metrics.`rank`": 60} | {f"metrics.`{name}`": 34 + 6 * len(name) for name in names} | WIDTHS


def save(client: MlflowClient, experiment: str, widths: Mapping[str, int]) -> None:
    """Keep the views, and say that this experiment trains models (not agents). widths: see `columns`."""
    sections = [{"uuid": name, "name": name, "display": True, "isReordered": False} for name in SECTIONS]
    common = {"startTime": "ALL", "lifecycleFilter": "Active", "modelVersionFilter": "All Runs", "datasetsFilter": [],
              "selectedColumns": list(widths), "columnOrder": list(widths), "columnWidths": dict(widths),
              "compareRunSections": sections, "compareRunCharts": [], "isAccordionReordered": True}
    for place, (key, view) in enumerate(VIEWS.items()):
        state = json.dumps(common | {name: value for name, value in view.items() if name != "name"})
        newest_first = 1_700_000_000_000 - place  # how the menu sorts; the same in every sync
        kept = {"name": view["name"], "createdAt": newest_first, "updatedAt": newest_first, "state": state}
        client.set_experiment_tag(experiment, f"mlflow.sharedViewState.{key}", json.dumps(kept))
    client.set_experiment_tag(experiment, "mlflow.experimentKind", "custom_model_development")


def address(port: int, experiment: str) -> str:
    return link(f"http://127.0.0.1:{port}", experiment)


def link(server: str, experiment: str) -> str:
    """Of the first view, on the server at that address."""
    query = urlencode({"viewStateShareKey": FIRST, "workflowType": "machine_learning"})
    return f"{server}/#/experiments/{experiment}/runs?{query}"
