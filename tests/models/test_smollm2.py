"""The default model itself, where it is in the cache."""

import time

import pytest
import torch

from isophrase.models.catalog import CATALOG, DEFAULT, is_ready
from isophrase.models.huggingface import load
from isophrase.types import ModelSpec

pytestmark = pytest.mark.skipif(not is_ready(CATALOG[DEFAULT]), reason=f"{DEFAULT} is not in the cache")


@pytest.fixture(scope="module")
def loaded():
    return load(ModelSpec(name="smol", source=DEFAULT, device="cpu", dtype="float32"))


def test_it_is_what_the_catalog_says(loaded):
    entry = CATALOG[DEFAULT]
    assert loaded.notes == ()
    assert loaded.context_length == entry.context_length == loaded.tokenizer.model_max_length
    assert sum(weight.numel() for weight in loaded.model.parameters()) == entry.parameters
    assert loaded.model.lm_head.weight is loaded.model.model.embed_tokens.weight


def test_its_special_tokens_are_those_of_the_published_model(loaded):
    tokenizer, settings = loaded.tokenizer, loaded.model.generation_config
    named = (tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token, tokenizer.pad_token)
    assert named == ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_end|>")
    assert (settings.bos_token_id, settings.eos_token_id, settings.pad_token_id) == (1, 2, 2)
    assert len(tokenizer) == 49_152


def test_text_is_split_digit_by_digit_before_white_space_is(loaded):
    """As the published tokenizer does: its pre-tokeniser isolates digits, then applies GPT-2's rule."""
    tokenizer = loaded.tokenizer
    assert tokenizer.tokenize("a  12\n\n3") == ["a", "ĠĠ", "1", "2", "ĊĊ", "3"]
    assert tokenizer("Hello world", add_special_tokens=True)["input_ids"] == tokenizer.convert_tokens_to_ids(
        ["Hello", "Ġworld"]
    )
    text = "Naïve café — 你好 🙂\n\n  if x == 1:\n\treturn"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_its_chat_template_is_chatml_with_its_own_system_prompt(loaded):
    text = loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert loaded.tokenizer(text, add_special_tokens=False)["input_ids"][0] == 1


def test_it_speaks(loaded):
    prompt = loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}], add_generation_prompt=True,
        return_tensors="pt", return_dict=True,
    )  # fmt: skip
    with torch.no_grad():
        written = loaded.model.generate(**prompt, max_new_tokens=12, do_sample=False)
    answer = loaded.tokenizer.decode(written[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    assert "Paris" in answer


def test_it_loads_within_five_seconds(loaded):
    """With the libraries imported, which the fixture saw to; about 0.8 s on two idle cores."""
    started = time.monotonic()
    again = load(ModelSpec(name="smol", source=DEFAULT, device="cpu", dtype="float32"))
    assert time.monotonic() - started < 5
    assert again.identity == loaded.identity
