"""FLAN template files: v1 `PATTERNS` and the branched templates of v2 (Wei et al. 2022; Longpre et al. 2023).

The files are Python; they are read as syntax trees and never run. Every top-level dictionary whose name ends in
PATTERNS is
taken: texts, sums of texts, lists, nested dictionaries, and calls with `inputs=` and `targets=`. A pattern whose
answer is not
`{answer}` asks for something else (write a premise) and is left out with a note.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isophrase.errors import SourceError
from isophrase.sources.collections.collected import Collected, add, files_of, fitting_id, literal
from isophrase.sources.documents import decode, read_bytes
from isophrase.sources.problems import Problems
from isophrase.types import Instruction, InstructionSet, OptionLayout, OutputForm

COLLECTION = "flan"
ORIGIN = "FLAN, read from the user's own files"
_FIELD = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}")
_OPTIONS = frozenset({"options_", "options", "options_str"})
_ANSWERS = frozenset({"{answer}", "{answers}", "{target}", "{label}"})


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One pattern: the path of keys to it, what is asked, what is answered, its line."""

    path: tuple[str, ...]
    inputs: str
    targets: str
    line: int


def read_flan(path: Path) -> Collected:
    """All patterns of a FLAN template file, or of a folder of them; one set for each task name.

    Raises:
        SourceError: There is no such file, or nothing in it can be read.
    """
    problems, notes = Problems(str(path)), Problems(str(path))
    members: dict[str, list[Instruction]] = {}
    for file in files_of(path, ".py"):
        where = str(file.relative_to(path)) if path.is_dir() else file.name
        for pattern in _patterns(file, where, problems):
            _add(members, pattern, f"{where}:{pattern.line}", problems, notes)
    sets = [
        InstructionSet(f"{COLLECTION}/{name}", "1", tuple(found), (), ORIGIN)
        for name, found in members.items()
        if found
    ]
    if not sets:
        reasons = "; ".join(problems.shown()) or "none"
        raise SourceError("FLAN templates (PATTERNS = {…})", got=f"{path}: {reasons}", remedy="give a templates.py")
    return Collected(COLLECTION, tuple(sets), (), tuple(problems.all()), tuple(notes.all()))


def _add(
    members: dict[str, list[Instruction]], pattern: _Pattern, place: str, problems: Problems, notes: Problems
) -> None:
    name, *branch = pattern.path
    if pattern.targets.strip() not in _ANSWERS:
        notes.add(place, f"{name}: answers {pattern.targets.strip()[:40]!r}, not the task's answer")
        return
    template, has_options = _jinja(pattern.inputs)
    mine = members.setdefault(name, [])
    stem = "-".join(fitting_id(part) for part in branch) or "pattern"
    found = Instruction(
        id=f"{stem}-{len(mine) + 1}",
        template=template,
        collection=COLLECTION,
        output_form=OutputForm.LABEL if has_options else OutputForm.TEXT,
        author="FLAN",
        option_layout=OptionLayout.BULLETS,
    )
    add(mine, found, place, problems)


def _jinja(pattern: str) -> tuple[str, bool]:
    """A format string as a Jinja2 template, and whether it lists options (as FLAN does: `OPTIONS:` and dashes)."""
    parts, place, has_options = [], 0, False
    for match in _FIELD.finditer(pattern):
        parts.append(literal(pattern[place : match.start()]))
        place = match.end()
        if match[1] is None:
            parts.append(literal(match[0][0]))
        elif match[1] in _OPTIONS:
            has_options = True
            parts.append("OPTIONS:\n{{ options }}")
        else:
            parts.append(f"{{{{ {match[1]} }}}}")
    return "".join([*parts, literal(pattern[place:])]), has_options


def _patterns(file: Path, where: str, problems: Problems) -> Iterator[_Pattern]:
    text = decode(read_bytes(file), where)
    try:
        tree = ast.parse(text, filename=where)
    except SyntaxError as error:
        problems.add(f"{where}:{error.lineno or 1}", f"is no Python ({error.msg}); mend the file")
        return
    names: dict[str, str] = {}
    for statement in tree.body:
        target, value = _assignment(statement)
        if value is None:
            continue
        constant = _text(value, names)
        if isinstance(target, ast.Name) and constant is not None:
            names[target.id] = constant
        elif isinstance(target, ast.Name) and target.id.endswith("PATTERNS"):
            yield from _walk(value, (), names, where, problems)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            key = _text(target.slice, names)
            if target.value.id.endswith("PATTERNS") and key is not None:
                yield from _walk(value, (key,), names, where, problems)


def _assignment(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0], statement.value
    if isinstance(statement, ast.AnnAssign):
        return statement.target, statement.value
    return None, None


def _walk(
    node: ast.expr, path: tuple[str, ...], names: dict[str, str], where: str, problems: Problems
) -> Iterator[_Pattern]:
    """The patterns below a node; what can't be read is named and passed over."""
    place = f"{where}:{node.lineno}"
    found = _pattern(node, path, names)
    if found is not None:
        yield found
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = _text(key, names) if key is not None else None
            if name is None:
                problems.add(f"{where}:{value.lineno}", "a key that is no text; write it out")
            else:
                yield from _walk(value, (*path, name), names, where, problems)
    elif isinstance(node, ast.List | ast.Tuple) and path and not _is_pair(node):
        for item in node.elts:
            yield from _walk(item, path, names, where, problems)
    else:
        name = "/".join(path) or "PATTERNS"
        problems.add(place, f"{name}: {type(node).__name__} instead of a pair of texts; it is not run, so write it out")


def _is_pair(node: ast.List | ast.Tuple) -> bool:
    return isinstance(node, ast.Tuple) and not all(
        isinstance(item, ast.Tuple | ast.List | ast.Call) for item in node.elts
    )


def _pattern(node: ast.expr, path: tuple[str, ...], names: dict[str, str]) -> _Pattern | None:
    """A pair of texts, or a call with `inputs=` and `targets=` (and their prefixes)."""
    if not path:
        return None
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        inputs, targets = (_text(item, names) for item in node.elts)
        if inputs is not None and targets is not None:
            return _Pattern(path, inputs, targets, node.lineno)
    if isinstance(node, ast.Call):
        values = {item.arg: _text(item.value, names) for item in node.keywords}
        inputs, targets = values.get("inputs"), values.get("targets")
        if inputs is not None and targets is not None:
            asked = (values.get("inputs_prefix") or "") + inputs
            cue = (values.get("x_y_delimiter") or "") + (values.get("targets_prefix") or "")
            return _Pattern(path, asked + cue, targets, node.lineno)
    return None


def _text(node: ast.expr | None, names: dict[str, str]) -> str | None:
    """A constant text: a literal, a sum of texts, or the name of one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, names), _text(node.right, names)
        return left + right if left is not None and right is not None else None
    return None
