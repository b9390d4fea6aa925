import pytest
import torch

from tests.networks import task
from trivium import encoders
from trivium.data.store import Batch
from trivium.encoders import cells, ft_transformer, mlp
from trivium.modalities.spec import Spec
from trivium.objectives.masked import Masked
from trivium.settings.errors import UserError
from trivium.training import budget

SPEC = Spec("facts", "columns", (3, 2), modality="table", columns=(("a", 2), ("k", 4), ("b", 2)))
X = torch.tensor([[[0.5, 1], [0, 3], [0, 0]], [[0, 0], [0, 0], [-1, 1]]])


def test_plain_features_are_numbers_flags_and_ones():
    encoder = cells.build(SPEC, cells.Settings())
    assert encoder(X).tolist() == [[0, 0.5, 0, 0, 0, 1, 1, 0], [1, 0, 1, 0, 0, 0, 0, -1]]
    assert encoder.width == 8 and encoder.gives == {"dense"} and not list(encoder.parameters())


@pytest.mark.parametrize(("part", "tokens"), [(ft_transformer, 4), (mlp, 3)])
def test_an_encoder_gives_tokens_and_a_vector_learns_without_labels_and_is_counted(part, tokens):
    torch.manual_seed(0)
    encoder = part.build(SPEC, part.Settings(width=16, depth=2))
    assert encoder.tokens(X).shape == (2, tokens, 16) and encoder(X).shape == (2, 16)
    objective = Masked(encoder, 0.5, "masked")
    batch = Batch({"facts": X.repeat(64, 1, 1)}, torch.ones(128, 1, dtype=torch.bool), torch.zeros(128).long())
    optimiser = torch.optim.Adam(objective.parameters(), 1e-2)
    first = objective.score(batch).item()
    for step in range(60):
        optimiser.zero_grad()
        objective.loss(batch, torch.Generator().manual_seed(step)).backward()
        optimiser.step()
    assert objective.score(batch).item() < first / 2
    one = budget.example({"facts": SPEC}, task(2))
    assert budget.counted(lambda: encoder(one.inputs["facts"]).square().sum(), module=encoder) > 1000


def test_what_is_hidden_or_out_of_range_is_seen_as_missing_or_as_the_last_code():
    encoder = ft_transformer.build(SPEC, ft_transformer.Settings(width=16, depth=1))
    hidden = torch.tensor([[True, False, False], [False, False, True]])
    assert torch.equal(encoder.hide(X, hidden)[0, 0], torch.zeros(2))
    strange = X.clone()
    strange[0, 1, 1] = 99
    assert torch.equal(encoder(strange)[0], encoder(X)[0])  # 3 is the last one


def test_who_reads_a_table_is_told():
    with pytest.raises(UserError, match=r"`cnn` cannot read table; cells or ft_transformer or mlp can"):
        encoders.describe("one", {"modality": "table", "architecture": "cnn"})
    with pytest.raises(UserError, match="`mlp` reads table, not image"):
        encoders.describe("one", {"modality": "image", "architecture": "mlp"})
    found = encoders.describe("one", {"modality": "table", "architecture": "mlp", "processor": {"scaling": "standard"}})
    assert found.processor == ("table", {"scaling": "standard", "categories": 256, "types": {}})
