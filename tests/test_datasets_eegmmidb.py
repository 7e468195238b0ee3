"""EEG of movement and imagery: what a code means in a run, names of electrodes, who is left out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets import eegmmidb
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.windows import FixedLength

CODES = {
    3: ("rest", "executed left fist", "executed right fist"),
    4: ("rest", "imagined left fist", "imagined right fist"),
    5: ("rest", "executed both fists", "executed both feet"),
    6: ("rest", "imagined both fists", "imagined both feet"),
    7: ("rest", "executed left fist", "executed right fist"),
    8: ("rest", "imagined left fist", "imagined right fist"),
    9: ("rest", "executed both fists", "executed both feet"),
    10: ("rest", "imagined both fists", "imagined both feet"),
    11: ("rest", "executed left fist", "executed right fist"),
    12: ("rest", "imagined left fist", "imagined right fist"),
    13: ("rest", "executed both fists", "executed both feet"),
    14: ("rest", "imagined both fists", "imagined both feet"),
}
"""T0, T1 and T2 of each run, as PhysioNet's page of the database states them."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("eegmmidb")
    eegmmidb.write_sample(root)
    return root


def write_codes(path: Path, codes: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).normal(0, 20, 160 * max(len(codes), 1))
    write_edf(path, [EdfChannel("Fc5.", values, 160)], [(k, 1.0, code) for k, code in enumerate(codes)])


@pytest.mark.parametrize("run", sorted(CODES))
def test_a_code_means_what_was_asked_in_its_run(tmp_path: Path, run: int) -> None:
    write_codes(tmp_path / "S007" / f"S007R{run:02d}.edf", ["T0", "T1", "T0", "T2"])
    (recording,) = datasets.get("eegmmidb", tmp_path).recordings()
    zero, one, two = CODES[run]
    assert recording.annotations.labels.tolist() == [zero, one, zero, two]
    assert recording.annotations.notes.tolist() == ["T0", "T1", "T0", "T2"]
    assert recording.annotations.starts.tolist() == [0, 160, 320, 480]


@pytest.mark.parametrize(
    ("run", "code", "label"), [(1, "T0", "eyes open"), (1, "T1", "eyes open"), (2, "T0", "eyes closed")]
)
def test_a_baseline_is_what_it_is_whatever_its_code(tmp_path: Path, run: int, code: str, label: str) -> None:
    write_codes(tmp_path / "S089" / f"S089R{run:02d}.edf", [code])
    (recording,) = datasets.get("eegmmidb", tmp_path).recordings()
    assert recording.annotations.labels.tolist() == [label]


def test_every_run_is_of_one_kind() -> None:
    kinds = [runs for name, runs in eegmmidb.RUNS.items() if name != "all"]
    assert sorted(run for runs in kinds for run in runs) == list(eegmmidb.RUNS["all"]) == list(range(1, 15))


def test_the_four_irregular_people_are_left_out_unless_asked_for(written: Path) -> None:
    data = datasets.get("eegmmidb", written)
    assert set(data.subjects.values()) == {"S001", "S002"}
    assert not any(record[:4] in eegmmidb.IRREGULAR for record in data.absent)
    assert len(data) + len(data.absent) == 105 * 14
    with pytest.raises(DataError, match=r"record S088R04 is left out: S088 is irregular .* irregular='kept' reads it"):
        data.recordings("S088R04")
    kept = datasets.get("eegmmidb", written, irregular="kept")
    assert set(kept.subjects.values()) == {"S001", "S002", "S088"}
    (recording,) = kept.recordings("S088R04")
    assert recording.fs == 128.0
    assert recording.annotations.starts[1] == round(4.2 * 128)


def test_runs_choose_recordings(written: Path) -> None:
    data = datasets.get("eegmmidb", written, runs="imagined fist")
    assert data.record_names == ("S001R04", "S002R04")
    assert len(data) + len(data.absent) == 105 * 3
    with pytest.raises(DataError, match=r"record S001R01 is left out: it is run 1, not one of runs='imagined fist'"):
        data.recordings(["S001R04", "S001R01"])
    assert [r.id for r in data.recordings(iter(["S002R04"]))] == ["S002R04"]


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"runs": "imagined fists"}, "runs 'imagined fists'.*possible: "),
        ({"irregular": "drop"}, "irregular 'drop'; possible: "),
    ],
)
def test_a_setting_that_is_none_is_refused(written: Path, setting: dict[str, str], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        datasets.get("eegmmidb", written, **setting)


def test_names_and_values_are_those_of_mne(written: Path) -> None:
    (recording,) = datasets.get("eegmmidb", written).recordings("S002R03")
    raw = mne.io.read_raw_edf(written / "S002" / "S002R03.edf", verbose="error")
    assert raw.ch_names[:3] == ["Fc5.", "Fc3.", "Fc1."]
    mne.datasets.eegbci.standardize(raw)
    assert recording.channels == tuple(raw.ch_names) == eegmmidb.CHANNELS
    np.testing.assert_allclose(recording.signals, 1e6 * raw.get_data(), atol=0.01)
    np.testing.assert_allclose(recording.annotations.starts / recording.fs, raw.annotations.onset, atol=0.5 / 160)
    assert recording.annotations.notes.tolist() == raw.annotations.description.tolist()


def test_the_classes_of_the_protocol_are_in_its_recordings(written: Path) -> None:
    protocol = datasets.get_protocol("eegmmidb")
    data = datasets.get("eegmmidb", written, **protocol.settings)
    cut = FixedLength(length_s=1.0, classes=protocol.classes)
    found = np.concatenate([cut(recording).y for recording in data.recordings()])
    assert protocol.open
    assert set(found.tolist()) == {-1, 0, 1}


def test_recordings_may_lie_at_the_root(written: Path, tmp_path: Path) -> None:
    shutil.copy(written / "S001" / "S001R04.edf", tmp_path)
    (tmp_path / "other.edf").write_bytes(b"nothing")
    (recording,) = datasets.get("eegmmidb", tmp_path).recordings()
    assert (recording.id, recording.subject) == ("S001R04", "S001")


def test_other_annotations_are_left_out_under_a_warning_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    write_codes(tmp_path / "S003" / "S003R04.edf", ["T1", "blink"])
    write_codes(tmp_path / "S004" / "S004R04.edf", ["blink"])
    data = datasets.get("eegmmidb", tmp_path)
    with pytest.warns(BiosigWarning, match="S003R04: annotations other than T0 T1 T2 left out: blink"):
        (recording,) = data.recordings("S003R04")
    assert recording.annotations.labels.tolist() == ["imagined left fist"]
    with pytest.raises(
        DataError, match="record S004R04 cannot be read: S004R04: has no trial, none of its 1 annotations"
    ):
        list(data.recordings("S004R04"))


@pytest.mark.parametrize(
    ("record", "match"), [("S001R15", "run 15 is none of 1 to 14"), ("S001", "S001 must be S, three")]
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, record: str, match: str) -> None:
    write_codes(tmp_path / "S001" / f"{record}.edf", ["T0"])
    with pytest.raises(DataError, match=match):
        datasets.get("eegmmidb", tmp_path).read(record)


def test_the_card_names_14_runs_of_109_people() -> None:
    card = datasets.card("eegmmidb")
    assert len(card.records) == 14 * 109
    assert set(eegmmidb.IRREGULAR) <= {record[:4] for record in card.records}
    assert all(name in card.notes for name in eegmmidb.IRREGULAR)


def test_real_recordings(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("eegmmidb", data_root("eegmmidb"), runs="imagined fist")
    for recording in data.recordings():
        assert recording.channels == eegmmidb.CHANNELS
        assert (recording.fs, set(recording.units), recording.subject) == (160.0, {"uV"}, recording.id[:4])
        assert recording.annotations.labels.tolist()[::2] == ["rest"] * 15
        assert set(recording.annotations.labels.tolist()[1::2]) == {"imagined left fist", "imagined right fist"}
        assert 5 < float(np.median(recording.signals.std(axis=1))) < 100
    raw = mne.io.read_raw_edf(data.root / "S001" / "S001R04.edf", verbose="error")
    (recording,) = data.recordings("S001R04")
    np.testing.assert_allclose(recording.signals, 1e6 * raw.get_data(), atol=1e-3)
