"""Inspect: evaluation logs, `.json` or `.eval` (a zip of JSON files).

Knows that format (version 2): `eval.task`, `eval.model`, and samples with `input`, `target`, `output` and `scores`.
Each log is one wording. The answer is the one that the scorer read from the completion, where it says so.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from isophrase.sources.elsewhere.answers import Answers
from isophrase.sources.problems import Problems
from isophrase.types import Example, Measurement

_VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}


def read_log(path: Path, problems: Problems) -> Answers | None:
    """The answers of one log; None, with its problems noted, where it cannot be used."""
    try:
        header, samples = _content(path)
        about = header["eval"]
        found = [_sample(sample) for sample in samples if sample.get("epoch", 1) == 1]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, zipfile.BadZipFile) as error:
        problems.add(path.name, f"expected a log of Inspect; got {type(error).__name__}: {error}")
        return None
    if not found:
        problems.add(path.name, "expected a log with samples; got none")
        return None
    wording = str(about.get("task_args", {}).get("template", "")) or path.stem
    prompt = next((str(sample["input"]) for sample in samples), "")
    return Answers(
        where=path.name,
        model=str(about.get("model", "")).rsplit("/", 1)[-1],
        task=str(about["task"]).rsplit("/", 1)[-1],
        wording=wording,
        prompt=prompt,
        shots=int(about.get("task_args", {}).get("fewshot", 0) or 0),
        examples=tuple(example for example, _, _ in found),
        measurements={example.id: measured for example, measured, _ in found},
        scored={example.id: value for example, _, value in found if value is not None},
    )


def _content(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if path.suffix != ".eval":
        log = json.loads(path.read_text(encoding="utf-8"))
        return log, list(log["samples"])
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        header = json.loads(archive.read("header.json"))
        samples = [json.loads(archive.read(name)) for name in sorted(names) if name.startswith("samples/")]
    return header, samples


def _sample(sample: dict[str, Any]) -> tuple[Example, Measurement, float | None]:
    target = sample["target"]
    targets = [str(item) for item in (target if isinstance(target, list) else [target])]
    scores: Iterable[dict[str, Any]] = (sample.get("scores") or {}).values()
    score = next(iter(scores), {})
    completion = sample.get("output", {}).get("completion") or _message(sample.get("output", {}))
    answer = score.get("answer") if isinstance(score.get("answer"), str) else completion
    example = Example(str(sample["id"]), {"input": _text(sample["input"])}, references=tuple(targets))
    measured = Measurement(text=str(answer)) if answer is not None else Measurement(unscored="the log has no answer")
    return example, measured, _value(score.get("value"))


def _message(output: dict[str, Any]) -> str | None:
    choices = output.get("choices") or []
    return str(choices[0]["message"]["content"]) if choices else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "\n".join(str(item.get("content", "")) for item in value)


def _value(value: Any) -> float | None:
    if isinstance(value, bool | int | float):
        return float(value)
    return _VALUES.get(value) if isinstance(value, str) else None
