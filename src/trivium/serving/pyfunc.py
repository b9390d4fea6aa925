"""The entry point that MLflow calls when it loads a model of ours (its `loader_module`); needs no MLflow itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trivium.data.sources.manifest import TIMES
from trivium.serving.predictor import Predictor

if TYPE_CHECKING:
    import pandas as pd


class Model:
    """`predict(DataFrame)` with a column per stream (any may be absent or null), one row per sample.

    images and sounds: a path, the bytes of a file, or a `data:` URI; `start` and `end`, where there are such columns:
    seconds of the recording. Gives the columns `label` and `probability_<class>` for each class.
    """

    def __init__(self, folder: str) -> None:
        self.predictor = Predictor.of_package(folder)

    def predict(self, table: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        import pandas as pd

        known = [column for column in table.columns if column in (*self.predictor.streams, *TIMES)]
        found = self.predictor.probabilities(table[known].to_dict("records"))
        columns = {f"probability_{label}": found[:, k] for k, label in enumerate(self.predictor.classes)}
        labels = [self.predictor.classes[k] for k in found.argmax(1)]
        return pd.DataFrame({"label": labels} | columns, index=table.index)


def _load_pyfunc(path: str) -> Model:
    return Model(path)
