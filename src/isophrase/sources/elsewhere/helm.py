"""HELM: a run folder with `run_spec.json`, `instances.json` and `display_predictions.json`.

Knows that format (schema of 0.5). Each folder is one wording: HELM's instructions are in the run's adapter. The answer
is the mapped output (the text of the chosen reference) where there is one, else the predicted text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from isophrase.sources.elsewhere.answers import Answers
from isophrase.sources.problems import Problems
from isophrase.types import Example, Measurement

FILES = ("run_spec.json", "instances.json", "display_predictions.json")
_METRICS = ("exact_match", "quasi_exact_match", "prefix_exact_match")


def read_folder(folder: Path, problems: Problems) -> Answers | None:
    """The answers of one run folder; None, with its problems noted, where it cannot be used."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        problems.add(folder.name, f"expected a run folder of HELM; got none of its {', '.join(missing)}")
        return None
    try:
        spec, instances, predictions = (json.loads((folder / name).read_text(encoding="utf-8")) for name in FILES)
        found = {item["id"]: _example(item) for item in instances}
        answers = [
            item for item in predictions if item.get("train_trial_index", 0) == 0 and not item.get("perturbation")
        ]
        measurements = {item["instance_id"]: _answer(item) for item in answers}
        scored = {item["instance_id"]: value for item in answers if (value := _value(item)) is not None}
        adapter = spec["adapter_spec"]
        task = str(spec["name"]).split(":")[0]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.add(folder.name, f"expected a run of HELM; got {type(error).__name__}: {error}")
        return None
    asked = tuple(found[name] for name in measurements if name in found)
    if not asked:
        problems.add(folder.name, "expected predictions on its instances; got none")
        return None
    return Answers(
        where=folder.name,
        model=str(adapter.get("model", "")).rsplit("/", 1)[-1],
        task=task,
        wording=folder.name,
        prompt="\n".join(str(adapter.get(part, "")) for part in ("instructions", "input_prefix", "output_prefix")),
        shots=int(adapter.get("max_train_instances", 0)),
        examples=asked,
        measurements={example.id: measurements[example.id] for example in asked},
        scored=scored,
    )


def _example(item: dict[str, Any]) -> Example:
    right = [ref["output"]["text"] for ref in item.get("references", []) if "correct" in ref.get("tags", [])]
    return Example(str(item["id"]), {"input": str(item["input"]["text"])}, references=tuple(map(str, right)))


def _answer(item: dict[str, Any]) -> Measurement:
    text = item.get("mapped_output", item.get("predicted_text"))
    return Measurement(unscored="the run has no prediction") if text is None else Measurement(text=str(text).strip())


def _value(item: dict[str, Any]) -> float | None:
    stats = item.get("stats", {})
    return next((float(stats[name]) for name in _METRICS if name in stats), None)
