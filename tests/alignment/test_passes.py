"""What the passes of a step come to: the mean of their gradients, and group weights that follow their losses."""

import itertools
import math

import numpy as np
import pytest
import torch

from isophrase.alignment.method import Draws, Kind, Schedule
from isophrase.alignment.training import begin, train
from tests.alignment.formulas import compared, draws_of, mean, moved, supervised
from tests.alignment.small import method, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

NAMES = ("mood\0train-1", "mood\0train-2", "mood\0train-3")


def gradients_of(weights):
    return torch.cat([weight.grad.flatten().clone() for weight in weights])


@pytest.mark.parametrize("accumulate", [2, 3])
def test_the_gradient_of_a_step_is_the_mean_of_its_passes(accumulate):
    steps = 2
    schedule = Schedule(steps=steps, accumulate=accumulate, rate=0.0, clip=1e9)
    chosen = method(Kind.LORA, schedule=schedule)
    single = begin(tiny(), training(chosen))
    passes = []
    for number in range(steps * accumulate):
        for weight in single.trainable.weights:
            weight.grad = None
        single.loss(number).total.backward()
        passes.append(gradients_of(single.trainable.weights))
    loaded, found, norms = tiny(), [], []

    def kept(step):
        norms.append(step.norm)
        found.append(gradients_of([weight for weight in loaded.model.parameters() if weight.requires_grad]))

    train(loaded, training(chosen), notify=kept)
    for step in range(steps):
        expected = torch.stack(passes[step * accumulate : (step + 1) * accumulate]).mean(dim=0)
        assert expected.norm() > 0.1
        assert torch.allclose(found[step], expected, atol=1e-5 * float(expected.abs().max()))
        assert norms[step] == pytest.approx(float(expected.norm()), rel=1e-4)
    assert not torch.allclose(found[0], found[1], rtol=0.1)


WORST = {
    "worst_group": 0.5, "supervised": 0.3, "consistency": 0.7, "supervised_reference": 0.2, "anchor": 0.4,
    "draws": Draws(wordings=2, inputs=2, references=1, controls=1),
}  # fmt: skip


def written_out(session, number):
    """The losses of a pass's training wordings, one a row, with their names; and of all else, weighted."""
    method, tokenizer = session.training.method, session.loaded.tokenizer
    model, frozen = session.trainable.model, tiny().model
    rows, names, others = [], [], {"reference": [], "anchor": []}
    with torch.no_grad():
        for item in draws_of(session, number):
            apart = compared(model, frozen, tokenizer, item, space=method.space, kind=method.divergence)
            right = supervised(model, tokenizer, item)
            if item.purpose == "wording":
                rows.append(float(method.supervised * right + method.consistency * apart))
                names.append(item.group)
                continue
            others["anchor"].append(apart)
            if item.purpose == "reference":
                others["reference"].append(right)
    added = method.supervised_reference * mean(others["reference"]) + method.anchor * mean(others["anchor"])
    return rows, names, float(added)


def group_means(rows, names):
    """The mean loss of each wording."""
    return {
        name: float(np.mean([row for row, other in zip(rows, names, strict=True) if other == name])) for name in names
    }


class Looking:
    """Whoever watches, and never asks to stop."""

    enough = False

    def __init__(self, look):
        self.look = look

    def __call__(self, session, step):
        self.look(session, step)
        return False

    def restore(self, weights):
        return None


@pytest.mark.parametrize("number", range(3))
def test_each_row_is_weighted_by_its_group_and_what_is_no_training_wording_is_not(number):
    session = moved(begin(tiny(), training(method(Kind.LORA, **WORST))))
    weights = dict(zip(NAMES, (0.6, 0.3, 0.1), strict=True))
    assert session.groups.names == NAMES
    session.groups.weights = torch.tensor(list(weights.values()))
    rows, names, added = written_out(session, number)
    # Equal weights, 1/3 each, would leave the mean as it is.
    expected = sum(3 * weights[name] * row for name, row in zip(names, rows, strict=True)) / len(rows) + added
    found = session.loss(number)
    assert float(found.total.detach()) == pytest.approx(expected, rel=1e-3)
    assert abs(sum(rows) / len(rows) + added - expected) > 0.02 * expected
    assert found.groups == pytest.approx(group_means(rows, names), rel=1e-3)


def test_group_weights_follow_the_unweighted_losses_of_each_step():
    """q is multiplied by exp(rate × loss) for the wordings of a step, and normalised (Sagawa et al. 2020)."""
    seen = []

    def look(session, step):
        rows, names, _ = written_out(session, step)  # the pass that the next step will see
        seen.append((session.groups.weights.tolist(), group_means(rows, names)))

    chosen = method(Kind.LORA, **WORST, schedule=Schedule(steps=3, rate=1e-2))
    train(tiny(), training(chosen, every=1), looks=[Looking(look)])
    assert len(seen) == 4
    assert seen[0][0] == pytest.approx([1 / 3] * 3)
    for (before, losses), (after, _) in itertools.pairwise(seen):
        grown = [q * math.exp(0.5 * losses.get(name, 0.0)) for q, name in zip(before, NAMES, strict=True)]
        assert after == pytest.approx([q / sum(grown) for q in grown], rel=1e-3)
        assert max(abs(new - old) for new, old in zip(after, before, strict=True)) > 0.02
