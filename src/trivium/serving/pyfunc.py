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
    seconds of the recording. Gives the columns `label`, `probability_<class>` for each class, and `error`: why a row
    could not be used, null where it could; its label and probabilities are null.
    """

    def __init__(self, folder: str) -> None:
        self.predictor = Predictor.of_package(folder)

    def predict(self, table: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        import pandas as pd

        known = [column for column in table.columns if column in (*self.predictor.streams, *TIMES)]
        found, errors = self.predictor.answers(table[known].to_dict("records"))
        classes = self.predictor.classes
        columns = {f"probability_{label}": found[:, k] for k, label in enumerate(classes)}
        labels = [None if error else classes[k] for k, error in zip(found.argmax(1), errors, strict=True)]
        label, error = (pd.Series(values, table.index, dtype=object) for values in (labels, errors))
        return pd.DataFrame({"label": label} | columns | {"error": error}, index=table.index)


def _load_pyfunc(path: str) -> Model:
    return Model(path)
