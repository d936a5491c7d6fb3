"""Resampling by matrix products: the same as drawing and averaging by hand."""

import numpy as np
import pytest

from isophrase.statistics import resampling


def test_every_resample_draws_as_many_examples_as_there_are():
    chunks = list(resampling.counts(np.random.default_rng(0), 50, 13))
    drawn = np.concatenate(chunks)
    assert drawn.shape == (50, 13)
    assert (drawn.sum(axis=1) == 13).all()


def test_counts_are_multinomial():
    drawn = np.concatenate(list(resampling.counts(np.random.default_rng(1), 20_000, 6)))
    assert drawn.mean(axis=0) == pytest.approx(np.ones(6), abs=0.03)
    covariance = np.cov(drawn.T)
    assert covariance == pytest.approx(np.eye(6) - 1 / 6, abs=0.03)


def test_chunks_are_bounded_and_add_up(monkeypatch):
    monkeypatch.setattr(resampling, "_CHUNK", 100)
    chunks = list(resampling.counts(np.random.default_rng(2), 25, 30))
    assert max(chunk.size for chunk in chunks) <= 100
    assert sum(len(chunk) for chunk in chunks) == 25


def test_means_are_those_of_the_drawn_scored_cells():
    generator = np.random.default_rng(3)
    values = generator.random((4, 9))
    values[generator.random((4, 9)) < 0.3] = np.nan
    found = resampling.resampled_means(values, np.random.default_rng(4), 40)
    drawn = np.concatenate(list(resampling.counts(np.random.default_rng(4), 40, 9)))
    for resample in range(40):
        places = np.repeat(np.arange(9), drawn[resample].astype(int))
        for row in range(4):
            cells = values[row, places]
            cells = cells[~np.isnan(cells)]
            expected = cells.mean() if cells.size else np.nanmean(values[row])
            assert found[resample, row] == pytest.approx(expected)


def test_a_row_whose_only_scored_cell_is_never_drawn_keeps_its_mean():
    values = np.full((1, 50), np.nan)
    values[0, 0] = 0.75
    assert (resampling.resampled_means(values, np.random.default_rng(5), 30) == 0.75).all()
