"""The sums of every executor against a plain transformers loop in float64, one answer at a time."""

import functools
import random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.engine.backbone import take_apart
from isophrase.engine.choosing import quick
from isophrase.engine.pairs import PackedPairs
from isophrase.engine.plain import PlainDecoder
from isophrase.engine.plain_pairs import PlainPairs
from isophrase.engine.seam import Question
from isophrase.engine.tree import Sizes, TreeDecoder
from tests.engine.reference import ADAPTERS, exact, loaded, sums
from tests.tiny_models import DECODERS, ENCODER_DECODERS, FAMILIES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
TOLERANCE = 1e-4
MODELS = [(family, None) for family in FAMILIES] + [
    (family, adapter) for family in ("llama", "gpt2", "gemma2", "mistral", "t5") for adapter in ADAPTERS
]

model_of = functools.cache(loaded)


def tree(model: Any, pack: int, block: int) -> TreeDecoder | PackedPairs:
    return quick(take_apart(model), Sizes(pack=pack, block=block, held=4096, texts=64))


def grid(seed: int, *, shots: int = 0, options: int = 4, longest: int = 4) -> list[Question]:
    """Instructions × examples: shared exemplars and instructions in front, or the example in front."""
    draw = random.Random(seed)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(5, 390) for _ in range(count))

    shown = tokens(shots * 12)
    instructions = [(tokens(draw.randrange(0, 9)), tokens(draw.randrange(0, 6))) for _ in range(3)]
    examples = [tokens(draw.randrange(1, 15)) for _ in range(3)]
    answers = [tuple(tokens(draw.randrange(1, longest + 1)) for _ in range(options)) for _ in examples]
    return [
        Question(shown + before + example + after, chosen)
        for before, after in instructions
        for example, chosen in zip(examples, answers, strict=True)
    ]


def differences(model: Any, questions: list[Question], found: list[tuple[float, ...]]) -> float:
    """The largest distance of the sums from float64's, less twice the largest of the model's own float32 sums."""
    assert [len(question.answers) for question in questions] == [len(totals) for totals in found]
    right, own = ([sums(one, question) for question in questions] for one in (exact(model), model))
    return largest(found, right) - 2 * largest(own, right)


def largest(first: list[tuple[float, ...]], second: list[tuple[float, ...]]) -> float:
    pairs = [pair for one, other in zip(first, second, strict=True) for pair in zip(one, other, strict=True)]
    return max(abs(one - other) for one, other in pairs)


@pytest.mark.parametrize(("family", "adapter"), MODELS)
@pytest.mark.parametrize("shots", [0, 3])
def test_the_tree_gives_the_models_own_sums(family: str, adapter: str | None, shots: int) -> None:
    model = model_of(family, adapter)
    questions = grid(1, shots=shots)
    assert differences(model, questions, tree(model, 48, 8).score(questions)) < TOLERANCE


@pytest.mark.parametrize(("family", "adapter"), MODELS)
def test_plain_batches_give_the_models_own_sums(family: str, adapter: str | None) -> None:
    model = model_of(family, adapter)
    backbone = take_apart(model)
    questions = grid(2, shots=1)
    plain = PlainPairs(backbone, 128) if backbone.encoder_decoder else PlainDecoder(backbone, 128)
    assert differences(model, questions, plain.score(questions)) < TOLERANCE


# Few different tokens: branches share beginnings of every length, are prefixes of each other and repeat.
token = st.integers(7, 9)
question = st.builds(
    Question,
    st.lists(token, min_size=1, max_size=14).map(tuple),
    st.lists(st.lists(token, min_size=1, max_size=5).map(tuple), min_size=1, max_size=3).map(tuple),
)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=12, deadline=None)
@given(st.lists(question, min_size=1, max_size=4), st.integers(1, 24), st.integers(1, 12))
def test_random_trees_in_packs_of_any_size(family: str, questions: list[Question], pack: int, block: int) -> None:
    model = model_of(family)
    assert differences(model, questions, tree(model, pack, block).score(questions)) < TOLERANCE


@pytest.mark.parametrize("family", ["llama", "gemma2", "t5"])
def test_long_and_one_token_options_of_one_prompt(family: str) -> None:
    model = model_of(family)
    questions = grid(3, options=9, longest=30)
    assert differences(model, questions, tree(model, 64, 16).score(questions)) < TOLERANCE


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_the_same_call_gives_the_same_numbers(family: str) -> None:
    executor = tree(model_of(family), 32, 8)
    questions = grid(4)
    assert executor.score(questions) == executor.score(questions)


@pytest.mark.parametrize("family", DECODERS)
def test_bfloat16_stays_near_float32(family: str) -> None:
    questions = grid(5)
    exact = tree(model_of(family), 64, 16).score(questions)
    half = tree(model_of(family, dtype=torch.bfloat16), 64, 16).score(questions)
    for ours, right in zip(half, exact, strict=True):
        assert ours == pytest.approx(right, rel=0.1, abs=0.7)


@pytest.mark.parametrize("family", ["llama", ENCODER_DECODERS[0]])
def test_no_questions_and_no_answers_are_no_work(family: str) -> None:
    executor = tree(model_of(family), 32, 8)
    assert executor.score([]) == []


def test_the_models_own_attention_is_back_afterwards() -> None:
    model = model_of("llama")
    before = model.model.config._attn_implementation
    tree(model, 32, 8).score(grid(6))
    assert model.model.config._attn_implementation == before != "isophrase"
    assert differences(model, grid(6), PlainDecoder(take_apart(model)).score(grid(6))) < TOLERANCE


def test_out_of_memory_halves_the_pack_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("llama")
    executor = tree(model, 256, 16)
    assert isinstance(executor, TreeDecoder)
    forward, sizes = TreeDecoder._forward, []

    def scarce(self: TreeDecoder, pack: Any, **inputs: Any) -> Any:
        sizes.append(pack.size)
        if pack.size > 128 or len(sizes) == 3:
            raise torch.OutOfMemoryError("not that many")
        return forward(self, pack, **inputs)

    monkeypatch.setattr(TreeDecoder, "_forward", scarce)
    questions = grid(7, shots=2, options=9, longest=9)
    assert differences(model, questions, executor.score(questions)) < TOLERANCE
    assert sizes[:3] == [256, 128, 128]
    assert max(sizes[3:]) == 64


def test_out_of_memory_that_no_halving_mends_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("nothing left")

    monkeypatch.setattr(TreeDecoder, "_forward", none)
    with pytest.raises(torch.OutOfMemoryError):
        tree(model_of("llama"), 512, 16).score(grid(8))
