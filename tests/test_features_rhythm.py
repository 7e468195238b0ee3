"""The sequence of beats of a recording: every column against a plain formula, and what a step must keep to."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import signal as scipy_signal
from scipy import stats

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.rpeaks import RPeaks
from biosig_lstm.features.own_beat import SCALARS, own_beat_features
from biosig_lstm.features.rhythm import BEAT_COLUMNS, RECORD_COLUMNS, BeatSequence, beat_sequence
from biosig_lstm.filters import Bandpass, Normalize, Resample
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows.recording_with_beats import RecordingWithBeats

Array = np.ndarray[Any, Any]
PREPARE = Pipeline(
    filters=[Resample(100), Bandpass(0.5, 40), Normalize("robust")],
    events=RPeaks(keep=True),
    windows=RecordingWithBeats(classes=("N", "A")),
)
BEFORE, AFTER, R = 50, 60, 50


def lead(*, seed: int = 0, duration_s: float = 30.0, sign: float = 1.0, label: str = "A") -> Recording:
    signals, _, _ = synthetic_ecg(duration_s=duration_s, seed=seed, p_ventricular=0.1, p_supraventricular=0.1)
    whole = Annotations([0], [signals.shape[1]], [label])
    return Recording(sign * signals[:1], 360.0, ["ECG"], ["mV"], id=f"r{seed}", subject=f"r{seed}", annotations=whole)


SAMPLES = PREPARE(lead())
SIGNAL, BEATS = SAMPLES.values[:, 0], np.flatnonzero(SAMPLES.values[:, 1])
MADE = BeatSequence()(SAMPLES)


def column(name: str, windows: Windows = MADE) -> Array:
    return windows.values[:, list(windows.columns).index(name)].astype(np.float64)


def cut(first: int, stop: int) -> Array:
    return np.array([[SIGNAL[min(max(b + k, 0), len(SIGNAL) - 1)] for k in range(first, stop)] for b in BEATS])


PARTS = own_beat_features(cut(-BEFORE, AFTER)[:, None].astype(np.float32), rate_hz=100.0, before_s=0.5)
BEAT, REST, OWN = (part[:, 0].astype(np.float64) for part in PARTS)
USUAL = BEAT[0] - REST[0]
SIGN = np.sign(USUAL[45:56][np.argmax(abs(USUAL[45:56]))])
RR = np.diff(BEATS) / 100.0
USUAL_RR = np.median(RR)
TIMES = BEATS / 100.0


def padded(k: int) -> Array:
    """Return the interval `k` places before (-1: the one that ends at the beat), the median beyond the ends."""
    return np.array([RR[i + k] if 0 <= i + k < len(RR) else USUAL_RR for i in range(len(BEATS))])


def above_line(x: Array) -> Array:
    return np.array([v - (x[0] + (x[-1] - x[0]) * k / (len(x) - 1)) for k, v in enumerate(x)])


def noise(k: int) -> float:
    inside = range(max(BEATS[k] - 60, 0), min(BEATS[k] + 60, len(SIGNAL)))
    free = [i for i in inside if all(not b - 8 <= i <= b + 8 for b in BEATS)]
    return float(np.mean([abs(float(SIGNAL[i]) - float(SIGNAL[max(i - 1, 0)])) for i in free]))


HEIGHT = np.log(np.ptp(cut(-10, 12), axis=1) + 0.01)
NOISE = np.log(np.array([noise(k) for k in range(len(BEATS))]) + 0.01)
P_WAVES = np.array([above_line(SIGN * beat[22:43]) for beat in BEAT])
P_USUAL = above_line(SIGN * USUAL[22:43])
BEFORE_IT, AFTER_IT = REST[:, 20:42], REST[:, 68:105]
P_NOISE = np.sqrt(np.mean(BEFORE_IT**2, axis=1) + 1e-6)
LOCAL = np.array([np.mean(RR[max(k - 5, 0) : k + 5]) for k in range(len(BEATS))])

BEAT_REFERENCES = {
    "rr_before": np.log(padded(-1) / 0.8),
    "rr_after": np.log(padded(0) / 0.8),
    "rr_before/record": np.log(padded(-1) / USUAL_RR),
    "rr_after/record": np.log(padded(0) / USUAL_RR),
    "rr_after/rr_before": np.log(padded(0) / padded(-1)),
    "rr_before/previous": np.log(padded(-1) / padded(-2)),
    "next/rr_after": np.log(padded(1) / padded(0)),
    "rr_change": abs(np.log(padded(0) / padded(-1))),
    "rr_before/local": np.log(padded(-1) / LOCAL),
    "rr_record": np.log(USUAL_RR / 0.8) * np.ones(len(BEATS)),
    "from_start": np.minimum(TIMES, 2) - 1,
    "to_end": np.minimum(len(SIGNAL) / 100 - TIMES, 2) - 1,
    "height_here": HEIGHT - 2,
    "noise": NOISE + 2,
    "noise/height": NOISE - HEIGHT + 2,
    "no_beats": np.zeros(len(BEATS)),
    "p_noise": np.log(P_NOISE + 0.01) + 2,
    "t_noise": np.log(np.sqrt(np.mean(AFTER_IT**2, axis=1) + 1e-6) + 0.01) + 2,
    "p_roughness": 2 * np.sqrt(np.mean(np.diff(BEFORE_IT, axis=1) ** 2, axis=1) + 1e-6) / P_NOISE - 1,
    "p_height": 3 * P_WAVES.max(axis=1),
    "p_place": P_WAVES.argmax(axis=1) / 21 - 0.5,
    "p_alike": np.array(
        [np.dot(p, P_USUAL) / (np.linalg.norm(p) * np.linalg.norm(P_USUAL) + 1e-3) for p in P_WAVES]
    ),
}  # fmt: skip


def without_qrs() -> Array:
    rest = SIGNAL.astype(np.float64).copy()
    for b in BEATS:
        first, stop = max(b - 8, 0), min(b + 10, len(rest))
        ends = rest[max(first - 1, 0)], rest[min(stop, len(rest) - 1)]
        for i in range(first, stop):
            rest[i] = ends[0] + (ends[1] - ends[0]) * (i - first) / (stop - first - 1)
    return rest


F_HZ, POWER = scipy_signal.welch(without_qrs(), 100.0, nperseg=256)
SECONDS = [SIGNAL[k : k + 100].astype(np.float64) for k in range(0, len(SIGNAL) - 99, 100)]
SPREAD = np.log([np.std(second) + 0.01 for second in SECONDS])
UPRIGHT = SIGN * USUAL
T_WAVE = UPRIGHT[62:100]
CHANGE = np.diff(RR)
PAIRS = [(i, j) for i in range(len(RR)) for j in range(len(RR))]
ALIKE = np.mean([abs(RR[i] - RR[j]) < 0.03 for i, j in PAIRS])
TWICE = np.mean(
    [abs(RR[i] - RR[j]) < 0.03 and abs(RR[i - 1] - RR[j - 1]) < 0.03 for i, j in PAIRS if i > 0 and j > 0]
)  # fmt: skip


def band(low: float, high: float) -> float:
    share = POWER[(low <= F_HZ) & (high > F_HZ)].sum() / (POWER.sum() + 1e-9)
    return float(np.log(share + 1e-4) / 2 + 1)


RECORD_REFERENCES = {
    "p_height": 5 * P_USUAL.max(),
    "p_place": P_USUAL.argmax() / 20,
    "p_depth": 5 * P_USUAL.min(),
    "t_height": 2 * T_WAVE.max(),
    "t_depth": 2 * T_WAVE.min(),
    "t_place": abs(T_WAVE - np.median(T_WAVE)).argmax() / 20 - 1,
    "qrs_depth": 2 * UPRIGHT[38:66].min(),
    "qrs_area": 4 * np.mean(abs(UPRIGHT[38:66] - np.median(UPRIGHT))) - 1,
    "st_level": 3 * (UPRIGHT[62:67].mean() - UPRIGHT[41:44].mean()),
    "power_0.5_2_hz": band(0.5, 2),
    "power_2_4_hz": band(2, 4),
    "power_4_6.5_hz": band(4, 6.5),
    "power_6.5_10_hz": band(6.5, 10),
    "power_10_20_hz": band(10, 20),
    "power_20_45_hz": band(20, 45),
    "spread_change": np.std(SPREAD),
    "spread_range": (max(SPREAD) - min(SPREAD)) / 2,
    "largest": np.log(max(abs(SIGNAL)) + 0.01) - 2,
    "turning_points": 3 * np.mean([a * b < 0 for a, b in pairwise(CHANGE)]) - 2,
    "rr_alike": np.log(ALIKE + 0.02) + 1,
    "rr_pairs_alike": np.log((TWICE + 0.02) / (ALIKE + 0.02)),
    "rr_correlation": stats.pearsonr(RR[1:], RR[:-1]).statistic,
    "rr_correlation_2": stats.pearsonr(RR[2:], RR[:-2]).statistic,
    "rr_entropy": stats.entropy(np.histogram(RR, bins=np.arange(0.2, 2.01, 0.04))[0]) - 1.5,
    "rr_rmssd": np.log(np.sqrt(np.mean(CHANGE**2)) / np.mean(RR) + 0.005) + 3,
    "rr_change": np.log(np.median(abs(CHANGE)) / USUAL_RR + 0.005) + 3,
    "rr_longest": np.log(max(RR) / USUAL_RR),
    "rr_shortest": np.log(min(RR) / USUAL_RR),
    "duration": len(SIGNAL) / 3000 - 1,
    "beats_a_second": len(BEATS) * 100 / len(SIGNAL) - 1.2,
    "upright": SIGN,
}


def test_every_column_has_a_formula_by_name() -> None:
    assert (*SCALARS, *BEAT_REFERENCES) == BEAT_COLUMNS
    assert tuple(RECORD_REFERENCES) == RECORD_COLUMNS
    assert MADE.columns[220:] == (*BEAT_COLUMNS, *(f"record.{name}" for name in RECORD_COLUMNS))
    assert MADE.window_shape == (1, 220)


@pytest.mark.parametrize("name", BEAT_REFERENCES)
def test_columns_of_beats_agree_with_their_formula(name: str) -> None:
    np.testing.assert_allclose(column(name), np.clip(BEAT_REFERENCES[name], -4, 4), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", RECORD_REFERENCES)
def test_columns_of_the_record_agree_with_their_formula(name: str) -> None:
    np.testing.assert_allclose(column(f"record.{name}"), np.clip(RECORD_REFERENCES[name], -4, 4), rtol=0, atol=1e-3)


def test_windows_and_scalars_are_those_of_the_beat_against_its_own() -> None:
    np.testing.assert_allclose(MADE.values[:, :110], BEAT, atol=1e-6)
    np.testing.assert_allclose(MADE.values[:, 110:220], REST, atol=1e-6)
    np.testing.assert_allclose(MADE.values[:, 220 : 220 + len(SCALARS)], OWN, atol=1e-6)


def test_steps_are_the_beats_and_the_label_of_the_recording_stays() -> None:
    np.testing.assert_array_equal(MADE.positions, BEATS)
    assert MADE.y is not None
    assert MADE.y.tolist() == [1]
    assert (MADE.rate_hz, MADE.fs.tolist()) == (None, [100.0])


def test_gain_does_not_matter() -> None:
    original = lead()
    louder = BeatSequence()(PREPARE(replace(original, signals=7 * original.signals)))
    np.testing.assert_allclose(louder.values, MADE.values, atol=2e-3)


def test_a_lead_upside_down_has_the_same_shape_and_is_marked() -> None:
    turned = BeatSequence()(PREPARE(lead(sign=-1.0)))
    assert turned.values[0, -1] == -MADE.values[0, -1]
    for name in ("p_height", "t_height", "qrs_area", "rr_rmssd"):
        assert column(f"record.{name}", turned)[0] == pytest.approx(column(f"record.{name}")[0], abs=0.05), name


def test_recordings_do_not_know_each_other() -> None:
    other = PREPARE(lead(seed=1, duration_s=12.0))
    together = BeatSequence()(Windows.concatenate([SAMPLES, other]))
    assert together == Windows.concatenate([MADE, BeatSequence()(other)])


@pytest.mark.parametrize("n_samples", [1, 3, 40, 41, 130, 1000])
@pytest.mark.parametrize("beats", [[], [0]])
def test_where_there_are_no_beats_there_are_steps_all_the_same(n_samples: int, beats: list[int]) -> None:
    noise_alone = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    rows = beat_sequence(noise_alone, np.array(beats, dtype=np.int64), rate_hz=100.0, before_s=0.5, after_s=0.6)
    assert len(rows) == max(1, -(-(n_samples - min(40, n_samples // 2)) // 80))
    assert np.isfinite(rows).all()
    assert (rows[:, 220 + BEAT_COLUMNS.index("no_beats")] == 1).all()


def test_a_flat_recording_stays_finite() -> None:
    rows = beat_sequence(np.zeros(3000, np.float32), np.arange(50, 3000, 80), rate_hz=100.0, before_s=0.5, after_s=0.6)
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() < 7


def test_a_step_reads_back_from_json_and_leaves_its_input_as_it_was() -> None:
    before = SAMPLES.values.copy()
    step = BeatSequence.from_fields({k: v for k, v in BeatSequence(0.45, 0.6).to_dict().items() if k != "step"})
    assert step == BeatSequence(0.45, 0.6)
    whole = Pipeline(windows=PREPARE.windows, events=PREPARE.events, filters=PREPARE.filters, features=[step])
    assert Pipeline.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    step(SAMPLES)
    np.testing.assert_array_equal(SAMPLES.values, before)


def test_windows_that_lose_a_wave_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"must reach from 0.3 s before to 0.55 s after the R-peak.*before_s=0.2"):
        BeatSequence(before_s=0.2)
    with pytest.raises(ParameterError, match=r"after_s=0.4"):
        BeatSequence(after_s=0.4)


def test_windows_without_beats_marked_are_refused() -> None:
    with pytest.raises(DataError, match="a lead and the column 'beat' are needed, these windows have beat"):
        BeatSequence()(MADE)


def test_beats_are_marked_and_other_annotations_are_not() -> None:
    signals = np.zeros((1, 10), dtype=np.float32)
    marks = Annotations([0, 2, 4, 9], [10, 2, 4, 9], ["A", "QRS", "V", "QRS"])
    windows = RecordingWithBeats(classes=("N", "A"))(Recording(signals, 100.0, ["ECG"], ["mV"], annotations=marks))
    assert windows.columns == ("ECG", "beat")
    assert windows.values[:, 1].tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert windows.y is not None
    assert windows.y.tolist() == [1]


def test_what_cannot_be_marked_is_refused() -> None:
    with pytest.raises(DataError, match="e: the recording holds no samples"):
        RecordingWithBeats()(Recording(np.zeros((1, 0)), 100.0, ["ECG"], ["mV"], id="e"))
    with pytest.raises(DataError, match="c: a channel is called 'beat'"):
        RecordingWithBeats()(Recording(np.zeros((1, 9)), 100.0, ["beat"], ["mV"], id="c"))
