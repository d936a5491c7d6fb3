"""Hidden states through the tree, the packed pairs and the plain batches: the model's own, to 1e-4."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isophrase.engine.backbone import take_apart
from isophrase.engine.choosing import quick
from isophrase.engine.local import LocalModel
from isophrase.engine.plain import PlainDecoder
from isophrase.engine.plain_pairs import PlainPairs
from isophrase.engine.states import Position, Where, resolve_layer
from isophrase.engine.tree import Sizes
from isophrase.errors import ConfigError
from isophrase.types import Prompt
from tests.engine.reference import ADAPTERS, loaded
from tests.tiny_models import ENCODER_DECODERS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
SMALL = Sizes(pack=16, block=4, held=256, texts=4)
CONTEXTS = [(5, 6, 7, 8, 9, 10, 11), (5, 6, 7, 30, 31), (5, 6, 7), (40, *range(50, 70)), (5, 6, 7), (40,)]
WHERES = [Where(layer, position) for layer in (-2, 0, 1, -1) for position in Position]


@torch.inference_mode()
def own(model: SimpleNamespace, context: tuple[int, ...], where: Where) -> np.ndarray:
    """From transformers' `output_hidden_states`, one prompt at a time, PEFT doing what it does."""
    ids = torch.tensor([context])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "output_hidden_states": True}
    if not model.is_encoder_decoder:
        states = model.model(**inputs).hidden_states[where.layer][0, -len(context) :]
        return (states.mean(dim=0) if where.is_mean else states[-1]).numpy()
    start = torch.tensor([[model.model.config.decoder_start_token_id]])
    found = model.model(**inputs, decoder_input_ids=start)
    if where.is_mean:
        return found.encoder_hidden_states[where.layer][0, -len(context) :].mean(dim=0).numpy()
    return found.decoder_hidden_states[where.layer][0, -1].numpy()


@functools.cache
def model_of(family: str, adapter: str | None) -> SimpleNamespace:
    return loaded(family, adapter)


def executors(model: SimpleNamespace) -> list:
    backbone = take_apart(model)
    plain = PlainPairs(backbone, 64) if model.is_encoder_decoder else PlainDecoder(backbone, 64)
    return [quick(backbone, SMALL), plain]


CASES = [
    *[(family, None) for family in ("llama", "gpt2", "gpt_neox", "gemma2", "gemma3", "mistral", "t5", "t5_original")],
    *[(family, adapter) for family in ("llama", "t5") for adapter in ADAPTERS],
]


@pytest.mark.parametrize(("family", "adapter"), CASES, ids=str)
def test_states_are_those_of_output_hidden_states(family, adapter):
    model = model_of(family, adapter)
    for where in WHERES:
        expected = np.stack([own(model, context, where) for context in CONTEXTS])
        for executor in executors(model):
            found = executor.states(CONTEXTS, where)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4, err_msg=f"{type(executor)} {where}")


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_a_model_in_bfloat16_gives_states_near_those_in_float32(family):
    model, exact = loaded(family, dtype=torch.bfloat16), model_of(family, None)
    for where in (Where(), Where(position=Position.MEAN)):
        expected = np.stack([own(exact, context, where) for context in CONTEXTS])
        found = executors(model)[0].states(CONTEXTS, where)
        assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected)


def test_prompts_give_states_and_those_that_do_not_fit_their_reason():
    model = model_of("llama", None)
    prompts = [Prompt("Is it positive?", (" yes", " no"), (0,)), Prompt("Is it positive? " * 99, (), ())]
    found = LocalModel(model).states(prompts, Where())
    tokens = tuple(model.tokenizer("Is it positive?")["input_ids"])
    np.testing.assert_allclose(found.values[0], own(model, tokens, Where()), atol=1e-4)
    assert np.isnan(found.values[1]).all()
    assert "the model's context is 512" in found.missing[1]


def test_answers_do_not_change_a_state():
    local = LocalModel(model_of("llama", None))
    texts = [Prompt("The capital of Fr", ("ance",), (0,)), Prompt("The capital of Fr", (" is",), (0,))]
    found = local.states(texts, Where()).values
    assert (found[0] == found[1]).all()


def test_a_layer_that_is_not_there_is_one_clear_error():
    local = LocalModel(model_of("llama", None))
    with pytest.raises(ConfigError, match=r"a layer from 0 \(embeddings\) to 2, or from -1 to -3; got 3"):
        local.states([Prompt("x", (), ())], Where(3))
    assert resolve_layer(take_apart(model_of("llama", None)).body, -2) == 1


def test_running_out_of_memory_halves_the_packs(monkeypatch):
    model = model_of("llama", None)
    tree = quick(take_apart(model), Sizes(pack=256, block=4, held=256, texts=4))
    expected = tree.states(CONTEXTS, Where())
    forward, failed = tree._forward, []

    def once(*arguments, **options):
        if not failed:
            failed.append(True)
            raise torch.OutOfMemoryError("full")
        return forward(*arguments, **options)

    monkeypatch.setattr(tree, "_forward", once)
    np.testing.assert_allclose(tree.states(CONTEXTS, Where()), expected, atol=1e-5)
    assert tree._pack == 128


def test_all_families_of_both_kinds_are_covered():
    kinds = {family in ENCODER_DECODERS for family, _ in CASES}
    assert kinds == {True, False}
