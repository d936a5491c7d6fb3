"""Which slots of somebody else's template are which fields of a kind of task.

Knows the fields of each kind and the names that collections give them. A template applies to a kind if every slot
finds a
field and no field is left without a slot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from isophrase.errors import ConfigError, TemplateError
from isophrase.prompts import template_variables
from isophrase.sources.problems import meant
from isophrase.types import Instruction, InstructionSet, OutputForm

_INPUT = frozenset({
    "input", "text", "question", "sentence", "question_stem", "goal", "context", "content", "document", "passage",
    "review", "article", "dialogue", "ctx", "query", "statement", "instruction", "body", "story", "premise",
})  # fmt: skip
_PREMISE = frozenset({"premise", "sentence1", "sentence_1", "context", "paragraph", "passage", "text"})
_HYPOTHESIS = frozenset({"hypothesis", "sentence2", "sentence_2", "claim", "conclusion", "statement"})
_QUESTION = frozenset({"question", "query"})
_OPTIONS = frozenset({"options", "option_list"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task: its fields with the names that stand for them, and the forms of answer that it takes."""

    fields: Mapping[str, frozenset[str]]
    forms: frozenset[OutputForm]


_CHOSEN = frozenset({OutputForm.LETTER, OutputForm.LABEL})
_WRITTEN = frozenset({OutputForm.TEXT})
KINDS: Mapping[str, Kind] = {
    "multiple-choice": Kind({"input": _INPUT}, _CHOSEN),
    "classification": Kind({"input": _INPUT}, _CHOSEN),
    "entailment": Kind({"premise": _PREMISE, "hypothesis": _HYPOTHESIS}, _CHOSEN),
    "extraction": Kind({"question": _QUESTION, "input": _INPUT}, _WRITTEN),
    "summarisation": Kind({"input": _INPUT}, _WRITTEN),
    "generation": Kind({"input": _INPUT}, _WRITTEN),
}


def kind_of(name: str) -> Kind:
    """A kind by its name.

    Raises:
        ConfigError: There is none.
    """
    if name not in KINDS:
        close = meant(name, list(KINDS)).removeprefix("; ") or "choose one"
        raise ConfigError(f"a kind of task ({', '.join(KINDS)})", got=repr(name), remedy=close)
    return KINDS[name]


def mapping_for(instruction: Instruction, name: str) -> dict[str, str] | None:
    """Slot -> field for one template, or None where it does not apply.

    Multiple choice needs a template that lists the options.
    """
    kind = kind_of(name)
    if instruction.output_form not in kind.forms:
        return None
    try:
        slots = template_variables(instruction.template)
    except TemplateError:
        return None
    if name == "multiple-choice" and not slots & _OPTIONS:
        return None
    found: dict[str, str] = {}
    free = slots - _OPTIONS
    for field, names in kind.fields.items():
        slot = field if field in free else next((item for item in sorted(free & names) if item not in found), None)
        if slot is None:
            return None
        found[slot] = field
        free -= {slot}
    return found if not free else None


def rename_slots(instructions: InstructionSet, name: str) -> InstructionSet:
    """The members of a set that apply to a kind of task, with its fields as slots.

    Raises:
        ConfigError: None applies, or there is no such kind.
    """
    members = [
        replace(item, template=_rename(item.template, mapping))
        for item in instructions.instructions
        if (mapping := mapping_for(item, name)) is not None
    ]
    if not members:
        raise ConfigError(
            f"a template of {instructions.name} that applies to {name}", got="none",
            remedy="see `isophrase instructions show … --for KIND`",
        )  # fmt: skip
    return replace(instructions, name=f"{instructions.name}@{name}", instructions=tuple(members))


def _rename(template: str, mapping: Mapping[str, str]) -> str:
    """The template with its slots under new names.

    Plain slots are rewritten; where a slot stands inside an expression, a line in front sets it.
    """
    moved = {slot: field for slot, field in mapping.items() if slot != field}
    plain = all(not re.search(rf"\{{%[^%]*\b{re.escape(slot)}\b", template) for slot in moved)
    if plain:
        rewritten = template
        for slot, field in moved.items():
            rewritten = re.sub(rf"\{{\{{\s*{re.escape(slot)}\s*\}}\}}", f"{{{{ {field} }}}}", rewritten)
        if not template_variables(rewritten) & (set(moved) - set(mapping.values())):
            return rewritten
    return "".join(f"{{% set {slot} = {field} %}}" for slot, field in moved.items()) + template
