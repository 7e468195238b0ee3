"""The generated electrocardiogram: rhythm, shapes and noise are what its parameters say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import ParameterError

FS = 360.0
CLEAN = {"noise_mv": 0.0, "baseline_mv": 0.0, "mains_mv": 0.0}


def still(**changes):
    """A noiseless heart at exactly 75 beats a minute."""
    return synthetic_ecg(
        **{"duration_s": 120.0, "seed": 3, "heart_rate_bpm": 75.0, "rr_std_s": 0.0, **CLEAN, **changes}
    )


@settings(max_examples=30, deadline=None)
@given(
    fs=st.sampled_from([100.0, 128.0, 250.0, 360.0, 1000.0]),
    duration_s=st.floats(2, 30),
    seed=st.integers(0, 10**6),
    heart_rate_bpm=st.floats(30, 180),
    rr_std_s=st.floats(0, 0.2),
    p_supraventricular=st.floats(0, 0.5),
    p_ventricular=st.floats(0, 0.5),
)
def test_any_heart_gives_finite_leads_and_ordered_beats_inside(**parameters):
    signals, peaks, labels = synthetic_ecg(**parameters)
    assert signals.shape == (2, round(parameters["duration_s"] * parameters["fs"]))
    assert signals.dtype == np.float32
    assert np.isfinite(signals).all()
    assert np.abs(signals).max() < 10
    assert len(peaks) == len(labels) > 0
    assert peaks[0] >= 0
    assert peaks[-1] < signals.shape[1]
    assert (np.diff(peaks) > 0.1 * parameters["fs"]).all()
    assert set(labels.tolist()) <= {"N", "A", "V"}


def test_same_seed_same_values_another_seed_another_heart():
    first, again, other = (synthetic_ecg(duration_s=10, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_peaks_are_where_scipy_finds_the_highest_points_of_sinus_beats():
    signals, peaks, _ = still(p_supraventricular=0.0, p_ventricular=0.0)
    found, _ = signal.find_peaks(signals[0], height=0.6 * signals[0].max(), distance=int(0.3 * FS))
    assert len(found) == len(peaks)
    assert np.abs(found - peaks).max() <= 1


def test_rate_and_variability_are_as_asked_for():
    _, peaks, _ = synthetic_ecg(
        duration_s=600, seed=0, heart_rate_bpm=80, rr_std_s=0.05, p_supraventricular=0, p_ventricular=0, fs=1000
    )
    intervals = np.diff(peaks) / 1000
    assert 60 / intervals.mean() == pytest.approx(80, rel=0.02)
    assert intervals.std() == pytest.approx(0.05, rel=0.15)


def test_intervals_breathe_at_the_rate_of_respiration():
    _, peaks, _ = synthetic_ecg(
        duration_s=600, seed=0, respiration_hz=0.3, rr_std_s=0.05, p_supraventricular=0, p_ventricular=0, fs=1000
    )
    times, intervals = peaks[1:] / 1000, np.diff(peaks) / 1000
    hz = np.linspace(0.2, 0.45, 251)
    power = signal.lombscargle(times, intervals - intervals.mean(), 2 * np.pi * hz)
    assert hz[np.argmax(power)] == pytest.approx(0.3, abs=0.02)


def test_ventricular_beat_is_early_and_followed_by_a_full_pause():
    _, peaks, labels = still(p_supraventricular=0.0, p_ventricular=0.2)
    at = np.flatnonzero(labels[1:-1] == "V") + 1
    assert len(at) > 5
    assert ((peaks[at] - peaks[at - 1]) / FS < 0.81 * 0.8).all()
    np.testing.assert_allclose(peaks[at + 1] - peaks[at - 1], 2 * 0.8 * FS, atol=1)


def test_supraventricular_beat_is_early_and_followed_by_less_than_a_full_pause():
    _, peaks, labels = still(p_supraventricular=0.2, p_ventricular=0.0)
    at = np.flatnonzero(labels[1:-1] == "A") + 1
    assert len(at) > 5
    assert ((peaks[at] - peaks[at - 1]) / FS < 0.89 * 0.8).all()
    assert (peaks[at + 1] - peaks[at - 1] < 1.95 * 0.8 * FS).all()
    assert (peaks[at + 1] - peaks[at] >= 0.8 * FS - 1).all()


def test_every_hundred_sinus_beats_have_the_premature_beats_asked_for():
    _, _, labels = still(duration_s=400.0, p_supraventricular=0.06, p_ventricular=0.09)
    sinus = np.flatnonzero(labels == "N")
    for first, last in ((0, 100), (100, 200)):
        part = labels[sinus[first] : sinus[last]]
        assert ((part == "A").sum(), (part == "V").sum()) == (6, 9)


def average(signals, peaks, *, before_s=0.3, after_s=0.45):
    inside = peaks[(peaks > before_s * FS + 1) & (peaks < signals.shape[1] - after_s * FS - 1)]
    reach = np.arange(-round(before_s * FS), round(after_s * FS))
    return signals[:, inside[:, None] + reach].mean(axis=1), round(before_s * FS)


@pytest.mark.parametrize("seed", range(5))
def test_ventricular_beat_is_wide_and_its_t_wave_is_opposed(seed):
    signals, peaks, labels = still(seed=seed, p_supraventricular=0.0, p_ventricular=0.15, ventricular_origin="right")
    (sinus, zero), (ventricular, _) = (average(signals, peaks[labels == kind]) for kind in "NV")
    tops = [int(np.argmax(beat[0])) for beat in (sinus, ventricular)]
    assert np.abs(np.array(tops) - zero).max() <= 1
    beats = zip((sinus[0], ventricular[0]), tops, strict=True)
    narrow, wide = (signal.peak_widths(beat, [top], rel_height=0.5)[0][0] for beat, top in beats)
    assert wide > 2 * narrow
    t_wave = slice(zero + round(0.25 * FS), zero + round(0.33 * FS))
    assert sinus[0, t_wave].mean() > 0.05
    assert ventricular[0, t_wave].mean() < -0.1


@pytest.mark.parametrize("seed", range(5))
def test_sinus_beat_has_a_p_wave_and_ventricular_beat_has_none(seed):
    heart = {"seed": seed, "duration_s": 240.0, "heart_rate_bpm": 40.0, "p_supraventricular": 0.0}
    signals, peaks, labels = still(**heart, p_ventricular=0.2)
    (sinus, zero), (ventricular, _) = (average(signals, peaks[labels == kind]) for kind in "NV")
    p_wave = slice(zero - round(0.25 * FS), zero - round(0.12 * FS))
    assert np.ptp(sinus[0, p_wave]) > 0.05
    assert np.ptp(ventricular[0, p_wave]) < 0.02


@pytest.mark.parametrize(("origin", "sign"), [("right", 1), ("left", -1)])
def test_origin_turns_the_ventricular_beat(origin, sign):
    signals, peaks, labels = still(p_supraventricular=0.0, p_ventricular=0.15, ventricular_origin=origin)
    beat, zero = average(signals, peaks[labels == "V"])
    assert np.sign(beat[:, zero]).tolist() == [sign, -sign]


def test_supraventricular_beat_has_the_qrs_complex_of_a_sinus_beat():
    signals, peaks, labels = still(p_supraventricular=0.15, p_ventricular=0.0)
    (sinus, zero), (early, _) = (average(signals, peaks[labels == kind]) for kind in "NA")
    qrs = slice(zero - round(0.03 * FS), zero + round(0.03 * FS))
    assert np.corrcoef(sinus[0, qrs], early[0, qrs])[0, 1] > 0.99


def test_mains_hum_stands_at_its_frequency_with_its_amplitude():
    arguments = {"duration_s": 60, "seed": 5, "noise_mv": 0.0, "baseline_mv": 0.0}
    hum, clean = (synthetic_ecg(**arguments, mains_mv=mv, mains_hz=50.0)[0] for mv in (0.1, 0.0))
    hz, power = signal.periodogram(hum - clean, FS, scaling="spectrum")
    assert hz[np.argmax(power[0])] == pytest.approx(50.0, abs=0.02)
    np.testing.assert_allclose(power.max(axis=1), 0.1**2 / 2, rtol=0.02)


def test_muscle_noise_has_its_standard_deviation():
    arguments = {"duration_s": 120, "seed": 5, "baseline_mv": 0.0, "mains_mv": 0.0}
    noisy, clean = (synthetic_ecg(**arguments, noise_mv=mv)[0] for mv in (0.05, 0.0))
    assert (noisy - clean).std() == pytest.approx(0.05, rel=0.15)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"fs": 50.0}, "fs must be at least 100 Hz"),
        ({"fs": float("nan")}, "fs must be at least 100 Hz"),
        ({"duration_s": 1.0}, "duration_s must be at least 2 s"),
        ({"duration_s": float("inf")}, "duration_s must be at least 2 s"),
        ({"heart_rate_bpm": 500.0}, "heart_rate_bpm must lie in 30 to 180"),
        ({"p_ventricular": 0.99}, "must sum to at most 1"),
        ({"p_supraventricular": -0.1}, "must sum to at most 1"),
        ({"ventricular_origin": "rigt"}, "ventricular_origin 'rigt'; did you mean 'right'"),
    ],
)
def test_value_outside_its_range_is_refused(changes, match):
    with pytest.raises(ParameterError, match=match):
        synthetic_ecg(**{"duration_s": 10.0, "seed": 0, **changes})
