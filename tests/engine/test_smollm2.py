"""The embedded default model, where it is in the cache: real text, real tokenizer, with and without shots."""

import functools
from typing import Any

import pytest

from isophrase.engine.local import LocalModel
from isophrase.engine.seam import tokenise
from isophrase.models.base import GenerationLimits
from isophrase.prompts import pick_exemplars, render
from isophrase.sources.bundled import load_bundled_task, sets_for
from isophrase.types import ModelSpec, Prompt, PromptFormat, Split
from tests.engine.reference import greedy, sums

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
TASK = "sentiment"


@functools.cache
def smollm2() -> Any:
    from isophrase.models import catalog
    from isophrase.models.huggingface import load

    if not catalog.is_ready(catalog.CATALOG["smollm2-135m-instruct"]):
        pytest.skip("smollm2-135m-instruct is not in the cache: `isophrase models get smollm2-135m-instruct`")
    return load(ModelSpec("smollm2", "smollm2-135m-instruct", dtype="float32", device="cpu"))


def prompts(shots: int, prompt_format: PromptFormat) -> list[Prompt]:
    task = load_bundled_task(TASK).task
    instructions = sets_for(TASK)[0].instructions[:4]
    chat = smollm2().tokenizer.apply_chat_template

    def framed(turns: Any) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        return chat(messages, tokenize=False, add_generation_prompt=True)

    shown = pick_exemplars(task, shots, 0)
    examples = task.split(Split.TEST)[:2]
    return [render(one, example, shown, prompt_format, framed) for one in instructions for example in examples]


@pytest.mark.parametrize("prompt_format", list(PromptFormat))
@pytest.mark.parametrize("shots", [0, 3])
def test_sums_are_those_of_a_plain_loop(shots: int, prompt_format: PromptFormat) -> None:
    model = smollm2()
    asked = prompts(shots, prompt_format)
    found = LocalModel(model).measure(asked, GenerationLimits())
    questions = tokenise(model.tokenizer, asked, encoder_decoder=False, context_length=None)
    for measurement, question in list(zip(found, questions, strict=True))[::3]:
        assert measurement.logprobs == pytest.approx(sums(model, question), abs=1e-4)


def test_generated_text_is_that_of_a_plain_loop() -> None:
    model = smollm2()
    asked = [Prompt(f"The capital of {name} is the city of", (), ()) for name in ("France", "Italy")]
    found = LocalModel(model).measure(asked, GenerationLimits(6, ()))
    for measurement, prompt in zip(found, asked, strict=True):
        context = tuple(model.tokenizer(prompt.text)["input_ids"])
        assert measurement.text == model.tokenizer.decode(greedy(model, context, 6, frozenset())).lstrip()
