"""Samples of EDF and BDF files: every value against the standard's formula and against MNE, on files written here."""

from __future__ import annotations

import os
import pickle
import tracemalloc
import warnings
from pathlib import Path

import mne
import numpy as np
import numpy.typing as npt
import pytest
from edf_files import EdfFile, Signal, eeg, noise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats import channels_wanted, list_channels, open_recording
from biosig_lstm.formats.eeg import open_edf, read_eeg

QUICK = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def by_mne(path: Path) -> npt.NDArray[np.float64]:
    """Return what MNE reads, in microvolts."""
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    with warnings.catch_warnings(action="ignore"):
        return np.asarray(read(path, preload=True, stim_channel=None, verbose="error").get_data()) * 1e6


@st.composite
def files(draw: st.DrawFn) -> EdfFile:
    """Draw a file of one rate: any length and duration of records, ranges, offsets, of 16 or 24 bits."""
    bdf = draw(st.booleans())
    largest = 2**23 if bdf else 2**15
    width, n_records = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    signals = []
    for k in range(draw(st.integers(1, 4))):
        low = draw(st.integers(-largest, largest - 2))
        high = draw(st.integers(low + 1, largest - 1))
        bottom = draw(st.integers(-99990, 89990)) / 10
        top = bottom + draw(st.integers(1, 9999)) / 10
        flipped = draw(st.booleans())
        digital = noise(n_records * width, seed=k, low=low, high=high)
        limits = f"{bottom:.1f}", f"{top:.1f}"
        physical = (limits[1], limits[0]) if flipped else limits
        signals.append(Signal(f"EEG {k}", digital, width, "uV", physical, (low, high)))
    record_s = draw(st.sampled_from([0.1, 0.25, 0.5, 1, 1.5, 2, 10, 30, "0.0625", "1.234567"]))
    return EdfFile(signals, record_s=record_s, bdf=bdf, kind=draw(st.sampled_from(["", "BDF+C" if bdf else "EDF+C"])))


@QUICK
@given(file=files())
def test_values_are_the_headers_and_mnes_within_one_step(file: EdfFile, tmp_path: Path) -> None:
    path = file.write(tmp_path / ("file.bdf" if file.bdf else "file.edf"))
    record = open_edf(path)
    got = record.read()
    assert got.fs == pytest.approx(file.signals[0].samples_per_record / float(file.record_s))
    theirs = by_mne(path)
    for row, signal in enumerate(file.signals):
        values = signal.physical_values
        step = abs(float(signal.physical[1]) - float(signal.physical[0])) / (signal.limits[1] - signal.limits[0])  # type: ignore[operator]
        rounding = 4 * np.finfo(np.float32).eps * max(abs(float(x)) for x in signal.physical)
        np.testing.assert_allclose(got.signals[row], values, rtol=0, atol=0.5 * step + rounding)
        np.testing.assert_allclose(got.signals[row], theirs[row], rtol=0, atol=step + rounding)
        np.testing.assert_array_equal(record.read_digital(f"EEG {row}"), np.asarray(signal.digital))


@QUICK
@given(file=files(), data=st.data())
def test_any_stretch_is_that_of_the_whole(file: EdfFile, data: st.DataObject, tmp_path: Path) -> None:
    record = open_edf(file.write(tmp_path / "file.edf"))
    whole = record.read()
    first = data.draw(st.integers(0, whole.n_samples - 1))
    last = data.draw(st.integers(first + 1, whole.n_samples))
    names = data.draw(st.permutations(whole.channels))
    part = record.read(names, start_s=first / whole.fs, stop_s=last / whole.fs)
    np.testing.assert_array_equal(part.signals, whole.pick(names).signals[:, first:last])
    assert part.channels == tuple(names)


@pytest.mark.parametrize(
    ("unit", "micro"),
    [("uV", 1), ("µV", 1), ("μV", 1), (b"\xb5V", 1), ("mV", 1e3), ("V", 1e6), ("nV", 1e-3), ("uV\x00\x00", 1)],
)
def test_voltages_are_microvolts_whatever_the_file_has(tmp_path: Path, unit: str | bytes, micro: float) -> None:
    signal = eeg(unit=unit, physical=(-100, 100), limits=(-2000, 2000))
    with warnings.catch_warnings(action="ignore", category=BiosigWarning):
        got = read_eeg(EdfFile([signal]).write(tmp_path / "file.edf"))
    assert got.units == ("uV",)
    np.testing.assert_allclose(got.signals[0], signal.physical_values * micro, rtol=1e-6)


@pytest.mark.parametrize("unit", ["", "%", "degC", "mmHg", "Ohm"])
def test_other_units_stay_as_they_are(tmp_path: Path, unit: str) -> None:
    signal = eeg("Other", unit=unit, physical=(0, 100), limits=(-2000, 2000))
    got = read_eeg(EdfFile([signal]).write(tmp_path / "file.edf"))
    assert got.units == (unit,)
    np.testing.assert_allclose(got.signals[0], signal.physical_values, atol=1e-5)


@pytest.mark.parametrize(("physical", "size"), [((-1e6, 1e6), "e.05|[0-9]{6}"), ((-0.001, 0.001), "0.000")])
def test_a_size_that_no_eeg_has_is_warned_of(tmp_path: Path, physical: tuple[float, float], size: str) -> None:
    path = EdfFile([eeg(physical=physical, limits=(-2000, 2000))]).write(tmp_path / "odd.edf")
    with pytest.warns(BiosigWarning, match=f"odd: a median standard deviation of .*({size}).* is the unit in the file"):
        read_eeg(path)


def mixed(tmp_path: Path) -> Path:
    return EdfFile([
        eeg("EEG Fpz-Cz", width=20), eeg("EEG Pz-Oz", width=20, seed=1), eeg("EOG", width=10, seed=2),
        eeg("EMG", width=1, seed=3), eeg("Temp", width=1, unit="degC", seed=4), eeg("Hum", width=1, unit="", seed=5),
    ]).write(tmp_path / "mixed.edf")  # fmt: skip


def test_of_several_rates_that_of_most_voltages_is_read_and_the_rest_named(tmp_path: Path) -> None:
    path = mixed(tmp_path)
    with pytest.warns(
        BiosigWarning, match=r"left out EOG \(10 Hz\); EMG, Temp, Hum \(1 Hz\): a recording has one rate"
    ):
        got = read_eeg(path)
    assert (got.channels, got.fs) == (("EEG Fpz-Cz", "EEG Pz-Oz"), 20.0)
    assert any("left out EOG (10 Hz)" in line for line in got.history)


def test_channels_of_one_rate_are_read_as_they_are(tmp_path: Path) -> None:
    got = read_eeg(mixed(tmp_path), ["Temp", "EMG"])
    assert (got.fs, got.units, got.n_samples) == (1.0, ("degC", "uV"), 4)
    np.testing.assert_allclose(got.signals[1], eeg(width=1, seed=3).physical_values, rtol=1e-6)
    assert read_eeg(mixed(tmp_path), ["EOG"]).fs == 10.0


def test_channels_of_several_rates_are_refused_with_what_to_do(tmp_path: Path) -> None:
    wanted = (
        r"one rate, these channels have 2 \(20 Hz: EEG Pz-Oz; 10 Hz: EOG\); read those of one rate, as in channels="
    )
    with pytest.raises(DataError, match=wanted):
        open_recording(mixed(tmp_path), channels=["EEG Pz-Oz", "EOG"])
    with pytest.raises(DataError, match="channel 'EEG FpzCz'; did you mean 'EEG Fpz-Cz'"):
        open_recording(mixed(tmp_path), channels=["EEG FpzCz"])


def test_every_channel_is_listed_from_the_header(tmp_path: Path) -> None:
    path = mixed(tmp_path)
    assert [(c.name, c.unit, c.rate_hz) for c in list_channels(path)][1:5] == [
        ("EEG Pz-Oz", "uV", 20.0), ("EOG", "uV", 10.0), ("EMG", "uV", 1.0), ("Temp", "degC", 1.0),
    ]  # fmt: skip
    assert channels_wanted(path, ["eog "]) == ["EOG"]
    assert channels_wanted(path, ["EOG", "ECG"]) is None
    one_rate = EdfFile([eeg("a"), eeg("b")]).write(tmp_path / "one.edf")
    assert channels_wanted(one_rate, ["b"]) is None


def test_trigger_channels_are_read_by_name_as_the_stored_codes(tmp_path: Path) -> None:
    codes = np.array([0, 0, 255, 65281, -65536, 7, 0, 0])
    status = Signal("Status", codes, 4, "Boolean", (-8388608, 8388607), (-8388608, 8388607))
    path = EdfFile([eeg(n_records=2, width=4), status], bdf=True).write(tmp_path / "file.bdf")
    assert read_eeg(path).channels == ("EEG Fpz-Cz",)
    got = read_eeg(path, ["Status"])
    np.testing.assert_array_equal(got.signals[0], codes)
    assert got.units == ("",)
    np.testing.assert_array_equal(open_edf(path).read_digital("Status"), codes)


def test_what_the_file_is_goes_by_its_content(tmp_path: Path) -> None:
    signals = [eeg(n_records=3)]
    (tmp_path / "named.edf").write_bytes(EdfFile(signals, bdf=True).write(tmp_path / "file.bdf").read_bytes())
    assert open_edf(tmp_path / "named.edf").header.sample_bytes == 3
    (tmp_path / "night.rec").write_bytes(EdfFile(signals).write(tmp_path / "file.edf").read_bytes())
    np.testing.assert_array_equal(
        open_recording(tmp_path / "night.rec").signals, read_eeg(tmp_path / "file.edf").signals
    )


def test_gaps_of_a_discontinuous_file_are_missing_values(tmp_path: Path) -> None:
    signal = eeg(n_records=4, width=10)
    path = EdfFile([signal], kind="EDF+D", onsets=[0.25, 1.25, 4.25, 7]).write(tmp_path / "gaps.edf")
    record = open_edf(path)
    got = record.read()
    values = signal.physical_values.astype(np.float32)
    wanted = np.full(78, np.nan, dtype=np.float32)
    wanted[:20], wanted[40:50], wanted[68:78] = values[:20], values[20:30], values[30:]
    np.testing.assert_allclose(got.signals[0], wanted, rtol=1e-6)
    assert record.duration_s == pytest.approx(7.75)
    for first, last in [(0, 78), (15, 45), (25, 35), (39, 41), (60, 78)]:
        part = record.read(start_s=first / 10, stop_s=last / 10)
        np.testing.assert_array_equal(part.signals, got.signals[:, first:last])


def test_a_discontinuous_file_without_a_gap_is_a_continuous_one(tmp_path: Path) -> None:
    plain = EdfFile([eeg()], kind="EDF+C").write(tmp_path / "c.edf")
    broken = EdfFile([eeg()], kind="EDF+D", onsets=[3, 4, 5, 6]).write(tmp_path / "d.edf")
    np.testing.assert_array_equal(read_eeg(broken).signals, read_eeg(plain).signals)


def test_a_window_of_a_day_of_64_channels_is_read_without_the_rest(tmp_path: Path) -> None:
    hours, rate, channels = 24, 256, 64
    signals = [Signal(f"E{k}", [], rate) for k in range(channels)]
    path = EdfFile(signals, n_records=hours * 3600).write(tmp_path / "day.edf")
    head, record = path.stat().st_size, 2 * rate * channels
    os.truncate(path, head + hours * 3600 * record)
    with path.open("r+b") as file:
        file.seek(head + 50_000 * record)
        file.write(noise(rate * channels).astype("<i2").tobytes())
    tracemalloc.start()
    got = open_edf(path).read(start_s=50_000, stop_s=50_010)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert got.signals.shape == (channels, 10 * rate)
    wanted = noise(rate * channels).reshape(channels, rate) * np.float32(0.1)
    np.testing.assert_allclose(got.signals[:, :rate], wanted, atol=1e-3)
    assert path.stat().st_size > 2_500_000_000
    assert peak < 8_000_000, "more than the window and the header was held"


def test_an_opened_file_goes_to_other_processes_by_its_name(tmp_path: Path) -> None:
    record = open_edf(EdfFile([eeg(width=5000)]).write(tmp_path / "file.edf"))
    raw = pickle.dumps(record)
    assert len(raw) < 2000
    assert pickle.loads(raw).read() == record.read()
    assert repr(record) == "EdfRecord('file.edf': 1 at 5000 Hz; 4 s)"


@pytest.mark.parametrize(("start", "stop"), [(3, 3), (-1, 2), (2, 9), (float("nan"), 2), (0, float("inf")), (9, 12)])
def test_stretches_outside_of_the_file_are_refused(tmp_path: Path, start: float, stop: float) -> None:
    path = EdfFile([eeg()]).write(tmp_path / "file.edf")
    with pytest.raises(DataError, match=r"no stretch from .* it holds 0 to 4 s"):
        read_eeg(path, start_s=start, stop_s=stop)


def test_a_recording_knows_its_name(tmp_path: Path) -> None:
    got = read_eeg(EdfFile([eeg()]).write(tmp_path / "SC4001E0-PSG.edf"))
    assert isinstance(got, Recording)
    assert (got.id, got.subject, got.history) == ("SC4001E0-PSG", "SC4001E0-PSG", ())
