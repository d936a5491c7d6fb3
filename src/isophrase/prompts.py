"""From an instruction and an example to the text that a model reads.

Knows Jinja2 (in an immutable sandbox, with strict undefined) and the three prompt formats. Does not know tokens, models
or files; a chat template is handed in as a function.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from isophrase.errors import SourceError, TemplateError
from isophrase.types import Example, Instruction, OptionLayout, OutputForm, Prompt, PromptFormat, Split, Task, TaskKind

ChatTemplate = Callable[[Sequence[tuple[str, str]]], str]
"""(role, content) turns -> the conversation's text, ready for the assistant's answer."""

ALPACA_PREAMBLE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
)

_SANDBOX = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
_OF_OPTIONS = frozenset({"options", "option_list"})
"""What a template may name where there are options: their listing, and the list of their texts."""


@jinja2.pass_context
def _choice(context: jinja2.runtime.Context, items: Sequence[object]) -> object:
    """Promptsource's `choice`: one of the items, the same one whenever the same example is rendered."""
    values = {name: str(value) for name, value in context.parent.items() if isinstance(value, str | list)}
    seed = hashlib.sha256(repr((sorted(values.items()), list(items))).encode()).digest()
    return items[int.from_bytes(seed[:8], "big") % len(items)]


def _most_frequent(items: Sequence[object]) -> list[object]:
    """Promptsource's `most_frequent`: the items that occur most often, in their order."""
    counts = Counter(items)
    return [item for item in dict.fromkeys(items) if counts[item] == max(counts.values())]


_SANDBOX.filters["choice"] = _choice
_SANDBOX.filters["most_frequent"] = _most_frequent
_SANDBOX.globals["zip"] = zip


@dataclass(frozen=True, slots=True)
class Turn:
    """One rendered instruction and the answers that may follow it (for an exemplar: the one right answer)."""

    question: str
    answers: tuple[str, ...]


@lru_cache(maxsize=4096)
def _compile(template: str) -> jinja2.Template:
    return _SANDBOX.from_string(template)


def template_variables(template: str) -> frozenset[str]:
    """The names that a template needs from outside.

    Raises:
        TemplateError: The template is not Jinja2.
    """
    try:
        return frozenset(meta.find_undeclared_variables(_SANDBOX.parse(template)))
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(
            "a Jinja2 template", got=f"{error.message} (line {error.lineno})", remedy="mend the template"
        ) from None


def letters(count: int) -> tuple[str, ...]:
    """The letters of `count` options.

    Raises:
        TemplateError: There are more options than letters.
    """
    if count > len(ascii_uppercase):
        raise TemplateError(
            "at most 26 options in an instruction with letters",
            got=f"{count} options",
            remedy="use instructions with `output_form: label` and another `option_layout`",
        )
    return tuple(ascii_uppercase[:count])


def list_options(options: Sequence[str], layout: OptionLayout) -> str:
    """The options as one text, in the order of the example."""
    match layout:
        case OptionLayout.LETTERS:
            return "\n".join(map("{}. {}".format, letters(len(options)), options))
        case OptionLayout.PARENTHESES:
            return "\n".join(map("({}) {}".format, letters(len(options)), options))
        case OptionLayout.BULLETS:
            return "\n".join(f"- {option}" for option in options)
        case OptionLayout.INLINE:
            return " or ".join(filter(None, [", ".join(options[:-1]), *options[-1:]]))


def check_fit(instruction: Instruction, task: Task) -> None:
    """See that an instruction can be rendered for every example of a task, without a model.

    Raises:
        TemplateError: It names a field that the task lacks, or asks for a form of answer that the task does not have.
    """
    where = f"instruction {instruction.id!r}"
    available = task.field_names | (_OF_OPTIONS if task.kind is not TaskKind.GENERATION else frozenset())
    missing = template_variables(instruction.template) - available
    if missing:
        raise TemplateError(
            f"{where} to use only fields of task {task.name!r} ({', '.join(sorted(available))})",
            got=f"the unknown field{'s' if len(missing) > 1 else ''} {', '.join(sorted(missing))}",
            remedy="rename the slot, or map a column to that field",
        )
    if (task.kind is TaskKind.GENERATION) != (instruction.output_form is OutputForm.TEXT):
        wanted = "text" if task.kind is TaskKind.GENERATION else "letter or label"
        raise TemplateError(
            f"{where} to have output_form {wanted} for task {task.name!r} ({task.kind.value})",
            got=f"output_form {instruction.output_form.value}",
            remedy="choose another instruction set for this task",
        )
    widest = max(task.examples, key=lambda example: len(example.options), default=None)
    if widest is not None:
        turn(instruction, widest)


def turn(instruction: Instruction, example: Example) -> Turn:
    """One instruction rendered for one example.

    Raises:
        TemplateError: The template fails on this example.
    """
    values: dict[str, object] = dict(example.fields)
    try:
        used = template_variables(instruction.template)
        if example.options and "options" in used:
            values["options"] = list_options(example.options, instruction.option_layout)
        if example.options and "option_list" in used:
            values["option_list"] = list(example.options)
        return Turn(_compile(instruction.template).render(values), _answers(instruction, example))
    except TemplateError:
        raise
    except Exception as error:  # whatever a template's expression raises
        raise TemplateError(
            f"instruction {instruction.id!r} to render for example {example.id!r}",
            got=f"{type(error).__name__}: {error}",
            remedy="mend the template, or leave the example out",
        ) from None


def _answers(instruction: Instruction, example: Example) -> tuple[str, ...]:
    if instruction.answer_template:
        template = _compile(instruction.answer_template)
        return tuple(
            template.render(option=option, letter=ascii_uppercase[index : index + 1], index=index)
            for index, option in enumerate(example.options)
        )
    return letters(len(example.options)) if instruction.output_form is OutputForm.LETTER else example.options


def pick_exemplars(task: Task, shots: int, seed: int) -> tuple[Example, ...]:
    """The exemplars of a task: the same for every instruction and example, and the first of k+1 are those of k.

    Raises:
        SourceError: The task reserves fewer exemplars than `shots`.
    """
    if shots == 0:
        return ()
    pool = [item for item in task.split(Split.EXEMPLAR) + task.split(Split.TRAIN) if item.labelled]
    if len(pool) < shots:
        raise SourceError(
            f"at least {shots} exemplars or train examples in task {task.name!r}",
            got=str(len(pool)),
            remedy="reserve some (`exemplars:` in the task file or reference) or ask for fewer shots",
        )

    def rank(example: Example) -> str:
        return hashlib.sha256(f"{seed}\0{task.name}\0{example.id}".encode()).hexdigest()

    return tuple(sorted(pool, key=rank)[:shots])


def render(
    instruction: Instruction,
    example: Example,
    exemplars: Sequence[Example],
    prompt_format: PromptFormat,
    chat: ChatTemplate | None = None,
) -> Prompt:
    """Render one cell.

    An exemplar with the same content as the tested example is left out, so that a prompt never shows its own answer.

    Args:
        instruction: The wording.
        example: What is asked.
        exemplars: Answered examples shown before it.
        prompt_format: The frame.
        chat: The tokenizer's chat template; needed for `PromptFormat.CHAT`.

    Raises:
        TemplateError: The template fails on this example or on an exemplar.
    """
    shown = [_solved(instruction, item) for item in exemplars if not _same(item, example)]
    asked = turn(instruction, example)
    match prompt_format:
        case PromptFormat.PLAIN:
            text, glue = _plain(shown, asked, instruction.exemplar_separator)
        case PromptFormat.ALPACA:
            text, glue = _alpaca(shown, asked), ""
        case PromptFormat.CHAT:
            assert chat is not None, "the chat format needs the tokenizer's chat template"
            text, glue = _chat(shown, asked, chat), ""
    answers = tuple(glue + answer for answer in asked.answers)
    return Prompt(text, answers, example.gold, special_tokens=prompt_format is not PromptFormat.CHAT)


def _plain(shown: Sequence[Turn], asked: Turn, separator: str) -> tuple[str, str]:
    before = "".join(_stem(item.question) + _glue(item.question) + item.answers[0] + separator for item in shown)
    return before + _stem(asked.question), _glue(asked.question)


def _alpaca(shown: Sequence[Turn], asked: Turn) -> str:
    """The frame of Stanford Alpaca without input, where the response follows the colon directly."""
    frame = "### Instruction:\n{}\n\n### Response:"
    before = "".join(frame.format(item.question.strip()) + item.answers[0] + "\n\n" for item in shown)
    return ALPACA_PREAMBLE + before + frame.format(asked.question.strip())


def _chat(shown: Sequence[Turn], asked: Turn, chat: ChatTemplate) -> str:
    turns: list[tuple[str, str]] = []
    for item in shown:
        turns += [("user", item.question.strip()), ("assistant", item.answers[0])]
    return chat([*turns, ("user", asked.question.strip())])


def _same(left: Example, right: Example) -> bool:
    return left.fields == right.fields and left.options == right.options


def _solved(instruction: Instruction, example: Example) -> Turn:
    solved = turn(instruction, example)
    answers = (solved.answers[example.gold[0]],) if example.gold else example.references[:1]
    return Turn(solved.question, answers)


def _stem(text: str) -> str:
    """The text without the blanks that the answer will bring."""
    return text.rstrip(" \t")


def _glue(text: str) -> str:
    """What joins a question to its answer: nothing after a line break, else what the template has, or a blank."""
    stem = _stem(text)
    return text[len(stem) :] or ("" if not stem or stem[-1].isspace() else " ")
