"""The entry point that MLflow calls when it loads a model of ours (its `loader_module`); needs no MLflow itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trivium.data.sources.manifest import TIMES
from trivium.runtime.answering import columns
from trivium.serving.predictor import Predictor

if TYPE_CHECKING:
    import pandas as pd


class Model:
    """`predict(DataFrame)` with a column per stream (any may be absent or null), one row per sample.

    images and sounds: a path, the bytes of a file, or a `data:` URI; `start` and `end`, where there are such columns:
    seconds of the recording. Gives the columns of the task (see `Task.answered`; of classes `label` and
    `probability_<class>` for each), `warning`: which stream could not be used and was left out, and `error`: why there
    is no answer; null where there is nothing to say.
    """

    def __init__(self, folder: str) -> None:
        self.predictor = Predictor.of_package(folder)

    def predict(self, table: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        import pandas as pd

        known = [column for column in table.columns if column in (*self.predictor.streams, *TIMES)]
        found = self.predictor.table(table[known].to_dict("records"))
        kinds = columns(self.predictor.task)
        return pd.DataFrame({name: pd.Series(values, table.index, kinds[name]) for name, values in found.items()})


def _load_pyfunc(path: str) -> Model:
    return Model(path)
