import pytest

from isophrase.alignment.method import METHODS, Draws, Method, Parameters, beyond_defaults, method_of
from isophrase.alignment.ranges import _BOUNDS
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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule": {"rate": -1}}, "schedule.rate: expected more than 0 and finite; got -1"),
        ({"schedule": {"rate": "inf"}}, "schedule.rate: expected more than 0 and finite; got inf"),
        ({"schedule": {"weight_decay": -1}}, "schedule.weight_decay: expected at least 0 and finite; got -1"),
        ({"schedule": {"clip": 0}}, "schedule.clip: expected more than 0 and finite; got 0"),
        ({"schedule": {"warmup": 3}}, "schedule.warmup: expected a share of the steps, 0 to 1; got 3"),
        ({"supervised": -1}, "supervised: expected at least 0 and finite; got -1"),
        ({"supervised": "nan"}, "supervised: expected at least 0 and finite; got nan"),
        ({"anchor": -0.5}, "anchor: expected at least 0 and finite; got -0.5"),
        ({"parameters": {"hidden": -4}}, "parameters.hidden: expected at least 0; got -4"),
        ({"parameters": {"rank": 0}}, "parameters.rank: expected at least 1; got 0"),
    ],
)
def test_a_number_that_would_train_nonsense_is_refused_by_name(change, said):
    with pytest.raises(ManyErrors) as caught:
        method_of(change)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule": {"steps": "many"}}, "schedule.steps: input should be a valid integer"),
        ({"schedule": {"steps": "many"}}, "; got 'many'"),
        ({"draws": {"word": 2}}, "unknown key 'draws.word'; did you mean 'wordings'?"),
        ({"nothing": 2}, "unknown key 'nothing'; known are parameters, supervised,"),
    ],
)
def test_a_field_that_is_none_or_no_number_is_said_with_what_was_given(change, said):
    with pytest.raises(ManyErrors) as caught:
        method_of(change)
    assert said in str(caught.value)


def test_every_number_of_a_method_has_a_range():
    def numbers(values, outer=""):
        for name, value in values.items():
            if isinstance(value, dict):
                yield from numbers(value, f"{name}.")
            elif isinstance(value, int | float):
                yield outer + name

    assert set(numbers(plain(Method()))) == {name for _, _, names in _BOUNDS for name in names}


def test_inversions_that_nothing_holds_are_refused():
    with pytest.raises(ManyErrors, match="expected `supervised_negated` or `anchor` with a weight"):
        method_of({"base": "pt", "draws": {"inversions": 1}})


def test_neutral_options_do_not_change_what_a_method_says():
    old = plain(Method(parameters=Parameters(length=5), draws=Draws(registers=0.5)))
    del old["draws"]["cases"], old["worst_group"]  # a record from before these options
    assert beyond_defaults(old) == {"parameters": {"length": 5}, "draws": {"registers": 0.5}}
    assert beyond_defaults(plain(Method())) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base": "pt", "anchor": 1}, "anchor: expected something drawn that it is the weight of"),
        ({"base": "pt", "supervised_reference": 1}, "supervised_reference: expected something drawn"),
        ({"base": "pt", "draws": {"wordings": 0}}, "supervised: expected something drawn"),
        (
            {"base": "pt", "draws": {"controls": 3}},
            "draws.controls: expected `supervised_negated` or `anchor` with a weight",
        ),
        ({"base": "pt", "draws": {"references": 3}}, "draws.references: expected `supervised_reference` or `anchor`"),
        ({"base": "pt", "supervised": 0}, "expected a loss; got weights of 0 only"),
    ],
)
def test_a_weight_of_nothing_drawn_and_a_draw_that_teaches_nothing_are_refused(change, said):
    with pytest.raises(ManyErrors) as caught:
        method_of(change)
    assert said in str(caught.value)


def test_references_alone_can_be_trained_on():
    draws = {"wordings": 0, "references": 4}
    found = method_of({"supervised": 0, "consistency": 0, "supervised_reference": 1, "draws": draws})
    assert found.draws.references == 4


def test_default_is_what_the_command_says_it_is_by_name_and_as_a_base():
    tuning = Method(supervised=1.0, consistency=0.0)
    assert method_of("default", tuning) == method_of({"base": "default"}, tuning) == method_of({}, tuning) == tuning
    assert method_of({"base": "default"}) == METHODS["default"] == method_of("default")
