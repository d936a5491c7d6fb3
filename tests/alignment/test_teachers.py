"""Which model teaches, and whether a gradient goes through it."""

import pytest
import torch

from isophrase.alignment.method import Draws, Kind, Space, Start, Teacher
from isophrase.alignment.training import begin
from tests.alignment.formulas import compared, draws_of, even, mean, moved
from tests.alignment.small import material, method, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def begun(kind, teacher, *, plain=False, family="llama", **changes):
    given = {"supervised": 0.0, "consistency": 1.0, "anchor": 0.0, "start": Start.RANDOM}
    draws = Draws(wordings=2, inputs=1, references=1)
    chosen = method(kind, **{**given, "teacher": teacher, "draws": draws, **changes})
    item = even() if chosen.space is Space.LABELS else material()
    return begin(tiny(family), training(chosen, materials=(item,), plain=plain))


def gradients(session, loss):
    found = torch.autograd.grad(loss, session.trainable.weights, allow_unused=True)
    return torch.cat([part.flatten() for part in found if part is not None])


def written_out(session, *, detached):
    """The divergence from the model in training under the reference, as plain PEFT computes it."""
    model, tokenizer = session.trainable.model, session.loaded.tokenizer
    how = {"space": session.training.method.space, "kind": session.training.method.divergence}
    found = []
    for item in draws_of(session, 0):
        if item.purpose == "wording":
            found.append(compared(model, without_gradient(model) if detached else model, tokenizer, item, **how))
    return mean(found)


def without_gradient(model):
    class Detached:
        config = model.config

        def __call__(self, **inputs):
            with torch.no_grad():
                return model(**inputs)

    return Detached()


@pytest.mark.parametrize("space", Space)
@pytest.mark.parametrize("kind", [Kind.LORA, Kind.PREFIX])
def test_an_adapted_teacher_is_a_constant_and_a_joint_one_moves_too(kind, space):
    expected = {}
    for teacher, detached in ((Teacher.ADAPTED, True), (Teacher.JOINT, False)):
        session = moved(begun(kind, teacher, space=space))
        loss, formula = session.loss(0).total, written_out(session, detached=detached)
        assert float(loss.detach()) == pytest.approx(float(formula.detach()), rel=1e-4)
        expected[teacher] = gradients(session, formula)
        scale = float(expected[teacher].abs().max())
        assert torch.allclose(gradients(session, loss), expected[teacher], atol=2e-3 * scale)
    apart = (expected[Teacher.ADAPTED] - expected[Teacher.JOINT]).abs().max()
    assert apart > 0.1 * expected[Teacher.JOINT].abs().max()  # else this test could not tell them apart


def frozen_formula(session):
    """The divergence from a model that has never been trained."""
    model, tokenizer = session.trainable.model, session.loaded.tokenizer
    frozen = tiny(session.loaded.spec.name).model
    how = {"space": session.training.method.space, "kind": session.training.method.divergence}
    found = {"wording": [], "reference": []}
    with torch.no_grad():
        for item in draws_of(session, 0):
            found[item.purpose].append(compared(model, frozen, tokenizer, item, **how))
    return {"consistency": float(mean(found["wording"])), "anchor": float(mean(found["reference"]))}


@pytest.mark.parametrize("plain", [False, True], ids=["tree", "plain"])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_reference_teacher_stays_the_model_before_training(kind, plain):
    session = moved(begun(kind, Teacher.REFERENCE, plain=plain, anchor=0.5))
    assert session.loss(0).parts == pytest.approx(frozen_formula(session), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("plain", [False, True], ids=["tree", "plain"])
@pytest.mark.parametrize("kind", [Kind.LORA, Kind.PREFIX, Kind.PROMPT])
def test_the_reference_teacher_learns_without_the_adapter(kind, plain):
    """Also when the adapter does something already, as LoRA at its start does not."""
    session = moved(begun(kind, Teacher.REFERENCE, plain=plain, anchor=0.5))
    session.teacher._states.clear()
    session.learn()
    assert session.loss(0).parts == pytest.approx(frozen_formula(session), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("kind", [Kind.LORA, Kind.PROMPT, Kind.PREFIX])
def test_an_encoder_decoders_teacher_learns_without_the_adapter_too(kind):
    session = moved(begun(kind, Teacher.REFERENCE, family="t5", anchor=0.5))
    session.teacher._states.clear()
    session.learn()
    assert session.loss(0).parts == pytest.approx(frozen_formula(session), rel=1e-4, abs=1e-6)
