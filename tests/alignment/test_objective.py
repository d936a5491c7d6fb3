"""The loss of a pass against formulas written out from plain transformers' log-probabilities."""

import math

import pytest
import torch

from isophrase.alignment.method import Divergence, Draws, Kind, Method, Space
from isophrase.alignment.objective import Seen, loss_of
from isophrase.alignment.posing import Posed
from isophrase.alignment.reading import Reading
from isophrase.alignment.registers import Register
from isophrase.alignment.sampling import Draw, Purpose
from isophrase.alignment.training import begin
from isophrase.engine.gradients import Prefix
from tests.alignment.formulas import compared, draws_of, even, mean, moved, supervised
from tests.alignment.small import REFERENCE, TRAIN, example, material, method, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

# All different, and of every purpose another number of draws, so that none can stand for another.
WEIGHTS = {"supervised": 0.3, "consistency": 0.7, "supervised_reference": 0.45, "anchor": 0.6}
DRAWS = Draws(wordings=3, inputs=2, references=1, controls=2, registers=1.0)
POLITE = Register("polite", "Please. {{ instruction }} Thanks.")


def begun(family="llama", kind=Kind.LORA, **changes):
    chosen = method(kind, **{"draws": DRAWS, **WEIGHTS, **changes})
    item = even() if chosen.space is Space.LABELS else material()
    return moved(begin(tiny(family), training(chosen, materials=(item,), registers=(POLITE,))))


def written_out(session, number):
    """Each part of the loss of a pass, from plain transformers and PEFT."""
    method = session.training.method
    student, tokenizer = session.trainable.model, session.loaded.tokenizer
    frozen = tiny(session.loaded.spec.name).model
    by_purpose = {purpose: [] for purpose in Purpose}
    for item in draws_of(session, number):
        by_purpose[item.purpose].append(item)
    wordings, references = by_purpose[Purpose.WORDING], by_purpose[Purpose.REFERENCE]
    negated = by_purpose[Purpose.NEGATED]
    held = references if method.supervised_negated else references + negated

    def apart(items):
        how = {"space": method.space, "kind": method.divergence}
        return mean([compared(student, frozen, tokenizer, item, **how) for item in items])

    with torch.no_grad():
        parts = {
            "supervised": mean([supervised(student, tokenizer, item) for item in wordings]),
            "consistency": apart(wordings),
            "supervised_reference": mean([supervised(student, tokenizer, item) for item in references]),
            "anchor": apart(held),
        }
        if method.supervised_negated:
            others = [item.example.options[1 - item.example.gold[0]] for item in negated]
            pairs = zip(negated, others, strict=True)
            parts["supervised_negated"] = mean([supervised(student, tokenizer, *pair) for pair in pairs])
    return {name: float(value) for name, value in parts.items()}


def total_of(method, parts):
    return sum(getattr(method, name) * value for name, value in parts.items())


def agrees(session, number):
    found, parts = session.loss(number), written_out(session, number)
    assert min(parts.values()) > 0.01
    assert found.parts == pytest.approx(parts, rel=1e-4, abs=1e-6)
    assert float(found.total.detach()) == pytest.approx(total_of(session.training.method, found.parts), rel=1e-6)


@pytest.mark.parametrize("space", Space)
@pytest.mark.parametrize("kind", Divergence)
def test_a_loss_is_the_weighted_sum_of_its_parts_written_out(kind, space):
    agrees(begun(divergence=kind, space=space), 0)


@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.FULL])
def test_other_weights_have_the_loss_written_out_too(kind):
    agrees(begun(kind=kind), 1)


@pytest.mark.parametrize("space", Space)
def test_an_encoder_decoder_has_the_loss_written_out_too(space):
    agrees(begun("t5", space=space), 0)


def test_what_is_taught_to_negated_wordings_is_added_and_no_longer_anchored():
    agrees(begun(supervised_negated=0.25), 0)


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_loss_without_weight_is_left_out(name):
    session = begun(**{name: 0.0})
    expected = {part: value for part, value in written_out(session, 0).items() if part != name}
    found = session.loss(0)
    assert found.parts == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert float(found.total.detach()) == pytest.approx(total_of(session.training.method, found.parts), rel=1e-6)


def reading(context, probabilities):
    """A question `context` whose answers are token 0 and tokens 1, 2, with the right one the longer; its words given.

    The rows: behind the context, and behind token 1.
    """
    question = Posed((context,), ((0,), (1, 2)), 1)
    places = {Prefix((context,)): 0, Prefix((context,), (1,)): 1}
    return question, places, torch.log(torch.tensor(probabilities, dtype=torch.float64))


def by_hand(purpose, said, taught):
    """The loss of one draw as a function of a method."""
    asked, places, words = reading(7, said)
    taught_question, taught_places, taught_words = reading(8, taught)
    student = Reading((asked,), places, torch.zeros(2, 1), words)
    teacher = Reading((taught_question,), taught_places, torch.zeros(2, 1), taught_words)
    item = Draw(0, example(1), TRAIN[0], REFERENCE, purpose, "mood\0train-1")
    return lambda method: loss_of(Seen([item], student, teacher, teacher), method)


SAID = [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]
TAUGHT = [[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]]


def test_numbers_by_hand_over_words():
    """Student and teacher: halves and quarters, so that every log is a multiple of log 2."""
    loss = by_hand(Purpose.WORDING, SAID, TAUGHT)
    found = loss(Method(supervised=0.2, consistency=0.8))
    right = (2 + 1) / 2 * math.log(2)  # -log of 1/4 and of 1/2
    first = (0.25 * -1 + 0.5 * 1) * math.log(2)
    second = (0.5 * 1 + 0.25 * -1) * math.log(2)
    assert found.parts == pytest.approx({"supervised": right, "consistency": (first + second) / 2})
    assert float(found.total) == pytest.approx(0.2 * right + 0.8 * (first + second) / 2)
    assert found.groups == pytest.approx({"mood\0train-1": float(found.total)})


@pytest.mark.parametrize("kind", [Divergence.FORWARD, Divergence.REVERSE])
def test_numbers_by_hand_over_labels(kind):
    """P of the options: 1/2 against 1/4 · 1/2, which is 4 to 1; 1/4 against 1/2 · 1/4, which is 2 to 1."""
    q, p = (4 / 5, 1 / 5), (2 / 3, 1 / 3)
    left, right = (p, q) if kind is Divergence.FORWARD else (q, p)
    expected = sum(one * math.log(one / other) for one, other in zip(left, right, strict=True))
    for purpose, weights in (
        (Purpose.WORDING, {"consistency": 0.5}),
        (Purpose.REFERENCE, {"anchor": 0.5}),
        (Purpose.CONTROL, {"anchor": 0.5}),
    ):
        chosen = Method(**{"supervised": 0.0, "consistency": 0.0, "space": Space.LABELS, "divergence": kind, **weights})
        found = by_hand(purpose, SAID, TAUGHT)(chosen)
        assert float(found.total) == pytest.approx(0.5 * expected)
        assert list(found.parts.values()) == [pytest.approx(expected)]
