"""R-peaks: accuracy on generated and real recordings, what must not change them, and input of no use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import ParameterError
from biosig_lstm.events import steps
from biosig_lstm.events.rpeaks import RPeaks, find_rpeaks, rpeaks
from biosig_lstm.formats.wfdb import read_wfdb
from biosig_lstm.metrics.events import match_events

FS = 360.0
BEATS = list("NLRBAaJSVrFejnE/fQ?")


@pytest.fixture(scope="module")
def ecg():
    signals, peaks, _ = synthetic_ecg(fs=FS, duration_s=120, seed=3)
    return signals, peaks


def errors(reference, found, fs=FS):
    match = match_events(reference, found, tolerance_samples=round(0.15 * fs))
    return len(match.missed), len(match.extra)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("heart_rate_bpm", [45, 75, 130])
def test_finds_every_generated_beat_on_its_apex(seed, heart_rate_bpm):
    signals, peaks, _ = synthetic_ecg(fs=FS, duration_s=60, seed=seed, heart_rate_bpm=heart_rate_bpm)
    found = rpeaks(signals, FS)
    match = match_events(peaks, found, tolerance_samples=round(0.15 * FS))
    assert (len(match.missed), len(match.extra)) == (0, 0)
    distances = np.abs(peaks[match.pairs[:, 0]] - found[match.pairs[:, 1]])
    assert np.median(distances) <= 0.01 * FS


def test_agrees_with_sleepecg_on_clean_beats(ecg):
    sleepecg = pytest.importorskip("sleepecg")
    signals, _ = ecg
    other = sleepecg.detect_heartbeats(signals[0].astype(float), FS)
    missed, extra = errors(other, rpeaks(signals, FS))
    assert missed + extra <= 0.02 * len(other)


@pytest.mark.parametrize(("record", "most_errors"), [("101", 8), ("119", 4), ("208", 40), ("217", 6), ("230", 2)])
def test_finds_the_beats_of_the_experts(data_root, record, most_errors):
    recording = read_wfdb(data_root("mitdb") / record, annotator="atr")
    marks = recording.annotations
    reference = marks.starts[np.isin(marks.labels, BEATS)]
    assert sum(errors(reference, rpeaks(recording.signals, recording.fs))) <= most_errors


@pytest.mark.parametrize("number", ["1", "5", "50", "100", "150"])
def test_finds_the_beats_of_twelve_leads(data_root, number):
    recording = read_wfdb(data_root("ludb") / "data" / number, annotator="ii")
    marks = recording.annotations
    reference = marks.starts[marks.labels == "N"]
    found = rpeaks(recording.signals, recording.fs)
    inside = found[(found > reference[0] - 200) & (found < reference[-1] + 200)]
    assert errors(reference, inside, recording.fs) == (0, 0)


def test_same_answer_twice_and_input_unchanged(ecg):
    signals, _ = ecg
    before = signals.copy()
    assert np.array_equal(rpeaks(signals, FS), rpeaks(signals, FS))
    assert np.array_equal(signals, before)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gain=st.floats(1e-6, 1e6), offset=st.floats(-100, 100))
def test_gain_and_offset_do_not_matter(ecg, gain, offset):
    signals = ecg[0].astype(np.float64)
    plain, changed = rpeaks(signals, FS), rpeaks((signals + offset) * gain, FS)
    assert errors(plain, changed) == (0, 0)
    assert np.abs(plain - changed).max() <= 1


def test_inverted_leads_give_the_same_peaks(ecg):
    signals, _ = ecg
    assert np.abs(rpeaks(signals, FS) - rpeaks(-signals, FS)).max() <= 1


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.int32])
def test_other_number_types_give_the_same_peaks(ecg, dtype):
    steps_of_adc = np.rint(ecg[0] * 1000)
    plain, other = (rpeaks(steps_of_adc.astype(kind), FS) for kind in (np.float32, dtype))
    assert np.abs(plain - other).max() <= 1


@pytest.mark.parametrize("fs", [60, 100, 128, 250, 500, 1000, 2000])
def test_other_rates_give_the_same_beats(ecg, fs):
    signals, _ = ecg
    there = signal.resample_poly(signals, fs, int(FS), axis=1)
    plain, moved = rpeaks(signals, FS) / FS, rpeaks(there, fs) / fs
    assert len(plain) == len(moved)
    assert np.median(np.abs(plain - moved)) <= 0.5 / fs + 0.005


def test_rate_of_a_wrist_strap_still_finds_the_beats(ecg):
    signals, peaks = ecg
    found = rpeaks(signal.resample_poly(signals, 1, 10, axis=1), 36.0)
    missed, extra = errors(np.rint(peaks / 10), found, 36.0)
    assert missed + extra <= 0.02 * len(peaks)


@pytest.mark.parametrize("lost", [0, 1])
def test_one_lead_may_be_lost(ecg, lost):
    signals, peaks = ecg
    broken = signals.copy()
    broken[lost, 7000:20000] = 0.0
    assert sum(errors(peaks, rpeaks(broken, FS))) <= 2


def test_one_lead_may_be_nothing_but_noise(ecg):
    signals, peaks = ecg
    noise = np.random.default_rng(0).normal(size=signals.shape[1])
    assert errors(peaks, rpeaks(np.stack([noise, signals[0], noise[::-1]]), FS)) == (0, 0)


def test_gaps_are_named_and_cost_only_their_beats(ecg):
    signals, peaks = ecg
    gap = signals.copy()
    gap[:, 9000:14000] = np.nan
    result = find_rpeaks(gap, FS)
    [(start, stop, reason)] = result.left_out
    assert reason == "missing"
    assert abs(start - 9000) <= 3
    assert abs(stop - 14000) <= 3
    assert not ((result.peaks >= start) & (result.peaks < stop)).any()
    outside = peaks[(peaks < 8900) | (peaks > 14100)]
    assert errors(outside, result.peaks)[0] == 0


def test_a_pause_is_not_filled_with_beats(ecg):
    signals, peaks = ecg
    rng = np.random.default_rng(0)
    middle = int(peaks[50] + peaks[51]) // 2
    edges = [0, 6 * int(FS) - 1]
    across = [np.interp(np.arange(edges[1] + 1), edges, row[[middle - 1, middle]]) for row in signals]
    quiet = np.array(across) + rng.normal(0, 0.01, (2, edges[1] + 1))
    found = rpeaks(np.concatenate([signals[:, :middle], quiet, signals[:, middle:]], axis=1), FS)
    reference = np.concatenate([peaks[peaks < middle], peaks[peaks >= middle] + quiet.shape[1]])
    assert sum(errors(reference, found)) <= 1


@pytest.mark.parametrize("n_samples", [0, 1, 2, 20])
def test_too_short_gives_nothing(n_samples):
    result = find_rpeaks(np.zeros(n_samples), FS)
    assert len(result.peaks) == 0
    assert result.left_out == ([(0, n_samples, "too short")] if n_samples else [])


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan, np.inf])
def test_constant_or_missing_gives_nothing(value):
    result = find_rpeaks(np.full((2, 4000), value), FS)
    assert len(result.peaks) == 0
    assert result.left_out == [(0, 4000, "flat or missing")]


@settings(max_examples=60, deadline=None)
@given(
    signals=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=400),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    fs=st.sampled_from([36.0, 100.0, 250.0, 2000.0]),
)
def test_garbage_never_raises(signals, fs):
    peaks = rpeaks(signals, fs)
    assert peaks.dtype == np.int64
    assert (np.diff(peaks) > 0).all()
    assert ((peaks >= 0) & (peaks < signals.shape[-1])).all()


@pytest.mark.parametrize("fs", [0, -1.0, np.nan, np.inf])
def test_rate_must_be_positive(fs):
    with pytest.raises(ParameterError, match="fs must be a positive number of Hz"):
        rpeaks(np.zeros(100), fs)


def test_three_dimensions_are_refused():
    with pytest.raises(ParameterError, match=r"signals must be .* got shape \(1, 2, 3\)"):
        rpeaks(np.zeros((1, 2, 3)), FS)


def test_step_replaces_annotations_and_names_what_it_left_out(ecg):
    gap = ecg[0].copy()
    gap[:, 9000:14000] = np.nan
    before = Recording(gap, FS, ("MLII", "V1"), ("mV", "mV"), id="a", annotations=Annotations([5], labels=["N"]))
    after = RPeaks()(before)
    assert np.array_equal(after.annotations.starts, rpeaks(gap, FS))
    assert set(after.annotations.labels.tolist()) == {"QRS"}
    assert after.history == ("no R-peaks sought from 25 to 38.8917 s: missing",)
    assert np.array_equal(after.signals, before.signals, equal_nan=True)


def test_steps_are_found_and_survive_a_dictionary():
    assert {"RPeaks", "SignalQuality"} <= set(steps())
    for name in ("RPeaks", "SignalQuality"):
        values = steps()[name]().to_dict()
        assert steps()[values.pop("step")].from_fields(values) == steps()[name]()
