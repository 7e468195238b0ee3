"""EDF files that are damaged or break the standard: read with a note, or refused with the reason."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from edf_files import EdfFile, Signal, eeg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats import find_recordings, open_recording
from biosig_lstm.formats.eeg import open_edf, read_eeg


def test_a_file_cut_short_gives_the_records_that_are_whole(tmp_path: Path) -> None:
    signal = eeg(n_records=4)
    path = EdfFile([signal]).write(tmp_path / "cut.edf")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.warns(BiosigWarning, match="data record") as said:
        got = read_eeg(path)
    assert [str(one.message).partition(": ")[2] for one in said] == list(got.history)
    assert got.history == (
        "4 data records announced, the file holds 3", "11 bytes after the last whole data record left out"
    )  # fmt: skip
    np.testing.assert_allclose(got.signals[0], signal.physical_values[:24], atol=1e-3)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (-1, r"number of data records not written \(-1\): the file holds 4"),
        (0, "0 data records announced, the file holds 4"),
        (9, "9 data records announced, the file holds 4"),
        (2, "2 data records announced, the file holds 4"),
        ("", "no data records announced, the file holds 4"),
    ],
)
def test_the_number_of_records_is_the_files_whatever_the_header_says(
    tmp_path: Path, said: int | str, note: str
) -> None:
    path = EdfFile([eeg(n_records=4)], n_records=said).write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match=note):
        got = read_eeg(path)
    assert got.n_samples == 32


def test_names_that_come_twice_or_are_missing_are_told_apart(tmp_path: Path) -> None:
    labels: list[str | bytes] = ["EEG", "EEG", "", "EEG (2)", "EEG", b"Imp\xe9dance", "电极", b"Fp1\x00\x00"]
    file = EdfFile([eeg(label, seed=k) for k, label in enumerate(labels)])
    got = read_eeg(file.write(tmp_path / "file.edf"))
    assert got.channels == ("EEG", "EEG (2)", "signal 2", "EEG (2) (2)", "EEG (3)", "Impédance", "电极", "Fp1")
    for row, name in enumerate(got.channels):
        alone = read_eeg(tmp_path / "file.edf", [name])
        np.testing.assert_array_equal(alone.signals[0], got.signals[row])
        np.testing.assert_allclose(alone.signals[0], file.signals[row].physical_values, atol=1e-3)


@pytest.mark.parametrize(
    "broken",
    [
        {"physical": (5, 5)}, {"limits": (7, 7)}, {"physical": ("", "")}, {"physical": ("nan", "1")},
        {"limits": ("", "x")}, {"physical": ("inf", 3)},
    ],
)  # fmt: skip
def test_a_channel_without_a_range_is_left_out_and_its_numbers_can_be_had(
    tmp_path: Path, broken: dict[str, tuple[object, object]]
) -> None:
    dead = eeg("dead", seed=1, **broken)
    path = EdfFile([eeg("good"), dead]).write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match="left out dead: no range of values"):
        assert read_eeg(path).channels == ("good",)
    with pytest.raises(DataError, match=r"channel 'dead' has no range of values: physical .* digital"):
        read_eeg(path, ["good", "dead"])
    np.testing.assert_array_equal(open_edf(path).read_digital("dead"), np.asarray(dead.digital))
    with pytest.raises(DataError, match="no channel has a range of values"):
        read_eeg(EdfFile([dead]).write(tmp_path / "dead.edf"))


def test_a_digital_minimum_above_the_maximum_is_noted_and_scaled_as_it_stands(tmp_path: Path) -> None:
    signal = eeg(physical=(-100, 100), limits=(2048, -2048))
    path = EdfFile([signal]).write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match="digital minimum of 2048 above its maximum of -2048, read as they stand"):
        got = read_eeg(path)
    np.testing.assert_allclose(got.signals[0], signal.physical_values, atol=1e-4)
    assert np.corrcoef(got.signals[0], np.asarray(signal.digital))[0, 1] == pytest.approx(-1)


def test_numbers_outside_of_the_digital_range_are_kept_and_noted(tmp_path: Path) -> None:
    digital = np.array([0, 5, -2000, 30000] * 4)
    signal = Signal("EEG", digital, 4, "uV", (-100, 100), (-1000, 1000))
    path = EdfFile([signal, eeg("fine", width=4)]).write(tmp_path / "file.edf")
    note = r"1 channels hold numbers outside .*: 'EEG' from -2000 to 30000, outside of -1000 to 1000"
    with pytest.warns(BiosigWarning, match=note):
        got = read_eeg(path)
    np.testing.assert_allclose(got.signals[0], digital / 10, rtol=1e-6)
    assert "outside of their digital range" in got.history[0]
    assert read_eeg(path, start_s=0, stop_s=0.5).history == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"begins with b'', EDF with"),
        (b"time,Fp1\n0,1\n" * 100, r"begins with b'time,Fp1', EDF with b'0       ', BDF with b'\\xffBIOSEMI'"),
        (b"0       " + b" " * 100, "108 bytes are too short for an EDF header of 256"),
        (b"0       " + b" " * 300, "number of signals must be a number, got ''"),
        (b"0       ".ljust(252) + b"-3  ", "-3 signals, an EDF file has 0 to 9999"),
        (b"0       ".ljust(252) + b"12  ", "the header ends after 256 bytes, 12 signals need more"),
    ],
)
def test_what_is_no_edf_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "file.edf").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        open_recording(tmp_path / "file.edf")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (EdfFile(), "holds no signal: the header announces 0"),
        (EdfFile([Signal("EEG", [], 8)]), "holds no samples: no data record"),
        (EdfFile([Signal("EEG", [], 8)], n_records=5), "holds no samples: 5 data records announced, the file holds 0"),
        (EdfFile([Signal("EEG", [], 0)], n_records=5), "holds no samples: "),
        (EdfFile([eeg()], record_s=0), "data records of 0 s: there is no rate to read signals at"),
        (EdfFile([eeg()], record_s="-1"), "data records of -1 s"),
        (EdfFile([eeg()], record_s="1e300"), r"data records of 1e\+300 s"),
        (EdfFile([eeg()], record_s="nan"), "duration of a data record must be a number, got 'nan'"),
        (EdfFile([eeg()], fields={(472, 480): b"many"}), r"samples per record of signal 0 \('EEG Fpz-Cz'\) must be"),
        (EdfFile([eeg()], fields={(472, 480): b"-8"}), "has -8 samples a data record"),
    ],
)
def test_a_file_without_readable_samples_is_refused(tmp_path: Path, file: EdfFile, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        open_recording(file.write(tmp_path / "file.edf"))


def test_slips_of_writers_that_do_no_harm(tmp_path: Path) -> None:
    signal = eeg(physical=("-100,5", "100,5"), limits=("-2000", "2000.0"))
    path = EdfFile([signal], fields={(0, 8): b"0\x00", (184, 192): b"999"}).write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match="header of 512 bytes says '999'"):
        got = read_eeg(path)
    values = -100.5 + (np.asarray(signal.digital) + 2000) * 201 / 4000
    np.testing.assert_allclose(got.signals[0], values, atol=1e-4)


def outcome(path: Path) -> Recording | DataError:
    """Return the recording, or why there is none; any other error goes through."""
    try:
        return read_eeg(path)
    except DataError as error:
        return error


@given(st.integers(0, 767), st.binary(min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_to_the_header_is_read_or_refused_by_name(tmp_path: Path, at: int, damage: bytes) -> None:
    file = EdfFile([eeg(), eeg("Status", seed=2)], kind="EDF+C", tals={0: [(0, 1, "x")]})
    raw = bytearray(file.write(tmp_path / "file.edf").read_bytes())
    raw[at : at + len(damage)] = damage
    (tmp_path / "file.edf").write_bytes(bytes(raw))
    with warnings.catch_warnings(action="ignore", category=BiosigWarning):
        got = outcome(tmp_path / "file.edf")
    assert isinstance(got, DataError) or got.n_samples > 0


def test_folders_of_several_families(tmp_path: Path) -> None:
    EdfFile([eeg()]).write(tmp_path / "SC4001E0-PSG.edf")
    EdfFile([eeg()], bdf=True).write(tmp_path / "SUB.BDF")
    EdfFile(kind="EDF+C", record_s=0, onsets=[0]).write(tmp_path / "SC4001EC-Hypnogram.edf")
    (tmp_path / "broken.edf").write_bytes(b"no")
    (tmp_path / "rec.hea").write_text("rec 1 10 4\nrec.dat 16 100 16 0 0 0 0 ECG\n")
    (tmp_path / "rec.dat").write_bytes(bytes(8))
    (tmp_path / "notes.rec").write_bytes(b"something else")
    for name in ("b.vhdr", "b.vmrk", "b.eeg", "e.set", "e.fdt", "m_raw.fif", "m_raw-1.fif", "s_split-01_raw.fif",
                 "s_split-02_raw.fif"):  # fmt: skip
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in find_recordings(tmp_path)] == [
        "SC4001E0-PSG.edf", "SUB.BDF", "b.vhdr", "broken.edf", "e.set", "m_raw.fif", "rec.hea", "s_split-01_raw.fif",
    ]  # fmt: skip
    for part, whole in [("b.vmrk", "b.vhdr"), ("b.eeg", "b.vhdr"), ("e.fdt", "e.set")]:
        assert find_recordings(tmp_path / part) == [tmp_path / whole]
