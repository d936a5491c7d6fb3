"""Single logits against the whole projection, and what they gain in bfloat16."""

import pytest
import torch

from isophrase.engine.backbone import take_apart
from isophrase.engine.projection import log_probabilities
from tests.engine.reference import loaded

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
WORDS = torch.tensor([3, 200, 7, 61])


def states(model, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(len(WORDS), model.config.hidden_size, dtype=dtype)


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2", "t5"])
def test_single_logits_are_those_of_the_whole_projection(family):
    backbone = take_apart(loaded(family))
    hidden = states(backbone.model)
    with torch.no_grad():
        whole = torch.cat([part for _, part in backbone.logits(hidden)], dim=1)
        found = backbone.logits_at(hidden, WORDS)
    torch.testing.assert_close(found, whole[torch.arange(len(WORDS)), WORDS], rtol=1e-5, atol=1e-6)


def test_in_bfloat16_logits_that_score_are_not_rounded_to_bfloat16():
    backbone = take_apart(loaded("llama", dtype=torch.bfloat16))
    head = backbone.model.get_output_embeddings()
    with torch.no_grad():
        head.weight.mul_(30)  # logits of a trained model's size, whose rounding would be seen
        hidden = states(backbone.model, torch.bfloat16)
        exact = torch.log_softmax(hidden.double() @ head.weight.double().T, dim=-1)
        rounded = torch.log_softmax((hidden @ head.weight.T).double(), dim=-1)
    rows = torch.arange(len(WORDS)).repeat_interleave(2)
    words = torch.stack([WORDS, WORDS + 1], dim=1).flatten()
    with torch.no_grad():
        found = torch.from_numpy(log_probabilities(backbone, hidden, rows.numpy(), words.numpy()))

    def error(values):
        """Of differences between two options of the same row, which decide which is chosen."""
        differences = [(one[::2] - one[1::2]) for one in (values, exact[rows, words])]
        return float((differences[0] - differences[1]).abs().max())

    assert error(found) < 1e-4
    assert error(rounded[rows, words]) > 1e-2
