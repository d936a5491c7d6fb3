import math

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from torch.nn.functional import cross_entropy as torch_cross_entropy

from isophrase.alignment.losses import (
    Divergence,
    contrast,
    cross_entropy,
    divergence,
    state_distance,
    worst_group_weights,
)

torch.manual_seed(0)
P, Q = (torch.log_softmax(torch.randn(3, 7, dtype=torch.float64), dim=-1) for _ in range(2))


def test_cross_entropy_is_torchs():
    targets = torch.tensor([0, 3, 6])
    expected = torch_cross_entropy(Q, targets, reduction="none")
    assert torch.allclose(cross_entropy(Q, targets), expected)


@pytest.mark.parametrize(("kind", "left", "right"), [(Divergence.FORWARD, P, Q), (Divergence.REVERSE, Q, P)])
def test_kl_is_scipys(kind, left, right):
    expected = entropy(left.exp().numpy(), right.exp().numpy(), axis=1)
    assert torch.allclose(divergence(P, Q, kind), torch.from_numpy(expected))


def test_jensen_shannon_is_scipys_squared_distance():
    expected = jensenshannon(P.exp().numpy(), Q.exp().numpy(), axis=1) ** 2
    assert torch.allclose(divergence(P, Q, Divergence.JENSEN_SHANNON), torch.from_numpy(expected))


@pytest.mark.parametrize("kind", Divergence)
def test_equal_distributions_have_no_divergence_and_others_have_some(kind):
    assert torch.allclose(divergence(P, P, kind), torch.zeros(3, dtype=torch.float64), atol=1e-12)
    assert (divergence(P, Q, kind) > 0).all()


def test_a_word_that_the_teacher_excludes_counts_nothing():
    teacher = torch.tensor([[0.0, -math.inf]])
    student = torch.log(torch.tensor([[0.25, 0.75]]))
    assert divergence(teacher, student, Divergence.FORWARD).item() == pytest.approx(math.log(4))


@pytest.mark.parametrize("kind", Divergence)
def test_the_gradient_of_a_divergence_is_its_finite_difference(kind):
    logits = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    teacher = torch.log_softmax(torch.randn(2, 5, dtype=torch.float64), dim=-1)
    assert torch.autograd.gradcheck(lambda x: divergence(teacher, torch.log_softmax(x, -1), kind), logits)


def test_the_gradients_of_losses_on_states_are_finite_differences():
    anchors = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    positives = torch.randn(3, 4, dtype=torch.float64)
    rivals = torch.tensor([[False, True, True], [True, False, False], [True, False, False]])
    assert torch.autograd.gradcheck(lambda x: contrast(x, positives, rivals, 0.5), anchors)
    assert torch.autograd.gradcheck(lambda x: state_distance(x, positives), anchors)


def test_the_contrast_is_cross_entropy_over_cosines():
    anchors, positives = torch.randn(2, 3, 4, dtype=torch.float64)
    every = torch.ones(3, 3, dtype=torch.bool)
    cosines = torch.nn.functional.cosine_similarity(anchors[:, None], positives[None], dim=-1)
    expected = torch_cross_entropy(cosines / 0.1, torch.arange(3), reduction="none")
    assert torch.allclose(contrast(anchors, positives, every, 0.1), expected)


def test_a_row_without_rivals_has_no_contrast():
    anchors, positives = torch.randn(2, 1, 4)
    assert contrast(anchors, positives, torch.zeros(1, 1, dtype=torch.bool)).item() == pytest.approx(0, abs=1e-6)


def test_the_worst_group_gains_weight_and_an_absent_one_keeps_its_ratio():
    weights = worst_group_weights(torch.full((3,), 1 / 3), torch.tensor([2.0, 1.0, math.nan]), 0.5)
    assert weights.sum().item() == pytest.approx(1)
    assert (weights[0] / weights[1]).item() == pytest.approx(math.exp(0.5))
    assert (weights[1] / weights[2]).item() == pytest.approx(math.exp(0.5))
