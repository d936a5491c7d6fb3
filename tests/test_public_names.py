"""The names that Python users import, and what docs/python.md shows of them."""

import re
from pathlib import Path

import pytest
import yaml

import isophrase
from tests.engine.reference import folder

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_every_public_name_can_be_had():
    assert {"align", "tune", "verify", "compare_runs"} <= set(isophrase.__all__)
    for name in isophrase.__all__:
        assert getattr(isophrase, name).__name__ == name


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_example_of_alignment_runs(tmp_path, monkeypatch, capsys):
    (example,) = [block for block in BLOCKS if "isophrase.align(" in block]
    job = {
        "name": "small",
        "model": {"source": str(folder("llama")), "format": "plain", "dtype": "float32"},
        "method": {"base": "pt+kl", "parameters": {"length": 3}, "schedule": {"steps": 2}},
        "tasks": ["sentiment"],
        "watch": {"every": 1, "wordings": 1, "inputs": 2},
        "verify": {"limit": 6},
    }
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "align.yaml").write_text(yaml.safe_dump(job))
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    printed = capsys.readouterr().out
    assert "runs/aligned/adapter" in printed
    assert "sentiment {'mean'" in printed
