"""WFDB storage formats: what is written reads back exactly, here and in the wfdb package."""

from __future__ import annotations

import pickle
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.formats.wfdb import open_wfdb, read_annotations, read_header, read_wfdb, write_wfdb

BITS = {8: 6, 16: 16, 24: 24, 32: 24, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10, 508: 8, 516: 16, 524: 24}
PLAIN = [fmt for fmt in BITS if fmt < 500]


def recording_of(digital: np.ndarray, *, gain: float = 1.0) -> Recording:
    names = [f"lead {k}" for k in range(len(digital))]
    return Recording(digital / gain, 250.0, names, ["mV"] * len(names), id="made")


def digital_of(fmt: int, *, channels: int, samples: int, seed: int) -> np.ndarray:
    limit = 2 ** (BITS[fmt] - 1) - 1
    return np.random.default_rng(seed).integers(-limit, limit, (channels, samples), endpoint=True)


@pytest.mark.parametrize("fmt", BITS)
@settings(max_examples=12, deadline=None)
@given(channels=st.integers(1, 4), samples=st.integers(1, 50), seed=st.integers(0, 2**32 - 1))
def test_what_is_written_reads_back_here_and_in_wfdb(
    tmp_path_factory: pytest.TempPathFactory, fmt: int, channels: int, samples: int, seed: int
) -> None:
    digital, folder = digital_of(fmt, channels=channels, samples=samples, seed=seed), tmp_path_factory.mktemp("w")
    header = write_wfdb(recording_of(digital), folder, fmt=fmt, gain=1)
    np.testing.assert_array_equal(open_wfdb(header).read_digital(), digital)
    np.testing.assert_array_equal(read_wfdb(header).signals, digital)
    theirs = wfdb.rdrecord(str(header.with_suffix("")))
    np.testing.assert_array_equal(theirs.p_signal.T, digital)
    assert [k % 65536 for k in theirs.checksum] == (digital.sum(axis=1) % 65536).tolist()


def test_open_record_travels_to_other_processes(tmp_path: Path) -> None:
    digital = digital_of(16, channels=2, samples=50, seed=0)
    record = open_wfdb(write_wfdb(recording_of(digital), tmp_path, gain=1))
    assert repr(record) == "WfdbRecord('made': lead 0, lead 1; 50 samples at 250 Hz)"
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(record)).read_digital(), digital)


@pytest.mark.parametrize("fmt", PLAIN)
def test_every_stretch_is_a_part_of_the_whole(tmp_path: Path, fmt: int) -> None:
    digital = digital_of(fmt, channels=5, samples=4000, seed=fmt)
    record = open_wfdb(write_wfdb(recording_of(digital), tmp_path, fmt=fmt, gain=1))
    for start, stop in [(0, 4000), (1, 2), (17, 1230), (1228, 1231), (3998, 4000)]:
        found = record.read_digital(channels=[3, 0], start=start, stop=stop)
        np.testing.assert_array_equal(found, digital[[3, 0], start:stop])


@pytest.mark.parametrize("fmt", [16, 24, 32, 80, 212])  # those that wfdb writes
def test_files_written_by_wfdb(tmp_path: Path, fmt: int) -> None:
    digital = digital_of(fmt, channels=3, samples=101, seed=fmt)
    names = ["a", "b", "c"]
    wfdb.wrsamp(
        "theirs", fs=100, units=["mV"] * 3, sig_name=names, d_signal=digital.T, fmt=[str(fmt)] * 3,
        adc_gain=[200.0] * 3, baseline=[3, 0, -5], write_dir=str(tmp_path),
    )  # fmt: skip
    np.testing.assert_array_equal(open_wfdb(tmp_path / "theirs").read_digital(), digital)
    expected = wfdb.rdrecord(str(tmp_path / "theirs")).p_signal.T.astype(np.float32)
    np.testing.assert_array_equal(read_wfdb(tmp_path / "theirs").signals, expected)


@pytest.mark.parametrize("fmt", [fmt for fmt in BITS if fmt != 8])
def test_gaps_are_nan_and_stay_so(tmp_path: Path, fmt: int) -> None:
    values = digital_of(fmt, channels=2, samples=30, seed=1).astype(np.float32)
    values[0, 4:9] = values[1, -1] = np.nan
    header = write_wfdb(recording_of(values), tmp_path, fmt=fmt, gain=1)
    np.testing.assert_array_equal(read_wfdb(header).signals, values)
    np.testing.assert_array_equal(wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T, values)


def test_default_gain_keeps_values_to_half_a_step(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 500)).astype(np.float32) * [[1e-3], [4e4]]
    header = write_wfdb(recording_of(values), tmp_path)
    for spec, row, found in zip(read_header(header).signals, values, read_wfdb(header).signals, strict=True):
        assert np.abs(row).max() * spec.gain > 32_000
        np.testing.assert_allclose(found, row, atol=0.5000001 / spec.gain)


def test_description_units_time_and_comments_are_written(tmp_path: Path) -> None:
    recording = Recording(
        np.zeros((2, 4)), 62.4725, ["ECG lead II", "resp  effort"], ["uV", "cm H2O"], id="made",
        annotations=Annotations([1, 3], None, ["N", "+"], ["", "(AFIB"]),
    )  # fmt: skip
    start = datetime(2020, 2, 29, 23, 59, 58, 250_000)
    header = write_wfdb(
        recording, tmp_path, name="other", gain=[100, 2.5], baseline=[-7, 3], start_time=start, comments=["a note"]
    )
    theirs, ours = wfdb.rdrecord(str(tmp_path / "other")), read_header(header)
    assert theirs.sig_name == ["ECG lead II", "resp effort"]
    assert theirs.units == ["uV", "cm_H2O"]
    assert (theirs.adc_gain, theirs.baseline) == ([100, 2.5], [-7, 3])
    assert theirs.fs == ours.fs == 62.4725
    assert theirs.base_datetime == start
    assert (ours.base_date, ours.base_time, ours.comments) == (start.date(), start.time(), ("a note",))
    np.testing.assert_array_equal(read_wfdb(header).signals, 0)
    assert read_wfdb(header).annotations == recording.annotations
    assert read_annotations(tmp_path / "other", "atr").aux_note == ("", "(AFIB")


def test_values_outside_the_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'lead 1' reaches 2048 steps at gain 1, format 212 holds -2047 to 2047"):
        write_wfdb(recording_of(np.array([[1.0], [2048.0]])), tmp_path, fmt="212", gain=1)
    with pytest.raises(DataError, match="format 8 has no mark for missing samples"):
        write_wfdb(recording_of(np.array([[1.0, np.nan]])), tmp_path, fmt=8, gain=1)
    with pytest.raises(DataError, match="format 8 holds steps of up to 127"):
        write_wfdb(recording_of(np.array([[0.0, 128.0]])), tmp_path, fmt=8, gain=1)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    recording = recording_of(np.ones((9, 3)))
    with pytest.raises(ParameterError, match=r"fmt '213'; did you mean '212'\? possible: "):
        write_wfdb(recording, tmp_path, fmt=213)
    with pytest.raises(ParameterError, match="record name 'a b': only letters, digits"):
        write_wfdb(recording, tmp_path, name="a b")
    with pytest.raises(ParameterError, match="gain must be finite and not 0"):
        write_wfdb(recording, tmp_path, gain=0)
    with pytest.raises(DataError, match="no such folder to write made into"):
        write_wfdb(recording, tmp_path / "nowhere")
    with pytest.raises(DataError, match="a FLAC file holds at most 8 channels, got 9"):
        write_wfdb(recording, tmp_path, fmt=516)


@pytest.mark.parametrize("fmt", [16, 212, 516])
def test_samples_of_a_frame_and_skew(tmp_path: Path, fmt: int) -> None:
    digital = digital_of(fmt, channels=1, samples=120, seed=3)[0]
    header = write_wfdb(recording_of(digital[None]), tmp_path, fmt=fmt, gain=1)
    lines = [f"frames 2 100 {20 if fmt < 500 else 30}"]
    spread = [(4, 2), (2, 0)] if fmt < 500 else [(4, 0)]
    lines[0] = lines[0].replace(" 2 ", f" {len(spread)} ", 1)
    lines += [f"made.dat {fmt}x{n}:{skew} 10(0)/mV 16 0 0 0 0 s{n}" for n, skew in spread]
    header.with_name("frames.hea").write_text("\n".join(lines))
    name = str(tmp_path / "frames")
    theirs = wfdb.rdrecord(name, physical=False, smooth_frames=False).e_d_signal
    ours = open_wfdb(name)
    for k, (n, skew) in enumerate(spread):
        found, inside = ours.read_digital(channels=[k], frames="highest")[0], len(theirs[k]) - n * skew
        np.testing.assert_array_equal(found[:inside], theirs[k][:inside])
        # past the end of the file wfdb marks `skew` samples as missing, of `skew` frames, and has zeros for the others
        assert np.isnan(ours.read_signals(channels=[k], frames="highest")[0, inside:]).all()
    whole = wfdb.rdrecord(name, physical=False).d_signal.T[:, :18]
    np.testing.assert_array_equal(ours.read_digital(stop=18), whole)
    for start, stop in [(0, 3), (5, 18), (17, 18)]:
        np.testing.assert_array_equal(ours.read_digital(start=start, stop=stop), whole[:, start:stop])


def test_format_8_with_several_samples_a_frame(tmp_path: Path) -> None:
    steps = np.random.default_rng(5).integers(-128, 128, 60).astype(np.int8)
    (tmp_path / "d.dat").write_bytes(steps.tobytes())
    (tmp_path / "d.hea").write_text("d 2 100 20\nd.dat 8x2 1 8 0 7 0 0 a\nd.dat 8 1 8 0 -3 0 0 b\n")
    frames = steps.reshape(20, 3).astype(int)
    ours = open_wfdb(tmp_path / "d")
    np.testing.assert_array_equal(
        ours.read_digital(channels=["a"], frames="highest", start=11)[0], (7 + frames[:, :2].reshape(-1).cumsum())[11:]
    )
    np.testing.assert_array_equal(ours.read_digital(channels=["b"], start=5)[0], (-3 + frames[:, 2].cumsum())[5:])


def test_signals_in_several_files_with_offsets(tmp_path: Path) -> None:
    first, second = np.arange(10, dtype="<i2"), np.arange(100, 110, dtype="<i2")
    (tmp_path / "a.dat").write_bytes(b"\7" * 5 + first.tobytes())
    (tmp_path / "b.dat").write_bytes(second.tobytes())
    (tmp_path / "r.hea").write_text("r 2 10 10\na.dat 16+5 1/uV\nb.dat 16 1(100)\n")
    found = read_wfdb(tmp_path / "r")
    np.testing.assert_array_equal(found.signals, [first, second - 100])
    assert (found.channels, found.units) == (("signal 0", "signal 1"), ("uV", "mV"))


def test_names_that_come_twice_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes(np.arange(8, dtype="<i2").tobytes())
    line = "r.dat 16 200 16 0 0 0 0 ECG\n"
    (tmp_path / "r.hea").write_text("r 4\n" + 3 * line + "r.dat 16 200 16 0 0 0 0\n")
    found = read_wfdb(tmp_path / "r", start=1, stop=2)
    assert found.channels == ("ECG", "ECG (2)", "ECG (3)", "signal 3")
    assert found.fs == 250
    np.testing.assert_array_equal(found.signals[:, 0], np.float32([4, 5, 6, 7]) / np.float32(200))


def test_null_signals_are_gaps(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes(np.arange(4, dtype="<i2").tobytes())
    (tmp_path / "r.hea").write_text("r 2 10 4\nr.dat 16 1\n~ 0 1/mmHg 0 0 0 0 0 ABP\n")
    found = read_wfdb(tmp_path / "r").signals
    np.testing.assert_array_equal(found, [[0, 1, 2, 3], [np.nan] * 4])


def test_flac_without_soundfile_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = write_wfdb(recording_of(np.ones((1, 9))), tmp_path, fmt=516, gain=1)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(DataError, match="need soundfile: pip install soundfile"):
        read_wfdb(header)


def test_flac_that_is_not_what_the_header_says(tmp_path: Path) -> None:
    header = write_wfdb(recording_of(np.ones((2, 9))), tmp_path, fmt=516, gain=1)
    text = header.read_text()
    header.write_text(text.replace(" 516 ", " 508 "))
    with pytest.raises(DataError, match=r"holds 2 streams of 16 bits .* promises 2 of at most 8"):
        read_wfdb(header)
    header.write_text(text.replace(" 9\n", " 10\n"))
    with pytest.raises(DataError, match="cut short: the header of made promises 10 samples a signal, the file holds 9"):
        read_wfdb(header)
    header.write_text("made 2 250 3\nmade.dat 516x3 1\nmade.dat 516 1\n")
    with pytest.raises(DataError, match=r"need the same samples a frame, the header has \[3, 1\]"):
        read_wfdb(header)
    header.write_text("made 1 250 3\ngone.dat 516 1\n")
    with pytest.raises(DataError, match=r"gone.dat: the signal file of record made is not there"):
        read_wfdb(header)
    header.write_text(text)
    header.with_suffix(".dat").write_bytes(b"no such thing")
    with pytest.raises(DataError, match="not a FLAC file, as the header of made says"):
        read_wfdb(header)


@pytest.mark.parametrize("keep", [6, 60, 20_000])
def test_damaged_flac(tmp_path: Path, keep: int) -> None:
    header = write_wfdb(recording_of(digital_of(516, channels=1, samples=50_000, seed=0)), tmp_path, fmt=516, gain=1)
    raw = header.with_suffix(".dat").read_bytes()
    header.with_suffix(".dat").write_bytes(raw[:keep])
    with pytest.raises(DataError, match=r"made.dat: (damaged FLAC file|cut short)"):
        read_wfdb(header)


def test_history_tells_that_frames_were_averaged(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes(np.array([1, 2, -4, -1], dtype="<i2").tobytes())
    (tmp_path / "r.hea").write_text("r 1 10 2\nr.dat 16x2 1 16 0 0 0 0 ECG\n")
    with pytest.warns(BiosigWarning, match=r'r: ECG hold up to 2 samples .*, frames="highest"\) gives 20 Hz'):
        averaged = read_wfdb(tmp_path / "r")
    np.testing.assert_array_equal(averaged.signals, [[1, -2]])  # 1.5 and -2.5 steps, cut toward zero
    assert averaged.history == ("ECG averaged to the frame rate of 10 Hz",)
    assert read_wfdb(tmp_path / "r", frames="highest").history == ()
    with pytest.raises(ParameterError, match=r"frames 'mean'; possible: average, highest"):
        read_wfdb(tmp_path / "r", frames="mean")  # type: ignore[arg-type]
