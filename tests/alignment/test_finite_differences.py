"""Gradients of the whole objective against finite differences of it, in float64."""

import pytest
import torch

from isophrase.alignment.method import Divergence, Draws, Kind, Space, Teacher
from isophrase.alignment.training import begin
from tests.alignment.formulas import even, moved
from tests.alignment.small import material, method, parameters, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

ALL = {
    "supervised": 0.3, "supervised_reference": 0.2, "anchor": 0.4,
    "draws": Draws(wordings=3, inputs=2, references=1, controls=1),
}  # fmt: skip
METHODS = {
    "lora": method(Kind.LORA, **ALL),
    "reparametrised": method(Kind.PREFIX, parameters=parameters(Kind.PREFIX, hidden=6), **ALL),
    "reparametrised prompt": method(Kind.PROMPT, parameters=parameters(Kind.PROMPT, hidden=6), **ALL),
    "joint": method(Kind.PREFIX, teacher=Teacher.JOINT, **ALL),
    "joint, js over labels": method(
        Kind.LORA, teacher=Teacher.JOINT, space=Space.LABELS, divergence=Divergence.JENSEN_SHANNON, **ALL
    ),
    "reverse": method(Kind.LORA, divergence=Divergence.REVERSE, **ALL),
    "worst group": method(Kind.LORA, worst_group=0.5, **ALL),
    "states": method(Kind.LORA, contrastive=0.1, representation=0.1, **ALL),
}


@pytest.fixture
def exact(monkeypatch):
    """Nothing is rounded to float32 on the way, neither by isophrase nor by the model's norms."""
    to = torch.Tensor.to

    def kept(tensor, *how, **named):
        rounds = torch.float32 in how and tensor.dtype == torch.float64
        return tensor if rounds else to(tensor, *how, **named)

    monkeypatch.setattr(torch.Tensor, "to", kept)
    monkeypatch.setattr(torch.Tensor, "float", lambda self: kept(self, torch.float32))


def in_float64(chosen):
    item = even() if chosen.space is Space.LABELS else material()
    session = begin(tiny(), training(chosen, materials=(item,)))
    session.trainable.model.double()
    session.teacher._states.clear()
    session.learn()
    if session.groups is not None:  # as after some steps, with another weight for each wording
        session.groups.update({name: float(place) for place, name in enumerate(session.groups.names)})
    return moved(session)


@pytest.mark.parametrize("name", METHODS)
def test_a_gradient_is_the_finite_difference_of_the_whole_loss(exact, name):
    session = in_float64(METHODS[name])
    session.loss(1).total.backward()
    random = torch.Generator().manual_seed(0)
    for weight in session.trainable.weights:
        assert weight.dtype == torch.float64
        direction = torch.randn(weight.shape, dtype=torch.float64, generator=random)
        slope = float((weight.grad * direction).sum())
        step, totals = 1e-5, []
        for by in (step, -step):
            with torch.no_grad():
                weight.add_(direction, alpha=by)
                totals.append(float(session.loss(1).total))
                weight.add_(direction, alpha=-by)
        assert slope
        assert (totals[0] - totals[1]) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=1e-7)
