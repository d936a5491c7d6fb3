"""Writes the testbed's tasks as task files, with an experiment on its tuned model, for `isophrase run` and `distance`.

Usage: isophrase testbed build            # from its kept adapter: prints the folder of the tuned model
       python docs/testbed_tasks.py MODEL_FOLDER runs/testbed-tasks
       isophrase run runs/testbed-tasks/experiment.yaml --out runs/testbed-distance
       isophrase distance runs/testbed-distance

What the model was tuned on is known here: wordings of the collection `tuned` are observed.
"""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

import yaml

from isophrase.testbed.inputs import RULES, TASKS, make_task, own_reviews


def main() -> None:
    """Parse the arguments and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the folder of the tuned model")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument(
        "--instructions", type=int, default=30, help="at most so many a task, all tuned ones among them"
    )
    parser.add_argument("--limit", type=int, default=40, help="at most so many test inputs a task")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in TASKS:
        write_task(name, arguments.out)
    experiment = {
        "name": "testbed-distance",
        "models": [
            {"name": "tuned", "source": arguments.model, "format": "plain", "dtype": "float32", "trained_on": ["tuned"]}
        ],
        "max_instructions": arguments.instructions,
        "limit": arguments.limit,
        "tasks": [{"task": f"{name}.yaml", "instructions": [f"{name}-wordings.yaml"]} for name in TASKS],
    }
    path = arguments.out / "experiment.yaml"
    path.write_text(yaml.safe_dump(experiment, sort_keys=False), encoding="utf-8")
    print(f"wrote {path}")


def write_task(name: str, folder: Path) -> None:
    """One task file with its inputs and its wordings."""
    task = make_task(name, own_reviews(), "Written by the Isophrase project (Apache-2.0).")
    rows = [
        {"id": item.id, "text": item.fields["text"], "label": item.options[item.gold[0]], "split": item.split.value}
        for item in task.examples
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    header = {
        "name": task.name, "version": task.version, "kind": task.kind.value, "description": task.description,
        "origin": task.origin, "data": f"{name}.jsonl", "fields": {"text": "text"}, "label": "label",
        "options": list(RULES[name][0]), "id": "id", "split": "split",
    }  # fmt: skip
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(header, sort_keys=False), encoding="utf-8")
    wordings = (files("isophrase.data") / "testbed" / "wordings" / f"{name}.yaml").read_text(encoding="utf-8")
    (folder / f"{name}-wordings.yaml").write_text(wordings, encoding="utf-8")


if __name__ == "__main__":
    main()
