"""lm-evaluation-harness: `samples_TASK_DATE.jsonl`, written with --log_samples.

Knows that format (0.4): one line an example, with `doc`, `target`, `arguments` and `resps`. Each file is one wording.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from isophrase.sources.elsewhere.answers import Answers
from isophrase.sources.problems import Problems, quoted
from isophrase.types import Example, Measurement

_NAME = re.compile(r"samples_(.+?)_\d{4}-\d\d-\d\dT[\d.\-:]+$")
_METRICS = ("acc", "exact_match", "f1", "em")


def read_samples(path: Path, problems: Problems) -> Answers | None:
    """The answers of one file; None, with its problems noted, where a line cannot be used."""
    examples, measurements, scored = [], {}, {}
    prompt = ""
    before = len(problems)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            sample = json.loads(line)
            example, measured, shown = _sample(sample)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            problems.add(f"{path.name}:{number}", f"expected a sample of lm-eval; got {type(error).__name__}: {error}")
            continue
        if example.id in measurements:
            continue  # one line for each filter: the first is the raw answer
        prompt = prompt or shown
        examples.append(example)
        measurements[example.id] = measured
        value = next((sample[name] for name in _METRICS if isinstance(sample.get(name), int | float)), None)
        if value is not None:
            scored[example.id] = float(value)
    if not examples and len(problems) == before:
        problems.add(path.name, "expected at least one sample; got none")
    if len(problems) > before:
        return None
    matched = _NAME.match(path.stem)
    name = matched.group(1) if matched else path.stem.removeprefix("samples_")
    model = path.parent.name if matched and path.parent.name else ""
    return Answers(path.name, model, name, name, prompt, 0, tuple(examples), measurements, scored)


def _sample(sample: dict[str, Any]) -> tuple[Example, Measurement, str]:
    arguments = _arguments(sample["arguments"])
    fields = {name: str(value) for name, value in sample["doc"].items() if isinstance(value, str | int | float)}
    id_ = str(sample["doc_id"])
    responses = sample["resps"]
    first = responses[0][0] if isinstance(responses[0], list) else responses[0]
    if isinstance(first, str):
        targets = sample["target"] if isinstance(sample["target"], list) else [sample["target"]]
        example = Example(id_, fields, references=tuple(str(item) for item in targets))
        return example, Measurement(text=first), str(arguments[0][0])
    options = tuple(str(item[1]).strip() for item in arguments)
    logprobs = tuple(float(item[0][0] if isinstance(item[0], list) else item[0]) for item in responses)
    if len(set(options)) < len(options) or len(options) != len(logprobs):
        # Some tasks score one text after several contexts (winogrande): the contexts tell the options apart.
        options = tuple(f"{index}: {option}" for index, option in enumerate(options))
    example = Example(id_, fields, options, (_gold(sample["target"], options),))
    size = tuple(len(option.encode()) for option in options)
    return example, Measurement(logprobs, (1,) * len(options), size), str(arguments[0][0])


def _arguments(value: Any) -> list[tuple[str, str]]:
    """Newer versions write `{"gen_args_0": {"arg_0": …, "arg_1": …}}`, older ones lists of pairs."""
    if isinstance(value, dict):
        return [(item["arg_0"], item.get("arg_1", "")) for item in value.values()]
    return [(item[0], item[1]) for item in value]


def _gold(target: Any, options: tuple[str, ...]) -> int:
    text = str(target).strip()
    if text in options:
        return options.index(text)
    if text.isdigit() and int(text) < len(options):
        return int(text)
    raise ValueError(f"a target that is an option or its index, not {quoted(target)}")
