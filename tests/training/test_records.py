import json
from pathlib import Path

from tests import records
from trivium.data.tables import read_json
from trivium.training.records import Evaluation, Trained, Unit, Validation


def test_the_best_seed_has_the_lowest_validation_nll_and_of_equal_ones_the_lowest_number() -> None:
    seeds = [records.seed(number, nll) for number, nll in ((0, 0.7), (2, 0.5), (1, 0.5), (3, 0.6))]
    assert records.trained("joint", *seeds).best.seed == 1


def test_what_may_be_absent_is_left_out_and_what_is_none_is_told(tmp_path: Path) -> None:
    found = records.trained("joint", records.seed(history=[records.step(0.0, None, 1.1, 0.5)]))
    found.write(tmp_path / "models/joint/training.json")
    told = read_json(tmp_path / "models/joint/training.json")
    assert told["fusion"] is None and "skipped" not in told
    assert told["seeds"][0] == {
        "seed": 0, "calibration": 1.5, "flops": {"budget": 200.0, "pretrain": 100.0, "train": 100.0, "total": 200.0},
        "parameters": {"total": 7, "trained": 3}, "validation": {"nll": 0.4, "score": 0.9},
        "history": [{"step": 0, "epoch": 0.0, "flops": 0.0, "phase": "joint", "train_loss": None, "val_nll": 1.1,
                     "val_score": 0.5}]}
    assert Trained.of("joint", tmp_path) == found
    assert Trained.of("other", tmp_path) is None


def test_calibrations_of_any_shape_and_units_of_all_seeds_come_back_as_they_were() -> None:
    for calibration in (1.5, [1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]):
        found = records.trained("joint", records.seed(calibration=calibration))
        assert Trained.model_validate(json.loads(json.dumps(found.plain()))) == found
    row = Evaluation(step=1, epoch=0.5, flops=3.0, train_loss=None, val_nll=1.0, val_score=0.0)
    unit = Unit(streams=["text"], seed=None, objective=None, flops=0.0, epochs=0.0, parameters=3, samples=0,
                validation=Validation(), history=[row])
    assert Unit.model_validate(json.loads(unit.model_dump_json())) == unit
