"""The compiled loops of the R-peak detector beside numpy, scipy and exhaustive search."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from biosig_lstm.events import _rpeaks_kernels as kernels

RNG = np.random.default_rng(0)
X = RNG.normal(size=1000).astype(np.float32)


@pytest.mark.parametrize("n_taps", [1, 5, 31])
def test_filter_is_that_of_scipy(n_taps):
    taps = np.hanning(n_taps + 2)[1:-1].astype(np.float32)
    expected = ndimage.correlate1d(X.astype(np.float64), taps, mode="nearest")
    np.testing.assert_allclose(kernels.filter_centred(X, taps), expected, atol=1e-5)


@pytest.mark.parametrize("step", [1, 3, 7])
def test_decimation_is_every_nth_of_the_filtered(step):
    taps = np.hanning(4 * step + 3)[1:-1].astype(np.float32)
    taps /= taps.sum()
    expected = ndimage.correlate1d((X.astype(np.float64) - 0.5) * 2, taps, mode="nearest")[::step]
    np.testing.assert_allclose(kernels.decimate(X, taps, step, 0.5, 2.0), expected, atol=1e-5)


def test_energy_is_square_plus_square_of_slope():
    slope = np.gradient(np.pad(X, 1, mode="edge"))[1:-1] * 3
    np.testing.assert_allclose(kernels.energy(X, 3.0), X**2 + slope**2, rtol=1e-4)


@pytest.mark.parametrize("size", [7, 100, 999, 2000])
def test_blocks(size):
    parts = [X[k : k + size] for k in range(0, len(X), size)]
    assert np.array_equal(kernels.block_maxima(X, size), [p.max() for p in parts])
    np.testing.assert_allclose(kernels.block_medians(X, size, 3), [np.median(p[::3]) for p in parts])


@pytest.mark.parametrize("span", [3, 11, 27])
@pytest.mark.parametrize("rank", [0.0, 0.35, 0.5, 1.0])
def test_running_percentile_is_a_rank_filter(span, rank):
    place = int(rank * (span - 1) + 0.5)
    expected = ndimage.rank_filter(X, place, size=span, mode="mirror")
    assert np.array_equal(kernels.running_percentile(X, span, rank), expected)


def test_running_maximum_is_that_of_scipy():
    assert np.array_equal(kernels.running_maximum(X, 3), ndimage.maximum_filter1d(X, 7, mode="nearest"))


@pytest.mark.parametrize("size", [10, 13])
def test_fuse_interpolates_between_the_middles_of_blocks(size):
    scale = RNG.random(-(-len(X) // size)).astype(np.float32)
    total = np.ones(len(X), dtype=np.float32)
    kernels.fuse(total, X, scale, size)
    middles = np.arange(len(scale)) * size + size // 2
    np.testing.assert_allclose(total, 1 + X * np.interp(np.arange(len(X)), middles, scale), atol=1e-5)


def test_pick_keeps_the_higher_of_two_near_maxima():
    x = np.array([0, 1, 0, 2, 0, 0, 0, 0, 0.5, 0, 0, 0, 3, 0], dtype=np.float32)
    assert kernels.pick(x, 0.6, 3).tolist() == [3, 12]
    assert kernels.pick(x, 0.1, 2).tolist() == [1, 3, 8, 12]


COSTS = np.array([0.65, 1.0, 1.6, 1.0])


def cost_of(ratio):
    short, short_cost, long, long_cost = COSTS
    if ratio < short:
        return short_cost * np.log(short / ratio)
    return min(long_cost * np.log(ratio / long), long_cost) if ratio > long else 0.0


@settings(max_examples=100, deadline=None)
@given(
    gaps=st.lists(st.integers(5, 60), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
)
def test_best_path_is_that_of_exhaustive_search(gaps, seed):
    rng = np.random.default_rng(seed)
    at, gain, usual = np.cumsum(gaps), rng.normal(size=len(gaps)), rng.uniform(20, 60, len(gaps))

    def value(path):
        between = [cost_of((at[b] - at[a]) / usual[b]) for a, b in pairwise(path)]
        return gain[list(path)].sum() - sum(between)

    def allowed(path):
        return all(at[b] - at[a] >= 10 for a, b in pairwise(path))

    every = [p for k in range(1, len(at) + 1) for p in combinations(range(len(at)), k) if allowed(p)]
    chosen = tuple(kernels.best_path(at, gain, usual, 10, COSTS).tolist())
    assert allowed(chosen)
    assert value(chosen) == pytest.approx(max(value(p) for p in every))


def test_locate_takes_the_largest_deflection_of_either_sign():
    x = np.zeros(300)
    x[100:103], x[200:203] = [1, 3, 1], [-1, -4, -1]
    band = x[::2].astype(np.float32)
    band[50], band[100] = 2.0, -2.5
    assert kernels.locate(np.array([52, 98]), band, x, 5, 2).tolist() == [101, 201]
