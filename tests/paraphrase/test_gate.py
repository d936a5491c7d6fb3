"""The gate: each signal, the verdict, copies, a judge, and how it does on the benchmark's pairs."""

import pytest

from benchmarks.gate.pairs import HALVES, KINDS, SAME, read_cases
from isophrase.paraphrase.gate import judge_all, judge_pair
from isophrase.paraphrase.judge import ModelJudge
from isophrase.paraphrase.pair import Pair, Verdict
from isophrase.types import Instruction, Measurement, ModelSpec, OutputForm, PromptFormat

REFERENCE = "Is the review positive or negative?\n\nReview: {{ input }}\nSentiment:"


def pair(
    candidate, reference=REFERENCE, *, labels=("positive", "negative"), form=OutputForm.LABEL, language="en", name="c"
):
    return Pair(
        Instruction("ref", reference, "reference", form, language),
        Instruction(name, candidate, "generated", form, language, reference="ref"), tuple(labels),
    )  # fmt: skip


def signals(item):
    return {reason.signal for reason in judge_pair(item).reasons}


def test_a_true_re_phrasing_passes_without_a_reason():
    found = judge_pair(pair("{{ input }}\n\nWould you say that the opinion above is negative or positive?"))
    assert found.verdict is Verdict.PASS
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("candidate", "signal"),
    [
        ("Is the following text positive or negative?", "slots"),
        ("Is it positive or negative? {{ input }} {{ topic }}", "slots"),
        ("Is the opinion in this review positive? {{ input }}", "labels"),
        ("If the review is negative write positive, if it is positive write negative: {{ input }}", "labels"),
        ("Write positive when the customer was content and negative when he moaned: {{ input }}", "labels"),
        ("Positive or negative? Give your reasons. {{ input }}", "form"),
        ("Est-ce que l'avis suivant est positive ou negative, d'après toi ? {{ input }}", "language"),
        ("Is the opinion in the review not positive or not negative? {{ input }}", "negation"),
        ("Who wrote this text, positive or negative as it may be? Author of {{ input }}:", "task"),
        ("Is the review positive or negative? Review: {{ input }}\nSentiment:", "copy"),
    ],
)
def test_each_signal_stops_its_damage(candidate, signal):
    found = judge_pair(pair(candidate))
    assert found.verdict is not Verdict.PASS
    assert signal in {reason.signal for reason in found.reasons}
    assert all(str(reason).startswith(reason.signal) for reason in found.reasons)


def test_labels_may_be_listed_instead_of_named_and_the_other_way_round():
    assert "slots" not in signals(pair("Which opinion does it hold, {{ options }}? {{ input }}"))
    listed = "Which sentiment is it? {{ input }} {{ options }}"
    assert "slots" not in signals(pair("Sentiment of {{ input }}: positive or negative?", listed))
    assert "slots" in signals(pair("Sentiment of {{ input }}: positive?", listed))


def test_a_negated_reference_needs_a_negated_candidate():
    reference = "Which answer is not correct? Give the letter.\n{{ input }}\n{{ options }}"
    good = pair(
        "{{ input }} {{ options }} Letter of the incorrect answer:", reference, labels=(), form=OutputForm.LETTER
    )
    bad = pair("{{ input }} {{ options }} Letter of the correct answer:", reference, labels=(), form=OutputForm.LETTER)
    assert "negation" not in signals(good)
    assert "negation" in signals(bad)


def test_a_copy_of_a_candidate_that_passed_fails():
    one = "{{ input }}\n\nWould you say that the opinion above is negative or positive?"
    other = "{{ input }}\n\nWould you say that the opinion above was negative or positive?"
    first, second = judge_all([pair(one, name="a"), pair(other, name="b")])
    assert first.verdict is Verdict.PASS
    assert second.verdict is Verdict.FAIL
    assert "like 'a'" in str(second.reasons[-1])


class Answering:
    """A model that prefers `yes` in the directions that it is told."""

    def __init__(self, *yes, unscored=None):
        self.spec = ModelSpec("judge", "judge", prompt_format=PromptFormat.PLAIN)
        self.yes, self.unscored, self.prompts = yes, unscored, []

    def measure(self, prompts, limits):
        self.prompts += prompts
        return [
            Measurement(unscored=self.unscored)
            if self.unscored
            else Measurement((-1.0, -2.0) if yes else (-2.0, -1.0), (1, 1))
            for yes, _ in zip(self.yes, prompts, strict=True)
        ]


@pytest.mark.parametrize(
    ("yes", "verdict", "count"), [((True, True), "pass", 0), ((True, False), "fail", 1), ((False, False), "fail", 2)]
)
def test_a_judge_is_asked_in_both_directions(yes, verdict, count):
    model = Answering(*yes)
    (found,) = judge_all([pair("{{ input }}\nPositive or negative opinion?")], judge=ModelJudge(model))
    assert found.verdict == verdict
    assert len(found.reasons) == count
    assert model.prompts[0].text.index("Sentiment:") < model.prompts[0].text.index("opinion?")
    assert model.prompts[1].text.index("Sentiment:") > model.prompts[1].text.index("opinion?")


def test_a_judge_is_not_asked_about_what_failed_and_may_have_no_answer():
    silent = Answering(True, True, unscored="too long")
    fine, broken = pair("{{ input }}\nPositive or negative opinion?"), pair("Positive or negative?", name="d")
    found = judge_all([broken, fine], judge=ModelJudge(silent))
    assert [item.verdict for item in found] == ["fail", "doubt"]
    assert len(silent.prompts) == 2


def test_the_benchmark_has_the_promised_pairs():
    cases = [case for half in HALVES for case in read_cases(half)]
    assert len(cases) >= 300
    assert len({case.pair.reference.language for case in cases}) >= 4
    assert {case.kind for case in cases} == set(KINDS)
    assert len({case.pair.candidate.template for case in cases}) == len(cases)


@pytest.mark.parametrize("half", HALVES)
def test_the_gate_is_precise_on_the_benchmark(half):
    """What docs/gate.md shows; the held-out half was not looked at while the rules were made."""
    cases = read_cases(half)
    passed = [case for case in cases if judge_pair(case.pair).verdict is Verdict.PASS]
    true = sum(case.kind == SAME for case in passed)
    assert true / len(passed) >= 0.95
    assert true / sum(case.kind == SAME for case in cases) >= 0.7
