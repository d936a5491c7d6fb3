"""What is kept of a training: a folder for plain transformers and PEFT, and a checkpoint that goes on exactly."""

import pytest
import torch

from isophrase.alignment.method import Kind, Start
from isophrase.alignment.record import Record, save
from isophrase.alignment.training import begin, train
from tests.alignment.formulas import moved
from tests.alignment.small import method, parameters, tiny, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

RECORD = Record(kind="align", name="x", method={}, seed=0, base={}, tuned_on=None)


def kept(folder, family, kind, hidden=0):
    """What a model said while it was trained, when its weights had moved; its folder is written afterwards."""
    loaded = tiny(family)
    before = said(loaded.model, loaded.tokenizer)
    start = Start.RANDOM if loaded.is_encoder_decoder and kind is Kind.PREFIX else Start.TEXT
    session = moved(begin(loaded, training(method(kind, parameters=parameters(kind, start=start, hidden=hidden)))))
    assert len(session.trainable.weights) == 5 or not hidden  # the network of a re-parametrisation
    during = said(session.trainable.model, loaded.tokenizer)
    assert (during - before).abs().max() > 0.1  # else a folder without weights would do
    session.trainable.finish()
    save(folder, loaded, session.trainable, RECORD)
    return loaded, during


def said(model, tokenizer):
    asked = {"input_ids": tokenizer("The film was a delight.", return_tensors="pt")["input_ids"]}
    if model.config.is_encoder_decoder:
        asked["decoder_input_ids"] = torch.tensor([[model.config.decoder_start_token_id, 5, 6]])
    with torch.no_grad():
        return model(**asked).logits[:, -3:]


ADAPTERS = [(Kind.LORA, 0), (Kind.PROMPT, 0), (Kind.PROMPT, 6), (Kind.PREFIX, 0)]
SAVED = [(family, *adapter) for family in ("t5", "llama") for adapter in ADAPTERS] + [
    ("llama", Kind.PREFIX, 6),
    ("t5", Kind.PREFIX, 6),
]


@pytest.mark.parametrize(("family", "kind", "hidden"), SAVED)
def test_a_saved_adapter_says_in_plain_peft_what_it_said_in_training(tmp_path, family, kind, hidden):
    import peft
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    loaded, expected = kept(tmp_path, family, kind, hidden)
    auto = AutoModelForSeq2SeqLM if loaded.is_encoder_decoder else AutoModelForCausalLM
    found = peft.PeftModel.from_pretrained(auto.from_pretrained(loaded.spec.source), tmp_path).eval()
    assert torch.allclose(said(found, loaded.tokenizer), expected, atol=1e-5)


@pytest.mark.parametrize("family", ["t5", "t5_original"])
def test_a_saved_t5_says_in_plain_transformers_what_it_said_in_training(tmp_path, family):
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    _, expected = kept(tmp_path, family, Kind.FULL)
    plain = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert torch.allclose(said(plain, AutoTokenizer.from_pretrained(tmp_path)), expected, atol=1e-5)


class StopError(Exception):
    pass


def stopped(step):
    if step.number == 3:
        raise StopError


RESUMED = {
    "prompt": method(Kind.PROMPT),
    "full": method(Kind.FULL),
    "re-parametrised prefix": method(Kind.PREFIX, parameters=parameters(Kind.PREFIX, hidden=6)),
    "re-parametrised prompt": method(Kind.PROMPT, parameters=parameters(Kind.PROMPT, hidden=6)),
    "random prefix": method(Kind.PREFIX, start=Start.RANDOM),
}


@pytest.mark.parametrize("name", RESUMED)
def test_an_interrupted_training_of_other_weights_ends_with_the_same_ones(tmp_path, name):
    chosen, path = RESUMED[name], tmp_path / "state.pt"
    whole = train(tiny(), training(chosen))
    with pytest.raises(StopError):
        train(tiny(), training(chosen, checkpoint=path), notify=stopped)
    numbers = []
    resumed = train(tiny(), training(chosen, checkpoint=path), notify=lambda step: numbers.append(step.number))
    assert numbers == [3, 4]
    assert [step.total for step in resumed.steps] == [step.total for step in whole.steps]
    assert [step.norm for step in resumed.steps] == [step.norm for step in whole.steps]
    expected = dict(whole.trainable.model.named_parameters())
    found = dict(resumed.trainable.model.named_parameters())
    assert found.keys() == expected.keys()
    assert all(torch.equal(weight, expected[key]) for key, weight in found.items())
