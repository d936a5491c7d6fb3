"""Scores of whole units equal a plain transformers loop: one answer at a time, no batching, no sharing.

Small random models; the same against the real SmolLM2 is in tests/engine/test_smollm2.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from isophrase.grid import Block, Grid
from isophrase.models.base import GenerationLimits, Message
from isophrase.prompts import pick_exemplars, render
from isophrase.sources.bundled import load_bundled_task
from isophrase.types import ModelSpec, PromptFormat, Split
from tests.tiny_models import tiny_model

torch = pytest.importorskip("torch", reason="needs isophrase[local]")
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return open_model(tiny_model(tmp_path_factory.mktemp("models") / "llama", context=2048))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return open_model(tiny_model(tmp_path_factory.mktemp("models") / "t5", family="t5", context=2048))


def open_model(source: str | Path):
    from isophrase.engine.local import LocalModel
    from isophrase.models.huggingface import load

    loaded = load(ModelSpec("m", str(source), dtype="float32", device="cpu"))
    return loaded, LocalModel(loaded)


def one_unit(shots: int, prompt_format: PromptFormat):
    task = load_bundled_task("sentiment").task
    (instructions,) = load_bundled_task("sentiment").instruction_sets
    block = Block(
        model="m",
        dtype="float32",
        prompt_format=prompt_format,
        task=task,
        instructions=instructions.instructions[:3],
        examples=task.split(Split.TEST)[:3],
        shots=shots,
    )
    return next(iter(Grid((block,)).units()))


def slow_sum(loaded, prompt, answer: str) -> float:
    """log P(answer | prompt), computed from scratch for this one answer."""
    tokenizer, model = loaded.tokenizer, loaded.model
    if loaded.is_encoder_decoder:
        context = torch.tensor([tokenizer(prompt.text, add_special_tokens=prompt.special_tokens)["input_ids"]])
        labels = torch.tensor([tokenizer(answer.strip(), add_special_tokens=False)["input_ids"]])
        logits = model(input_ids=context, labels=labels).logits[0]
        targets = labels[0]
    else:
        context = tokenizer(prompt.text, add_special_tokens=prompt.special_tokens)["input_ids"]
        joined = torch.tensor(tokenizer(prompt.text + answer, add_special_tokens=prompt.special_tokens)["input_ids"])
        assert joined[: len(context)].tolist() == context, "a merged seam needs a test of its own"
        logits = model(input_ids=joined[None]).logits[0, len(context) - 1 : -1]
        targets = joined[len(context) :]
    return float(torch.log_softmax(logits.float(), -1).gather(-1, targets[:, None]).sum())


@pytest.mark.parametrize("shots", [0, 3])
@pytest.mark.parametrize("prompt_format", list(PromptFormat))
@pytest.mark.parametrize("kind", ["decoder", "pair"])
def test_scores_equal_a_plain_loop(kind, prompt_format, shots, request):
    from isophrase.execution.local import measure_unit

    loaded, model = request.getfixturevalue(kind)
    unit = one_unit(shots, prompt_format)
    exemplars = pick_exemplars(unit.block.task, shots, 0)
    scores = measure_unit(unit, model, GenerationLimits())
    assert len(scores) == 9

    def chat(turns) -> str:
        return model.render_chat([Message(*turn) for turn in turns])

    with torch.no_grad():
        for score, (instruction, example) in zip(scores, unit.pairs(), strict=True):
            prompt = render(instruction, example, exemplars, prompt_format, chat)
            expected = [slow_sum(loaded, prompt, answer) for answer in prompt.answers]
            assert score.measurement.unscored is None
            assert score.measurement.logprobs == pytest.approx(expected, abs=TOLERANCE)
