"""What every filter keeps to; a new file in the folder is tested here from the moment that it exists."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soxr
from scipy import ndimage, signal, stats

import biosig_lstm.filters as filters
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.filters._base import Filter

FS = 250.0
Array = np.ndarray[Any, Any]


def butter(kind: str, cutoff: Any, order: int) -> Callable[[Array], Array]:
    return lambda x: signal.sosfiltfilt(signal.butter(order, cutoff, kind, fs=FS, output="sos"), x)


def notch(x: Array) -> Array:
    return signal.sosfiltfilt(signal.tf2sos(*signal.iirnotch(50, 30, FS)), x)


def notches(x: Array) -> Array:
    gaps = [signal.tf2sos(*signal.iirnotch(50 * k, 30 * k, FS))[0] for k in (1, 2)]
    return signal.sosfiltfilt(np.array(gaps), x)


def medians(x: Array) -> Array:
    first = ndimage.median_filter(x, size=(1, 51), mode="nearest")
    return x - ndimage.median_filter(first, size=(1, 151), mode="nearest")


def polyphase(x: Array) -> Array:
    line = np.linspace(x[:, 0], x[:, -1], x.shape[1], axis=1)
    out = signal.resample_poly(x - line, 2, 5, axis=1)
    slope = (x[:, -1] - x[:, 0]) / (x.shape[1] - 1)
    return out + x[:, :1] + slope[:, None] * np.arange(out.shape[1]) * 2.5


def by_soxr(x: Array) -> Array:
    return np.stack([soxr.resample(np.append(row, np.zeros(5)), FS, 100, "HQ")[:800] for row in x])


def one_way(x: Array) -> Array:
    sos = signal.butter(2, (0.5, 20), "bandpass", fs=FS, output="sos")
    settled = signal.sosfilt_zi(sos)[:, None, :] * x[:, 0, None]
    return signal.sosfilt(sos, x, zi=settled)[0][:, ::5]


def interpolated(x: Array) -> Array:
    at = np.arange(x.shape[1])
    return np.stack([np.interp(at, at[~np.isnan(row)], row[~np.isnan(row)]) for row in x])


def robust(x: Array) -> Array:
    scale = stats.median_abs_deviation(x, axis=1, scale="normal", keepdims=True)
    return (x - np.median(x, axis=1, keepdims=True)) / scale


# Every step of every file needs an example here, with the reference it is held against.
REFERENCES: list[tuple[Filter, Callable[[Array], Array], float]] = [
    (filters.Bandpass(0.5, 40), butter("bandpass", (0.5, 40), 2), 1e-6),
    (filters.Bandpass(5, 15, order=4), butter("bandpass", (5, 15), 4), 1e-6),
    (filters.Highpass(0.5), butter("highpass", 0.5, 2), 1e-6),
    (filters.Lowpass(30, order=5), butter("lowpass", 30, 5), 1e-6),
    (filters.Notch(50), notch, 1e-6),
    (filters.Notch(50, harmonics=True), notches, 1e-6),
    (filters.BaselineWander(), butter("highpass", 0.5, 2), 1e-6),
    (filters.BaselineWander(method="median"), medians, 1e-6),
    (filters.Resample(100), polyphase, 1e-6),
    (filters.ResampleSound(100), by_soxr, 1e-6),
    (filters.PreEmphasis(), lambda x: signal.lfilter([1, -0.97], [1], x), 1e-6),
    (filters.Normalize(), robust, 1e-6),
    (filters.Normalize("zscore"), lambda x: stats.zscore(x, axis=1), 1e-6),
    (filters.OneWay(20, low_hz=0.5, rate_hz=50), one_way, 1e-5),
    (filters.FillGaps(), interpolated, 1e-6),
    (filters.EcgLeads(3), lambda x: x, 1e-9),
    (filters.Channels(("I", "II", "V5")), lambda x: x, 1e-9),
    (filters.ToUnit("uV"), lambda x: x * 1000.0, 1e-6),
    (filters.ChannelNames(), lambda x: x, 1e-9),
    (filters.Rereference("average", channels="all"), lambda x: x - x.mean(axis=0), 1e-6),
    (filters.Rereference(("I", "V5"), channels=("II", "I")), lambda x: x - [[1], [1], [0]] * (x[0] + x[2]) / 2, 1e-6),
    (filters.MarkArtefacts(peak_to_peak_uv=1e9, channels="all"), lambda x: x, 1e-9),
    (filters.Bipolar((("I", "II"), ("II", "V5"), ("V5", "I"))), lambda x: x - np.roll(x, -1, axis=0), 1e-6),
]
CHOOSES = (filters.EcgLeads, filters.Channels, filters.ChannelNames)
"""What chooses or names channels, and says nothing where it keeps all as they are."""

OF_SOUND = {"Mono", "TrimSilence"}
"""Filters that give other channels, or other seconds: `test_filters_speech` holds them to the same."""

IDS = [repr(step) for step, _, _ in REFERENCES]
each_filter = pytest.mark.parametrize(("step", "reference", "tolerance"), REFERENCES, ids=IDS)
each_step = pytest.mark.parametrize("step", [step for step, _, _ in REFERENCES], ids=IDS)


def recording(*, seed: int = 0, n_samples: int = 2000) -> Recording:
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples) / FS
    drift = 2 + 0.5 * np.sin(2 * np.pi * 0.1 * t)
    signals = rng.standard_normal((3, n_samples)) + np.sin(2 * np.pi * 8 * t) + drift
    beats = Annotations([10, 900, 1999], [10, 900, 1999], ["N", "V", "N"])
    return Recording(signals, FS, ["I", "II", "V5"], ["mV"] * 3, id="r1", subject="s1", annotations=beats)


def with_gap(original: Recording, *, channel: int, first: int, stop: int) -> Recording:
    signals = original.signals.copy()
    signals[channel, first:stop] = np.nan
    return original.with_signals(signals, note="gap")


def test_every_step_of_every_file_has_a_reference() -> None:
    assert set(filters.steps()) == {type(step).__name__ for step, _, _ in REFERENCES} | OF_SOUND


def test_every_file_is_a_filter_or_known_not_to_be() -> None:
    files = {m.name for m in pkgutil.iter_modules(filters.__path__) if not m.name.startswith("_")}
    with_step = {kind.__module__.rpartition(".")[2] for kind in filters.steps().values()}
    assert files - with_step == {"causal"}


@each_filter
def test_agrees_with_its_reference(step: Filter, reference: Callable[[Array], Array], tolerance: float) -> None:
    original = recording()
    if step.accepts_nan:
        original = with_gap(original, channel=1, first=100, stop=160)
    expected = reference(original.signals.astype(np.float64))
    got = step(original).signals
    assert got.shape == expected.shape
    both_missing = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(got), both_missing)
    scale = max(np.nanmax(np.abs(original.signals)), np.nanmax(np.abs(expected)))
    assert np.abs(got - expected)[~both_missing].max() < tolerance * scale


@each_step
def test_input_is_unchanged_and_the_answer_repeats(step: Filter) -> None:
    original = recording()
    before = original.signals.copy()
    first, second = step(original), step(original)
    np.testing.assert_array_equal(original.signals, before)
    assert first == second


@each_step
def test_shape_dtype_names_and_history(step: Filter) -> None:
    original = recording()
    got = step(original)
    assert got.signals.dtype == np.float32
    if not step.sources(original):
        assert got.channels == original.channels
    assert set(got.channels) >= set(step.sources(original))
    assert (got.id, got.subject) == ("r1", "s1")
    assert len(got.history) == (0 if isinstance(step, CHOOSES) else 1)
    assert len(got.annotations) == 3
    assert (got.signals.shape == original.signals.shape) is not step.changes_length


@each_step
def test_channels_are_independent_unless_it_says_so(step: Filter) -> None:
    original = recording()
    together = step(original).signals
    if step.mixes_channels:
        louder = original.with_signals(original.signals * [[2], [1], [1]], note="louder")
        assert sum(np.abs(step(louder).signals - together).max(axis=1) > 0.1) > 1
        return
    for row, name in enumerate(original.channels):
        one = filters.Channels((name,)) if isinstance(step, filters.Channels) else step
        alone = one(original.pick([name])).signals[0]
        np.testing.assert_allclose(alone, together[row], rtol=0, atol=1e-6 * np.abs(together).max())


@each_step
def test_reads_back_from_its_dictionary(step: Filter) -> None:
    values = json.loads(json.dumps(step.to_dict()))
    kind = filters.steps()[values.pop("step")]
    assert kind.from_fields(values) == step
    assert step.kind == "filter"


@each_step
def test_missing_values_are_refused_by_name(step: Filter) -> None:
    gapped = with_gap(recording(), channel=2, first=500, stop=510)
    if step.accepts_nan:
        assert np.isfinite(step(gapped).signals[:2]).all()
        return
    with pytest.raises(DataError, match=r"r1: channel 'V5' holds NaN or infinity, first at 2 s.*FillGaps"):
        step(gapped)
