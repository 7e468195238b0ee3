"""Sleep-EDF Expanded: nights and their hypnograms, whose they are, wake cropped, the real hypnograms."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.containers import Recording
from biosig_lstm.datasets import sleep_edf
from biosig_lstm.datasets._written_edf import EdfChannel, Note, write_edf
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.events.sleep_stages import SleepStages
from biosig_lstm.windows import Epochs

START = slice(168, 184)
"""Where the header of an EDF file has the date and the time of its beginning."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sleep_edf")
    sleep_edf.write_sample(root)
    return root


def write_night(root: Path, notes: list[Note], *, length_s: int = 300, record: str = "SC4001E0") -> None:
    root.mkdir(exist_ok=True)
    values = np.random.default_rng(0).normal(0, 20, length_s)
    write_edf(root / f"{record}-PSG.edf", [EdfChannel("EEG Fpz-Cz", values, 1)])
    write_edf(root / f"{record[:7]}C-Hypnogram.edf", [], notes)


def said(recording: Recording) -> list[str]:
    return [text.removeprefix("Sleep stage ") for text in recording.annotations.labels.tolist()]


def cropped(stages: list[str]) -> list[str]:
    """Return what the published preparation of TinySleepNet keeps: 60 epochs around those that are not wake."""
    asleep = np.flatnonzero(np.isin(stages, ["1", "2", "3", "4", "R"]))
    return stages[max(0, asleep[0] - 60) : asleep[-1] + 60 + 1]


def test_both_nights_of_a_person_are_one_subject(written: Path) -> None:
    data = datasets.get("sleep_edf", written)
    assert data.subjects == {"SC4001E0": "SC400", "SC4002E0": "SC400", "SC4011E0": "SC401", "ST7011J0": "ST701"}
    for recording in data.recordings():
        assert recording.fs == 100.0
        assert recording.channels[:3] == ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal")
        assert set(recording.units) == {"uV"}
        assert (recording.annotations.stops - recording.annotations.starts).tolist() == [3000] * len(
            recording.annotations
        )


@pytest.mark.parametrize(
    ("cohort", "held", "people", "published"),
    [("all", 4, 100, 197), ("sleep-edf-20", 3, 20, 39), ("cassette", 3, 78, 153), ("telemetry", 1, 22, 44)],
)
def test_cohorts_are_as_large_as_papers_say(written: Path, cohort: str, held: int, people: int, published: int) -> None:
    data = datasets.get("sleep_edf", written, cohort=cohort)
    records = {*data.record_names, *data.absent}
    assert (len(data), len(records), len({data.subject_of(record) for record in records})) == (held, published, people)


def test_wake_is_cropped_to_half_an_hour_around_sleep_unless_asked_for(written: Path) -> None:
    (whole,) = datasets.get("sleep_edf", written, wake="whole").recordings("SC4001E0")
    (night,) = datasets.get("sleep_edf", written).recordings("SC4001E0")
    assert whole.duration_s == 2 * 1980 + 480 + 90
    assert said(night) == cropped(said(whole))
    assert night.duration_s == 30 * len(said(night)) == 2 * 1800 + 480 + 90 - 60
    first = (1980 + 60 - 1800) * 100
    np.testing.assert_array_equal(night.signals, whole.signals[:, first : first + night.n_samples])


def test_values_and_stages_are_those_of_mne(written: Path) -> None:
    (night,) = datasets.get("sleep_edf", written, wake="whole").recordings("SC4011E0", channels=["EEG Pz-Oz"])
    folder = written / "sleep-cassette"
    raw = mne.io.read_raw_edf(folder / "SC4011E0-PSG.edf", include=["EEG Pz-Oz"], verbose="error")
    np.testing.assert_allclose(night.signals, 1e6 * raw.get_data(), atol=0.02)
    marks = mne.read_annotations(folder / "SC4011EH-Hypnogram.edf")
    events, ids = mne.events_from_annotations(
        raw.set_annotations(marks, emit_warning=False), chunk_duration=30.0, verbose="error"
    )
    words = {code: str(text) for text, code in ids.items()}
    assert night.annotations.labels.tolist() == [words[code] for code in events[:, 2]]
    assert night.annotations.starts.tolist() == events[:, 0].tolist()


def test_epochs_of_a_night_have_the_five_stages(written: Path) -> None:
    (night,) = datasets.get("sleep_edf", written).recordings("SC4001E0", channels=["EEG Fpz-Cz"])
    windows = Epochs()(SleepStages()(night))
    assert windows.y is not None
    assert set(windows.y.tolist()) == {0, 1, 2, 3, 4}


def test_what_nobody_scored_and_movement_is_no_class(tmp_path: Path) -> None:
    write_night(
        tmp_path,
        [(0, 60, "Sleep stage 2"), (60, 30, "Movement time"), (90, 60, "Sleep stage ?"), (150, 45, "Sleep stage 4")],
    )
    (night,) = datasets.get("sleep_edf", tmp_path).recordings()
    assert said(night) == ["2", "2", "Movement time", "?", "?", "4", "4"]
    assert night.annotations.stops.tolist()[-2:] == [180, 195]
    assert SleepStages()(night).annotations.labels.tolist() == ["N2", "N2", "N3", "N3"]


def test_a_hypnogram_longer_than_its_night_is_cut(tmp_path: Path) -> None:
    write_night(tmp_path, [(0, 270, "Sleep stage 2"), (270, 90, "Sleep stage R"), (360, 900, "Sleep stage 1")])
    (night,) = datasets.get("sleep_edf", tmp_path).recordings()
    assert (night.duration_s, said(night)) == (300.0, ["2"] * 9 + ["R"])


def test_a_hypnogram_of_another_beginning_is_moved_under_a_warning(tmp_path: Path) -> None:
    write_night(tmp_path, [(0, 60, "Sleep stage 1"), (60, 60, "Sleep stage R")])
    path = tmp_path / "SC4001EC-Hypnogram.edf"
    raw = bytearray(path.read_bytes())
    assert raw[START] == b"01.01.0122.00.00"
    raw[START] = b"01.01.0122.01.30"
    path.write_bytes(raw)
    with pytest.warns(BiosigWarning, match=r"SC4001EC-Hypnogram\.edf: begins 90 s after its night, moved so far"):
        (night,) = datasets.get("sleep_edf", tmp_path).recordings()
    assert night.annotations.starts.tolist() == [90, 120, 150, 180]


def test_nobody_slept_and_annotations_that_are_no_stage(tmp_path: Path) -> None:
    write_night(tmp_path, [(0, 300, "Sleep stage W")])
    with pytest.warns(BiosigWarning, match="SC4001E0: nobody slept, kept whole"):
        (night,) = datasets.get("sleep_edf", tmp_path).recordings()
    assert said(night) == ["W"] * 10
    write_night(tmp_path, [(0, 300, "Sleep stage 2"), (10, 5, "Lights off")])
    with pytest.warns(BiosigWarning, match="annotations that are no stage left out: Lights off"):
        (night,) = datasets.get("sleep_edf", tmp_path).recordings()
    assert said(night) == ["2"] * 10


def test_a_night_without_its_hypnogram_is_named(written: Path, tmp_path: Path) -> None:
    shutil.copy(written / "sleep-cassette" / "SC4002E0-PSG.edf", tmp_path)
    data = datasets.get("sleep_edf", tmp_path)
    with pytest.raises(DataError, match=r"record SC4002E0 cannot be read: no file SC4002E\?-Hypnogram\.edf in "):
        list(data.recordings())
    for letter in "CH":
        shutil.copy(written / "sleep-cassette" / "SC4002EC-Hypnogram.edf", tmp_path / f"SC4002E{letter}-Hypnogram.edf")
    with pytest.raises(DataError, match=r"2 hypnograms of one night: SC4002EC-Hypnogram\.edf, SC4002EH-Hypnogram\.edf"):
        list(data.recordings())


def test_a_hypnogram_that_says_nothing_of_its_night_is_refused(tmp_path: Path) -> None:
    write_night(tmp_path, [(900, 30, "Sleep stage 2")])
    with pytest.raises(DataError, match="stages nothing of the night's 300 s"):
        list(datasets.get("sleep_edf", tmp_path).recordings())


@pytest.mark.parametrize(
    ("setting", "match"),
    [({"cohort": "SC"}, "cohort 'SC'.*possible: "), ({"wake": "30"}, "wake '30'.*possible: ")],
)
def test_a_setting_that_is_none_is_refused(written: Path, setting: dict[str, str], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        datasets.get("sleep_edf", written, **setting)


def test_every_record_has_a_scorer_and_its_files_are_known() -> None:
    card = datasets.card("sleep_edf")
    listed = sorted(record for records in sleep_edf.SCORERS.values() for record in records.split())
    assert listed == sorted(card.records)
    assert len(listed) == 197
    stems = sleep_edf.SleepEdf.stems_of
    assert stems("SC4011E0") == ("SC4011E0-PSG", "SC4011EH-Hypnogram")
    assert stems("sleep-telemetry") == ("sleep-telemetry",)


@pytest.mark.parametrize(("name", "cohort"), [("sleep-edf-20", "sleep-edf-20"), ("sleep-edf-78", "cassette")])
def test_protocols_name_their_cohort_and_crop(name: str, cohort: str) -> None:
    protocol = datasets.get_protocol(name)
    assert protocol.open
    assert (protocol.task, protocol.classes) == ("stages", ("W", "N1", "N2", "N3", "R"))
    assert protocol.settings == {"cohort": cohort, "wake": "30 min"}


@pytest.mark.parametrize("night", ["SC4001EC", "SC4022EJ", "SC4082EP"])
def test_real_hypnograms(data_root: Callable[[str], Path], tmp_path: Path, night: str) -> None:
    real = data_root("sleep-edf-hypnograms") / f"{night}-Hypnogram.edf"
    marks = mne.read_annotations(real)
    length_s = int(marks.onset[-1])  # the last, unscored stretch lies after the night
    write_night(tmp_path, [], length_s=length_s, record=f"{night[:7]}0")
    (tmp_path / f"{night[:7]}C-Hypnogram.edf").unlink()
    shutil.copy(real, tmp_path)
    path = tmp_path / f"{night[:7]}0-PSG.edf"
    raw = bytearray(path.read_bytes())
    raw[START] = real.read_bytes()[START]
    path.write_bytes(raw)
    expected = [
        str(text).removeprefix("Sleep stage ")
        for onset, wide, text in zip(marks.onset, marks.duration, marks.description, strict=True)
        for _ in range(round(wide / 30))
        if onset < length_s
    ]
    (whole,) = datasets.get("sleep_edf", tmp_path, wake="whole").recordings()
    (kept,) = datasets.get("sleep_edf", tmp_path).recordings()
    assert said(whole) == expected
    assert said(kept) == cropped(expected)
    assert 700 < len(said(kept)) < 1500 < len(expected)
