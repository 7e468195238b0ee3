"""Columns against the rest of the night: the formula by SciPy and scikit-learn, nights apart from each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import iqr
from sklearn.preprocessing import RobustScaler

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features.against_night import AgainstNight
from biosig_lstm.steps import Step

NAMES = ("slow", "fast", "still")


def nights(lengths: tuple[int, ...], *, seed: int = 0) -> Windows:
    rng = np.random.default_rng(seed)
    total = sum(lengths)
    values = rng.standard_normal((total, 3)) * [1.0, 20.0, 0.0] + [0.0, -23.0, 4.0]
    names = np.array([f"night{k}" for k in range(len(lengths))])
    return Windows(
        values=values,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        columns=NAMES,
        rate_hz=1 / 30,
        subjects=names,
        recordings=names,
        starts=np.zeros(len(lengths)),
        fs=np.full(len(lengths), 1 / 30),
        y=rng.integers(0, 5, total),
        classes=("W", "N1", "N2", "N3", "R"),
        step_labels=True,
    )


def test_columns_are_kept_and_added_against_each_night() -> None:
    windows = nights((40, 90))
    made = AgainstNight()(windows)
    assert tuple(made.columns) == (*NAMES, *(f"{name}/night" for name in NAMES))
    np.testing.assert_array_equal(made.values[:, :3], windows.values)
    for k in range(2):
        night = windows.item(k).astype(np.float64)
        scaled = RobustScaler(unit_variance=True).fit_transform(night[:, :2])
        np.testing.assert_allclose(made.item(k)[:, 3:5], np.clip(scaled, -5, 5), rtol=1e-3, atol=1e-4)
        spread = iqr(night, axis=0, scale="normal")
        expected = (night - np.median(night, axis=0)) / (spread + 1e-6)
        np.testing.assert_allclose(made.item(k)[:, 3:], np.clip(expected, -5, 5), rtol=1e-3, atol=1e-3)
    assert (made.values[:, 5] == 0).all()


def test_a_night_does_not_depend_on_those_beside_it_and_labels_stay() -> None:
    windows = nights((40, 90, 1))
    made = AgainstNight()(windows)
    for k in range(3):
        alone = AgainstNight()(windows.select([k]))
        np.testing.assert_array_equal(made.item(k), alone.item(0))
    np.testing.assert_array_equal(made.y, windows.y)
    assert made.values.dtype == np.float32
    assert AgainstNight()(windows) == made


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 50), st.floats(-40, 40), st.floats(0.5, 8))
def test_what_multiplies_or_shifts_a_whole_night_falls_away(gain: float, shift: float, limit: float) -> None:
    windows = nights((60,))
    moved = windows.with_values(windows.values[:, :2] * gain + shift, columns=NAMES[:2])
    first, second = (
        AgainstNight(limit)(w).values[:, 2:]
        for w in (windows.with_values(windows.values[:, :2], columns=NAMES[:2]), moved)
    )
    np.testing.assert_allclose(first, second, atol=2e-3)
    assert np.abs(second).max() <= limit


def test_the_step_is_written_and_read_and_refuses_no_limit() -> None:
    step = AgainstNight(limit=3.0)
    assert Step.to_dict(step) == {"step": "AgainstNight", "limit": 3.0}
    assert AgainstNight.from_fields({"limit": 3.0}) == step
    with pytest.raises(ParameterError, match="limit must be positive, got 0"):
        AgainstNight(limit=0)
