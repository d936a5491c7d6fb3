"""States and distances come back as they were written; a damaged file is one clear error."""

import numpy as np
import pytest

from isophrase.errors import StoreError
from isophrase.representations.distances import distances
from isophrase.representations.files import (
    About,
    Captured,
    Measured,
    read_distances,
    read_states,
    write_distances,
    write_states,
)
from isophrase.representations.projection import project
from isophrase.store import PanelKey

KEY = PanelKey("m", "sentiment", 0, "plain", 0, "float32")
ABOUT = About(KEY, -2, "last", ("a", "b", "c"), ("1", "2", "3", "4"))


def states(scale=1.0):
    found = (scale * np.random.default_rng(0).normal(size=(3, 4, 8))).astype(np.float32)
    found[1, 2] = np.nan
    return found


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_states_of_any_size_come_back_with_the_precision_of_float16(tmp_path, scale):
    captured = Captured(ABOUT, states(scale), ((1, 2, "too long"),))
    path = write_states(tmp_path, captured)
    back = read_states(tmp_path, ABOUT)
    np.testing.assert_allclose(back.states, captured.states, rtol=2**-10, atol=scale * 1e-4)
    assert back.missing == captured.missing
    assert path.stat().st_size < 3 * 4 * 8 * 2 + 2000


def test_another_layer_is_another_file(tmp_path):
    write_states(tmp_path, Captured(ABOUT, states()))
    assert read_states(tmp_path, About(KEY, -3, "last", ABOUT.instructions, ABOUT.examples)) is None


def test_distances_come_back_and_replace_those_of_another_layer(tmp_path):
    measured = Measured(ABOUT, distances(states(), None, (-1, 0, 0)), project([states()], ["m"])[0])
    older = Measured(About(KEY, -1, "last", *(ABOUT.instructions, ABOUT.examples)), measured.distances, measured.points)
    write_distances(tmp_path, older)
    write_distances(tmp_path, measured)
    (back,) = read_distances(tmp_path).values()
    assert back.about == ABOUT
    assert len(list((tmp_path / "distances").iterdir())) == 1
    np.testing.assert_array_equal(back.distances.l2, measured.distances.l2)
    np.testing.assert_array_equal(back.points.pca, measured.points.pca)
    assert back.distances.targets == (-1, 0, 0)
    assert back.points.together == ("m",)


def test_a_damaged_file_is_one_clear_error(tmp_path):
    path = write_states(tmp_path, Captured(ABOUT, states()))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match="delete it and run `isophrase distance` again"):
        read_states(tmp_path, ABOUT)
