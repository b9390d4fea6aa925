"""A run whose checkpoint is damaged begins anew, and ends with the bytes of one that was never disturbed."""

import shutil
from pathlib import Path

import pytest
import torch

from tests import damage
from tests.training.test_loop import Line, train
from trivium.data.store import Batch
from trivium.training import loop


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoint of a run that was killed in its third fifth."""
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    task, seen = Line(), []
    original = task.loss

    def dies(batch: Batch, generator: torch.Generator) -> torch.Tensor:
        seen.append(1)
        if len(seen) == 25:
            raise KeyboardInterrupt
        return original(batch, generator)

    task.loss = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(task, tmp_path / "killed.pt")
    return tmp_path / "killed.pt"


def test_whatever_is_wrong_with_a_checkpoint_the_end_is_the_same(killed: Path, capsys: pytest.CaptureFixture[str],
                                                                 ) -> None:
    whole = Line()
    expected = train(whole)
    for kind in damage.KINDS:
        path = killed.with_name("checkpoint.pt")
        shutil.copy(killed, path)
        damage.do(path, kind)
        again = Line()
        assert train(again, path) == expected, kind
        assert f"{path} is damaged: its content is not what was written. It is removed" in capsys.readouterr().out
        assert not path.exists()
        for key, value in whole.state_dict().items():
            assert torch.equal(again.state_dict()[key], value), kind


def test_half_of_one_that_was_being_written_is_nobodys(killed: Path) -> None:
    shutil.copy(killed, killed.with_suffix(".part"))
    damage.do(killed.with_suffix(".part"), "cut in half")
    again = Line()
    assert train(again, killed) == train(Line())
