"""Variance components against statsmodels' mixed model, the analysis of variance by hand, and simulation."""

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from isophrase.statistics.components import components


def draw(generator, seeds, rows, columns, deviations):
    """A cube with normal effects of these standard deviations, in the order of the parts."""
    shapes = {
        "instruction": (1, rows, 1), "example": (1, 1, columns), "seed": (seeds, 1, 1),
        "interaction": (1, rows, columns),
        "instruction_seed": (seeds, rows, 1), "example_seed": (seeds, 1, columns), "residual": (seeds, rows, columns),
    }  # fmt: skip
    effects = [deviations.get(name, 0.0) * generator.normal(size=shape) for name, shape in shapes.items()]
    return sum(effects) + np.zeros((seeds, rows, columns))


def test_they_are_those_of_a_mixed_model():
    generator = np.random.default_rng(0)
    values = draw(generator, 1, 8, 15, {"instruction": 0.6, "example": 0.9, "interaction": 0.5})[0]
    found = components(values)
    frame = pd.DataFrame(
        {"y": values.ravel(), "one": 1, "row": np.repeat(np.arange(8), 15), "column": np.tile(np.arange(15), 8)}
    )
    formula = {"row": "0 + C(row)", "column": "0 + C(column)"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM.from_formula("y ~ 1", groups="one", vc_formula=formula, data=frame).fit(reml=True)
    reference = dict(zip(model.model.exog_vc.names, model.vcomp, strict=True))
    assert found.instruction == pytest.approx(reference["row"], rel=0.02)
    assert found.example == pytest.approx(reference["column"], rel=0.02)
    assert found.interaction == pytest.approx(model.scale, rel=0.02)


@pytest.mark.parametrize("seeds", [1, 4])
def test_their_mean_over_many_tables_is_the_truth(seeds):
    generator = np.random.default_rng(1)
    deviations = {"instruction": 0.5, "example": 0.7, "interaction": 0.4}
    if seeds > 1:
        deviations |= {"seed": 0.3, "instruction_seed": 0.35, "example_seed": 0.3, "residual": 0.6}
    found = [components(draw(generator, seeds, 20, 30, deviations)) for _ in range(400)]
    for name, deviation in deviations.items():
        average = np.mean([getattr(item, name) for item in found])
        assert average == pytest.approx(deviation**2, rel=0.12 if name != "seed" else 0.2), name
    assert found[0].total == pytest.approx(sum(found[0].parts.values()))


def test_examples_with_an_unscored_cell_are_left_out_and_counted():
    values = draw(np.random.default_rng(2), 1, 6, 10, {"example": 1.0, "interaction": 1.0})[0]
    holed = values.copy()
    holed[2, 3] = np.nan
    found, whole = components(holed), components(np.delete(values, 3, axis=1))
    assert (found.left_out, found.examples) == (1, 9)
    assert found.parts == whole.parts


def test_too_small_a_table_has_none():
    assert np.isnan(components(np.ones((1, 5))).instruction)
    assert np.isnan(components(np.full((3, 4), np.nan)).total)
