"""EEG during mental arithmetic: labels by file name, one subject for both files, what the real files say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.datasets import eegmat
from biosig_lstm.errors import DataError
from biosig_lstm.formats.eeg import open_edf
from biosig_lstm.splits import split_by_subject
from biosig_lstm.windows import FixedLength


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("eegmat")
    eegmat.write_sample(root)
    return root


def test_the_file_name_is_the_label_and_the_subject(written: Path) -> None:
    found = list(datasets.get("eegmat", written).recordings())
    assert [(r.id, r.subject, r.annotations.labels.tolist(), r.duration_s) for r in found] == [
        (f"Subject0{k}_{n}", f"Subject0{k}", [label], seconds)
        for k in range(3)
        for n, label, seconds in ((1, "rest", 60.0), (2, "arithmetic", 30.0))
    ]
    for recording in found:
        assert recording.channels == eegmat.CHANNELS
        assert (recording.fs, set(recording.units)) == (500.0, {"uV"})
        mark = recording.annotations
        assert (mark.starts.tolist(), mark.stops.tolist()) == ([0], [recording.n_samples])


def test_no_split_parts_the_recordings_of_one_person(written: Path) -> None:
    cut = FixedLength(length_s=2.0, classes=("rest", "arithmetic"))
    windows = Windows.concatenate([cut(recording) for recording in datasets.get("eegmat", written).recordings()])
    train, test = split_by_subject(windows, [0.67, 0.33])
    assert set(train.subjects.tolist()).isdisjoint(test.subjects.tolist())
    assert set(test.recordings.tolist()) == {f"{test.subjects[0]}_1", f"{test.subjects[0]}_2"}


def test_values_are_those_that_mne_reads_the_ecg_in_uv(written: Path) -> None:
    (recording,) = datasets.get("eegmat", written).recordings("Subject01_2")
    raw = mne.io.read_raw_edf(written / "Subject01_2.edf", verbose="error")
    assert tuple(raw.ch_names) == recording.channels
    np.testing.assert_allclose(recording.signals, 1e6 * raw.get_data(), atol=0.01)
    ecg = recording.signals[recording.channels.index("ECG ECG")]
    assert ecg.max() == pytest.approx(800, abs=1)


def test_the_annotation_inside_a_file_is_no_label(written: Path) -> None:
    inside = open_edf(written / "Subject01_1.edf").annotations(500.0)
    assert inside.labels.tolist() == ["[Total time]+60.000"]
    (recording,) = datasets.get("eegmat", written).recordings("Subject01_1")
    assert recording.annotations.labels.tolist() == ["rest"]


def test_facts_are_those_of_the_table_for_who_is_there(written: Path, tmp_path: Path) -> None:
    facts = datasets.get("eegmat", written).facts()
    assert set(facts) == {"Subject00", "Subject01", "Subject02"}
    assert facts["Subject01"] == {
        "Age": "19", "Gender": "F", "Recording year": "2011", "Number of subtractions": "11", "Count quality": "1",
    }  # fmt: skip
    (tmp_path / "Subject02_1.edf").write_bytes((written / "Subject02_1.edf").read_bytes())
    alone = datasets.get("eegmat", tmp_path)
    with pytest.raises(DataError, match=r"eegmat: no subject-info\.csv in .*physionet"):
        alone.facts()
    (tmp_path / "subject-info.csv").write_text("Name,Age\nSubject02,20\n")
    with pytest.raises(DataError, match="no column Subject, its columns are Name, Age"):
        alone.facts()
    (tmp_path / "subject-info.csv").write_text("Subject,Age\nSubject01,19\nSubject02,20\n")
    assert alone.facts() == {"Subject02": {"Age": "20"}}


def test_other_files_are_no_records_and_a_damaged_one_is_named(written: Path, tmp_path: Path) -> None:
    whole = (written / "Subject00_1.edf").read_bytes()
    (tmp_path / "other.edf").write_bytes(whole)
    (tmp_path / "Subject00_1.edf").write_bytes(whole[:1000])
    data = datasets.get("eegmat", tmp_path)
    assert data.record_names == ("Subject00_1",)
    with pytest.raises(DataError, match="eegmat: record Subject00_1 cannot be read"):
        list(data.recordings())
    with pytest.raises(DataError, match=r"Subject00_3 must be Subject, two digits, and _1 \(rest\) or _2"):
        data.read("Subject00_3")


def test_the_card_names_two_recordings_of_36_people() -> None:
    card, protocol = datasets.card("eegmat"), datasets.get_protocol("eegmat")
    assert len(card.records) == 72
    assert protocol.open
    assert (protocol.task, protocol.classes) == ("labels", ("rest", "arithmetic"))


def test_real_recordings(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("eegmat", data_root("eegmat"))
    subjects = set(data.subjects.values())
    assert len(data) == 2 * len(subjects) > 0
    assert set(data.facts()) == subjects
    first = sorted(subjects)[0]
    rest, arithmetic = data.recordings([f"{first}_1", f"{first}_2"])
    assert rest.channels == arithmetic.channels == eegmat.CHANNELS
    assert (rest.fs, set(rest.units)) == (500.0, {"uV"})
    assert rest.duration_s > 2 * arithmetic.duration_s > 100
    assert 5 < float(np.median(rest.signals[:19].std(axis=1))) < 50
