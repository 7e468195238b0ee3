"""LUDB in both layouts, what is left open in its marks, and the real records against the wfdb package."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import wfdb

from biosig_lstm import datasets
from biosig_lstm.containers import Waves
from biosig_lstm.datasets.ludb import LEADS, write_sample
from biosig_lstm.errors import DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ludb")
    write_sample(folder)
    return folder


def test_records_below_data_and_at_the_root_itself_are_the_same(root: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    shutil.copytree(root / "data", flat)
    one, other = datasets.get("ludb", root), datasets.get("ludb", flat)
    assert one.record_names == other.record_names == ("1", "2", "3", "4")
    assert list(one.recordings()) == list(other.recordings())


def test_it_is_found_below_a_folder_of_databases(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "ludb")
    assert len(datasets.get("ludb", tmp_path)) == 4


def test_each_lead_has_marks_of_its_own_under_its_name(root: Path) -> None:
    (recording,) = datasets.get("ludb", root).recordings(["2"])
    assert (recording.channels, recording.fs, recording.n_samples) == (LEADS, 500.0, 5000)
    assert set(recording.annotations.notes.tolist()) == set(LEADS)
    waves = {lead: Waves.from_annotations(recording.annotations, note=lead) for lead in LEADS}
    assert {len(found) for found in waves.values()} == {len(waves["i"])}
    lacking = [lead for lead, found in waves.items() if np.isnan(found.onsets).any()]
    assert lacking == ["v1"]


def test_marks_are_those_of_the_wfdb_package(root: Path) -> None:
    (recording,) = datasets.get("ludb", root).recordings(["1"])
    for lead in ("i", "v6"):
        read = wfdb.rdann(str(root / "data" / "1"), lead)
        own = recording.annotations[recording.annotations.notes == lead]
        np.testing.assert_array_equal(own.starts, read.sample)
        assert own.labels.tolist() == list(read.symbol)


def test_a_lead_without_a_file_has_no_marks_and_a_record_without_any_is_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "data", tmp_path / "some")
    (tmp_path / "some" / "1.v2").unlink()
    for lead in LEADS:
        (tmp_path / "some" / f"2.{lead}").unlink()
    data = datasets.get("ludb", tmp_path / "some")
    (first,) = data.recordings(["1"])
    assert set(first.annotations.notes.tolist()) == set(LEADS) - {"v2"}
    with pytest.raises(DataError, match=r"record 2 cannot be read: 2: no lead has annotations: 2\.i is not beside it"):
        next(data.recordings(["2"]))


def test_the_table_tells_rhythm_and_age(root: Path, tmp_path: Path) -> None:
    facts = datasets.get("ludb", root).facts()
    assert set(facts) == {"1", "2", "3", "4"}
    assert facts["3"] == {"Sex": "F", "Age": "43", "Rhythms": "Atrial fibrillation", "Other states": ""}
    shutil.copytree(root / "data", tmp_path / "flat")
    with pytest.raises(DataError, match=r"no ludb\.csv in .*flat; it comes from https://physionet"):
        datasets.get("ludb", tmp_path / "flat").facts()
    (tmp_path / "ludb.csv").write_text("Record,Sex\n1,F\n")
    with pytest.raises(DataError, match="no column ID, its columns are Record, Sex"):
        datasets.get("ludb", tmp_path / "flat").facts()


def test_the_protocol_is_scored_on_whoever_a_model_has_not_seen() -> None:
    plan = datasets.get_protocol("ludb")
    assert (plan.open, plan.task, plan.classes) == (True, "waves", ("P", "QRS", "T"))
    assert len(datasets.card("ludb").records) == 200


def test_the_real_records(data_root) -> None:
    data = datasets.get("ludb", data_root("ludb"))
    assert len(data) == len(data.subjects) > 100
    counts: Counter[str] = Counter()
    for recording in data.recordings(data.record_names[:12]):
        assert (recording.channels, recording.fs, recording.n_samples) == (LEADS, 500.0, 5000)
        for lead in LEADS:
            read = wfdb.rdann(str(data.folder / recording.id), lead)
            own = recording.annotations[recording.annotations.notes == lead]
            np.testing.assert_array_equal(own.starts, read.sample)
            counts.update(Waves.from_annotations(own).labels.tolist())
    assert min(counts.values()) > 500
    assert set(data.facts()) == set(data.record_names)
