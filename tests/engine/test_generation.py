"""Greedy generation against a loop that reads everything again for each token."""

import functools
import random
from typing import Any

import pytest

from isophrase.engine.backbone import take_apart
from isophrase.engine.choosing import quick
from isophrase.engine.continuing import groups
from isophrase.engine.plain import PlainDecoder
from isophrase.engine.plain_pairs import PlainPairs
from isophrase.engine.seam import common
from isophrase.engine.stopping import Stopping, end_tokens
from isophrase.engine.tree import Sizes
from isophrase.models.base import GenerationLimits
from tests.engine.reference import ADAPTERS, greedy, loaded
from tests.tiny_models import FAMILIES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")
MODELS = [(family, None) for family in FAMILIES] + [
    (family, adapter) for family in ("llama", "mistral", "t5") for adapter in ADAPTERS
]

model_of = functools.cache(loaded)


def contexts() -> list[tuple[int, ...]]:
    draw = random.Random(5)
    shared = tuple(draw.randrange(5, 390) for _ in range(13))
    found = [shared + tuple(draw.randrange(5, 390) for _ in range(size)) for size in (1, 4, 9, 15)]
    return [*found, found[1], tuple(draw.randrange(5, 390) for _ in range(6)), shared]


def stopping_of(model: Any, limits: GenerationLimits) -> Stopping:
    return Stopping(model.tokenizer, limits, end_tokens(take_apart(model).model, model.tokenizer))


def expected(model: Any, stopping: Stopping) -> list[str]:
    count = stopping.limits.max_new_tokens
    return [stopping.text(greedy(model, context, count, stopping.ends)) for context in contexts()]


@pytest.mark.parametrize(("family", "adapter"), MODELS)
@pytest.mark.parametrize("kind", ["quick", "plain"])
def test_the_text_is_that_of_plain_greedy_decoding(family: str, adapter: str | None, kind: str) -> None:
    model = model_of(family, adapter)
    backbone = take_apart(model)
    stopping = stopping_of(model, GenerationLimits(10, ()))
    executor = quick(backbone, Sizes(pack=16, block=4, held=150, texts=3))
    if kind == "plain":
        executor = PlainPairs(backbone, 80) if backbone.encoder_decoder else PlainDecoder(backbone, 80)
    assert executor.generate(contexts(), stopping) == expected(model, stopping)


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_a_stop_string_ends_a_text_and_is_not_part_of_it(family: str) -> None:
    model = model_of(family)
    whole = expected(model, stopping_of(model, GenerationLimits(10, ())))
    stop = max(whole, key=len)[3:5]
    stopping = stopping_of(model, GenerationLimits(10, (stop,)))
    executor = quick(take_apart(model), Sizes(pack=16, block=4, held=500, texts=8))
    found = executor.generate(contexts(), stopping)
    assert found == [text.split(stop)[0] for text in whole]
    assert found != whole


def test_an_end_token_ends_a_text() -> None:
    model = model_of("llama")
    context = contexts()[0]
    made = greedy(model, context, 6, frozenset())
    stopping = Stopping(model.tokenizer, GenerationLimits(6, ()), frozenset({made[3]}))
    executor = quick(take_apart(model), Sizes(pack=16, block=4, held=500, texts=8))
    (found,) = executor.generate([context], stopping)
    kept = made[: made.index(made[3])]
    assert found == model.tokenizer.decode(kept, skip_special_tokens=True)


def test_groups_are_distinct_sorted_and_bounded() -> None:
    found = list(groups(contexts(), 10, tokens=60, most=3))
    assert [context for group in found for context in group] == sorted(set(contexts()))
    for group in found:
        shared = common(group[0], group[-1])
        held = shared + len(group) * (max(map(len, group)) - shared + 10)
        assert len(group) == 1 or (len(group) <= 3 and held <= 60)
    assert len(found) > 2


def test_nothing_to_continue_is_no_work() -> None:
    model = model_of("llama")
    executor = quick(take_apart(model), Sizes(pack=16, block=4, held=500, texts=8))
    assert executor.generate([], stopping_of(model, GenerationLimits())) == []


def test_white_space_in_front_of_an_answer_does_not_end_it() -> None:
    model = loaded("llama")
    stopping = Stopping(model.tokenizer, GenerationLimits(20, ("\n",)), frozenset())
    tokens = model.tokenizer("\n\n yes\nno", add_special_tokens=False)["input_ids"]
    ends = [stopping.finished(tokens[: count + 1]) for count in range(len(tokens))]
    assert stopping.text(tokens) == "yes"
    assert not ends[0]
    assert ends[-1]


def test_groups_that_the_number_of_texts_cuts_are_about_equal() -> None:
    contexts = [(1, 2, number) for number in range(320)]
    assert [len(group) for group in groups(contexts, 4, tokens=100_000, most=256)] == [160, 160]
    assert [len(group) for group in groups(contexts, 4, tokens=100_000, most=512)] == [320]
    assert list(groups([], 4, tokens=100_000, most=256)) == []
