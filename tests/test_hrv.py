"""Heart rate variability: every column against NeuroKit2, SciPy or a formula by hand, and what is no NN interval."""

from __future__ import annotations

import csv
import io
import json
import pickle
import tracemalloc
import warnings
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal, stats
from scipy.interpolate import CubicSpline

import biosig_lstm as bl
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features import hrv as module
from biosig_lstm.features.hrv import (
    BANDS_HZ,
    COLUMNS,
    HRV,
    band_power,
    dfa_alpha,
    entropies,
    frequency_domain,
    hrv,
    lipponen_artefacts,
    lomb_scargle,
    nn_intervals,
    nonlinear,
    spectrum,
    time_domain,
)
from biosig_lstm.features.local_hrv import COLUMNS as LOCAL
from biosig_lstm.features.local_hrv import local_hrv
from biosig_lstm.formats.wfdb import read_annotations

Array = np.ndarray[Any, Any]
INTERVALS = hnp.arrays(np.float64, st.integers(0, 80), elements=st.floats(200, 3000))


def heart(n_beats: int, *, seed: int = 0) -> Array:
    """Return NN intervals in ms with slow, Mayer and breathing rhythms, and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_beats) * 0.8
    slow = np.cumsum(rng.standard_normal(n_beats)) * 1.5
    waves = 30 * np.sin(2 * np.pi * 0.1 * t) + 20 * np.sin(2 * np.pi * 0.25 * t)
    return 800 + slow - slow.mean() + waves + 12 * rng.standard_normal(n_beats)


def ends_s(nn: Array) -> Array:
    return np.cumsum(nn) / 1000


LONG = heart(2253)
SHORT = heart(390, seed=1)
HOUR = heart(5000, seed=2)


SERIES = {"hrv_time": LONG, "hrv_nonlinear": SHORT}


@cache
def neurokit(name: str) -> Any:
    """Return what NeuroKit2 makes of `SERIES`, by its own names."""
    neurokit2 = pytest.importorskip("neurokit2")
    given = {"RRI": SERIES[name], "RRI_Time": ends_s(SERIES[name])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(neurokit2, name)(given).iloc[0].to_dict()


def segments_of(nn: Array, length_s: float = 300.0) -> list[Array]:
    parts: list[list[float]] = []
    for value, end in zip(nn, ends_s(nn), strict=True):
        while end > length_s * len(parts) + 1e-9:
            parts.append([])
        parts[-1].append(value)
    return [np.array(part) for part in parts[: int(ends_s(nn)[-1] / length_s)]]


def triangle_base(nn: Array) -> float:
    """Return the base of the triangle of least squared error, every one tried."""
    heights = np.histogram(nn, np.arange(0, nn.max() + 20, 1000 / 128))[0].astype(float)
    top, k = int(heights.argmax()), np.arange(len(heights))
    best = (np.inf, 0)
    for left in range(np.flatnonzero(heights)[0] - 1, top):
        for right in range(top + 1, np.flatnonzero(heights)[-1] + 2):
            triangle = np.interp(k, [left, top, right], [0, heights[top], 0], left=0, right=0)
            best = min(best, (float(np.sum((heights - triangle) ** 2)), right - left))
    return best[1] * 1000 / 128


TIME_REFERENCES: dict[str, Callable[[Array], float]] = {
    "mean_nn": lambda nn: sum(nn) / len(nn),
    "sdnn": stats.tstd,
    "sdann": lambda nn: stats.tstd([np.mean(part) for part in segments_of(nn)]),
    "sdnn_index": lambda nn: np.mean([stats.tstd(part) for part in segments_of(nn)]),
    "rmssd": lambda nn: np.sqrt(np.mean([(b - a) ** 2 for a, b in pairwise(nn)])),
    "sdsd": lambda nn: stats.tstd([b - a for a, b in pairwise(nn)]),
    "nn50": lambda nn: sum(abs(b - a) > 50 for a, b in pairwise(nn)),
    "pnn50": lambda nn: 100 * sum(abs(b - a) > 50 for a, b in pairwise(nn)) / len(nn),
    "nn20": lambda nn: sum(abs(b - a) > 20 for a, b in pairwise(nn)),
    "pnn20": lambda nn: 100 * sum(abs(b - a) > 20 for a, b in pairwise(nn)) / len(nn),
    "cvnn": lambda nn: stats.variation(nn, ddof=1),
    "cvsd": lambda nn: np.sqrt(np.mean(np.diff(nn) ** 2)) / np.mean(nn),
    "median_nn": np.median,
    "mad_nn": lambda nn: 1.4826 * stats.median_abs_deviation(nn),
    "iqr_nn": stats.iqr,
    "min_nn": min,
    "max_nn": max,
    "hr_mean": lambda nn: len(nn) / (sum(nn) / 60000),
    "hr_min": lambda nn: min(60000 / nn),
    "hr_max": lambda nn: max(60000 / nn),
    "hrv_triangular_index": lambda nn: len(nn) / max(np.bincount((nn // (1000 / 128)).astype(int))),
    "tinn": triangle_base,
}

IN_NEUROKIT = {
    "hrv_time": {
        "mean_nn": "MeanNN", "sdnn": "SDNN", "rmssd": "RMSSD", "sdsd": "SDSD", "pnn50": "pNN50", "pnn20": "pNN20",
        "cvnn": "CVNN", "cvsd": "CVSD", "median_nn": "MedianNN", "mad_nn": "MadNN", "iqr_nn": "IQRNN",
        "min_nn": "MinNN", "max_nn": "MaxNN", "hrv_triangular_index": "HTI",
    },
    "hrv_nonlinear": {
        "sd1": "SD1", "sd2": "SD2", "sd1_sd2": "SD1SD2", "csi": "CSI", "cvi": "CVI",
        "sample_entropy": "SampEn", "approximate_entropy": "ApEn",
    },
}  # fmt: skip
NAMES = [(function, own, theirs) for function, names in IN_NEUROKIT.items() for own, theirs in names.items()]


# ---- Every column


def test_every_column_has_a_unit_and_a_reference_by_name() -> None:
    checked = {*TIME_REFERENCES, *IN_NEUROKIT["hrv_nonlinear"], *FREQUENCY_REFERENCES, "n_nn", "nn_percent"}
    assert checked | {"dfa_alpha1", "dfa_alpha2"} == set(COLUMNS)
    assert set(COLUMNS.values()) <= {"1", "%", "ms", "ms^2", "Hz", "bpm"}


@pytest.mark.parametrize("name", TIME_REFERENCES)
@pytest.mark.parametrize("nn", [LONG, HOUR], ids=["half an hour", "an hour"])
def test_time_domain_by_hand(name: str, nn: Array) -> None:
    assert time_domain(nn)[name] == pytest.approx(float(TIME_REFERENCES[name](nn)), rel=1e-9)


@pytest.mark.parametrize(("function", "own", "theirs"), NAMES)
def test_columns_as_in_neurokit(function: str, own: str, theirs: str) -> None:
    got = {**time_domain(SERIES[function]), **nonlinear(SERIES[function])}
    assert got[own] == pytest.approx(neurokit(function)[f"HRV_{theirs}"], rel=1e-9)


@pytest.mark.parametrize(("own", "theirs"), [("sdann", "SDANN5"), ("sdnn_index", "SDNNI5")])
def test_five_minutes_near_neurokit_which_loses_an_interval_in_each(own: str, theirs: str) -> None:
    assert time_domain(LONG)[own] == pytest.approx(neurokit("hrv_time")[f"HRV_{theirs}"], rel=0.03)


@pytest.mark.parametrize("scales", [(4, 16), (16, 64)])
def test_fluctuations_as_in_neurokit(scales: tuple[int, int]) -> None:
    neurokit2 = pytest.importorskip("neurokit2")
    expected, _ = neurokit2.fractal_dfa(LONG, scale=np.arange(scales[0], scales[1] + 1), overlap=False)
    assert dfa_alpha(LONG, scales=scales) == pytest.approx(expected, rel=1e-9)
    assert nonlinear(LONG)["dfa_alpha1" if scales[0] == 4 else "dfa_alpha2"] == dfa_alpha(LONG, scales=scales)


@pytest.mark.parametrize(("power", "alpha"), [(0, 0.5), (1, 1.0), (2, 1.5)])
def test_fluctuations_of_noise_have_the_exponent_of_their_spectrum(power: int, alpha: float) -> None:
    white = np.random.default_rng(3).standard_normal(2**15)
    shaped = np.fft.rfft(white)
    shaped[1:] /= np.arange(1, len(shaped)) ** (power / 2)
    assert dfa_alpha(np.fft.irfft(shaped), scales=(16, 64)) == pytest.approx(alpha, abs=0.06)


# ---- Spectra

FREQUENCY_REFERENCES: dict[str, Callable[[Array, Array], float]] = {
    "vlf": lambda f, p: integral(f, p, "vlf"),
    "lf": lambda f, p: integral(f, p, "lf"),
    "hf": lambda f, p: integral(f, p, "hf"),
    "lf_hf": lambda f, p: integral(f, p, "lf") / integral(f, p, "hf"),
    "lf_nu": lambda f, p: 100 * integral(f, p, "lf") / (integral(f, p, "lf") + integral(f, p, "hf")),
    "hf_nu": lambda f, p: 100 * integral(f, p, "hf") / (integral(f, p, "lf") + integral(f, p, "hf")),
    "vlf_peak": lambda f, p: largest(f, p, "vlf"),
    "lf_peak": lambda f, p: largest(f, p, "lf"),
    "hf_peak": lambda f, p: largest(f, p, "hf"),
    "ulf": lambda f, p: np.nan,
    "total_power": lambda f, p: sum(integral(f, p, band) for band in ("vlf", "lf", "hf")),
}  # fmt: skip


def integral(frequencies: Array, density: Array, band: str) -> float:
    """Return the area under straight lines from point to point, by very many small steps."""
    fine = np.linspace(*BANDS_HZ[band], 200_001)
    return float(np.trapezoid(np.interp(fine, frequencies, density), fine))


def largest(frequencies: Array, density: Array, band: str) -> float:
    low, high = BANDS_HZ[band]
    return float(max((p, f) for f, p in zip(frequencies, density, strict=True) if low <= f < high)[1])


@pytest.mark.parametrize("method", ["welch", "lomb_scargle"])
@pytest.mark.parametrize("name", FREQUENCY_REFERENCES)
def test_bands_of_the_spectrum_by_hand(name: str, method: Any) -> None:
    expected = FREQUENCY_REFERENCES[name](*spectrum(SHORT, method=method))
    assert frequency_domain(SHORT, method=method)[name] == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_welch_is_that_of_scipy_on_a_tachogram_at_4_hz() -> None:
    times = ends_s(LONG)
    grid = np.arange(times[0], times[-1], 0.25)
    assert len(grid) // 600 == 12
    f, p = signal.welch(CubicSpline(times, LONG)(grid), 4, nperseg=1200, noverlap=600, nfft=2400)
    got_f, got_p = spectrum(LONG)
    np.testing.assert_allclose(got_f, f[: len(got_f)])
    np.testing.assert_allclose(got_p, p[: len(got_p)], rtol=1e-9)
    assert got_f[-1] <= 0.5 < f[len(got_f)]


@pytest.mark.parametrize("band", ["lf", "hf"])
def test_welch_near_neurokit_whose_bands_lose_their_edges(band: str) -> None:
    neurokit2 = pytest.importorskip("neurokit2")
    tachogram, _, _ = pytest.importorskip("neurokit2.hrv.intervals_process").intervals_process(
        LONG, intervals_time=ends_s(LONG), interpolate=True, interpolation_rate=4, method="cubic"
    )
    found = neurokit2.signal_psd(tachogram, 4, method="welch", normalize=False, window=300, silent=True)
    inside = found[(found.Frequency >= BANDS_HZ[band][0]) & (found.Frequency < BANDS_HZ[band][1])]
    expected = np.trapezoid(inside.Power, inside.Frequency)
    assert frequency_domain(LONG)[band] == pytest.approx(expected, rel=0.01)


def test_lomb_scargle_is_that_of_scipy() -> None:
    times, step_hz = ends_s(SHORT), 1 / 600
    frequencies = step_hz * np.arange(1, 301)
    expected = signal.lombscargle(times, SHORT - SHORT.mean(), 2 * np.pi * frequencies)
    got = lomb_scargle(times, SHORT, step_hz=step_hz, n_frequencies=300)
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-9 * expected.max())


@pytest.mark.parametrize("method", ["welch", "lomb_scargle"])
@pytest.mark.parametrize(("band", "frequency"), [("vlf", 0.02), ("lf", 0.1), ("hf", 0.25)])
def test_a_sine_has_half_its_squared_amplitude_in_its_band(method: Any, band: str, frequency: float) -> None:
    times = np.zeros(1500)
    nn = np.full(1500, 800.0)
    for k in range(1, 1500):
        nn[k] = 800 + 20 * np.sin(2 * np.pi * frequency * times[k - 1])
        times[k] = times[k - 1] + nn[k] / 1000
    got = frequency_domain(nn[1:], times_s=times[:-1], method=method)
    assert got[band] == pytest.approx(200, rel=0.05)
    assert got[f"{band}_peak"] == pytest.approx(frequency, abs=0.002)
    assert got["total_power"] == pytest.approx(200, rel=0.05)


def test_a_very_slow_wave_is_ultra_low_in_an_hour_and_nothing_before() -> None:
    nn = np.full(5000, 800.0)
    nn += 20 * np.sin(2 * np.pi * 0.0015 * ends_s(nn))
    for method in ("welch", "lomb_scargle"):
        assert frequency_domain(nn, method=method)["ulf"] == pytest.approx(200, rel=0.1)
    assert np.isnan(frequency_domain(nn[:3000])["ulf"])
    assert frequency_domain(nn)["total_power"] == pytest.approx(200, rel=0.15)


def test_the_power_of_noise_is_its_variance() -> None:
    nn = 800 + 20 * np.random.default_rng(5).standard_normal(4000)
    even = 0.8 * np.arange(1, 4001)
    found = lomb_scargle(even, nn, step_hz=1 / 600, n_frequencies=375) * 2 * 0.8
    assert found.mean() * 0.625 == pytest.approx(nn.var(), rel=0.1)
    f, p = spectrum(nn, times_s=even, method="lomb_scargle")
    assert band_power(f, p, band_hz=(0.0, 0.5)) == pytest.approx(nn.var() * 0.5 / 0.625, rel=0.08)


@pytest.mark.parametrize(
    ("seconds", "given"), [(40, set()), (70, {"hf"}), (130, {"lf", "hf"}), (290, {"vlf", "lf", "hf"})]
)
def test_bands_ask_for_the_length_that_the_task_force_asks_for(seconds: int, given: set[str]) -> None:
    got = frequency_domain(heart(int(seconds / 0.8)))
    assert {name for name in ("ulf", "vlf", "lf", "hf") if np.isfinite(got[name])} == given
    assert np.isfinite(got["total_power"]) == ("vlf" in given)
    assert np.isfinite(got["lf_hf"]) == ("lf" in given)


def test_gaps_are_crossed_straight() -> None:
    nn = np.full(600, 800.0) + 30 * np.sin(2 * np.pi * 0.1 * 0.8 * np.arange(600))
    nn[200:230] = np.nan
    whole = frequency_domain(np.where(np.isnan(nn), 800, nn))
    for method in ("welch", "lomb_scargle"):
        assert frequency_domain(nn, method=method)["lf"] == pytest.approx(whole["lf"], rel=0.15)
    late = ends_s(np.where(np.isnan(nn), 800, nn)) + 500 * (np.arange(600) > 215)
    assert np.isnan(frequency_domain(nn, times_s=late)["lf"])


def test_a_spline_does_not_swing_across_a_gap() -> None:
    nn = 800 + 20 * np.random.default_rng(8).standard_normal(400)
    nn[180:230] = np.nan
    assert frequency_domain(nn)["total_power"] < 1.5 * np.nanvar(nn)


def test_noise_of_rounding_has_no_ratio_and_no_peak() -> None:
    nn = 800 + 1e-9 * np.random.default_rng(9).standard_normal(600)
    got = frequency_domain(nn)
    assert np.isnan([got[name] for name in ("lf_hf", "lf_nu", "hf_nu", "vlf_peak", "lf_peak", "hf_peak")]).all()


# ---- Entropies


def plain_entropies(x: Array, r: float) -> tuple[float, float]:
    """Return sample and approximate entropy as their papers define them, pair by pair."""
    n = len(x)

    def alike(i: int, j: int, m: int) -> bool:
        return bool(np.max(np.abs(x[i : i + m] - x[j : j + m])) <= r)

    a, b = (sum(alike(i, j, m) for i in range(n - 2) for j in range(n - 2) if i != j) for m in (3, 2))
    phi = [
        np.mean([np.log(np.mean([alike(i, j, m) for j in range(n - m + 1)])) for i in range(n - m + 1)]) for m in (2, 3)
    ]
    return (-np.log(a / b) if a else np.nan), phi[0] - phi[1]


@pytest.mark.parametrize("n", [3, 4, 10, 60])
def test_entropies_by_their_definition(n: int) -> None:
    x = np.random.default_rng(n).integers(0, 6, n).astype(float)
    np.testing.assert_allclose(entropies(x, tolerance=1.0), plain_entropies(x, 1.0), atol=1e-12)


def test_no_template_reaches_over_a_gap() -> None:
    x = np.array([1, 2, 3, np.nan, 1, 2, 9, np.nan, 1, 2, 3], dtype=float)
    sample, approximate = entropies(x, tolerance=0.1)
    assert sample == pytest.approx(-np.log(2 / 6))
    pairs, triples = [3 / 4, 3 / 4, 3 / 4, 1 / 4], [2 / 3, 1 / 3, 2 / 3]
    assert approximate == pytest.approx(np.mean(np.log(pairs)) - np.mean(np.log(triples)))


def test_regularity_is_not_negative_where_many_intervals_are_missing() -> None:
    nn = SHORT.copy()
    nn[::4] = np.nan
    assert 0 < nonlinear(nn)["approximate_entropy"] < 1


def test_the_memory_of_entropies_grows_with_the_series_alone() -> None:
    x = heart(20_000)
    entropies(x[:100], tolerance=5.0)
    tracemalloc.start()
    entropies(x, tolerance=5.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * len(x)


# ---- What is an NN interval


def test_intervals_beside_beats_that_are_not_normal_are_left_out() -> None:
    times = np.array([0, 0.8, 1.6, 2.0, 3.2, 4.0, 4.8])
    got = nn_intervals(times, labels=list("NLRVNQN"), artefacts="none")
    np.testing.assert_allclose(got, [800, 800, np.nan, np.nan, np.nan, np.nan])


def test_malik_leaves_out_what_differs_by_more_than_a_fifth_from_the_one_before() -> None:
    rr = np.array([800, 810, 640, 1000, 830, 820])
    got = nn_intervals(np.concatenate([[0], np.cumsum(rr)]) / 1000, artefacts="malik")
    np.testing.assert_allclose(got, [800, 810, np.nan, np.nan, 830, 820])


def disturbed(seed: int) -> Array:
    """Return beat times in s with ectopic, missed, extra and misplaced beats."""
    rng = np.random.default_rng(seed)
    times = np.concatenate([[0.5], 0.5 + ends_s(heart(800, seed=seed))])
    times[rng.choice(800, 12, replace=False)] -= 0.25
    times = np.delete(times, rng.choice(800, 8, replace=False))
    return np.sort(np.concatenate([times, rng.uniform(5, 600, 8)]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lipponens_artefacts_as_in_neurokit(seed: int) -> None:
    neurokit2 = pytest.importorskip("neurokit2")
    times = disturbed(seed)
    expected, _ = neurokit2.signal_fixpeaks(times, sampling_rate=1, iterative=False, method="kubios")
    got = lipponen_artefacts(np.diff(times))
    for number, kind in enumerate(("ectopic", "missed", "extra", "longshort"), start=1):
        assert np.flatnonzero(got == number).tolist() == sorted(set(expected[kind])), kind
    assert len(np.unique(got)) == 5


def test_the_rule_takes_out_the_disturbed_beats_and_few_others() -> None:
    clean = np.concatenate([[0.5], 0.5 + ends_s(heart(800, seed=4))])
    times = clean.copy()
    times[100::150] -= 0.25
    left_out = np.isnan(nn_intervals(times))
    assert left_out[99::150].all()
    assert left_out[100::150].all()
    assert left_out.sum() < 30
    assert np.isnan(nn_intervals(np.delete(clean, 400)))[399]


def test_impossible_intervals_are_left_out_by_the_rules() -> None:
    times = np.array([0, 0.8, 1.6, 1.6, 2.4, 9.0, 9.8, 9.9, 80.0])
    for rule in ("lipponen", "malik"):
        assert not np.isfinite(nn_intervals(times, artefacts=rule)[[2, 4, 6, 7]]).any()
    np.testing.assert_allclose(
        nn_intervals(times, artefacts="none"), [800, 800, np.nan, 800, 6600, 800, 100, np.nan], atol=1e-6
    )


def test_an_unknown_instant_ends_two_intervals() -> None:
    got = nn_intervals([0, 0.8, np.nan, 2.4, 3.2, 4.0])
    np.testing.assert_allclose(got, [800, np.nan, np.nan, 800, 800])


@pytest.mark.parametrize("times", [[], [1.0], [np.nan], [np.nan, np.nan, np.nan]])
def test_no_intervals_no_nn(times: list[float]) -> None:
    assert not np.isfinite(nn_intervals(times)).any()
    assert len(nn_intervals(times)) == max(len(times) - 1, 0)


@pytest.mark.parametrize(
    ("times", "more", "message"),
    [
        ([0, 2, 1], {}, "one at 1 s follows one at 2 s"),
        ([0, np.inf], {}, "one finite instant each"),
        ([[0, 1]], {}, r"got shape \(1, 2\)"),
        ([0, 1], {"labels": ["N"]}, r"2 beats and labels of shape \(1,\)"),
        ([0, 1], {"artefacts": "malick"}, "did you mean 'malik'"),
    ],
)
def test_beats_that_cannot_be_are_refused(times: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, ParameterError), match=message):
        nn_intervals(times, **more)


@pytest.mark.parametrize(
    ("nn", "times", "message"),
    [
        ([800, -1], None, "above 0 and at most 60000 ms, got -1 ms"),
        ([800, 1e6], None, r"got 1e\+06 ms"),
        ([0.8, 0.9], None, "are they seconds"),
        ([[800]], None, "one dimension"),
        ([800, 900], [1.0], "the time of its end"),
        ([800, 900], [2.0, 1.0], "must be finite and ascend"),
        ([800, 900], [2.0, np.nan], "must be finite and ascend"),
    ],
)
def test_intervals_that_cannot_be_are_refused(nn: Any, times: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        time_domain(nn, times_s=times)


def test_methods_and_lengths_that_cannot_be_are_refused() -> None:
    with pytest.raises(ParameterError, match="did you mean 'welch'"):
        frequency_domain(SHORT, method="welsh")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="at least 54 s, got 5"):
        spectrum(SHORT, segment_s=5)
    with pytest.raises(ParameterError, match="the tolerance must be 0 or more, got -1"):
        entropies([1, 2, 3], tolerance=-1)
    with pytest.raises(ParameterError, match=r"boxes must hold 3.*got \(2, 4\)"):
        dfa_alpha([1, 2, 3], scales=(2, 4))


# ---- Few, missing, constant


@settings(max_examples=60, deadline=None)
@given(INTERVALS, st.floats(0, 0.9), st.integers(0, 99))
def test_any_intervals_give_every_column_without_a_warning(nn: Array, lost: float, seed: int) -> None:
    nn = np.where(np.random.default_rng(seed).random(len(nn)) < lost, np.nan, nn)
    got = {**time_domain(nn), **frequency_domain(nn), **frequency_domain(nn, method="lomb_scargle"), **nonlinear(nn)}
    assert set(got) == set(COLUMNS) - {"n_nn", "nn_percent"}
    known = [name for name, value in got.items() if COLUMNS[name] in ("ms", "ms^2", "%", "bpm") and value < 0]
    assert known == []


@settings(max_examples=40, deadline=None)
@given(INTERVALS, st.floats(-1e4, 1e4), st.sampled_from([None, 7.0, 30.0]))
def test_any_beats_give_a_row_for_each_window(nn: Array, begin: float, window_s: float | None) -> None:
    times = begin + np.concatenate([[0.0], np.cumsum(nn)]) / 1000
    got = hrv(times, window_s=window_s, starts_s=None if window_s is None else [begin - 5, begin, begin + 5])
    assert got.values.shape == (1 if window_s is None else 3, len(COLUMNS))
    assert (got["n_nn"] <= len(nn)).all()


@pytest.mark.parametrize("nn", [[], [np.nan], [np.nan] * 50])
def test_nothing_gives_nan(nn: list[float]) -> None:
    got = {**time_domain(nn), **frequency_domain(nn), **nonlinear(nn)}
    assert not np.isfinite(list(got.values())).any()


def test_one_interval_has_a_level_and_no_spread() -> None:
    got = {**time_domain([800]), **frequency_domain([800]), **nonlinear([800])}
    known = {name: value for name, value in got.items() if np.isfinite(value)}
    levels = dict.fromkeys(("mean_nn", "median_nn", "min_nn", "max_nn"), 800.0)
    assert known == {**levels, "hr_mean": 75.0, "hr_min": 75.0, "hr_max": 75.0}


def test_equal_intervals_have_no_variability() -> None:
    got = {
        **time_domain(np.full(900, 800.0)),
        **frequency_domain(np.full(900, 800.0)),
        **nonlinear(np.full(900, 800.0)),
    }
    for name in ("sdnn", "rmssd", "pnn50", "sd1", "sd2", "mad_nn"):
        assert got[name] == 0
    assert got["total_power"] == pytest.approx(0, abs=1e-9)
    assert np.isnan([got[name] for name in ("lf_hf", "csi", "sample_entropy", "dfa_alpha1")]).all()


def test_a_segment_with_one_interval_does_not_count() -> None:
    nn = np.array(LONG)
    nn[350:760] = np.nan
    nn[560] = 1500
    times = ends_s(LONG)
    parts = [nn[(times > 300 * k) & (times <= 300 * (k + 1))] for k in range(6)]
    parts = [part[np.isfinite(part)] for part in parts]
    assert sorted(len(part) for part in parts)[0] == 1
    expected = [stats.tstd(part) for part in parts if len(part) > 1]
    assert time_domain(nn, times_s=times)["sdnn_index"] == pytest.approx(np.mean(expected))


def test_differences_do_not_reach_over_a_gap() -> None:
    got = time_domain([800, 810, np.nan, 1200, 1200])
    assert got["rmssd"] == pytest.approx(np.sqrt((100 + 0) / 2))
    assert got["pnn50"] == 0
    assert nonlinear([800, 810, np.nan, 1200, 1200])["sd1"] == pytest.approx(stats.tstd([10, 0]) / np.sqrt(2))


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(np.float64, st.integers(3, 90), elements=st.floats(600, 1000)))
def test_a_slower_heart_of_the_same_shape_has_the_same_ratios(nn: Array) -> None:
    nn = nn + np.linspace(0, 7, len(nn))
    once, twice = ({**time_domain(x), **nonlinear(x)} for x in (nn, 1.5 * nn))
    for name in ("mean_nn", "sdnn", "rmssd", "sdsd", "mad_nn", "iqr_nn", "sd1", "sd2"):
        assert twice[name] == pytest.approx(1.5 * once[name], rel=1e-6, abs=1e-9)
    for name in ("cvnn", "cvsd", "sd1_sd2", "csi", "dfa_alpha1"):
        assert twice[name] == pytest.approx(once[name], rel=1e-6, abs=1e-9, nan_ok=True)


# ---- Recordings and windows

BEATS_S = np.concatenate([[0.4], 0.4 + ends_s(heart(1200, seed=6))])
SAMPLES = np.rint(BEATS_S * 1000).astype(int)


def recording(*, labels: Any = "N") -> Recording:
    names = [labels] * len(SAMPLES) if isinstance(labels, str) else labels
    marks = Annotations([0, *SAMPLES], labels=["+", *names])
    return Recording(np.zeros((1, SAMPLES[-1] + 500)), 1000.0, ["II"], ["mV"], id="r1", annotations=marks)


def test_recordings_annotations_samples_and_seconds_are_one() -> None:
    whole = hrv(recording())
    others = [hrv(recording().annotations, fs=1000), hrv(SAMPLES, fs=1000), hrv(SAMPLES / 1000)]
    for other in others:
        np.testing.assert_allclose(other.values, whole.values, rtol=1e-9)
    assert whole.recording == "r1"
    assert (whole.starts_s[0], whole.stops_s[0]) == (0.0, recording().duration_s)
    assert tuple(whole.columns) == tuple(COLUMNS)


def test_a_window_is_what_its_beats_are() -> None:
    got = hrv(recording(), window_s=300, step_s=60)
    nn, times = nn_intervals(SAMPLES / 1000), SAMPLES / 1000
    assert got.starts_s.tolist() == [60.0 * k for k in range(len(got))]
    assert got.stops_s[-1] <= recording().duration_s < got.stops_s[-1] + 60
    for k in (0, 3, len(got) - 1):
        inside = (times[:-1] >= got.starts_s[k]) & (times[1:] <= got.stops_s[k])
        expected = {
            **time_domain(nn[inside], times_s=times[1:][inside]),
            **frequency_domain(nn[inside], times_s=times[1:][inside]),
            **nonlinear(nn[inside]),
        }
        assert got["n_nn"][k] == np.isfinite(nn[inside]).sum()
        assert got["nn_percent"][k] == pytest.approx(100 * np.isfinite(nn[inside]).mean())
        for name, value in expected.items():
            assert got[name][k] == pytest.approx(value, nan_ok=True), name


def test_beats_that_were_found_are_near_those_annotated() -> None:
    sample = next(bl.datasets.get("sample").recordings(["s02"]))
    given, found = hrv(bl.Beats()(sample), artefacts="malik"), hrv(bl.RPeaks()(sample), artefacts="malik")
    assert found["n_nn"][0] >= given["n_nn"][0] > 50
    assert found["median_nn"][0] == pytest.approx(given["median_nn"][0], rel=0.02)


def test_windows_may_begin_anywhere_and_reach_beyond_the_beats() -> None:
    got = hrv(SAMPLES / 1000, window_s=60, starts_s=[-100, -10, 500.5, 5000], domains=["time"])
    assert got.starts_s.tolist() == [-100, -10, 500.5, 5000]
    assert (got["n_nn"] > 0).tolist() == [False, True, True, False]
    assert np.isnan(got["mean_nn"]).tolist() == [True, False, False, True]


def test_beats_of_an_array_begin_at_a_whole_step() -> None:
    got = hrv(1000.0 + np.arange(300) * 0.8, window_s=60, domains=["time"])
    assert got.starts_s.tolist() == [960.0, 1020.0, 1080.0, 1140.0]


def test_what_is_not_normal_is_no_nn_and_what_is_no_beat_does_not_matter() -> None:
    labels = ["V" if k % 10 == 9 else "N" for k in range(len(SAMPLES))]
    got = hrv(recording(labels=labels), artefacts="none")
    assert got["nn_percent"][0] == pytest.approx(80, abs=0.5)
    assert hrv(recording(labels="/"))["n_nn"].tolist() == [0]
    assert hrv(recording(labels="QRS"))["nn_percent"][0] > 95


def test_only_the_domains_that_are_wanted() -> None:
    got = hrv(SAMPLES, fs=1000, domains=["nonlinear", "time"])
    assert got.columns == ("n_nn", "nn_percent", *module.DOMAINS["time"], *module.DOMAINS["nonlinear"])
    assert dict(zip(got.columns, got.units, strict=True)).items() <= dict(COLUMNS).items()


@pytest.mark.parametrize(
    ("beats", "more", "message"),
    [
        (recording(), {"fs": 360}, "a recording has its own rate"),
        (recording(), {"labels": ["N"]}, "have labels already"),
        (recording().annotations, {}, "fs must say"),
        (recording(labels="~"), {}, r"r1: no beats among the labels \(\+, ~\): RPeaks\(\) finds them"),
        ([0, 1], {"fs": 0}, "fs must be positive, got 0"),
        ([0, 1], {"step_s": 5}, "need a length: window_s"),
        ([0, 1], {"window_s": -5}, "must be positive, got -5"),
        ([0, 1], {"window_s": 300}, "1 s of beats are too short for a window of 300 s"),
        ([0, 1], {"domains": ["tim"]}, "did you mean 'time'"),
        ([3, 1], {}, "in order of time"),
        ([0, 300, 590], {}, "beats lie 295 s apart: are they samples"),
        ([0, 0.8, 1.6, 1e9], {"window_s": 1}, "1000000000 windows: is an instant wrong"),
    ],
)
def test_what_cannot_be_measured_is_refused(beats: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, ParameterError), match=message):
        hrv(beats, **more)


# ---- Around each beat


@settings(max_examples=25, deadline=None)
@given(INTERVALS, st.floats(1, 200), st.sampled_from(["lipponen", "malik", "none"]))
def test_around_each_beat_is_what_a_window_there_says(nn: Array, window_s: float, rule: Any) -> None:
    times = np.concatenate([[0.0], np.cumsum(np.round(nn))]) / 1000
    window_s = round(window_s) + 0.0005
    expected = hrv(times, window_s=window_s, starts_s=times - window_s / 2, artefacts=rule, domains=["time"])
    got = dict(zip(LOCAL, local_hrv(times, window_s=window_s, artefacts=rule).T, strict=True))
    for name, values in got.items():
        np.testing.assert_allclose(values, np.nan_to_num(expected[name]), rtol=1e-4, atol=2e-3, err_msg=name)


def test_the_step_needs_beats_a_length_and_a_rule() -> None:
    even = Windows(np.zeros((4, 1)), [0, 4], ["a"], 100.0, subjects=["p"], recordings=["r"], starts=[0], fs=[100.0])
    with pytest.raises(DataError, match=r"HRV needs steps that are beats.*no positions"):
        bl.LocalHRV()(even)
    with pytest.raises(ParameterError, match="window_s must be positive, got 0"):
        bl.LocalHRV(0)
    with pytest.raises(ParameterError, match="did you mean 'malik'"):
        bl.LocalHRV(artefacts="malk")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="window_s must be positive, got -1"):
        local_hrv([0, 1], window_s=-1)
    assert dict(LOCAL).items() <= dict(COLUMNS).items()


# ---- The result


def test_the_table_shows_every_column_with_its_unit() -> None:
    one, several = hrv(SAMPLES, fs=1000), hrv(SAMPLES, fs=1000, window_s=300)
    assert repr(one).startswith("HRV, 1 window\ncolumn")
    assert repr(several).startswith(f"HRV, {len(several)} windows\ncolumn")
    lines = {line.split()[0]: line.split()[1:] for line in repr(one).splitlines()[2:]}
    assert list(lines) == list(COLUMNS)
    assert lines["sdnn"] == [f"{one['sdnn'][0]:.4g}", "ms"]
    assert lines["ulf"] == ["-", "ms^2"]
    assert f"<td>{one['sdnn'][0]:.4g}</td><td>ms</td>" in one._repr_html_()


def test_dictionary_and_csv_hold_every_value() -> None:
    got = hrv(recording(), window_s=300)
    plain = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert plain["units"] == dict(COLUMNS)
    assert plain["values"]["sdnn"] == got["sdnn"].tolist()
    assert plain["values"]["ulf"] == [None] * len(got)
    rows = list(csv.DictReader(io.StringIO(got.to_csv())))
    assert [float(row["lf"]) for row in rows] == got["lf"].tolist()
    assert [row["ulf"] for row in rows] == [""] * len(got)
    assert [(row["recording"], float(row["start_s"])) for row in rows] == [("r1", 300.0 * k) for k in range(len(got))]


def test_csv_is_written_where_a_path_is_given(tmp_path: Path) -> None:
    got = hrv(SAMPLES, fs=1000)
    text = got.to_csv(tmp_path / "hrv.csv")
    assert (tmp_path / "hrv.csv").read_bytes() == text.encode()


def test_the_result_is_read_only_also_after_pickling() -> None:
    got = pickle.loads(pickle.dumps(hrv(SAMPLES, fs=1000)))
    for array in (got.values, got.starts_s, got["sdnn"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(ParameterError, match="did you mean 'rmssd'"):
        got["rmsd"]
    with pytest.raises(DataError, match="1 windows of 2 columns"):
        HRV(("a", "b"), ("1", "1"), np.zeros((1, 3)), np.zeros(1), np.zeros(1))


def test_it_is_found_at_the_top() -> None:
    assert bl.hrv is hrv
    assert bl.HRV is HRV


# ---- Real recordings


def test_real_recordings_run_through(data_root: Callable[[str], Path]) -> None:
    records = sorted(path.with_suffix("") for path in data_root("mitdb").glob("*.atr"))
    assert records
    for record in records:
        marks = read_annotations(record, "atr")
        got = hrv(Annotations(marks.sample, labels=marks.symbol), fs=360, window_s=300)
        assert len(got) >= 5
        measured = got["n_nn"] >= 250
        assert np.isfinite(got["lf_hf"][measured]).all()
        assert (got["sample_entropy"][measured] > 0).all()


def test_real_nights_run_through(data_root: Callable[[str], Path]) -> None:
    records = sorted(path.with_suffix("") for path in data_root("slpdb").glob("*.ecg"))
    assert records
    for record in records:
        marks = read_annotations(record, "ecg")
        night = hrv(Annotations(marks.sample, labels=marks.symbol), fs=250)
        assert 80 < night["nn_percent"][0] <= 100
        assert np.isfinite(night.values).all()
