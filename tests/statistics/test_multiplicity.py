"""Adjusted p-values agree with statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from isophrase.statistics.multiplicity import benjamini_hochberg, holm


@pytest.mark.parametrize(("own", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_values_are_those_of_statsmodels(own, theirs):
    generator = np.random.default_rng(0)
    for size in (1, 2, 7, 40):
        values = generator.random(size) ** 2
        np.testing.assert_allclose(own(values), multipletests(values, method=theirs)[1])


@pytest.mark.parametrize("own", [holm, benjamini_hochberg])
def test_a_missing_test_is_not_counted(own):
    found = own(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(found[[0, 2]], own(np.array([0.01, 0.04])))
    assert np.isnan(found[1])
