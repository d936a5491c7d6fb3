import itertools

from isophrase.report.training_page import Curve, curves, training_page

STEPS = [{"number": n, "total": 2.0 / n, "parts": {"supervised": 1.0 / n}} for n in range(1, 31)]
SIGHTS = [{"step": s, "values": {"dev": 0.5 + s / 100, "dev_std": 0.1, "perplexity": 20.0}} for s in (0, 30)]


def test_every_series_that_was_recorded_is_drawn_and_named():
    page = training_page("<b>x", ["seed 0"], STEPS, SIGHTS)
    for name in ("total", "supervised", "dev 0.8", "dev std", "perplexity 20"):
        assert name in page
    assert "observed 0" not in page
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page


def test_a_curve_goes_through_its_points():
    drawn = curves("id", "Title", "share", [Curve("a", [(0, 0.0), (5, 0.5), (10, 1.0)])])
    assert 'x1="8%"' in drawn or 'x1="8.00%"' in drawn
    assert 'x2="44.00%"' in drawn
    assert 'y2="14"' in drawn


def test_labels_do_not_cover_each_other():
    drawn = curves("id", "Title", "", [Curve(name, [(0, 0.5), (1, 0.5)]) for name in "abc"])
    heights = sorted(float(part.split('"')[0]) for part in drawn.split('x="81%" y="')[1:])
    assert all(second - first >= 13.9 for first, second in itertools.pairwise(heights))


def test_a_training_without_looks_has_its_losses():
    assert "Accuracy" not in training_page("x", [], STEPS, [])
