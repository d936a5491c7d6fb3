"""The rate of a step, and what is no number any more."""

import re

import pytest
import torch

from isophrase.alignment.method import Kind, Schedule
from isophrase.alignment.optimising import descend, make_optimiser, rate_at
from isophrase.alignment.running import Provenance, run_training
from isophrase.errors import ConfigError
from tests.alignment.small import method, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_the_rate_rises_then_falls_to_a_tenth():
    schedule = Schedule(steps=100, rate=1.0, warmup=0.1)
    rates = [rate_at(schedule, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1.0)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_changes_nothing(value):
    weight = torch.ones(2, requires_grad=True)
    weight.grad = torch.tensor([1.0, value])
    schedule = Schedule(steps=5, rate=0.1)
    with pytest.raises(ConfigError, match="in step 3 of 5") as raised:
        descend(make_optimiser([weight], schedule), [weight], schedule, 2)
    assert "smaller schedule.rate (it is 0.1)" in str(raised.value)
    assert weight.tolist() == [1.0, 1.0]


def test_a_training_that_diverges_leaves_no_adapter(tmp_path):
    chosen = method(Kind.FULL, schedule=Schedule(steps=40, rate=1e30, warmup=0.0))
    with pytest.raises(ConfigError, match=re.escape("schedule.rate")):
        run_training(tiny(), training(chosen), Provenance(kind="align", name="x", tuned_on=None), tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))
