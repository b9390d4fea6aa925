from pathlib import Path

import pytest

from trivium.machine.measured import Measured, Sampled


@pytest.mark.parametrize("content", ["", '{"sec', "[1, 2]", "\0\0", '{"seconds": "long"}', '{"minutes": 2.0}', None])
def test_what_cannot_be_read_counts_for_nothing(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "reports/measured/train@a.json"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_text(content)
    assert Measured.found(path) is None and Sampled.found(path) is None
    assert Measured.of("train@a", tmp_path) == Measured()
    path.write_text('{"seconds": 2.0, "joules": null}')
    assert Measured.of("train@a", tmp_path) == Measured(seconds=2.0)
