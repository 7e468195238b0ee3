"""WFDB headers, and records that are not what they should be: every message says what, where, and what to do."""

from __future__ import annotations

import contextlib
import warnings
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.formats.wfdb import SignalSpec, open_wfdb, read_header, read_wfdb


def put(folder: Path, text: str, *, samples: int = 8, name: str = "r") -> Path:
    (folder / f"{name}.dat").write_bytes(np.arange(samples, dtype="<i2").tobytes())
    path = folder / f"{name}.hea"
    path.write_text(text)
    return path


def test_every_field_of_a_full_header(tmp_path: Path) -> None:
    text = (
        "# before\n\nr 2 125.5/2000(-3.5) 4 31:51.982 9/10/2896\n"
        "r.dat 212x4:3+24 -12.84(-1605)/mmHg 12 7 -943 -23651 16 ABP  arm \n#<age>: 60\nr.dat 212\n"
    )
    header = read_header(put(tmp_path, text))
    assert (header.record, header.n_signals, header.n_samples, header.fs) == ("r", 2, 4, 125.5)
    assert (header.counter_hz, header.base_counter) == (2000, -3.5)
    assert (header.base_time, header.base_date) == (time(0, 31, 51, 982_000), date(2896, 10, 9))
    assert header.comments == ("before", "<age>: 60")
    assert header.signals[0] == SignalSpec(
        file="r.dat", format=212, samples_per_frame=4, skew=3, byte_offset=24, gain=-12.84, baseline=-1605, unit="mmHg",
        adc_resolution=12, adc_zero=7, initial_value=-943, checksum=-23651, block_size=16, description="ABP  arm",
    )  # fmt: skip
    assert header.signals[1] == SignalSpec(file="r.dat", format=212)
    assert (header.signals[1].gain, header.signals[1].unit) == (200, "mV")


@pytest.mark.parametrize(
    ("field", "gain", "baseline", "unit"),
    [
        ("", 200, 0, "mV"),
        (" 0 12 5", 200, 5, "mV"),
        (" 100", 100, 0, "mV"),
        (" 100/uV 12 5", 100, 5, "uV"),
        (" 100(7)/uV 12 5", 100, 7, "uV"),
        (" 100(7) 12 5", 100, 7, "mV"),
        (" 1.052e+04/NU 16 0", 10520, 0, "NU"),
    ],
)
def test_defaults_of_a_signal_line_as_in_wfdb(
    tmp_path: Path, field: str, gain: float, baseline: int, unit: str
) -> None:
    path = put(tmp_path, f"r 1 100 8\nr.dat 16{field}\n")
    spec, theirs = read_header(path).signals[0], wfdb.rdheader(str(path.with_suffix("")))
    assert (spec.gain, spec.baseline, spec.unit) == (gain, baseline, unit)
    if field:
        assert (theirs.adc_gain, theirs.baseline, theirs.units) == ([gain], [baseline], [unit])


@pytest.mark.parametrize("given", ["r", "r.hea", "r.dat"])
def test_a_record_goes_by_its_name_or_one_of_its_files(tmp_path: Path, given: str) -> None:
    put(tmp_path, "r 1 100 8\nr.dat 16 1\n")
    assert read_wfdb(str(tmp_path / given)).id == "r"


def test_length_that_is_missing_comes_from_the_file(tmp_path: Path) -> None:
    for samples in ("", " 0"):
        path = put(tmp_path, f"r 2 100{samples}\nr.dat 16 1\nr.dat 16 1\n", samples=9)
        assert open_wfdb(path).n_samples == 4
        np.testing.assert_array_equal(read_wfdb(path).signals, [[0, 2, 4, 6], [1, 3, 5, 7]])


def test_missing_header(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes(b"1234")
    with pytest.raises(DataError, match=r"r.dat: no WFDB header: .*r.hea is not there"):
        read_wfdb(tmp_path / "r.dat")


def test_missing_signal_file(tmp_path: Path) -> None:
    path = put(tmp_path, "r 1 100 8\nother.dat 16 1\n")
    with pytest.raises(DataError, match=r"other.dat: the signal file of record r is not there; fetch it"):
        read_wfdb(path)


@pytest.mark.parametrize("fmt", [8, 16, 24, 32, 80, 212, 310, 311])
def test_signal_file_that_is_cut_short(tmp_path: Path, fmt: int) -> None:
    path = put(tmp_path, f"r 2 100 20\nr.dat {fmt} 1\nr.dat {fmt} 1\n", samples=9)
    held = open_wfdb(put(tmp_path, f"s 2 100\nr.dat {fmt} 1\nr.dat {fmt} 1\n", samples=9, name="s")).n_samples
    (tmp_path / "r.dat").write_bytes((tmp_path / "s.dat").read_bytes())
    message = rf"cut short: the header of r promises 20 samples a signal, the file holds {held}; .* stop={held}"
    with pytest.raises(DataError, match=message):
        read_wfdb(path)
    assert read_wfdb(path, stop=held).n_samples == held
    with pytest.raises(DataError, match="cut short"):
        read_wfdb(path, stop=held + 1)


def test_empty_signal_file_and_record_without_samples(tmp_path: Path) -> None:
    promised = put(tmp_path, "r 1 100 8\nr.dat 16 1\n", samples=0)
    with pytest.raises(DataError, match="the file holds 0; fetch it again"):
        read_wfdb(promised)
    with pytest.raises(DataError, match="the record holds no samples: its length is zero"):
        read_wfdb(put(tmp_path, "r 1 100\nr.dat 16 1\n", samples=0))


def test_record_without_signals(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the record holds no signals; its annotations may be read alone"):
        read_wfdb(put(tmp_path, "r 0 100 1000\n"))


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown signal format 99 of r.dat; possible: 8, 16, 24"):
        read_wfdb(put(tmp_path, "r 1 100 8\nr.dat 99 1\n"))


@pytest.mark.parametrize(("lines", "what"), [("16 1\nr.dat 212 1", "formats"), ("16 1\nr.dat 16+2 1", "byte offsets")])
def test_signals_of_one_file_that_disagree(tmp_path: Path, lines: str, what: str) -> None:
    with pytest.raises(DataError, match=rf"signals of one file \(r.dat\) with different {what}"):
        read_wfdb(put(tmp_path, f"r 2 100 2\nr.dat {lines}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the header file is empty; fetch it again"),
        ("  \n \n", "the header file is empty; fetch it again"),
        ("# only a comment\n", "no record line in the header"),
        ("r\n", "malformed record line 'r'; expected 'name signals"),
        ("r two 100\n", "malformed record line 'r two 100'"),
        ("r 1 fast\nr.dat 16", "malformed record line 'r 1 fast'"),
        ("r 1 0 8\nr.dat 16", "sampling frequency must be a positive number of Hz, got '0'"),
        ("r 1 1.2.3 8\nr.dat 16", r"sampling frequency must be a positive number of Hz, got '1\.2\.3'"),
        ("r 1 1e999 8\nr.dat 16", "sampling frequency must be a positive number of Hz, got '1e999'"),
        ("r 1 100 8\nr.dat 16 1e999", "the gain must be a finite number: 'r.dat 16 1e999'"),
        ("r 1 100 8\nr.dat\n", "malformed signal line 'r.dat'; expected 'file format"),
        ("r 1 100 8\nr.dat sixteen\n", "malformed signal line"),
        ("r 1 100 8\nr.dat 16 1(x)/mV\n", "malformed signal line"),
        ("r 1 100 8\nr.dat 16x0 1\n", "a signal needs at least one sample a frame"),
        ("r 3 100 8\nr.dat 16 1\n", "promises 3 signals, the header has lines for 1"),
        ("r/2 1 100 8\ns1 4\n", "promises 2 segments, the header has lines for 1"),
        ("r/1 1 100 8\ns1 four\n", "malformed segment line 's1 four'"),
        ("r/1 1 100 8\n~ 8\n", "all segments are gaps"),
        ("r/1 1 100 9\ns1 8\n", "promises 9 samples, its segments hold 8"),
        ("r/1 1 100 8\ns1 8\n", "s1.hea: the header of a segment of record r is not there"),
    ],
)
def test_malformed_header(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_wfdb(put(tmp_path, text))


def test_binary_garbage_as_header(tmp_path: Path) -> None:
    path = tmp_path / "r.hea"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match=r"r.hea: not a WFDB header: it holds binary data, a header is text"):
        read_wfdb(path)
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(DataError, match="malformed record line"):
        read_wfdb(path)


@given(st.binary(max_size=200) | st.text("r.dat 0126x:+/()#~\n-e", max_size=80).map(str.encode))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_as_header_are_read_or_refused(tmp_path: Path, raw: bytes) -> None:
    path = put(tmp_path, "")
    path.write_bytes(raw)
    with warnings.catch_warnings(), contextlib.suppress(DataError):
        warnings.simplefilter("ignore", BiosigWarning)
        assert read_wfdb(path).n_samples > 0


def test_header_that_promises_more_than_any_memory_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="promises 999999999999999 samples a signal, the file holds 8"):
        read_wfdb(put(tmp_path, "r 1 100 999999999999999\nr.dat 16 1\n"))


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ("s 1 50 8\ns.dat 16 1\n", "s.hea: 50 Hz, the record r has 100 Hz"),
        ("s 1 100 7\ns.dat 16 1\n", "s.hea: the segment holds 7 samples, r.hea promises 8"),
        ("s/1 1 100 8\nt 8\n", "a segment that is itself made of segments"),
        ("s 2 100 4\ns.dat 16 1\ns.dat 16 1\n", "promises 1 signals, its first segment holds 2"),
    ],
)
def test_segments_that_disagree_with_the_record(tmp_path: Path, segment: str, message: str) -> None:
    put(tmp_path, segment, name="s")
    with pytest.raises(DataError, match=message):
        read_wfdb(put(tmp_path, "r/1 1 100 8\ns 8\n"))


def test_segment_that_is_cut_short(tmp_path: Path) -> None:
    put(tmp_path, "s 1 100 8\ns.dat 16 1\n", name="s", samples=5)
    path = put(tmp_path, "r/2 1 100 10\n~ 2\ns 8\n")
    with pytest.raises(DataError, match=r"s.dat: cut short: the header of s promises 8 samples a signal, .* holds 5"):
        read_wfdb(path)
    np.testing.assert_array_equal(read_wfdb(path, stop=7).signals, [[np.nan, np.nan, 0, 1, 2, 3, 4]])


def test_segment_in_another_unit(tmp_path: Path) -> None:
    put(tmp_path, "layout 1 100 0\n~ 0 1/mV 16 0 0 0 0 ECG\n", name="layout")
    put(tmp_path, "s 1 100 8\ns.dat 16 1/uV 16 0 0 0 0 ECG\n", name="s")
    with pytest.raises(DataError, match=r"s.hea: signal 'ECG' is in uV, in r it is in mV"):
        read_wfdb(put(tmp_path, "r/2 1 100 8\nlayout 0\ns 8\n"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("r 1 100 8 25:61:00", "the base time '25:61:00' is not a time of day, left out"),
        ("r 1 100 8 1:00:00 31/02/2000", "the base date '31/02/2000' is not day/month/year, left out"),
    ],
)
def test_times_that_cannot_be_are_left_out(tmp_path: Path, line: str, message: str) -> None:
    path = put(tmp_path, f"{line}\nr.dat 16 1\n")
    with pytest.warns(BiosigWarning, match=message):
        assert read_wfdb(path).n_samples == 8


def test_lines_beyond_the_signals_are_left_out(tmp_path: Path) -> None:
    path = put(tmp_path, "r 1 100 8\nr.dat 16 1\nr.dat 16 1\n")
    with pytest.warns(BiosigWarning, match="1 lines after the 1 signals of the record line are left out"):
        assert read_wfdb(path).channels == ("signal 0",)


def test_checksum_that_does_not_match(tmp_path: Path) -> None:
    path = put(tmp_path, "r 2 100 4\nr.dat 16 1 16 0 0 12 0 good\nr.dat 16 1 16 0 1 17 0 bad\n")
    with pytest.warns(BiosigWarning, match=r"r.hea: the checksum of bad does not match the header"):
        read_wfdb(path)
    assert read_wfdb(path, channels=["good"]).n_samples == 4
    assert read_wfdb(path, stop=3).n_samples == 3  # a part has no checksum
    assert read_wfdb(put(tmp_path, "r 1 100 8\nr.dat 16 1 16 0 0 0 0 not computed\n")).n_samples == 8


def test_stretch_outside_the_record(tmp_path: Path) -> None:
    path = put(tmp_path, "r 1 100 8\nr.dat 16 1\n")
    for start, stop in [(-1, 4), (4, 4), (5, 4), (0, 9)]:
        with pytest.raises(ParameterError, match=f"cannot read samples {start} to {stop}, the record holds 0 to 8"):
            read_wfdb(path, start=start, stop=stop)


def test_channels_that_are_not_there(tmp_path: Path) -> None:
    path = put(tmp_path, "r 2 100 4\nr.dat 16 1 16 0 0 0 0 MLII\nr.dat 16 1 16 0 0 0 0 V5\n")
    with pytest.raises(DataError, match=r"r: no channel 'MLI'; did you mean 'MLII'\? possible: MLII, V5"):
        read_wfdb(path, channels=["MLI"])
    with pytest.raises(DataError, match="r: no channel 2, there are 0 to 1"):
        read_wfdb(path, channels=[2])
    with pytest.raises(ParameterError, match="a sequence of names, got the string 'V5'"):
        read_wfdb(path, channels="V5")
    with pytest.raises(ParameterError, match="at least one channel"):
        read_wfdb(path, channels=[])
