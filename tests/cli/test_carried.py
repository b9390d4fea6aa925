from pathlib import Path

import pytest

from tests.cli.own import data, manifest
from tests.helpers import set_params
from trivium.cli.use import use

COLUMNS = {"id": "r{i}", "label": "c{y}", "text": "words of row {i}"}


def test_what_is_anonymised_stays_so_when_the_data_are_chosen_anew(project: Path,
                                                                  capsys: pytest.CaptureFixture[str]) -> None:
    use(manifest(Path("own/rows.jsonl"), COLUMNS))
    set_params(project, {"data.streams.text.anonymise": ["email"]})
    use("own/rows.jsonl")
    use(manifest(Path("own/more.jsonl"), COLUMNS | {"note": "another text of row {i}"}))
    assert data()["streams"]["text"] == {"modality": "text", "anonymise": ["email"]}
    capsys.readouterr()
    use("digits")
    assert "`data.streams.text` was anonymised" not in capsys.readouterr().out  # of nobody
