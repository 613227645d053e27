from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jointrec.errors import ProjectError
from jointrec.features import Number

SCALES = ["standard", "log", "quantile"]
TAME = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def values_of(feature: Number, trained: list[float], asked: list[float]) -> np.ndarray:
    return feature.encode(pl.Series(asked), feature.learn(pl.Series(trained))).values


@pytest.mark.parametrize("scale", SCALES)
@given(asked=st.lists(st.floats(), min_size=1), trained=st.lists(st.floats(), max_size=30))
def test_is_monotone_bounded_and_flags_what_is_missing(scale, asked, trained) -> None:
    found = values_of(Number(scale), [*trained, np.nan], np.sort(asked).tolist())
    missing = ~np.isfinite(np.sort(asked))
    assert (found[:, 1] == missing).all()
    assert (found[missing, 0] == 0).all()
    assert (np.diff(found[~missing, 0]) >= 0).all()
    assert (np.abs(found[:, 0]) <= (1 if scale == "quantile" else 5)).all()


@given(st.lists(TAME, min_size=2, max_size=50).filter(lambda v: np.std(v) > 1e-2))
def test_standard_is_the_z_score_cut_at_five(trained) -> None:
    found = values_of(Number(), trained, trained)[:, 0]
    wanted = np.clip(stats.zscore(np.array(trained)), -5, 5)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_log_is_the_same_on_both_sides_of_zero() -> None:
    trained = [-99.0, 0.0, 99.0]
    found = values_of(Number("log"), trained, [-99.0, -9.0, 0.0, 9.0, 99.0])[:, 0]
    np.testing.assert_allclose(
        found, [-(1.5**0.5), -(1.5**0.5) / 2, 0, 1.5**0.5 / 2, 1.5**0.5], rtol=1e-6
    )


def test_quantile_is_the_share_below_from_minus_one_to_one() -> None:
    trained = np.random.default_rng(0).permutation(1001.0 ** np.linspace(0, 1, 1001))
    asked = np.sort(trained)
    found = values_of(Number("quantile"), trained.tolist(), [-5.0, *asked, 1e9])[:, 0]
    assert found[0] == -1
    assert found[-1] == 1
    wanted = 2 * (stats.rankdata(asked) - 1) / 1000 - 1
    # Between two of the 256 quantiles the share is drawn as a line: four ranks of 1001 at most.
    assert np.abs(found[1:-1] - wanted).max() < 2 * 4 / 1000


def test_quantile_puts_ties_in_the_middle_of_their_ranks() -> None:
    found = values_of(Number("quantile"), [0.0] * 50 + [7.0] * 50, [0.0, 3.5, 7.0])[:, 0]
    np.testing.assert_allclose(found, [49 / 99 - 1, 0.0, 149 / 99 - 1], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e308, 5e-324])
def test_a_value_that_never_changes_is_zero(scale, value) -> None:
    assert values_of(Number(scale), [value] * 7, [value]).tolist() == [[0.0]]


@pytest.mark.parametrize("scale", SCALES)
def test_largest_floats_do_not_overflow(scale) -> None:
    big = float(np.finfo(np.float64).max)
    found = values_of(Number(scale), [-big, big, big], [-big, 0.0, big])[:, 0]
    assert (np.diff(found) > 0).all()


def test_a_scale_that_is_not_known() -> None:
    with pytest.raises(ProjectError) as caught:
        Number(scale="logs")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "`scale` should be one of standard, log, quantile. Found `logs`. Did you mean `log`?"
    )


@pytest.mark.parametrize("scale", SCALES)
@given(st.lists(TAME, max_size=70), st.sampled_from([8, 16, 1 << 19]))
def test_many_numbers_are_learned_in_pieces_to_the_same_bits(scale, trained, piece) -> None:
    # Longer than what numpy adds up without halving, so that halves are halved as it does.
    values = pl.Series(trained * 9, dtype=pl.Float64)
    wanted = Number(scale).learn(values)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("durable.pieces", "features.number"):
            patch.setattr(f"jointrec.{module}.PIECE", max(piece, 128))
        assert Number(scale).learn(values) == wanted
    known = np.sort(values.to_numpy())
    if scale == "standard" and np.abs(known).max(initial=0.0) > 0:
        size = np.abs(known).max()
        assert wanted["mean"] == (known / size).mean() * size


@pytest.mark.parametrize("scale", SCALES)
def test_has_no_flag_where_no_training_value_was_missing(scale) -> None:
    feature = Number(scale)
    state = feature.learn(pl.Series([1.0, 2.0, 4.0]))
    found = feature.encode(pl.Series([2.0, None, math.inf]), state).values
    assert feature.num_numbers(state) == 1
    assert found.shape == (3, 1)
    assert (found[1:] == 0).all()
    assert feature.num_numbers(feature.learn(pl.Series([1.0, None]))) == 2
