"""Names of EEG channels: one spelling, and the same channel under any of its names."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from edf_files import EdfFile, Signal
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.containers.channel_names import (
    canonical_channel,
    channels_meant,
    eeg_channels,
    is_derivation,
    is_eeg_channel,
    parse_eeg_name,
)
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators._kinds import signal_kind
from biosig_lstm.filters import Bandpass, Bipolar, ChannelNames, Channels, Rereference
from biosig_lstm.formats import channels_wanted, list_channels, open_recording
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.tables import Facts
from biosig_lstm.windows import FixedLength

OLD = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
OTHERS = (
    "EOG horizontal",
    "ECG ECG",
    "EMG submental",
    "Resp oro-nasal",
    "Status",
    "I",
    "MLII",
    "V1",
    "SaO2 X9",
    "E1-M2",
)


def electrodes() -> list[str]:
    mne = pytest.importorskip("mne")
    with warnings.catch_warnings(action="ignore"):
        return list(mne.channels.make_standard_montage("standard_1005").ch_names)


def eeg(names: list[str], units: list[str] | None = None) -> Recording:
    rows = np.arange(4 * len(names), dtype=np.float32).reshape(len(names), 4)
    return Recording(rows, 100, names, units or ["uV"] * len(names), id="r", subject="s")


@pytest.mark.parametrize(
    "spelling", ["{}", "{}..", "EEG {}", "EEG {}-REF", "{}-LE", "eeg {}-A1+A2", "EEG {} - Ref", "{}."]
)
def test_every_electrode_of_mnes_montage_keeps_its_name(spelling: str) -> None:
    for name in electrodes():
        for cased in (name, name.upper(), name.lower()):
            assert canonical_channel(spelling.format(cased)) == OLD.get(name, name)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("FP1", "Fp1"), ("Fc5.", "FC5"), ("EEG Fpz-Cz", "Fpz-Cz"), ("EEG F3-A2-A1", "F3"), ("EEG T3-LE", "T7"),
        ("C3-M2", "C3-M2"), ("C3-A2", "C3-A2"), ("C3A2", "C3-A2"), ("EEG A2-A1", "A2-A1"), ("FP1-F7", "Fp1-F7"),
        ("T4-T6", "T8-P8"), ("CZ/M1", "Cz-M1"), ("EEG:O1", "O1"), ("EEGFz", "Fz"), ("F3-CLE", "F3"), (" Oz ", "Oz"),
    ],
)  # fmt: skip
def test_spellings_of_recorders(channel: str, name: str) -> None:
    assert canonical_channel(channel) == name
    assert canonical_channel(name) == name
    assert is_eeg_channel(channel)
    assert is_derivation(channel) is ("-" in name)


@pytest.mark.parametrize("channel", [*OTHERS, "F", "F11", "A3", "T8-P8 (2)", "FP1-F7-F3", "", "-", "EEG", "POL A1"])
def test_other_names_stay(channel: str) -> None:
    assert parse_eeg_name(channel) is None
    assert canonical_channel(f" {channel} ") == channel.strip()


def test_ears_and_mastoids_stay_apart() -> None:
    assert {canonical_channel(name) for name in ("A1", "M1", "EEG A1-Ref", "m1")} == {"A1", "M1"}
    assert channels_meant("A1", ["M1", "Cz"]) == []


@given(st.text(max_size=20))
def test_any_text_has_one_name_that_stays(text: str) -> None:
    name = canonical_channel(text)
    assert canonical_channel(name) == name


@pytest.mark.parametrize("channel", ["EEG 001", "EEG1", "EEG(sec)", "C4-nose", "T8-P8 (2)", "EEG"])
def test_what_says_eeg_is_eeg(channel: str) -> None:
    assert is_eeg_channel(channel)


@pytest.mark.parametrize("kind", ["EKG1-REF", "ECG", "EMG-REF", "LOC-REF", "EOGL", "SpO2", "Right Eye", "DC03-DC04"])
def test_the_word_eeg_in_front_of_everything_says_nothing(kind: str) -> None:
    assert not is_eeg_channel(f"EEG {kind}")


@pytest.mark.parametrize("channel", OTHERS)
def test_what_says_something_else_is_not(channel: str) -> None:
    assert not is_eeg_channel(channel)


def test_kinds_of_signal_follow_the_names() -> None:
    assert signal_kind(Facts(160, ("Fc5.", "Cz.."), ("uV", "uV"), 9)) == "eeg"
    assert signal_kind(Facts(250, ("EEG T3-LE", "FP1-F7"), ("uV", "uV"), 9)) == "eeg"
    assert signal_kind(Facts(250, ("Fz", "EOG left"), ("uV", "uV"), 9)) == "other"


# ---- the channel that a name means


def test_the_exact_name_comes_first() -> None:
    held = ["EEG Fz-LE", "fz ", "T3", "T7"]
    assert channels_meant("Fz", held) == ["fz "]
    assert channels_meant("T3", held) == ["T3"]
    assert channels_meant("FZ-REF", held) == ["EEG Fz-LE", "fz "]
    assert channels_meant("EOG", held) == []


def test_what_is_no_voltage_is_no_eeg() -> None:
    assert channels_meant("T7", ["T3", "EEG T3"], ["degC", "uV"]) == ["EEG T3"]
    assert channels_meant("T3", ["T3"], ["degC"]) == ["T3"]


def test_channels_that_are_eeg() -> None:
    names, units = ["Fz", "EOG", "EEG 2", "T3", "Resp"], ["uV", "uV", "mV", "degC", "NU"]
    assert eeg_channels("eeg", names, units) == ["Fz", "EEG 2"]
    assert eeg_channels("all", names, units) == ["Fz", "EOG", "EEG 2"]
    assert eeg_channels(("FZ-LE",), names, units) == ["Fz"]
    assert eeg_channels("eeg", ["E7"], ["uV"], typed=["E7"]) == ["E7"]
    with pytest.raises(DataError, match=r"named as EEG; name the channels in channels=\(\.\.\.\): E7 \(uV\)"):
        eeg_channels("eeg", ["E7"], ["uV"])
    cap = [f"{letter}{number}" for letter in "ABCDEF" for number in range(1, 33)]
    with pytest.raises(DataError, match="named as EEG; name the channels"):
        eeg_channels("eeg", cap, ["uV"] * len(cap))
    assert eeg_channels("all", cap, ["uV"] * len(cap)) == cap
    with pytest.raises(DataError, match="no channel is a voltage: Resp \\(NU\\)"):
        eeg_channels("all", ["Resp"], ["NU"])
    with pytest.raises(ParameterError, match="'eeg', 'all' or a tuple of names, got 'EEG'"):
        eeg_channels("EEG", names, units)


# ---- Channels


@pytest.mark.parametrize("held", ["EEG Fz-LE", "FZ", "Fz.", "EEG Fz", "fz-ref"])
def test_a_model_of_fz_takes_it_under_any_name(held: str) -> None:
    recording = eeg(["Cz", held])
    got = Channels(("Fz",))(recording)
    assert got.channels == ("Fz",)
    np.testing.assert_array_equal(got.signals, recording.signals[1:])


def test_old_names_are_found_and_told() -> None:
    got = Channels(("T7", "Cz", "EEG T5-REF"))(eeg(["cz", "EEG T3-LE", "P7"]))
    assert got.channels == ("T7", "Cz", "EEG T5-REF")
    assert got.history[-1].startswith("kept T7 (called EEG T3-LE), Cz, EEG T5-REF (called P7) of cz, EEG T3-LE, P7")


def test_what_may_be_several_or_is_one_twice_is_refused() -> None:
    with pytest.raises(DataError, match="r: channel 'Fz' may be any of Fz-LE, Fz-AR: name the one"):
        Channels(("Fz",))(eeg(["Fz-LE", "Fz-AR"]))
    with pytest.raises(DataError, match="r: T3 and T7 are one channel here, T7"):
        Channels(("T3", "T7"))(eeg(["T7", "Cz"]))
    with pytest.raises(DataError, match="r: channel 'C3-A2'; did you mean 'C3-M2'"):
        Channels(("C3-A2",))(eeg(["C3-M2"]))


# ---- ChannelNames


def test_channels_are_renamed_and_the_history_says_so() -> None:
    recording = eeg(["EEG FP1-REF", "T3", "ECG", "Cz"])
    got = ChannelNames()(recording)
    assert got.channels == ("Fp1", "T7", "ECG", "Cz")
    assert got.history == ("renamed EEG FP1-REF to Fp1, T3 to T7",)
    np.testing.assert_array_equal(got.signals, recording.signals)
    assert ChannelNames()(got) is got


def test_names_that_would_collide_are_kept_with_a_warning() -> None:
    with pytest.warns(BiosigWarning, match="r: Fz-LE and Fz-AR would all be Fz: they keep their names"):
        got = ChannelNames()(eeg(["Fz-LE", "Fz-AR", "FP2"]))
    assert got.channels == ("Fz-LE", "Fz-AR", "Fp2")


def test_a_thermometer_is_no_electrode() -> None:
    assert ChannelNames()(eeg(["T3", "T4"], ["degC", "uV"])).channels == ("T3", "T8")


# ---- files


def night(tmp_path: Path) -> Path:
    signals = [("EEG FPZ-CZ", 20, "uV"), ("EEG T3-LE", 20, "uV"), ("EOG", 10, "uV"), ("T4", 10, "degC")]
    digital = [np.arange(2 * rate) for _, rate, _ in signals]
    rows = [Signal(name, values, rate, unit) for (name, rate, unit), values in zip(signals, digital, strict=True)]
    return EdfFile(rows).write(tmp_path / "night.edf")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Fpz-Cz",), ["EEG FPZ-CZ"]), (("T7", "Fpz-Cz"), ["EEG T3-LE", "EEG FPZ-CZ"]), (("eog",), ["EOG"]),
        (("T8",), None), (("Fpz-Cz", "O1"), None), (("t4",), ["T4"]), ((), None),
    ],
)  # fmt: skip
def test_what_is_read_is_what_channels_takes(names: tuple[str, ...], found: list[str] | None, tmp_path: Path) -> None:
    path = night(tmp_path)
    assert channels_wanted(path, names) == found
    if found:
        got = Channels(names)(open_recording(path, channels=found))
        assert got.channels == names


def test_a_pipeline_reads_the_channels_it_keeps_unless_others_matter() -> None:
    def names(*filters: object) -> tuple[str, ...]:
        return Pipeline(filters=filters, windows=FixedLength(1)).channel_names  # type: ignore[arg-type]

    assert names(Bandpass(0.5, 40), Channels(("Fz",)), Rereference("Fz")) == ("Fz",)
    assert names(Rereference("average"), Channels(("Fz",))) == ()
    assert names(Bipolar("transverse"), Channels(("O1-O2",))) == ()
    assert names(Bandpass(0.5, 40)) == ()


def test_real_files_have_names_of_the_10_10_system(data_root: object) -> None:
    known = set(electrodes())
    for where, file, n_known in (
        ("eegmat", "Subject01_1.edf", 19),
        ("eegmmidb", "S001/S001R04.edf", 64),
        ("eeg-samples", "EDF/chtypes_edf.edf", 27),
    ):
        channels = list_channels(data_root(where) / file)  # type: ignore[operator]
        names = [canonical_channel(channel.name) for channel in channels]
        assert sum(name in known for name in names) == n_known
        assert len(set(names)) == len(names)
