"""Values, limits and messages of the filters, held against scipy."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from biosig_lstm import filters
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.filters import _sos

NAN = float("nan")


def noise(n_channels: int, n_samples: int, *, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_normal((n_channels, n_samples)), axis=1) * 0.05
    return (walk + rng.standard_normal((n_channels, n_samples)) + 3).astype(np.float32)


def recording(signals: Any, fs: float = 250.0, **more: Any) -> Recording:
    names = [f"c{k}" for k in range(len(signals))]
    return Recording(signals, fs, names, ["mV"] * len(names), id="r1", **more)


def error_against_scipy(signals: Any, sos: Any) -> float:
    expected = signal.sosfiltfilt(sos, signals.astype(np.float64))
    return float(np.abs(_sos.zero_phase(signals, sos) - expected).max() / np.abs(signals).max())


@pytest.mark.parametrize(
    ("kind", "cutoff", "fs", "n_channels", "n_samples"),
    [
        ("bandpass", (0.5, 40), 360, 2, 120_000),
        ("bandpass", (0.5, 40), 250, 1, 200_001),
        ("highpass", 0.5, 250, 40, 9_001),
        ("lowpass", 20, 500, 33, 5_000),
        ("highpass", 0.05, 1000, 1, 700_000),
        ("bandpass", (0.05, 100), 1000, 1, 700_000),
    ],
)
def test_lanes_equal_scipy(kind: Any, cutoff: Any, fs: float, n_channels: int, n_samples: int) -> None:
    sos = signal.butter(2, cutoff, kind, fs=fs, output="sos")
    assert _sos.segments_for(n_channels, n_samples, _sos.run_in_samples(sos)) >= 1
    assert error_against_scipy(noise(n_channels, n_samples), sos) < 3e-7


def test_an_offset_a_thousand_times_the_signal_leaves_no_trace_between_lanes() -> None:
    sos = signal.butter(2, 0.5, "highpass", fs=250, output="sos")
    assert error_against_scipy(noise(1, 200_000) + np.float32(3000), sos) < 1e-7


@settings(max_examples=40, deadline=None)
@given(
    n_samples=st.integers(3, 3000),
    n_channels=st.integers(1, 40),
    order=st.integers(1, 6),
    low=st.floats(0.01, 0.4),
    width=st.floats(0.02, 0.5),
)
def test_any_length_and_order_equal_scipy(
    n_samples: int, n_channels: int, order: int, low: float, width: float
) -> None:
    sos = signal.butter(order, (low, low + width), "bandpass", output="sos")
    signals = noise(n_channels, n_samples)
    pad = min(_sos.pad_length(sos), n_samples - 1)
    expected = signal.sosfiltfilt(sos, signals.astype(np.float64), padlen=pad)
    np.testing.assert_allclose(_sos.zero_phase(signals, sos), expected, atol=1e-6 * np.abs(signals).max(), rtol=0)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["bandpass", "highpass", "lowpass"])
def test_extension_is_as_long_as_scipys(kind: str, order: int) -> None:
    sos = signal.butter(order, (0.1, 0.3) if kind == "bandpass" else 0.2, kind, output="sos")
    pad = _sos.pad_length(sos)
    with pytest.raises(ValueError, match=f"padlen, which is {pad}\\."):
        signal.sosfiltfilt(sos, np.zeros(pad))


@pytest.mark.parametrize(("kind", "cutoff"), [("highpass", 0.002), ("bandpass", (0.01, 0.3)), ("lowpass", 0.05)])
def test_run_in_bounds_what_is_left_of_the_past(kind: str, cutoff: Any) -> None:
    sos = signal.butter(3, cutoff, kind, output="sos")
    run_in = int(_sos.run_in_samples(sos, tolerance=1e-6))
    impulse = np.zeros(8 * run_in)
    impulse[0] = 1
    tail = np.abs(signal.sosfilt(sos, impulse))[run_in:].sum()
    assert 1e-10 < tail <= 0.5e-6


def test_coinciding_poles_are_not_cut_into_segments() -> None:
    once = signal.butter(2, 0.1, output="sos")
    twice = np.concatenate([once, once])
    assert _sos.run_in_samples(twice) == np.inf
    assert error_against_scipy(noise(1, 50_000), twice) < 1e-6


@settings(max_examples=25, deadline=None)
@given(data=st.data(), settled=st.booleans())
def test_a_stream_does_not_depend_on_how_it_is_cut(data: st.DataObject, settled: bool) -> None:
    steps = [
        filters.Bandpass(0.5, 40),
        filters.Highpass(1.0, order=3),
        filters.Lowpass(30),
        filters.Notch(50, harmonics=True),
        filters.BaselineWander(),
    ]
    step = data.draw(st.sampled_from(steps))
    signals = noise(2, 400)
    cuts = sorted(data.draw(st.lists(st.integers(0, 400), max_size=8)))
    whole = step.causal(250, 2, settled=settled).push(signals)
    stream = step.causal(250, 2, settled=settled)
    pieces = [stream.push(signals[:, a:b]) for a, b in zip([0, *cuts], [*cuts, 400], strict=True)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    sos = step.sections(250)
    first = signal.sosfilt_zi(sos)[:, None, :] * signals[0, 0].astype(float)
    start = first * (signals[:, 0] / signals[0, 0])[None, :, None] if settled else np.zeros((len(sos), 2, 2))
    expected, _ = signal.sosfilt(sos, signals.astype(np.float64), zi=start)
    np.testing.assert_allclose(whole, expected, atol=3e-6, rtol=0)


def test_a_stream_says_where_values_are_missing_and_goes_on() -> None:
    stream = filters.Lowpass(30).causal(100, 2)
    signals = noise(2, 300)
    first = stream.push(signals[:, :100])
    with pytest.raises(DataError, match=r"channel 1 holds NaN or infinity, first at 1\.5 s"):
        stream.push([[0.0] * 51, [0.0] * 50 + [NAN]])
    with pytest.raises(DataError, match="block must have 2 channels, got 3"):
        stream.push(np.zeros((3, 10)))
    rest = stream.push(signals[:, 100:])
    whole = filters.Lowpass(30).causal(100, 2).push(signals)
    np.testing.assert_array_equal(np.concatenate([first, rest], axis=1), whole)
    assert repr(stream) == "CausalFilter(1 sections, 2 channels, 3 s seen)"
    stream.reset()
    np.testing.assert_array_equal(stream.push(signals), whole)


def test_a_stream_needs_a_channel() -> None:
    with pytest.raises(ParameterError, match="n_channels must be at least 1, got 0"):
        filters.Lowpass(30).causal(100, 0)


def test_the_median_has_no_causal_form() -> None:
    with pytest.raises(ParameterError, match="method 'median' has no sections and no causal form"):
        filters.BaselineWander(method="median").causal(250, 1)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (filters.Bandpass(0.5, 60), r"high_hz must lie between 0 and 50 Hz \(the Nyquist .* fs = 100 Hz\).*got 60"),
        (filters.Bandpass(0, 40), "low_hz must lie between 0 and 50 Hz.*got 0"),
        (filters.Bandpass(20, 10), "low_hz must be below high_hz, got 20 and 10"),
        (filters.Highpass(50), "cutoff_hz must lie between 0 and 50 Hz.*got 50"),
        (filters.Highpass(-1), "cutoff_hz must lie between 0 and 50 Hz.*got -1"),
        (filters.Lowpass(NAN), "cutoff_hz must lie between 0 and 50 Hz.*got nan"),
        (filters.Lowpass(10, order=0), "order must be a whole number from 1 to 12, got 0"),
        (filters.Lowpass(10, order=2.5), "order must be a whole number from 1 to 12, got 2.5"),  # type: ignore[arg-type]
        (filters.Notch(60), "freq_hz must lie between 0 and 50 Hz.*got 60"),
        (filters.Notch(40, quality=0), "quality must be a positive number, got 0"),
        (filters.Notch(40, quality=0.5), "quality 0.5 at 40 Hz makes a gap of 80 Hz.*raise quality"),
        (filters.BaselineWander(cutoff_hz=70), "cutoff_hz must lie between 0 and 50 Hz.*got 70"),
        (filters.BaselineWander(method="medien"), "method 'medien'; did you mean 'median'.*highpass, median"),  # type: ignore[arg-type]
        (filters.Resample(0), "rate_hz must be a positive number of Hz, got 0"),
        (filters.Resample(100 / np.pi), r"is not 100\.0 Hz times a fraction .*the nearest rate that is: 31\.83"),
        (filters.Normalize("zcore"), "method 'zcore'; did you mean 'zscore'"),  # type: ignore[arg-type]
        (filters.FillGaps(longest_s=0), "longest_s must be a positive number of seconds, or None for any gap, got 0"),
        (filters.ToUnit("mmHg"), "unit 'mmHg'; possible: V, mV, nV, uV"),
    ],
)
def test_what_is_not_allowed_is_said(step: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        step(recording(noise(2, 500), fs=100))


@pytest.mark.parametrize("fs", [0, -1, NAN, float("inf")])
def test_a_rate_is_positive(fs: float) -> None:
    with pytest.raises(ParameterError, match="fs must be a positive number of Hz"):
        filters.bandpass(noise(1, 100), fs, low_hz=1, high_hz=10)


@pytest.mark.parametrize("n_samples", [0, 1, 2])
@pytest.mark.parametrize("step", [filters.Bandpass(1, 10), filters.Notch(30), filters.BaselineWander(method="median")])
def test_too_short_is_refused(step: Any, n_samples: int) -> None:
    with pytest.raises(DataError, match=f"at least 3 samples, got {n_samples}"):
        step(recording(noise(1, n_samples), fs=100))


def test_signals_have_two_axes() -> None:
    with pytest.raises(DataError, match=r"signals must be \(channels, samples\), got shape \(100,\)"):
        filters.lowpass(np.zeros(100), 100, cutoff_hz=10)


def test_infinity_is_refused_by_functions_too() -> None:
    with pytest.raises(DataError, match=r"channel 0 holds NaN or infinity, first at 0\.02 s") as caught:
        filters.lowpass([[0, 0, np.inf, 0]], 100, cutoff_hz=10)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


def test_no_channel_is_no_error() -> None:
    empty = np.zeros((0, 100), dtype=np.float32)
    assert filters.bandpass(empty, 250, low_hz=1, high_hz=10).shape == (0, 100)
    assert filters.remove_baseline_wander(empty, 250, method="median").shape == (0, 100)
    assert filters.resample(empty, 250, rate_hz=125).shape == (0, 50)


def test_notch_takes_out_the_multiples_and_leaves_the_rest() -> None:
    sos = filters.Notch(50, harmonics=True).sections(360)
    _, gain = signal.sosfreqz(sos, worN=[50, 100, 150, 75, 10], fs=360)
    np.testing.assert_allclose(np.abs(gain), [0, 0, 0, 1, 1], atol=2e-3)
    assert filters.Notch(50, harmonics=True).sections(300).shape == (2, 6)


@pytest.mark.parametrize(
    ("fs", "rate_hz", "up", "down"),
    [(360, 100, 5, 18), (100, 360, 18, 5), (500, 250, 1, 2), (173.61, 128, 12800, 17361), (300, 360, 6, 5)],
)
def test_resample_equals_scipys_polyphase(fs: float, rate_hz: float, up: int, down: int) -> None:
    signals = noise(2, 4001)
    line = np.linspace(signals[:, 0], signals[:, -1], 4001, axis=1, dtype=np.float64)
    expected = signal.resample_poly(signals - line, up, down, axis=1)
    slope = (signals[:, -1:].astype(np.float64) - signals[:, :1]) / 4000
    expected += signals[:, :1] + slope * np.arange(expected.shape[1]) * down / up
    got = filters.resample(signals, fs, rate_hz=rate_hz)
    assert got.shape == (2, -(-4001 * up // down))
    np.testing.assert_allclose(got, expected, atol=1e-5, rtol=0)


@settings(max_examples=40, deadline=None)
@given(n_samples=st.integers(2, 300), up=st.integers(1, 30), down=st.integers(1, 30))
def test_a_constant_and_a_line_stay_what_they_are(n_samples: int, up: int, down: int) -> None:
    line = 1000 + 0.5 * np.arange(n_samples)
    got = filters.resample([line, np.full(n_samples, 7.0)], down, rate_hz=up)
    n_out = -(-n_samples * up // down)
    np.testing.assert_allclose(got[0], 1000 + 0.5 * np.arange(n_out) * down / up, rtol=1e-6)
    np.testing.assert_allclose(got[1], np.full(n_out, 7.0), rtol=1e-6)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_next_to_nothing_is_resampled_too(n_samples: int) -> None:
    got = filters.resample(np.full((1, n_samples), 3.0), 100, rate_hz=250)
    np.testing.assert_array_equal(got, np.full((1, -(-n_samples * 5 // 2)), 3.0))


def test_resampling_moves_annotations_and_stays_inside() -> None:
    marks = Annotations([0, 360, 719], [0, 540, 720], ["N", "AFIB", "N"])
    got = filters.Resample(100)(recording(noise(1, 720), fs=360, annotations=marks))
    assert got.fs == 100
    assert got.annotations.starts.tolist() == [0, 100, 199]
    assert got.annotations.stops.tolist() == [0, 150, 200]
    assert got.history == ("Resample(rate_hz=100) from 360 Hz",)


def test_the_same_rate_is_no_change() -> None:
    original = recording(noise(1, 100), fs=360)
    assert filters.Resample(360)(original) is original
    np.testing.assert_array_equal(filters.resample(original.signals, 360, rate_hz=360), original.signals)


def test_normalize_by_percentiles() -> None:
    signals = noise(2, 1000)
    low, middle, high = np.percentile(signals, [5, 50, 95], axis=1, keepdims=True)
    got = filters.normalize(signals, 100, method="percentile")
    np.testing.assert_allclose(got, (signals - middle) / (high - low), atol=1e-6)


def test_normalized_channels_have_no_unit() -> None:
    got = filters.Normalize()(recording(noise(2, 100)))
    assert got.units == ("", "")
    with pytest.raises(DataError, match="not a voltage: c0 \\(no unit\\)"):
        filters.ToUnit("mV")(got)


@pytest.mark.parametrize("method", ["robust", "percentile", "zscore"])
def test_a_flat_channel_becomes_zeros_with_a_warning(method: Any) -> None:
    signals = np.stack([np.full(100, 5.0), np.arange(100.0)])
    with pytest.warns(BiosigWarning, match="r1: channel 'c0' is flat: normalised to zeros"):
        got = filters.Normalize(method)(recording(signals)).signals
    assert (got[0] == 0).all()
    assert np.isfinite(got).all()
    assert got[1].any()


def test_a_mostly_flat_channel_is_scaled_by_its_standard_deviation() -> None:
    row = np.zeros(100)
    row[:10] = 4.0
    with pytest.warns(BiosigWarning, match="channel 0 is flat for more than half of its length"):
        got = filters.normalize([row], 100)
    np.testing.assert_allclose(got[0], row / row.std(), rtol=1e-6)


def test_gaps_are_found_and_filled_with_a_history() -> None:
    signals = np.array([[NAN, 1.0, NAN, NAN, 4.0, NAN], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]])
    assert filters.find_gaps(signals, 2) == [(0, 0, 1), (0, 2, 4), (0, 5, 6)]
    got = filters.FillGaps()(recording(signals, fs=2))
    np.testing.assert_array_equal(got.signals[0], [1, 1, 2, 3, 4, 4])
    np.testing.assert_array_equal(got.signals[1], signals[1])
    assert got.history[-1].endswith("drop_empty=False): c0 3 filled, longest 1 s, 2 s in all")
    assert filters.FillGaps()(got).history[-1].endswith(": no gap")
    np.testing.assert_array_equal(filters.FillGaps().apply(signals, 2), got.signals)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(NAN), st.floats(-1e3, 1e3, width=32)), min_size=1, max_size=60))
def test_filling_is_linear_interpolation(values: list[float]) -> None:
    row = np.array(values, dtype=np.float32)
    there = ~np.isnan(row)
    if not there.any():
        with pytest.raises(DataError, match="channel 0 holds no value at all"):
            filters.fill_gaps([row], 100)
        return
    at = np.arange(len(row))
    expected = np.interp(at, at[there], row[there])
    got = filters.fill_gaps([row], 100)[0]
    np.testing.assert_array_equal(got[there], row[there])
    np.testing.assert_allclose(got, expected, atol=1e-3)


def test_a_gap_longer_than_allowed_is_refused() -> None:
    signals = np.zeros((2, 100))
    signals[1, 20:70] = NAN
    original = recording(signals, fs=10)
    assert np.isfinite(filters.FillGaps(longest_s=5)(original).signals).all()
    with pytest.raises(DataError, match=r"r1: channel 'c1' has a gap of 5 s at 2 s, longer than longest_s = 4\.9 s"):
        filters.FillGaps(longest_s=4.9)(original)


def test_a_channel_without_values_is_refused_or_left_out() -> None:
    signals = np.zeros((2, 100))
    signals[1] = NAN
    with pytest.raises(DataError, match=r"r1: channel 'c1' holds no value at all.*drop_empty=True"):
        filters.FillGaps()(recording(signals))
    got = filters.FillGaps(drop_empty=True)(recording(signals))
    assert got.channels == ("c0",)
    assert got.history[-1].endswith("c1 left out, empty")
    with pytest.raises(DataError, match="r1: no channel holds a value: c0, c1"):
        filters.FillGaps(drop_empty=True)(recording(np.full((2, 10), NAN)))


def test_base_classes_say_what_is_missing() -> None:
    from biosig_lstm.filters._base import Filter
    from biosig_lstm.filters._iir import IirFilter

    with pytest.raises(NotImplementedError, match="Filter defines no apply"):
        Filter()(recording(noise(1, 10)))
    with pytest.raises(NotImplementedError, match="IirFilter defines no sections"):
        IirFilter().apply(noise(1, 10), 100)


def test_on_a_real_record_as_scipy(data_root: Any) -> None:
    raw = np.fromfile(data_root("mitdb") / "101.dat", dtype=np.uint8).reshape(-1, 3).astype(np.int32)
    first = raw[:, 0] | (raw[:, 1] & 0x0F) << 8
    adc = np.where(first > 2047, first - 4096, first)
    signals = ((adc - 1024) / 200).astype(np.float32)[None]
    sos = signal.butter(2, (0.5, 40), "bandpass", fs=360, output="sos")
    expected = signal.sosfiltfilt(sos, signals.astype(np.float64))
    got = filters.bandpass(signals, 360, low_hz=0.5, high_hz=40)
    assert np.abs(got - expected).max() < 1e-6
