"""Every named method trains, with the losses and on the weights that the documentation says."""

import math
from dataclasses import replace

import pytest
import torch

from isophrase.alignment.method import METHODS, Kind
from isophrase.alignment.optimising import descend, make_optimiser
from isophrase.alignment.registers import bundled_registers
from isophrase.alignment.training import begin, train
from isophrase.types import Role
from tests.alignment.small import material, tiny, training, wording

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

TAUGHT = {
    "ft": (Kind.FULL, {"supervised"}),
    "ft+kl": (Kind.FULL, {"supervised", "consistency"}),
    "pt": (Kind.PREFIX, {"supervised"}),
    "pt+kl": (Kind.PREFIX, {"supervised", "consistency"}),
    "paft": (Kind.LORA, {"supervised"}),
    "consensus": (Kind.PREFIX, {"consistency"}),
    "contrastive": (Kind.PREFIX, {"supervised", "contrastive"}),
    "worst-wording": (Kind.PREFIX, {"supervised"}),
    "default": (Kind.LORA, {"supervised", "consistency", "supervised_reference", "supervised_negated", "anchor"}),
}


def test_every_named_method_is_tried_here():
    assert set(TAUGHT) == set(METHODS)


def asked(name):
    """Two steps at the method's own rate, of the small task with a test control that no training comes near."""
    item = material()
    control = wording("never", "In Paris they lie about this: {{ text }} What now?", Role.NEGATED)
    item = replace(item, wordings=replace(item.wordings, test_controls=(control,)))
    chosen = METHODS[name]
    chosen = replace(chosen, schedule=replace(chosen.schedule, steps=2))
    return training(chosen, materials=(item,), registers=tuple(bundled_registers()), every=100)


@pytest.mark.parametrize("name", TAUGHT)
def test_a_named_method_trains(name):
    kind, losses = TAUGHT[name]
    trained = train(tiny(), asked(name))
    assert trained.trainable.parameters.kind is kind
    assert len(trained.steps) == 2
    for step in trained.steps:
        assert set(step.parts) == losses
        assert all(math.isfinite(value) for value in (step.total, step.norm, *step.parts.values()))
        assert step.norm > 0
    assert all(torch.isfinite(weight).all() for weight in trained.trainable.model.parameters())


@pytest.mark.parametrize("name", TAUGHT)
def test_the_first_step_of_a_named_method_lowers_the_loss_that_it_was_taken_of(name):
    session = begin(tiny(), asked(name))
    method, weights = session.training.method, session.trainable.weights
    before = session.loss(0)
    before.total.backward()
    descend(make_optimiser(weights, method.schedule), weights, method.schedule, 0)
    after = session.loss(0)
    assert float(after.total.detach()) < float(before.total.detach()) - 1e-4
