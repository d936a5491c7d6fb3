"""oneDNN's products beside PyTorch's own and beside float64, values and derivatives."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from isophrase.engine import products
from isophrase.engine.products import linear, multiplied

pytestmark = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this PyTorch is built without oneDNN"
)
MAKERS = {"AuthenticAMD": True, "GenuineIntel": False, "": False}


@pytest.fixture(autouse=True)
def processor(monkeypatch):
    """A processor of the given maker; AMD's unless a test says otherwise."""

    def of(maker):
        products._here.cache_clear()
        monkeypatch.setattr(products, "cpu_vendor", lambda: maker)

    of("AuthenticAMD")
    yield of
    products._here.cache_clear()


@pytest.fixture
def calls(monkeypatch):
    """Counts oneDNN's products."""
    seen = []
    product = products._product
    monkeypatch.setattr(products, "_product", lambda *parts: (seen.append(1), product(*parts))[1])
    return seen


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("shape", [(1, 33), (40, 33), (2, 3, 33), (33,), (0, 33)])
@pytest.mark.parametrize("biased", [True, False])
def test_values_and_derivatives_are_pytorchs(shape, biased, calls):
    parts = [drawn(*shape), drawn(70, 33), drawn(70) if biased else None]
    mix = drawn(*shape[:-1], 70)
    found = []
    for multiply in (linear, functional.linear):
        single = multiply is linear
        given = [None if part is None else part.to(torch.float32 if single else torch.float64) for part in parts]
        given = [None if part is None else part.clone().requires_grad_() for part in given]
        made = multiply(*given)
        (made * mix.to(made.dtype)).sum().backward()
        found.append([made.detach(), *[part.grad for part in given if part is not None]])
    assert len(calls) == (3 if mix.numel() else 0)
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours.double(), theirs, atol=2e-5, rtol=1e-5)


def test_only_asked_derivatives_are_computed(calls):
    states = drawn(4, 8).requires_grad_()
    linear(states, drawn(6, 8)).sum().backward()
    assert len(calls) == 2
    with torch.no_grad():
        assert linear(states, drawn(6, 8)).grad_fn is None


def test_views_are_multiplied_as_what_they_show():
    states, weight = drawn(9, 40).t()[:, ::2], drawn(5, 12).t()
    torch.testing.assert_close(linear(states, weight), functional.linear(states, weight))


@pytest.mark.parametrize("maker", MAKERS)
def test_only_amds_processors_are_served(maker, processor, calls):
    processor(maker)
    linear(drawn(3, 8), drawn(6, 8))
    assert bool(calls) is MAKERS[maker]


def test_other_number_formats_and_autocast_are_pytorchs(calls):
    linear(drawn(3, 8).double(), drawn(6, 8).double())
    linear(drawn(3, 8).bfloat16(), drawn(6, 8).bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(drawn(3, 8), drawn(6, 8)).dtype is torch.bfloat16
    assert not calls


def test_a_second_derivative_is_refused_rather_than_wrong():
    states = drawn(3, 8).requires_grad_()
    (first,) = torch.autograd.grad(linear(states, drawn(6, 8)).square().sum(), states, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_weights_of_another_tensor_class_are_pytorchs(calls):
    class Packed(torch.Tensor):
        pass

    linear(drawn(3, 8), drawn(6, 8).as_subclass(Packed))
    assert not calls


class Scaled(nn.Linear):
    """A layer of another kind."""

    def forward(self, states):
        return 2 * super().forward(states)


def test_a_model_multiplies_so_for_the_time_of_the_block_only(calls):
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4, bias=False), Scaled(4, 4))
    model[0].forward = model[0].forward
    states = drawn(3, 8)
    before = model(states)
    with multiplied(model):
        inside = model(states)
        assert len(calls) == 1  # the first layer is replaced already, the last is another kind
    torch.testing.assert_close(inside, before)
    model(states)
    assert len(calls) == 1
    assert [name for layer in model[1:] for name in vars(layer) if name == "forward"] == []
    copy.deepcopy(model)


def test_a_model_is_as_before_after_an_error():
    model = nn.Sequential(nn.Linear(8, 4))
    with pytest.raises(RuntimeError), multiplied(model):
        model(drawn(3, 9))
    assert "forward" not in vars(model[0])
