"""Re-phrasings without a model: our own registers put around the user's instruction.

Knows the frames in `data/registers.yaml`. A frame changes who speaks, how politely, and where the input stands; the
instruction's own words stay.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from isophrase.errors import ConfigError
from isophrase.prompts import template_variables
from isophrase.sources.documents import read_yaml
from isophrase.types import Instruction, OptionLayout, OutputForm, Role, Task, TaskKind
from isophrase.wording.lexicon import base_language
from isophrase.wording.words import sentences

REFERENCE = "yours"
COLLECTION = "registers"
_PLACE = "<instruction>"
_ENDS = (".", "!", "?", ":", "。", "？", "！")


def register_languages() -> tuple[str, ...]:
    """The languages that have frames."""
    return tuple(sorted(_frames()))


def reference_of(text: str, task: Task, language: str = "en") -> Instruction:
    """The user's own instruction as the reference.

    A text with slots is taken as the whole template. Otherwise it stands first, then the task's fields, then its
    options.

    Args:
        text: The user's instruction.
        task: Its task.
        language: Its language.

    Raises:
        ConfigError: The text is empty.
        TemplateError: It is not Jinja2.
    """
    if not text.strip():
        raise ConfigError("an instruction", got="an empty text", remedy="write what the model should do")
    form = OutputForm.TEXT if task.kind is TaskKind.GENERATION else OutputForm.LABEL
    template = text if template_variables(text) else _plain(_ended(text), task)
    return Instruction(
        REFERENCE, template, "reference", form, base_language(language), "yours", "user", None, Role.REFERENCE,
        OptionLayout.BULLETS,
    )  # fmt: skip


def in_registers(text: str, task: Task, language: str = "en") -> tuple[Instruction, ...]:
    """The user's instruction in every register of its language.

    Args:
        text: The user's instruction; of a whole template, its sentences without slots are taken.
        task: Its task: its fields become the input, its options are listed.
        language: Its language.

    Raises:
        ConfigError: There are no frames for the language, or the template holds no sentence of its own.
    """
    frames = _frames().get(base_language(language))
    if frames is None:
        raise ConfigError(
            f"a language with registers of ours ({', '.join(register_languages())})", got=repr(language),
            remedy="give paraphrases in a file, or a model that writes them",
        )  # fmt: skip
    sentence = _ended(_sentence(text))
    generation = task.kind is TaskKind.GENERATION
    return tuple(
        Instruction(
            id=frame["id"],
            template=_fill(frame["template"], sentence, task),
            collection=COLLECTION,
            output_form=OutputForm.TEXT if generation else OutputForm.LABEL,
            language=base_language(language),
            register=frame["register"],
            author="isophrase",
            reference=REFERENCE,
            option_layout=OptionLayout(frame["layout"]),
        )
        for frame in frames
        if not generation or "{{ options }}" not in frame["template"]
    )


def _plain(sentence: str, task: Task) -> str:
    options = "" if task.kind is TaskKind.GENERATION else "\n\n{{ options }}"
    return f"{sentence}\n\n{_fields(task)}{options}\n\nAnswer:"


def _fill(frame: str, sentence: str, task: Task) -> str:
    return frame.replace(_PLACE, sentence).replace("{{ input }}", _fields(task))


def _fields(task: Task) -> str:
    """The slots of the task: alone if it has one field, else each after its name."""
    names = sorted(task.field_names)
    if len(names) == 1:
        return f"{{{{ {names[0]} }}}}"
    return "\n".join(f"{name}: {{{{ {name} }}}}" for name in names)


def _sentence(text: str) -> str:
    """The user's words without slots: lines that hold none, and no bare cue such as `Answer:`."""
    if not template_variables(text):
        return text.strip()
    lines = [line.strip() for line in text.splitlines() if "{{" not in line and "{%" not in line]
    kept = [line for line in lines if line and not (line.endswith(":") and len(line.split()) <= 3)]
    if not kept or not any(True for _ in sentences(" ".join(kept))):
        raise ConfigError(
            "an instruction with a sentence of its own, in a line without a slot", got=repr(text),
            remedy="put the instruction into its own line",
        )  # fmt: skip
    return " ".join(kept)


def _ended(sentence: str) -> str:
    sentence = re.sub(r"\s+", " ", sentence).strip()
    return sentence if sentence.endswith(_ENDS) else f"{sentence}."


@cache
def _frames() -> dict[str, list[dict[str, Any]]]:
    content: dict[str, list[dict[str, Any]]] = read_yaml(files("isophrase.data") / "registers.yaml").content
    return content
