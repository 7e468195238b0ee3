"""CHB-MIT: layout, summaries, channels against MNE, who is who, and the split of each patient's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets.chbmit import CHANNELS, parse_summary, write_sample
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError

SUMMARY = """Data Sampling Rate: 256 Hz
*************************

Channels in EDF Files:
**********************
Channel 1: FP1-F7
Channel 2: F7-T7

File Name: chb24_01.edf
Number of Seizures in File: 2
Seizure 1 Start Time: 480 seconds
Seizure 1 End Time: 505 seconds
Seizure 2 Start Time: 2451 seconds
Seizure 2 End Time: 2476 seconds

File Name: chb24_02.edf
File Start Time: 11:42:54
File End Time: 12:42:54
Number of Seizures in File: 0

Channels changed:
Channel 1: FP1-CS2

File Name: chb24_03+.edf
Number of Seizures in File:1
Seizure Start Time:2996 seconds
Seizure 1 End Time : 3036 secs
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    root = tmp_path_factory.mktemp("chbmit")
    write_sample(root)
    return datasets.get("chbmit", root)


def with_summary(folder: Path, case: str, text: str, *records: str, source: datasets.Dataset) -> datasets.Dataset:
    """Return a root with one case: these records, copies of chb01_01, and this summary."""
    place = folder / case
    place.mkdir()
    (place / f"{case}-summary.txt").write_text(text, encoding="utf-8", newline="")
    for record in records:
        (place / f"{record}.edf").write_bytes((source.root / "chb01" / "chb01_01.edf").read_bytes())
    return datasets.get("chbmit", folder)


def test_layout_and_facts(data: datasets.Dataset) -> None:
    assert (data.root / "chb02" / "chb02_16+.edf").is_file()
    assert len(data) == 13
    assert data.absent == ()
    assert data.classes == ("background", "seizure")
    assert data.card.licence == "Open Data Commons Attribution License v1.0"
    listed = (data.root / "RECORDS-WITH-SEIZURES").read_text(encoding="utf-8").split()
    assert [Path(name).stem for name in listed] == [name for name in data.record_names if data.seizures(name)]


def test_chb21_is_chb01(data: datasets.Dataset) -> None:
    assert data.subjects["chb21_19"] == data.subjects["chb01_03"] == "chb01+chb21"
    assert data.subjects["chb17a_03"] == data.subjects["chb17b_63"] == "chb17"
    assert len(set(data.subjects.values())) == 4


def test_the_whole_of_a_record_is_labelled(data: datasets.Dataset) -> None:
    (record,) = data.recordings("chb01_04")
    marks = record.annotations
    assert marks.labels.tolist() == ["background", "seizure", "background", "seizure", "background"]
    np.testing.assert_array_equal(marks.starts / 256, [0, 10, 32, 80, 110])
    np.testing.assert_array_equal(marks.stops / 256, [10, 32, 80, 110, 120])
    (quiet,) = data.recordings("chb01_01")
    assert quiet.annotations.labels.tolist() == ["background"]
    assert (quiet.annotations.starts[0], quiet.annotations.stops[0]) == (0, quiet.n_samples)


@pytest.mark.parametrize("record", ["chb01_03", "chb17a_03"])
@pytest.mark.filterwarnings("ignore:Channel names are not unique:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Scaling factor is not defined:RuntimeWarning")
def test_channels_are_those_of_the_file_as_mne_reads_it(data: datasets.Dataset, record: str) -> None:
    (recording,) = data.recordings(record)
    raw = mne.io.read_raw_edf(data.root / record[:5] / f"{record}.edf", verbose="error")
    names = [name if name in raw.ch_names else f"{name}-0" for name in CHANNELS]
    np.testing.assert_allclose(recording.signals, raw.get_data(names) * 1e6, atol=2000 / 65534)
    assert recording.channels == CHANNELS
    assert set(recording.units) == {"uV"}
    assert recording.signals.dtype == np.float32


@pytest.mark.parametrize("record", ["chb12_27", "chb12_28"])
def test_bipolar_channels_are_made_from_electrodes(data: datasets.Dataset, record: str) -> None:
    (recording,) = data.recordings(record)
    suffix, first_back = ("-CS2", "O1-CS2") if record == "chb12_27" else ("", "01")
    raw = mne.io.read_raw_edf(data.root / "chb12" / f"{record}.edf", verbose="error").get_data
    for name, row in zip(recording.channels, recording.signals, strict=True):
        a, b = (first_back if electrode == "O1" else electrode + suffix for electrode in name.split("-"))
        np.testing.assert_allclose(row, (raw([a])[0] - raw([b])[0]) * 1e6, atol=2 * 2000 / 65534, err_msg=name)
    assert "18 derivations of 19 channels" in recording.history[-1]


def test_as_recorded_keeps_every_channel_but_the_empty_ones(data: datasets.Dataset) -> None:
    whole = datasets.get("chbmit", data.root, montage="as recorded")
    (recording,) = whole.recordings("chb17a_03")
    assert len(recording.channels) == 23
    assert recording.channels[-1] == "T8-P8 (2)"
    assert not any(name.startswith("-") for name in recording.channels)
    (referential,) = whole.recordings("chb12_28")
    assert {"01", "FT9"} <= set(referential.channels)
    with pytest.raises(ParameterError, match=r"chbmit: montage 'bananas'.* possible: as recorded, double banana"):
        datasets.get("chbmit", data.root, montage="bananas")


def test_a_channel_that_cannot_be_made_is_named(data: datasets.Dataset, tmp_path: Path) -> None:
    broken = with_summary(tmp_path, "chb12", "File Name: chb12_27.edf\n", "chb12_27", source=data)
    path = tmp_path / "chb12" / "chb12_27.edf"
    path.write_bytes(path.read_bytes().replace(b"P3-O1 ", b"P3-Oz ", 1))
    with pytest.raises(DataError, match=r"record chb12_27 cannot be read: .*no derivation P3-O1 can be made: "):
        next(broken.recordings())


def test_both_spellings_of_times_are_read(tmp_path: Path) -> None:
    path = tmp_path / "chb24-summary.txt"
    expected = {"chb24_01": ((480, 505), (2451, 2476)), "chb24_02": (), "chb24_03+": ((2996, 3036),)}
    for text in (
        SUMMARY,
        SUMMARY.replace("\n", "\r\n"),
        SUMMARY.replace("Start", " Start ").upper().replace("CHB", "chb"),
    ):
        path.write_text(text.replace(".EDF", ".edf"), encoding="utf-8", newline="")
        assert parse_summary(path) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("File: 2", "File: 3", "chb24_01: 3 seizures announced, 2 onsets and 2 ends given"),
        ("Seizure 2 End Time: 2476 seconds\n", "", "chb24_01: 2 seizures announced, 2 onsets and 1 ends given"),
        ("505", "480", "chb24_01: a seizure from 480 to 480 s ends before it begins"),
    ],
)
def test_summaries_that_contradict_themselves_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "chb24-summary.txt"
    path.write_text(SUMMARY.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        parse_summary(path)


def test_records_that_are_named_and_not_there_are_absent(data: datasets.Dataset, tmp_path: Path) -> None:
    some = with_summary(tmp_path, "chb24", SUMMARY, "chb24_02", source=data)
    assert some.absent == ("chb24_01", "chb24_03+")
    assert "1 records, 2 absent" in repr(some)


def test_a_record_without_summary_is_refused(data: datasets.Dataset, tmp_path: Path) -> None:
    bare = with_summary(tmp_path, "chb05", "", "chb05_01", source=data)
    (tmp_path / "chb05" / "chb05-summary.txt").unlink()
    with pytest.raises(DataError, match=r"chb05_01 cannot be read: no chb05-summary\.txt in .* where seizures are"):
        next(bare.recordings())


def test_a_record_that_the_summary_does_not_name(data: datasets.Dataset, tmp_path: Path) -> None:
    more = with_summary(tmp_path, "chb24", SUMMARY, "chb24_99", source=data)
    with pytest.warns(BiosigWarning, match=r"chb24_99: not named in chb24-summary\.txt and without a \.seizures file"):
        (recording,) = more.recordings("chb24_99")
    assert recording.annotations.labels.tolist() == ["background"]
    (tmp_path / "chb24" / "chb24_99.edf.seizures").touch()
    with pytest.raises(DataError, match=r"does not name it, although there is a file chb24_99\.edf\.seizures"):
        next(more.recordings("chb24_99"))


def test_a_seizure_beyond_the_end_is_refused_and_one_that_outlasts_the_file_is_cut(
    data: datasets.Dataset, tmp_path: Path
) -> None:
    text = "File Name: chb24_01.edf\nSeizure Start Time: {}\nSeizure End Time: {}\n"
    late = with_summary(tmp_path, "chb24", text.format(120, 130), "chb24_01", source=data)
    with pytest.raises(DataError, match=r"must lie one after the other within its 120 s, got 120-130"):
        next(late.recordings())
    (tmp_path / "chb24" / "chb24-summary.txt").write_text(text.format(110, 130), encoding="utf-8")
    (recording,) = datasets.get("chbmit", tmp_path).recordings()
    assert recording.annotations.stops[-1] == recording.n_samples


def test_the_root_may_be_the_folder_of_a_case(data: datasets.Dataset) -> None:
    one = datasets.get("chbmit", data.root / "chb02")
    assert one.record_names == ("chb02_16", "chb02_16+", "chb02_19")
    assert len(list(one.recordings())) == 3


def test_files_of_a_record_are_its_own_and_the_summary(data: datasets.Dataset) -> None:
    assert data.stems_of("chb17a_03") == ("chb17a_03", "chb17-summary")


def test_patients_are_split_in_the_order_of_their_files(data: datasets.Dataset) -> None:
    plan = data.resolve(datasets.get_protocol("chbmit-patient"))
    assert plan.train == ("chb01_01", "chb01_03", "chb02_16", "chb12_06", "chb12_27", "chb17a_03", "chb21_19")
    assert plan.test == ("chb01_04", "chb02_16+", "chb02_19", "chb12_28", "chb17b_63", "chb21_20")
    assert plan.shared_subjects == ("chb01+chb21", "chb02", "chb12", "chb17")


def test_a_case_with_seizures_in_one_file_alone_has_no_part(data: datasets.Dataset, tmp_path: Path) -> None:
    text = SUMMARY.replace("chb24_03+.edf\nNumber of Seizures in File:1\n", "\n").partition("Seizure Start Time:2996")[
        0
    ]
    few = with_summary(tmp_path, "chb24", text, "chb24_01", source=data)
    with pytest.warns(BiosigWarning, match="chbmit-patient: seizures in fewer than two files, no part of it: chb24"):
        plan = few.resolve(datasets.get_protocol("chbmit-patient"))
    assert plan.train == plan.test == ()


def test_the_split_follows_the_summary_whatever_is_there(data: datasets.Dataset, tmp_path: Path) -> None:
    seizures = {"chb05_01": 0, "chb05_02": 1, "chb05_10": 3, "chb05_11": 1, "chb05_12": 0}
    text = "".join(
        f"File Name: {name}.edf\nNumber of Seizures in File: {n}\n"
        + "".join(
            f"Seizure {k} Start Time: {100 * k} seconds\nSeizure {k} End Time: {100 * k + 9} seconds\n"
            for k in range(n)
        )
        for name, n in reversed(seizures.items())
    )
    some = with_summary(tmp_path, "chb05", text, "chb05_02", "chb05_12", source=data)
    plan = some.resolve(datasets.get_protocol("chbmit-patient"))
    assert plan.train == ("chb05_01", "chb05_02", "chb05_10")
    assert plan.test == ("chb05_11", "chb05_12")
    assert some.records_of(plan, "train") == ("chb05_02",)
    assert some.records_of(plan, "test") == ("chb05_12",)


def test_both_protocols_say_how_they_split() -> None:
    across, within = (datasets.get_protocol(name) for name in ("chbmit", "chbmit-patient"))
    assert across.open
    assert (across.task, within.task) == ("seizures", "seizures")
    assert not within.open
    assert "train fold earlier, test fold later" in repr(within)
    assert replace(across, name="x").folds == {}
