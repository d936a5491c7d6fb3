"""Our own registers around a user's instruction."""

import pytest

from isophrase.errors import ConfigError
from isophrase.paraphrase.gate import judge_all
from isophrase.paraphrase.pair import Pair, Verdict
from isophrase.paraphrase.registers import in_registers, reference_of, register_languages
from isophrase.prompts import check_fit
from isophrase.types import Example, Metric, OutputForm, Task, TaskKind

QUEUES = ("billing", "technical", "account", "delivery")


def task(*fields, kind=TaskKind.CLASSIFICATION):
    classes = kind is TaskKind.CLASSIFICATION
    example = Example(
        "1", dict.fromkeys(fields, "x"), QUEUES if classes else (), (0,) if classes else (), () if classes else ("r",)
    )
    return Task("t", "1", kind, Metric.ACCURACY if classes else Metric.EXACT_MATCH, (example,))


def test_there_are_enough_registers_and_all_fit():
    tickets = task("input")
    found = in_registers("Route the ticket to a team", tickets)
    assert len(found) >= 24
    assert len({item.id for item in found}) == len({item.template for item in found}) == len(found)
    assert all("Route the ticket to a team." in item.template for item in found)
    for item in (reference_of("Route it", tickets), *found):
        check_fit(item, tickets)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Route the ticket to a team."), ("en", "Which team should handle this ticket?"),
     ("de", "Ordne das Ticket einem Team zu."), ("fr", "Attribue le ticket à une équipe."),
     ("es", "Asigna el ticket a un equipo.")],
)  # fmt: skip
def test_nearly_all_registers_pass_the_gate(language, text):
    assert language in register_languages()
    tickets = task("input")
    reference = reference_of(text, tickets, language)
    candidates = in_registers(text, tickets, language)
    judged = judge_all([Pair(reference, item, QUEUES) for item in candidates])
    passed = [item for item in judged if item.verdict is Verdict.PASS]
    assert len(passed) >= 0.9 * len(candidates), [
        (item.pair.candidate.id, item.reasons) for item in judged if item.reasons
    ]


def test_a_whole_template_keeps_its_sentence_and_its_fields():
    tickets = task("title", "body")
    template = "Route the ticket.\nTitle: {{ title }}\n{{ body }}\nTeam:"
    assert reference_of(template, tickets).template == template
    found = in_registers(template, tickets)[0]
    assert "Route the ticket." in found.template
    assert "body: {{ body }}\ntitle: {{ title }}" in found.template
    with pytest.raises(ConfigError, match="sentence of its own"):
        in_registers("{{ title }} {{ body }}", tickets)


def test_free_text_has_no_options():
    found = in_registers("Name the city.", task("input", kind=TaskKind.GENERATION))
    assert all(item.output_form is OutputForm.TEXT and "options" not in item.template for item in found)


def test_bad_arguments():
    with pytest.raises(ConfigError, match="got an empty text"):
        reference_of("  ", task("input"))
    with pytest.raises(ConfigError, match="registers of ours"):
        in_registers("Irgendwas.", task("input"), "xx")
