import numpy as np
import pytest
from drawn_rows import bands
from hypothesis import given, settings
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from jointrec.functional import metrics

LEVELS = (0.1, 0.5, 0.9)


@given(rows=bands())
@settings(max_examples=40)
def test_pinball_is_that_of_scikit_learn(rows):
    rows = rows.counted()
    if not len(rows.labels):
        return
    each = [
        mean_pinball_loss(rows.labels, rows.answers[:, n], alpha=level, sample_weight=rows.weights)
        for n, level in enumerate(LEVELS)
    ]
    found = metrics.pinball(rows.labels, rows.answers, weights=rows.weights)
    assert found == pytest.approx(np.mean(each), abs=1e-10)
    for n in range(3):
        one = metrics.pinball(rows.labels, rows.answers, only=n, weights=rows.weights)
        assert one == pytest.approx(each[n], abs=1e-10)


def test_the_right_band_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    labels = rng.exponential(size=100_000)
    right = np.tile(-np.log1p(-np.array(LEVELS)), (len(labels), 1))
    assert metrics.over_coverage(labels, right) == pytest.approx(0, abs=0.01)
    assert metrics.over_coverage(labels, right * [0.5, 1, 2]) > 0.05
    assert metrics.over_coverage(labels, right * [2, 1, 0.5]) < -0.05
    for wrong in (0.8, 1.25):
        assert metrics.pinball(labels, right) < metrics.pinball(labels, wrong * right)


def test_by_eye():
    band = np.array([[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]])
    assert metrics.middle_wape(np.array([1.0, 3.0]), band) == 0.5
    assert metrics.over_coverage(np.array([1.0, 4.0]), band) == pytest.approx(0.5 - 0.8)


def test_coverage_is_the_share_between_two_quantiles() -> None:
    normal = np.random.default_rng(0).normal(size=20_000)
    band = np.tile(stats.norm.ppf([0.025, 0.1, 0.9, 0.975]), (len(normal), 1))
    assert metrics.coverage(normal, band, low=1, high=2) == pytest.approx(0.8, abs=0.01)
    assert metrics.coverage(normal, band) == pytest.approx(0.95, abs=0.01)
