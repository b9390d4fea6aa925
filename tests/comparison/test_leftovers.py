"""What is left of strategies that were taken out of params.yaml."""

from pathlib import Path

from trivium.comparison import leftovers
from trivium.data.tables import write_json


def test_only_what_stages_wrote_for_others_goes(tmp_path: Path) -> None:
    for path, content in (("models/kept/training.json", {"entry": "kept"}),
                          ("models/old/training.json", {"entry": "old"}),
                          ("models/mine/notes.json", {}), ("models/theirs/training.json", {"lr": 1}),
                          ("models/pretrain/scratch/training.json", {"recipe": "scratch"}),
                          ("models/pretrain/gone/training.json", {"recipe": "gone"}),
                          ("reports/evaluate/kept/metrics.json", {"entry": "kept"}),
                          ("reports/evaluate/old/metrics.json", {"entry": "old"})):
        write_json(content, tmp_path / path)
    assert leftovers.remove(tmp_path, ["kept"], ["scratch"]) == [
        "models/old", "models/pretrain/gone", "reports/evaluate/old"]
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json"))
    assert left == ["models/kept/training.json", "models/mine/notes.json", "models/pretrain/scratch/training.json",
                    "models/theirs/training.json", "reports/evaluate/kept/metrics.json"]
    assert leftovers.remove(tmp_path, ["kept"], ["scratch"]) == []
