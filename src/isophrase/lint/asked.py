"""Rules before measuring: does a wording ask for what is scored, in the words that are scored?

Knows what a wording says (`wording/`). Each rule is one function; the table is in `rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isophrase.errors import TemplateError
from isophrase.lint.findings import Finding, Severity, Wordings
from isophrase.prompts import check_fit, template_variables
from isophrase.sources.problems import listed
from isophrase.types import Instruction, OutputForm
from isophrase.wording.language import behind, detect
from isophrase.wording.sense import Sense, sense
from isophrase.wording.words import spoken, without

FAR = 0.35
"""Nats an n-gram by which a text must be likelier in another language to be called one of it."""

_FAMILIES = (
    ("yes", "no", "maybe"), ("true", "false", "neither", "unknown"), ("positive", "negative", "neutral"),
    ("entailment", "contradiction", "neutral"), ("agree", "disagree"), ("correct", "incorrect"),
    ("ja", "nein", "vielleicht"), ("oui", "non", "peut-être"), ("sí", "no", "quizás"),
    ("wahr", "falsch"), ("vrai", "faux"), ("verdadero", "falso"),
)  # fmt: skip
"""Words that stand for answers when they are offered side by side."""

_UNSCORED = {
    "letter": "a letter", "number": "a number", "explanation": "an explanation", "structure": "structured data",
    "list": "a list", "full": "the whole answer",
}  # fmt: skip
_NOT_SCORED = {
    OutputForm.LETTER: ("number", "explanation", "structure", "list"),
    OutputForm.LABEL: ("letter", "explanation", "structure", "list"),
    OutputForm.TEXT: ("letter",),
}


def form_of_answer(wordings: Wordings) -> Iterator[Finding]:
    """A wording asks for another form of answer than the one that is scored."""
    for item in wordings.measured:
        if item.answer_template:
            continue  # what is scored was written for this wording
        found = _sense(item, wordings)
        for form in _NOT_SCORED[item.output_form]:
            if form in found.asked and not _also_scored(form, found, item):
                yield Finding(
                    "form-of-answer", Severity.ERROR, wordings.place(item),
                    f"asks for {_UNSCORED[form]} where a {item.output_form.value} is scored",
                    "reword it, or set `output_form` or `answer_template` to what it asks for",
                )  # fmt: skip
        if item.output_form is OutputForm.LETTER and "letter" in found.refused:
            yield Finding(
                "form-of-answer", Severity.ERROR, wordings.place(item),
                "asks for no letter where a letter is scored", "set `output_form: label`",
            )  # fmt: skip


def _also_scored(form: str, found: Sense, item: Instruction) -> bool:
    """Whether a wording that names another form still asks for the scored one."""
    return form in ("number", "list") and item.output_form is OutputForm.LETTER and "letter" in found.asked


def label_words(wordings: Wordings) -> Iterator[Finding]:
    """A wording without `{{ options }}` names some of the labels and leaves others out, or names none."""
    labels = wordings.labels
    if not labels:
        return
    for item in wordings.measured:
        if item.output_form is not OutputForm.LABEL or "options" in template_variables(item.template):
            continue
        answers = labels if not item.answer_template else ()
        missing = [label for label in answers if not _named(label, item.template)]
        if not missing:
            continue
        severity = Severity.WARNING if len(missing) == len(answers) else Severity.ERROR
        what = "no label word" if severity is Severity.WARNING else f"not the label{'s' * (len(missing) > 1)}"
        names = "" if severity is Severity.WARNING else f" {listed(map(repr, missing))}"
        yield Finding(
            "label-words", severity, wordings.place(item),
            f"names {what}{names} of {listed(map(repr, labels))}", "name them all, or list them with `{{ options }}`",
        )  # fmt: skip


def foreign_labels(wordings: Wordings) -> Iterator[Finding]:
    """A wording offers answers that are none of the options: `True, False or Neither` where A, B and C are scored."""
    if wordings.task is None or not wordings.task.examples:
        return
    options = {option.casefold() for example in wordings.task.examples for option in example.options}
    if not options:
        return
    for item in wordings.measured:
        if item.answer_template:
            continue
        offered = _offered(spoken(item.template))
        if offered and not options & offered:
            yield Finding(
                "foreign-labels", Severity.ERROR, wordings.place(item),
                f"offers the answers {listed(map(repr, sorted(offered)))}, none of which is an option",
                "offer the options, or give an `answer_template`",
            )  # fmt: skip


def _offered(text: str) -> set[str]:
    """The words of a family that stand side by side as alternatives."""
    for family in _FAMILIES:
        word = "|".join(map(re.escape, family))
        mark = r"[\"'“”«»‘’]?"
        one = rf"{mark}(?<!\w)(?:{word})(?!\w){mark}"
        join = r"\s*(?:,|/|\||,?\s(?:or|oder|ou|o)\s)\s*"
        found = re.search(rf"{one}(?:{join}{one})+", text)
        if found:
            return set(re.findall(rf"(?<!\w)(?:{word})(?!\w)", found[0]))
    return set()


def _named(label: str, template: str) -> bool:
    text, word = spoken(template), label.casefold()
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None or word.replace("_", " ") in text


def unused_slots(wordings: Wordings) -> Iterator[Finding]:
    """A wording leaves out a slot of its reference, or has none at all."""
    by_id = {item.id: item for item in wordings.instructions.instructions}
    for item in wordings.measured:
        used = template_variables(item.template)
        reference = by_id.get(item.reference or "")
        missing = sorted(template_variables(reference.template) - used) if reference is not None else []
        if reference is not None and "options" in missing and item.output_form is OutputForm.LABEL and wordings.labels:
            missing.remove("options")  # label-words sees to it
        if not used:
            message = "uses no slot, so every example reads the same"
        elif missing:
            message = f"leaves out the slot{'s' * (len(missing) > 1)} {listed(missing)} of {item.reference!r}"
        else:
            continue
        yield Finding("unused-slot", Severity.ERROR, wordings.place(item), message, "use the slot")


def unfit(wordings: Wordings) -> Iterator[Finding]:
    """A wording cannot be rendered for the task."""
    if wordings.task is None:
        return
    for item in wordings.instructions.instructions:
        try:
            check_fit(item, wordings.task)
        except TemplateError as error:
            yield Finding("unfit", Severity.ERROR, wordings.place(item), f"got {error.got}", error.remedy)


def language(wordings: Wordings) -> Iterator[Finding]:
    """A wording is in another language than the one that it says."""
    for item in wordings.measured:
        text = without(spoken(item.template), wordings.labels)
        if behind(text, item.language.split("-")[0].lower()) > FAR:
            guess = detect(text)
            assert guess is not None, "a text that is behind in one language has a likeliest one"
            yield Finding(
                "language", Severity.ERROR, wordings.place(item),
                f"says that it is in {item.language!r} and reads like {guess.language!r}", "correct `language`",
            )  # fmt: skip


def _sense(item: Instruction, wordings: Wordings) -> Sense:
    return sense(item.template, item.language, wordings.labels)
