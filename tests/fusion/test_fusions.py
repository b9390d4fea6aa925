"""Every fusion: shape, and an absent modality that cannot be heard."""

import pytest
import torch

from trivium import fusion
from trivium.settings.errors import UserError


@pytest.mark.parametrize("name", ["attention", "concat"])
def test_an_absent_modality_changes_nothing(name: str) -> None:
    torch.manual_seed(0)
    mix = fusion.build(name, 3, 16)
    vectors = torch.randn(4, 3, 16)
    other = vectors.clone()
    other[:, 1] = 100.0
    present = torch.tensor([[True, False, True]]).expand(4, 3)
    torch.testing.assert_close(mix(vectors, present), mix(other, present))
    assert mix(vectors, present).shape == (4, 16)
    everything = torch.ones(4, 3, dtype=torch.bool)
    assert not torch.allclose(mix(vectors, everything), mix(other, everything))


def test_the_fusions_there_are() -> None:
    assert fusion.names() == ["attention", "concat"]
    with pytest.raises(UserError, match="no fusion `concatt`; did you mean `concat`"):
        fusion.build("concatt", 3, 16)
