"""promptsource `templates.yaml` files: the prompts of P3 and T0 (Bach et al. 2022).

Knows their tags, the `|||` between prompt and answer, and answer choices. A prompt of the data set's own task becomes
an
instruction; its answer choices become `answer_template`, so that the very words are scored that T0 was trained on.
Prompts for
other tasks (write a question for this answer) are left out with a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from isophrase.errors import SourceError, TemplateError
from isophrase.prompts import template_variables
from isophrase.sources.collections.collected import Collected, add, files_of, fitting_id
from isophrase.sources.documents import decode, read_bytes
from isophrase.sources.problems import Problems
from isophrase.types import Instruction, InstructionSet, OutputForm

COLLECTION = "p3"
ORIGIN = "promptsource (P3), read from the user's own files"
_BAR = "|||"
_LIST = re.compile(r"^\{\{\s*([A-Za-z_]\w*)((?:\.\w+|\[['\"]\w+['\"]\])*)\s*\|\s*join\(.*\)\s*\}\}$")
_PART = re.compile(r"\w+")
_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
_FIELD = re.compile(r"\{\{\s*\w+\s*\}\}")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader; a tag such as `!Template` is a plain mapping."""


def _plain_mapping(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(
            None, None, f"!{suffix} on something else than a mapping", node.start_mark
        )
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _plain_mapping)


def read_promptsource(path: Path) -> Collected:
    """All prompts of a templates.yaml, or of a folder of them.

    Raises:
        SourceError: There is no such file, or nothing in it can be read.
    """
    problems, notes = Problems(str(path)), Problems(str(path))
    sets = [found for file in files_of(path, ".yaml") if (found := _file(file, path, problems, notes))]
    if not sets:
        reasons = "; ".join(problems.shown() + notes.shown()) or "none"
        raise SourceError("promptsource prompts", got=f"{path}: {reasons}", remedy="give a templates.yaml")
    return Collected(COLLECTION, tuple(sets), (), tuple(problems.all()), tuple(notes.all()))


def _file(file: Path, root: Path, problems: Problems, notes: Problems) -> InstructionSet | None:
    where = str(file.relative_to(root)) if root.is_dir() else file.name
    try:
        entries = list(_entries(file, where, problems))
    except SourceError as error:
        problems.add("", str(error))
        return None
    members: list[Instruction] = []
    for place, name, entry, _ in entries:
        found = _instruction(entry, name, place, problems, notes)
        if found is not None:
            add(members, found, place, problems)
    if not members:
        return None
    return InstructionSet(f"{COLLECTION}/{entries[0][3]}", "1", tuple(members), (), ORIGIN)


def _entries(file: Path, where: str, problems: Problems) -> Iterator[tuple[str, str, Mapping[str, Any], str]]:
    """(place, name, content, data set) of each template."""
    text = decode(read_bytes(file), where)
    try:
        node = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SourceError("valid YAML", got=f"{where}{line}: {error.problem}", remedy="mend that line") from None
    templates = content.get("templates") if isinstance(content, dict) else None
    if not isinstance(templates, dict) or "dataset" not in content:
        raise SourceError("`dataset` and `templates`", got=f"{where} without them", remedy="is it promptsource's?")
    data_set = "/".join(str(content[key]) for key in ("dataset", "subset") if content.get(key))
    lines = _lines(node)
    for key, entry in templates.items():
        place = f"{where}:{lines.get(str(key), 1)}"
        if isinstance(entry, dict):
            yield place, str(entry.get("name") or key), entry, data_set
        else:
            problems.add(place, f"template {key!r} is no mapping; remove or mend it")


def _lines(node: yaml.Node | None) -> dict[str, int]:
    """The line of each template, by its key."""
    top = {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    inner = top.get("templates")
    pairs = inner.value if isinstance(inner, yaml.MappingNode) else []
    return {str(key.value): key.start_mark.line + 1 for key, _ in pairs}


def _instruction(
    entry: Mapping[str, Any], name: str, place: str, problems: Problems, notes: Problems
) -> Instruction | None:
    jinja, metadata = entry.get("jinja"), entry.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if not isinstance(jinja, str) or not jinja.strip():
        problems.add(place, f"{name!r} has no `jinja` text; mend or remove it")
        return None
    if jinja.count(_BAR) != 1:
        problems.add(place, f"{name!r} has {jinja.count(_BAR)} `|||` where one parts prompt and answer; mend it")
        return None
    prompt, target = (part.strip() for part in jinja.split(_BAR))
    if not metadata.get("original_task", True):
        notes.add(place, f"{name!r} is for another task than the data set's own")
        return None
    choices = entry.get("answer_choices")
    choices = choices.strip() if isinstance(choices, str) else ""
    if not prompt:
        problems.add(place, f"{name!r} asks nothing before `|||`; mend or remove it")
        return None
    if choices and "answer_choices" not in target and not _is_index(choices, target):
        notes.add(place, f"{name!r} answers with something else than its answer choices")
        return None
    before, answer = _choices(choices)
    if not _parses(prompt):
        # A condition around prompt and answer: its end stands behind the bar.
        prompt += "".join(_TAG.findall(target))
    languages = metadata.get("languages")
    return Instruction(
        id=fitting_id(name),
        template=before + prompt,
        collection=COLLECTION,
        output_form=OutputForm.LABEL if choices else OutputForm.TEXT,
        language=str(languages[0]) if isinstance(languages, list) and languages else "en",
        author="promptsource",
        answer_template=answer,
    )


def _is_index(choices: str, target: str) -> bool:
    """Whether the choices are letters or numbers in order, and the answer is the field that holds one of them."""
    parts = [part.strip() for part in choices.split(_BAR)]
    ordered = [
        list("ABCDEFGHIJ"[: len(parts)]),
        [str(n) for n in range(len(parts))],
        [str(n + 1) for n in range(len(parts))],
    ]
    return parts in ordered and _FIELD.fullmatch(target) is not None


def _parses(template: str) -> bool:
    try:
        template_variables(template)
    except TemplateError:
        return False
    return True


def _choices(choices: str) -> tuple[str, str]:
    """What defines `answer_choices` in front of a prompt, and the answer template.

    Fixed choices are written for the option of the same index. Choices that list a field of the data set are the
    options
    themselves, and that field is made of them.
    """
    if not choices:
        return "", ""
    listed = _LIST.match(choices)
    if listed is not None:
        root, path = listed[1], _PART.findall(listed[2])
        value = "option_list"
        for part in reversed(path):
            value = f'{{"{part}": {value}}}'
        return f"{{% set {root} = {value} %}}{{% set answer_choices = option_list %}}", ""
    parts = [part.strip() for part in choices.split(_BAR)]
    if "{{" in choices or "{%" in choices:
        block = f"{{% set _choices %}}{choices}{{% endset %}}"
        return block + f'{{% set answer_choices = _choices.split("{_BAR}") | map("trim") | list %}}', ""
    fixed = json.dumps(parts, ensure_ascii=False)
    return f"{{% set answer_choices = {fixed} %}}", f"{{{{ {fixed}[index] }}}}"
