"""Super-NaturalInstructions task files (Wang et al. 2022): definition, examples and instances in one JSON.

Knows their keys. Each file becomes a task, with positive examples as exemplars, and a set of its definition as
Tk-Instruct
reads it: alone, and with two positive examples.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isophrase.errors import SourceError
from isophrase.sources.collections.collected import Collected, files_of, literal
from isophrase.sources.documents import decode, read_bytes
from isophrase.sources.loaded import Loaded
from isophrase.sources.problems import Problems
from isophrase.types import Example, Instruction, InstructionSet, Metric, OutputForm, Split, Task, TaskKind

COLLECTION = "niv2"
ORIGIN = "Super-NaturalInstructions, read from the user's own files"
_MOST_CLASSES = 20
_LANGUAGES = {
    "English": "en", "German": "de", "French": "fr", "Spanish": "es", "Italian": "it", "Dutch": "nl", "Portuguese":
    "pt",
    "Turkish": "tr", "Chinese": "zh", "Japanese": "ja", "Hindi": "hi", "Russian": "ru", "Arabic": "ar",
}  # fmt: skip


def read_natural_instructions(path: Path) -> Collected:
    """A task file, or a folder of them.

    Raises:
        SourceError: There is no such file, or none can be read.
    """
    problems, notes = Problems(str(path)), Problems(str(path))
    loaded = []
    for file in files_of(path, ".json"):
        where = str(file.relative_to(path)) if path.is_dir() else file.name
        found = _file(file, where, problems, notes)
        if found is not None:
            loaded.append(found)
    if not loaded:
        reasons = "; ".join(problems.shown()) or "none"
        raise SourceError("Super-NaturalInstructions tasks", got=f"{path}: {reasons}", remedy="give a task JSON")
    sets = tuple(item.instruction_sets[0] for item in loaded)
    return Collected(COLLECTION, sets, tuple(loaded), tuple(problems.all()), tuple(notes.all()))


def _file(file: Path, where: str, problems: Problems, notes: Problems) -> Loaded | None:
    try:
        content = json.loads(decode(read_bytes(file), where))
    except json.JSONDecodeError as error:
        problems.add(f"{where}:{error.lineno}", f"is not JSON ({error.msg}); mend it")
        return None
    except SourceError as error:
        problems.add("", str(error))
        return None
    if not isinstance(content, dict):
        problems.add(where, "is no JSON object; is it a task file?")
        return None
    definition = content.get("Definition")
    definition = "\n".join(definition) if isinstance(definition, list) and _texts(definition) else definition
    if not isinstance(definition, str) or not definition.strip():
        problems.add(f"{where} Definition", "is missing or no text; the task is left out")
        return None
    examples = _examples(content, where, problems)
    if not any(item.split is Split.TEST for item in examples):
        problems.add(f"{where} Instances", "holds no instance that can be read; the task is left out")
        return None
    task = _task(file.stem, examples, content)
    return Loaded(task, (_set(task, definition.strip(), content),))


def _examples(content: Mapping[str, Any], where: str, problems: Problems) -> list[Example]:
    found = []
    for key, split in (("Positive Examples", Split.EXEMPLAR), ("Instances", Split.TEST)):
        entries = content.get(key, [])
        if not isinstance(entries, list):
            problems.add(f"{where} {key}", "is no list; mend it")
            continue
        for number, entry in enumerate(entries):
            place = f"{where} {key}[{number}]"
            if not isinstance(entry, dict) or not isinstance(entry.get("input"), str):
                problems.add(place, "has no `input` text; mend or remove it")
                continue
            outputs = entry.get("output")
            outputs = [outputs] if isinstance(outputs, str) else outputs
            if not isinstance(outputs, list) or not outputs or not _texts(outputs):
                problems.add(place, "has no `output` (a text or a list of texts); mend or remove it")
                continue
            name = str(entry.get("id") or f"{split.value}-{number}")
            references = tuple(dict.fromkeys(item.strip() for item in outputs))
            found.append(Example(name, {"input": entry["input"]}, references=references, split=split))
    return found


def _task(name: str, examples: list[Example], content: Mapping[str, Any]) -> Task:
    """Classification where few outputs answer all instances, else generation."""
    outputs = Counter(reference for item in examples for reference in item.references)
    scored = [item for item in examples if item.split is Split.TEST]
    single = all(len(item.references) == 1 for item in scored)
    # Folded, two outputs would be one option written in two ways.
    classes = sorted(outputs)
    folded = {item.casefold() for item in classes}
    is_classes = single and 2 <= len(classes) <= min(_MOST_CLASSES, len(scored) // 2) and len(folded) == len(classes)
    licence = content.get("Instance License")
    origin = f"{ORIGIN}; {', '.join(licence) if isinstance(licence, list) else licence or 'licence not stated'}"
    if not is_classes:
        return Task(f"niv2/{name}", "1", TaskKind.GENERATION, Metric.TOKEN_F1, tuple(examples), "", origin)
    options = tuple(classes)
    made = tuple(
        Example(item.id, item.fields, options, tuple(sorted({options.index(text) for text in item.references})), (),
                item.split)
        for item in examples
    )  # fmt: skip
    return Task(f"niv2/{name}", "1", TaskKind.CLASSIFICATION, Metric.ACCURACY, made, "", origin)


def _set(task: Task, definition: str, content: Mapping[str, Any]) -> InstructionSet:
    language = content.get("Instruction_language")
    tag = _LANGUAGES.get(str(language[0]), "en") if isinstance(language, list) and language else "en"
    form = OutputForm.TEXT if task.kind is TaskKind.GENERATION else OutputForm.LABEL
    head = f"Definition: {literal(definition)}\n\n"
    ask = "Now complete the following example -\nInput: {{ input }}\nOutput:"
    shown = [item for item in task.examples if item.split is Split.EXEMPLAR][:2]
    positive = "".join(
        f"Positive Example {number} -\nInput: {literal(item.fields['input'])}\nOutput: {literal(_answer(item))}\n\n"
        for number, item in enumerate(shown, start=1)
    )
    wordings = {"definition": head + ask, **({"definition-2-positive": head + positive + ask} if shown else {})}
    members = tuple(
        Instruction(name, template, COLLECTION, form, tag, author="Super-NaturalInstructions")
        for name, template in wordings.items()
    )
    return InstructionSet(task.name, "1", members, (task.name,), ORIGIN)


def _answer(item: Example) -> str:
    return item.options[item.gold[0]] if item.options else item.references[0]


def _texts(values: list[Any]) -> bool:
    return all(isinstance(item, str) and item.strip() for item in values)
