"""Names that no stream may have."""

from torch import nn

from trivium.data.streams import TAKEN


def test_a_network_can_hold_an_encoder_per_stream() -> None:
    """torch refuses a module that is called like one of its own attributes."""
    own = {name for name in dir(nn.ModuleDict()) if name.isalnum() and name.islower()}
    assert own <= TAKEN
