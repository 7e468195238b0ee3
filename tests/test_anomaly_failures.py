"""Sensors that fail: what is changed, where, and that nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import periodogram

from biosig_lstm import datasets
from biosig_lstm.augmentation.sensor_failure import (
    KINDS,
    SensorFailure,
    drop_out,
    lead_off,
    mains,
    motion,
    saturate,
    usual_range,
)
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError

FS = 250.0


def recording(seconds: float = 240.0) -> Recording:
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((2, int(seconds * FS))).cumsum(axis=1) * 0.02
    return Recording(
        signals, FS, ("II", "V1"), ("mV", "mV"), id="r", subject="a", annotations=Annotations([5], labels=["N"])
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("everywhere", [0.0, 1.0])
def test_only_what_is_annotated_is_changed(kind: str, everywhere: float) -> None:
    before = recording()
    after = SensorFailure((kind,), n_each=5, all_channels=everywhere)(before, np.random.default_rng(1))
    marks = after.annotations[after.annotations.labels == kind]
    assert len(marks) == 5
    assert len(after.annotations) == 6
    inside = np.zeros(before.n_samples, dtype=bool)
    for start, stop in zip(marks.starts, marks.stops, strict=True):
        inside[start:stop] = True
        changed = (after.signals[:, start:stop] != before.signals[:, start:stop]).any(axis=1)
        assert changed.sum() == (2 if everywhere else 1)
    np.testing.assert_array_equal(after.signals[:, ~inside], before.signals[:, ~inside])
    lasting = (marks.stops - marks.starts) / FS
    assert lasting.min() >= 3 - 1 / FS
    assert lasting.max() <= 10 + 1 / FS
    assert (marks.starts[1:] - marks.stops[:-1]).min() / FS >= 10 - 2 / FS
    assert np.isfinite(after.signals).all()


def test_the_seed_decides_where_and_how() -> None:
    one, same, other = (SensorFailure()(recording(), np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one == same
    assert one.annotations != other.annotations


def test_a_fallen_lead_is_flat() -> None:
    row = lead_off(np.random.default_rng(0).normal(size=1000), level=2.0, noise=0.01, rng=np.random.default_rng(1))
    assert row.mean() == pytest.approx(2.0, abs=0.002)
    assert row.std() == pytest.approx(0.01, rel=0.1)


def test_a_rail_is_reached_and_not_passed() -> None:
    row = saturate(np.linspace(-1, 1, 100), gain=4.0, offset=0.5, low=-1.0, high=1.5)
    assert (row.min(), row.max()) == (-1.0, 1.5)
    np.testing.assert_allclose(row[45:55], 4 * np.linspace(-1, 1, 100)[45:55] + 0.5, rtol=1e-6)


def test_lost_packets_hold_the_last_value() -> None:
    signal = np.arange(1000.0)
    row = drop_out(signal, fs=100, gap_s=0.5, share=0.5, rng=np.random.default_rng(0))
    held = row != signal
    assert 0.2 < held.mean() < 0.8
    assert (np.diff(row) >= 0).all()
    assert (np.diff(row)[held[1:]] == 0).all()


def test_hum_is_at_its_frequency_and_of_its_size() -> None:
    row = mains(np.zeros(2500), fs=FS, amplitude=0.4, mains_hz=50.0, rng=np.random.default_rng(0))
    frequencies, power = periodogram(row, FS)
    assert frequencies[power.argmax()] == 50.0
    assert np.sqrt(2) * row.std() == pytest.approx(0.4, rel=0.01)
    with pytest.raises(ParameterError, match="mains of 60 Hz need a rate above 120 Hz, got 100 Hz"):
        mains(np.zeros(10), fs=100.0, amplitude=1.0, mains_hz=60.0, rng=np.random.default_rng(0))


def test_motion_is_slow_and_of_its_size() -> None:
    row = motion(np.zeros(50000), fs=FS, amplitude=0.5, rng=np.random.default_rng(0))
    frequencies, power = periodogram(row, FS)
    assert power[frequencies < 10].sum() > 0.95 * power.sum()
    assert 0.4 < row.std() < 1.0


def test_too_much_for_a_recording_is_refused_and_so_are_unknown_failures() -> None:
    with pytest.raises(DataError, match=r"r: 30 s are too short for 10 failures, 10 s apart: .* s are lacking"):
        SensorFailure()(recording(30.0), np.random.default_rng(0))
    with pytest.raises(ParameterError, match="no kind of failure 'main'; did you mean 'mains'"):
        SensorFailure(("main",))
    for wrong in ({"n_each": 0}, {"shortest_s": 11.0}, {"size": 0.0}, {"all_channels": 1.5}, {"kinds": ()}):
        with pytest.raises(ParameterError, match="failures need a kind, a length, a number and a size"):
            SensorFailure(**wrong)  # type: ignore[arg-type]


def test_real_recordings_fail_at_known_onsets(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("mitdb", data_root("mitdb"))
    (record,) = data.recordings(["101"])
    after = SensorFailure(n_each=3)(record, np.random.default_rng(0))
    marks = after.annotations
    starts = marks.starts[np.isin(marks.labels, KINDS)]
    assert len(starts) == 15
    differs = (after.signals != record.signals).any(axis=0)
    onsets = np.flatnonzero(differs & ~np.concatenate([[False], differs[:-1]]))
    assert all(np.abs(onsets - start).min() <= record.fs for start in starts)
    assert usual_range(record.signals[0]) > 0.5
