"""Which executor a model takes, and that a model which can't take the tree stays right and says so."""

from typing import Any

import pytest
import torch

from isophrase.engine.attention import TreeAttention
from isophrase.engine.backbone import take_apart
from isophrase.engine.choosing import choose
from isophrase.engine.local import LocalModel
from isophrase.engine.pairs import PackedPairs
from isophrase.engine.plain import PlainDecoder
from isophrase.engine.seam import Question
from isophrase.engine.tree import TreeDecoder
from isophrase.errors import ModelError
from tests.engine.reference import loaded, sums
from tests.tiny_models import DECODERS, ENCODER_DECODERS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
QUESTIONS = [Question((9, 8, 7), ((5, 6), (4,))), Question((9, 8, 3, 2), ((5,), (6, 6, 6)))]


def assert_right(model: Any, executor: Any) -> None:
    for question, totals in zip(QUESTIONS, executor.score(QUESTIONS), strict=True):
        assert totals == pytest.approx(sums(model, question), abs=1e-4)


@pytest.mark.parametrize("family", DECODERS)
def test_known_decoders_take_the_tree_without_a_note(family: str) -> None:
    chosen = choose(take_apart(loaded(family)))
    assert isinstance(chosen.executor, TreeDecoder)
    assert chosen.notes == ()


@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_t5_takes_packed_pairs_without_a_note(family: str) -> None:
    chosen = choose(take_apart(loaded(family)))
    assert isinstance(chosen.executor, PackedPairs)
    assert chosen.notes == ()


def fallen_back(model: Any) -> str:
    chosen = choose(take_apart(model))
    assert isinstance(chosen.executor, PlainDecoder)
    assert_right(model, chosen.executor)
    (note,) = chosen.notes
    assert note.startswith("scored in plain batches, without a token tree: ")
    assert LocalModel(model).notes[-1] == note
    return note


def test_a_model_whose_attention_cannot_be_replaced_falls_back() -> None:
    model = loaded("llama")
    model.model._supports_attention_backend = False
    assert "the attention of LlamaForCausalLM can't be replaced" in fallen_back(model)


def test_rotary_positions_that_depend_on_the_row_fall_back() -> None:
    model = loaded("llama")
    model.model.config.rope_parameters["rope_type"] = "dynamic"
    assert "dynamic" in fallen_back(model)


def test_unknown_kinds_of_layers_fall_back() -> None:
    model = loaded("qwen3")
    model.model.config.layer_types = ["full_attention", "chunked_attention"]
    assert "chunked_attention" in choose(take_apart(model)).notes[0]


def test_a_model_that_fails_with_replaced_attention_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise TypeError("sinks")

    monkeypatch.setattr(TreeAttention, "attend", refuse)
    assert fallen_back(loaded("llama")).endswith("TypeError: sinks")


def test_a_model_that_gives_other_numbers_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    right = TreeAttention.attend

    def wrong(self: TreeAttention, *arguments: Any) -> torch.Tensor:
        return right(self, *arguments) * 1.5

    monkeypatch.setattr(TreeAttention, "attend", wrong)
    assert "where the model itself gives" in fallen_back(loaded("llama"))


def test_a_window_that_attention_does_not_hear_of_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    right = TreeAttention.attend

    def deaf(self: TreeAttention, module: Any, query: Any, key: Any, value: Any, options: Any) -> torch.Tensor:
        return right(self, module, query, key, value, {**options, "sliding_window": None})

    model = loaded("mistral")
    model.model.config.sliding_window = 64  # longer than the trial's questions, which alone can't show it
    monkeypatch.setattr(TreeAttention, "attend", deaf)
    assert "the sliding window of 64 tokens is not passed on" in fallen_back(model)


def test_an_unknown_encoder_decoder_falls_back_and_is_right() -> None:
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=400, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64,
        decoder_ffn_dim=64, max_position_embeddings=64, decoder_start_token_id=2,
    )  # fmt: skip
    model = loaded("t5")
    model.model = BartForConditionalGeneration(config).eval()
    model.model.final_logits_bias.copy_(torch.randn(1, 400))
    chosen = choose(take_apart(model))
    assert "bart" in chosen.notes[0]
    assert_right(model, chosen.executor)


def test_an_adapter_of_an_unknown_kind_is_one_clear_error() -> None:
    import peft

    model = loaded("llama")
    config = peft.MultitaskPromptTuningConfig(
        task_type=peft.TaskType.CAUSAL_LM, num_virtual_tokens=2, num_tasks=2, token_dim=32, num_layers=2,
        num_transformer_submodules=1, num_attention_heads=4,
    )  # fmt: skip
    model.model = peft.get_peft_model(model.model, config)
    with pytest.raises(ModelError, match="MULTITASK_PROMPT_TUNING"):
        take_apart(model)
