"""Leads changed at random: labels stay with their waves, pauses change and waves do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.augmentation.waves import WaveAugmentation, changed_pauses, without_p_waves
from biosig_lstm.errors import ParameterError

QUIET = {"turn": 0.0, "gain": 0.0, "alone": 0.0, "drift": 0.0, "noise": 0.0, "hum": 0.0, "fibrillation": 0.0}
BEAT = np.repeat([1, 0, 2, 0, 3, 0], [20, 10, 25, 30, 50, 80])


def item(n_beats: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Return a lead whose value at a step is its label, half of it on the other leads."""
    y = np.tile(BEAT, n_beats).astype(np.int64)
    return np.stack([y, 0.5 * y], axis=1).astype(np.float32), y


def lengths_of(y: np.ndarray, kind: int) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], y == kind, [0]]).astype(int)))
    return np.diff(edges.reshape(-1, 2), axis=1).ravel()[1:-1]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_labels_stay_with_their_waves(seed: int) -> None:
    x, y = item()
    changed, labels = WaveAugmentation(steps=1000, **QUIET)(x, y, np.random.default_rng(seed))
    assert changed.shape == (len(labels), 2)
    assert len(labels) <= 1000
    assert np.mean(np.rint(changed[:, 0]) == labels) > 0.97
    np.testing.assert_allclose(changed[:, 1], 0.5 * changed[:, 0], atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_anything_it_makes_is_finite_and_given_by_the_seed(seed: int) -> None:
    x, y = item(4)
    change = WaveAugmentation(steps=700, fibrillation=0.5)
    one, other = (change(x, y, np.random.default_rng(seed)) for _ in range(2))
    assert np.isfinite(one[0]).all()
    assert one[0].dtype == np.float32
    assert set(one[1].tolist()) <= {0, 1, 2, 3}
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_pauses_change_and_waves_do_not() -> None:
    x, y = item()
    change = WaveAugmentation(steps=10_000, stretch=0.0, pauses=1.0, **QUIET)
    _, labels = change(x, y, np.random.default_rng(3))
    for kind, length in ((1, 20), (2, 25), (3, 50)):
        assert np.abs(lengths_of(labels, kind) - length).max() <= 1
    assert abs(len(labels) - len(y)) > 50


def test_pauses_of_one_kind_are_alike_unless_asked() -> None:
    _, y = item()
    rng = np.random.default_rng(0)
    after_t = slice(215 + 135, 2 * 215)
    assert len(set(changed_pauses(y, rng)[:-80][y[:-80] == 0].round(9).tolist())) == 3
    assert len(set(changed_pauses(y, rng, alike=False)[y == 0].round(9).tolist())) > 20
    assert len(set(changed_pauses(y, rng, alike=False)[after_t].tolist())) == 1


def test_p_waves_become_straight_lines() -> None:
    x, y = item(3)
    flat, labels = without_p_waves(x, y)
    assert not (labels == 1).any()
    assert not flat[20 + 215 : 215, 0].any()
    np.testing.assert_array_equal(flat[y == 2], x[y == 2])
    again = without_p_waves(flat, labels)
    np.testing.assert_array_equal(again[0], flat)


def test_fibrillation_takes_all_p_waves_and_makes_the_rhythm_irregular() -> None:
    x, y = item()
    change = WaveAugmentation(steps=4000, stretch=0.0, **{**QUIET, "fibrillation": 1.0})
    changed, labels = change(x, y, np.random.default_rng(1))
    assert not (labels == 1).any()
    starts = np.flatnonzero(np.diff((labels == 2).astype(int)) == 1)
    assert np.diff(starts).std() > 10
    assert changed[labels == 0, 0].std() > 0.02


def test_the_other_leads_may_be_gone() -> None:
    x, y = item()
    changed, _ = WaveAugmentation(steps=500, alone=1.0)(x, y, np.random.default_rng(0))
    assert not changed[:, 1].any()


def test_too_short_a_stretch_is_refused() -> None:
    with pytest.raises(ParameterError, match="steps must be at least 2, got 1"):
        WaveAugmentation(steps=1)
