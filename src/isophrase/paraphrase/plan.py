"""What a writer is asked for: a plan that makes re-phrasings differ.

Knows styles, registers, languages and temperatures, and how a request is worded. Does not know who writes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isophrase.errors import ConfigError
from isophrase.models.base import Message
from isophrase.models.writing import WritingRequest
from isophrase.prompts import template_variables
from isophrase.sources.problems import listed
from isophrase.types import Instruction, OutputForm

STYLES: tuple[tuple[str, str], ...] = (
    ("terse", "as short as possible, a few words only"),
    ("chatty", "as somebody would write it to a friend in a chat"),
    ("formal", "in formal, official language"),
    ("polite", "as a polite request to a stranger"),
    ("question", "as one question"),
    ("command", "as a strict order"),
    ("role-play", "by giving the reader a job or role in which this is done every day"),
    ("teacher", "as a teacher would tell it to a class"),
    ("input-first", "with the material at the very beginning and the request after it"),
    ("keyword", "as labelled fields, without whole sentences"),
    ("wordy", "at length, in several sentences"),
    ("plain", "in very simple words, for somebody who is learning the language"),
)
"""Register -> what is asked of the writer. `data/registers.yaml` has the same idea for wordings without a model."""

LANGUAGE_NAMES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch", "pt":
    "Portuguese",
    "tr": "Turkish", "zh": "Chinese", "ja": "Japanese",
}  # fmt: skip
_FENCE = re.compile(r"^```[a-z]*\n(.*?)\n?```$", re.DOTALL)
_LEAD = re.compile(r"^(?:here(?:'s| is)[^\n]*:|sure[^\n]*:|re-?phrased?[^\n]*:|version \d+:)\s*\n+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One re-phrasing that is wanted.

    Attributes:
        reference: What is re-phrased.
        register: The style's name.
        language: In which language.
        request: What the writer is asked.
    """

    reference: Instruction
    register: str
    language: str
    request: WritingRequest


@dataclass(frozen=True, slots=True)
class WritingPlan:
    """How many re-phrasings, and how they are made to differ.

    Attributes:
        count: For each reference and language.
        languages: Language tags.
        temperatures: Taken in turn.
        seed: Of the first request.
        labels: Label words that have to stay.
    """

    count: int = 12
    languages: tuple[str, ...] = ("en",)
    temperatures: tuple[float, ...] = (0.7, 1.0, 1.2)
    seed: int = 0
    labels: tuple[str, ...] = ()


def wanted(references: Sequence[Instruction], plan: WritingPlan) -> Iterator[Wanted]:
    """Every request of a plan, in a fixed order: styles in turn, temperatures in turn, each with a seed of its own.

    Args:
        references: What is re-phrased.
        plan: How many, and how.

    Raises:
        ConfigError: A language has no name here.
    """
    unknown = [item for item in plan.languages if item not in LANGUAGE_NAMES]
    if unknown:
        known = listed(LANGUAGE_NAMES, 20)
        raise ConfigError(f"languages among {known}", got=listed(unknown), remedy="choose some of these")
    number = itertools.count()
    for reference in references:
        for language in plan.languages:
            for index in range(plan.count):
                register, style = STYLES[index % len(STYLES)]
                text = _ask(reference, style, LANGUAGE_NAMES[language], plan.labels)
                request = WritingRequest(
                    (Message("user", text),),
                    temperature=plan.temperatures[index % len(plan.temperatures)],
                    seed=plan.seed + next(number),
                )
                yield Wanted(reference, register, language, request)


def _ask(reference: Instruction, style: str, language: str, labels: Sequence[str]) -> str:
    slots = [f"{{{{ {name} }}}}" for name in sorted(template_variables(reference.template))]
    form = {OutputForm.LETTER: "a letter", OutputForm.LABEL: "one of the answers", OutputForm.TEXT: "a text"}
    rules = [
        f"Keep every placeholder exactly as it is: {listed(slots)}." if slots else "",
        f"Keep these words exactly as they are: {listed(labels)}." if labels else "",
        f"It must still ask for {form[reference.output_form]}, and for nothing else.",
        "Do not change what is asked, do not negate it, do not answer it.",
        f"Write it in {language}, {style}.",
        "Reply with the new instruction alone.",
    ]
    return "Re-phrase the following instruction.\n- " + "\n- ".join(filter(None, rules)) + f"\n\n{reference.template}"


def clean(text: str) -> str:
    """A reply without what writers put around it: fences, quotes, `Here is …:`."""
    text = text.strip()
    fenced = _FENCE.match(text)
    if fenced is not None:
        text = fenced[1].strip()
    text = _LEAD.sub("", text).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    # Writers like to lose the blanks or add braces.
    return re.sub(r"\{\{+\s*(\w+)\s*\}\}+", r"{{ \1 }}", text)
