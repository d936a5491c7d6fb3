"""Prompts in, measurements out."""

import functools

import pytest

from isophrase.engine.local import LocalModel
from isophrase.engine.seam import tokenise
from isophrase.errors import ModelError
from isophrase.models.base import GenerationLimits, Message
from isophrase.types import Prompt
from tests.engine.reference import loaded, sums

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
PROMPTS = [
    Prompt("Is it positive? The film was a delight.", (" yes", " no way", " yes"), (0,)),
    Prompt("Say it:", (), ()),
    Prompt("The capital of Fr", ("ance", "eedom"), (0,)),
    Prompt("Is it positive? " * 99, (" yes",), (0,)),
    Prompt("x", (" yes", ""), (0,)),
]


@functools.cache
def local(family: str) -> LocalModel:
    return LocalModel(loaded(family))


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
def test_measurements_are_the_models_own_sums(family: str) -> None:
    model = loaded(family)
    found = local(family).measure(PROMPTS, GenerationLimits(5))
    pairs = family == "t5"
    questions = tokenise(model.tokenizer, PROMPTS, encoder_decoder=pairs, context_length=None)
    for index in (0, 2):
        assert found[index].logprobs == pytest.approx(sums(model, questions[index]), abs=1e-4)
        assert found[index].tokens == tuple(map(len, questions[index].answers))
    assert found[0].bytes == (3, 6, 3)
    assert found[0].logprobs[0] == found[0].logprobs[2]
    assert found[2].merged == (not pairs)


def test_generated_text_comes_in_its_place() -> None:
    found = local("llama").measure(PROMPTS, GenerationLimits(5, ()))
    assert [measurement.text is not None for measurement in found] == [False, True, False, False, False]
    assert found[1].text


def test_what_cannot_be_scored_gives_its_reason_and_no_number() -> None:
    found = local("llama").measure(PROMPTS, GenerationLimits(5))
    assert "the model's context is 512" in (found[3].unscored or "")
    assert found[4].unscored == "answer 2 ('') has no token of its own"
    assert found[3].logprobs == found[4].logprobs == ()


def test_the_same_call_gives_the_same_measurements() -> None:
    assert local("llama").measure(PROMPTS, GenerationLimits(5)) == local("llama").measure(PROMPTS, GenerationLimits(5))


def test_nothing_asked_is_nothing_measured() -> None:
    assert local("llama").measure([], GenerationLimits()) == []


def test_a_model_that_gives_no_number_is_unscored() -> None:
    broken = loaded("llama")
    broken.model.get_output_embeddings().weight.data[:] = float("inf")
    (found,) = LocalModel(broken).measure(PROMPTS[:1], GenerationLimits())
    assert found.unscored == "the model gave a log-probability that is not a number"


def test_chat_is_rendered_by_the_tokenizers_template() -> None:
    text = local("llama").render_chat([Message("user", "Hello"), Message("assistant", "Yes?"), Message("user", "Go.")])
    assert text.endswith("<|im_start|>user\nGo.<|im_end|>\n<|im_start|>assistant\n")


def test_a_tokenizer_without_a_template_is_one_clear_error() -> None:
    model = loaded("llama")
    model.tokenizer.chat_template = None
    with pytest.raises(ModelError, match="prompt_format: plain"):
        LocalModel(model).render_chat([Message("user", "Hello")])


def test_spec_and_identity_are_those_of_the_loaded_model() -> None:
    assert local("llama").spec.name == "llama"
    assert local("llama").identity == {"class": "LlamaForCausalLM"}
