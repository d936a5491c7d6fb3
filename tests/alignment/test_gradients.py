"""Gradients through the packed tree against those through the model's own forward pass in a padded batch."""

import pytest
import torch

from isophrase.alignment.method import Divergence, Kind, Space, Start, Teacher
from isophrase.alignment.training import begin
from tests.alignment.small import method, parameters, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

METHODS = {
    "prefix": method(Kind.PREFIX),
    "prompt": method(Kind.PROMPT),
    "lora": method(Kind.LORA),
    "full": method(Kind.FULL),
    "reparametrised": method(parameters=parameters(Kind.PREFIX, hidden=6), consistency=0.0, supervised=1.0),
    "labels": method(Kind.LORA, space=Space.LABELS, divergence=Divergence.JENSEN_SHANNON),
    "joint": method(Kind.PREFIX, teacher=Teacher.JOINT),
    "adapted": method(Kind.LORA, teacher=Teacher.ADAPTED),
    "states": method(Kind.LORA, contrastive=0.1, representation=0.1),
    "consensus": method(Kind.LORA, teacher=Teacher.CONSENSUS, space=Space.LABELS, supervised=0.0),
    "worst": method(Kind.LORA, worst_group=0.5),
}


def gradient(family, chosen, *, plain):
    session = begin(tiny(family), training(chosen, plain=plain))
    if session.trainable.parameters.kind is Kind.LORA:  # its second matrix begins at zero, which hides the first
        torch.manual_seed(1)
        with torch.no_grad():
            for weight in session.trainable.weights:
                weight.add_(torch.randn(weight.shape), alpha=0.05)
    loss = session.loss(0)
    loss.total.backward()
    return float(loss.total.detach()), loss.parts, [weight.grad for weight in session.trainable.weights]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_the_tree_gives_the_models_own_loss_and_gradients(family, name):
    total, parts, gradients = gradient(family, METHODS[name], plain=False)
    expected, plain_parts, plain_gradients = gradient(family, METHODS[name], plain=True)
    assert total == pytest.approx(expected, abs=1e-4)
    assert parts == pytest.approx(plain_parts, abs=1e-4)
    for ours, theirs in zip(gradients, plain_gradients, strict=True):
        if theirs is None:  # all weights are trained, and nothing reads this one
            assert ours is None or not ours.any()
        else:
            assert torch.allclose(ours, theirs, atol=1e-4 * max(1.0, float(theirs.abs().max())))


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "mistral"])
def test_other_families_have_the_same_gradients_too(family):
    chosen = method(Kind.LORA if family != "gpt2" else Kind.PROMPT, start=Start.TEXT)
    _, _, gradients = gradient(family, chosen, plain=False)
    _, _, plain_gradients = gradient(family, chosen, plain=True)
    for ours, theirs in zip(gradients, plain_gradients, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4 * max(1.0, float(theirs.abs().max())))


@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.PROMPT])
def test_a_gradient_is_the_finite_difference_of_the_loss(kind):
    session = begin(tiny(), training(method(kind)))
    (weight,) = session.trainable.weights
    session.loss(0).total.backward()
    direction = torch.sign(weight.grad)
    step = 1e-3

    def moved(by):
        with torch.no_grad():
            weight.add_(direction, alpha=by)
            total = float(session.loss(0).total.detach())
            weight.add_(direction, alpha=-by)
        return total

    numeric = (moved(step) - moved(-step)) / (2 * step)
    assert numeric == pytest.approx(float((weight.grad * direction).sum()), rel=2e-2)
