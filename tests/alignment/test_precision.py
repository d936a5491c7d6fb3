"""Training with bfloat16 products: on a device that is fast in them, whatever this one is."""

import pytest
import torch

from isophrase.alignment import training as loop
from isophrase.alignment.method import Kind, Schedule
from isophrase.alignment.training import begin, train
from isophrase.api.alignment import _as_trained
from isophrase.errors import ConfigError
from isophrase.models.devices import Choice
from isophrase.models.huggingface import load
from isophrase.types import ModelSpec, PromptFormat
from tests.alignment.small import method, tiny, training
from tests.engine.reference import folder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
KINDS = list(Kind)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(loop, "fast_dtype", lambda device: Choice("bfloat16", "the test says so"))


def losses(kind, loaded=None, **changes):
    chosen = method(kind, schedule=Schedule(steps=6, rate=1e-2))
    trained = train(loaded or tiny(), training(chosen, **changes))
    return trained, [step.total for step in trained.steps]


@pytest.mark.parametrize("plain", [False, True], ids=["tree", "plain"])
@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_products_train_float32_weights_to_nearly_the_same_losses(fast, kind, plain):
    _, exact = losses(kind, plain=plain)
    trained, rounded = losses(kind, plain=plain, autocast=True)
    assert rounded == pytest.approx(exact, rel=0.03)
    assert rounded != exact
    assert {weight.dtype for weight in trained.trainable.model.parameters()} == {torch.float32}


def test_without_a_fast_device_or_unasked_products_stay_float32(fast, monkeypatch):
    _, exact = losses(Kind.LORA)
    monkeypatch.setattr(loop, "fast_dtype", lambda device: Choice("float32", "the test says so"))
    assert losses(Kind.LORA, autocast=True)[1] == exact


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Kind.FULL])
def test_an_adapter_on_a_bfloat16_model_has_float32_weights(fast, kind):
    spec = ModelSpec("llama", str(folder("llama")), dtype="bfloat16", device="cpu", prompt_format=PromptFormat.PLAIN)
    session = begin(load(spec), training(method(kind), autocast=True))
    assert {weight.dtype for weight in session.trainable.weights} == {torch.float32}
    _, rounded = losses(kind, load(spec), autocast=True)
    assert rounded == pytest.approx(losses(kind)[1], rel=0.05)


def test_all_weights_are_trained_in_float32():
    spec = ModelSpec("model", "folder")
    assert _as_trained(spec, full=True).dtype == "float32"
    assert _as_trained(spec, full=False) == spec
    with pytest.raises(ConfigError, match="dtype auto or float32"):
        _as_trained(ModelSpec("model", "folder", dtype="bfloat16"), full=True)
