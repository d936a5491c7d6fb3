"""What a session begins with: its way to compute, and where virtual tokens start."""

import pytest
import torch

from isophrase.alignment.method import Kind, Start
from isophrase.alignment.training import begin
from isophrase.engine.gradients import PlainForward, Prefix, TreeForward
from isophrase.errors import ConfigError
from tests.alignment.small import method, parameters, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

FAMILIES = ["llama", "qwen2"]
TEXT = "Read the sentence carefully."


def starting(family, kind, *, plain=False, **changes):
    chosen = method(kind, parameters=parameters(kind, text=TEXT, **changes))
    return begin(tiny(family), training(chosen, plain=plain))


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("family", FAMILIES)
def test_decoders_compute_in_a_token_tree_unless_told_otherwise(family, kind):
    assert isinstance(starting(family, kind).forward, TreeForward)
    assert isinstance(starting(family, kind, plain=True).forward, PlainForward)


@pytest.mark.parametrize("kind", list(Kind))
def test_encoder_decoders_compute_in_plain_batches(kind):
    assert isinstance(starting("t5", kind, start=Start.RANDOM).forward, PlainForward)


def logits_behind(session, ids):
    """What the adapted model says behind each of some tokens, by plain PEFT."""
    with torch.no_grad():
        return session.trainable.model(input_ids=torch.tensor([ids])).logits[0, -len(ids) :]


def logits_behind_text(family, text, ids):
    """What the model without an adapter says behind the tokens when it has read others in front."""
    with torch.no_grad():
        return tiny(family).model(input_ids=torch.tensor([text + ids])).logits[0, len(text) :]


def tokens(loaded, text):
    return loaded.tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.PROMPT])
def test_more_virtual_tokens_than_the_model_reads_are_refused(kind):
    most = tiny("gpt2").context_length
    with pytest.raises(ConfigError, match=f"below the {most} tokens that the model reads; got {most + 1}"):
        starting("gpt2", kind, start=Start.TEXT, length=most + 1)


@pytest.mark.parametrize("hidden", [0, 6])
@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.PROMPT])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_start_from_text_is_the_model_that_reads_the_text_in_front(family, kind, hidden):
    loaded = tiny(family)
    text, ids = tokens(loaded, TEXT), tokens(loaded, "The film was a delight.")
    for length in (3, len(text), len(text) + 2):  # cut, as it is, and begun again
        front = (text + text)[:length]
        session = starting(family, kind, start=Start.TEXT, length=length, hidden=hidden)
        expected = logits_behind_text(family, front, ids)
        assert torch.allclose(logits_behind(session, ids), expected, atol=1e-4)
        # The tree reads the same.
        last = session.forward.states([Prefix(tuple(ids))], session.trainable.virtual())
        with torch.no_grad():
            assert torch.allclose(session.backbone.model.lm_head(last)[0], expected[-1], atol=1e-4)


@pytest.mark.parametrize("start", [Start.VOCABULARY, Start.RANDOM])
@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.PROMPT])
def test_other_starts_are_not_that_text(kind, start):
    loaded = tiny()
    text, ids = tokens(loaded, TEXT), tokens(loaded, "The film was a delight.")
    session = starting("llama", kind, start=start, length=len(text))
    found, expected = logits_behind(session, ids), logits_behind_text("llama", text, ids)
    assert float((found - expected).abs().max()) > 0.5
    other = starting("llama", kind, start=start, length=len(text))
    assert torch.equal(logits_behind(other, ids), found)  # drawn by the seed


def test_a_start_from_the_vocabulary_is_of_ordinary_words():
    """Each virtual token of a prompt is a row of the embedding, none of them a special token's."""
    session = starting("llama", Kind.PROMPT, start=Start.VOCABULARY, length=8)
    table = session.trainable.base.get_input_embeddings().weight
    rows = [
        torch.nonzero((table == one).all(dim=1)).flatten().tolist() for one in session.trainable.virtual().embeddings
    ]
    assert all(len(found) == 1 for found in rows)
    chosen = {found[0] for found in rows}
    assert len(chosen) > 1
    assert not chosen & set(session.loaded.tokenizer.all_special_ids)
