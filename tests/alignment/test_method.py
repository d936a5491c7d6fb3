import pytest

from isophrase.alignment.method import METHODS, Draws, Method, Parameters, beyond_defaults, method_of
from isophrase.errors import ManyErrors
from isophrase.types import plain


def test_what_a_method_says_beyond_the_defaults_makes_it_again():
    for method in METHODS.values():
        assert method_of({"base": "pt+kl", **beyond_defaults(plain(method))}) == method


def test_every_number_out_of_range_is_said_at_once():
    with pytest.raises(ManyErrors) as caught:
        method_of({"views": -1, "draws": {"splices": 1.5, "cases": -0.1, "layers": -1, "controls": -2}})
    for name in ("views", "draws.splices", "draws.cases", "draws.layers", "draws.controls"):
        assert f"{name}: expected" in str(caught.value)


def test_inversions_that_nothing_holds_are_refused():
    with pytest.raises(ManyErrors, match="expected `anchor` with a weight"):
        method_of({"base": "pt", "draws": {"inversions": 1}})


def test_neutral_options_do_not_change_what_a_method_says():
    old = plain(Method(parameters=Parameters(length=5), draws=Draws(registers=0.5)))
    del old["draws"]["cases"], old["worst_group"]  # a record from before these options
    assert beyond_defaults(old) == {"parameters": {"length": 5}, "draws": {"registers": 0.5}}
    assert beyond_defaults(plain(Method())) == {}
