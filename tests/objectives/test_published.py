"""Published text encoders go on learning: masks of their own tokenizer, guesses through their own word vectors."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import networks
from tests.objectives.streams import draw
from trivium import objectives
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.training import budget

ENTRIES, WIDTH, LENGTH = 400, 16, 10
SPEC = Spec("text", "tokens", (LENGTH,), vocab=ENTRIES, native=(0, 100, 103))  # of padding, unknown and mask


@pytest.fixture
def folder(tmp_path: Path) -> str:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=ENTRIES, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2,
                         intermediate_size=16, max_position_embeddings=LENGTH)).save_pretrained(tmp_path)
    return str(tmp_path)


def build(value: str | dict[str, Any], folder: str) -> Any:
    encoders = {"text": networks.encoder(SPEC, weights=folder)}
    return objectives.build(objectives.chosen(value, "objective"), encoders, ("text",), networks.task(2)).eval()


def batch(token: int | None = None, samples: int = 6) -> Batch:
    x = torch.randint(3, ENTRIES, (samples, LENGTH), generator=draw())
    if token is not None:
        x[:] = token
    return Batch({"text": x}, torch.ones(samples, 1, dtype=torch.bool), torch.zeros(samples, dtype=torch.int64))


def test_what_is_hidden_is_the_mask_of_the_models_own_tokenizer(folder: str) -> None:
    """3 of 10 tokens in each text, so that each step costs the same; all others as they were, by their own ids."""
    task, one, seen = build({"name": "masked", "mask": 0.3}, folder), batch(), []
    task.encoder.body.register_forward_pre_hook(lambda _, args, named: seen.append(named["input_ids"]),
                                                with_kwargs=True)
    task.loss(one, draw())
    hidden = seen[0] == 103
    assert hidden.sum(1).tolist() == [3] * 6
    own = torch.from_numpy(SPEC.native_ids())[one.inputs["text"]]
    assert torch.equal(seen[0][~hidden], own[~hidden])


@pytest.mark.parametrize("name", ["masked", "denoising"])
def test_a_guess_is_one_of_the_models_own_entries(name: str, folder: str) -> None:
    task = build(name, folder)
    vocabulary = task.decode[-1]
    with torch.no_grad():
        vocabulary.norm.weight.zero_()
    assert task.loss(batch(), draw()).item() == pytest.approx(math.log(ENTRIES), rel=1e-5)
    with torch.no_grad():
        vocabulary.bias[1] = 50.0  # our 100 is the tokenizer's 1, since ours of 1 is its 100
    assert task.loss(batch(100), draw()).item() == pytest.approx(0.0, abs=1e-5)
    assert task.loss(batch(101), draw()).item() > 40


@pytest.mark.parametrize("name", ["masked", "denoising", "vae", "adversarial"])
def test_word_vectors_serve_to_read_and_to_guess(name: str, folder: str) -> None:
    task, one = build(name, folder), batch()
    words = task.encoder.body.get_input_embeddings().weight
    task.loss(one, draw()).backward()
    read = torch.from_numpy(SPEC.native_ids())[one.inputs["text"]].flatten().tolist()
    never = sorted(set(range(ENTRIES)) - set(read))
    assert words.grad[never].abs().sum(1).min() > 0  # of entries that no text has: by the guesses alone
    own = [weight for key, weight in task.named_parameters() if not key.startswith("encoder.")]
    assert max(weight.numel() for weight in own if weight.dim() > 1) < ENTRIES * WIDTH
    assert sum(weight is words for weight in task.parameters()) == 1
    assert [key for key, value in task.state_dict().items() if value.shape == words.shape] == [
        "encoder.body.embeddings.word_embeddings.weight"]


def test_guesses_at_hidden_tokens_alone_are_paid_for(folder: str) -> None:
    """Of each hidden token, one product with every word vector, and two for the gradients."""
    def cost(share: float) -> float:
        task, one = build({"name": "masked", "mask": share}, folder), batch(samples=budget.PROBE)
        return budget.counted(lambda: task.loss(one, draw()), module=task)

    assert cost(0.5) - cost(0.3) == 2 * 6 * WIDTH * (ENTRIES + WIDTH)
