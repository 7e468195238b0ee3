"""EEG files of every family: those that others made, those that MNE writes, and the commands on them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest
from edf_files import EdfFile, Signal, eeg

from biosig_lstm import Classifier, ConvBiLSTM, Pieces, cli
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.filters import Channels, Normalize, Resample
from biosig_lstm.formats import find_recordings, open_recording
from biosig_lstm.formats.eeg import open_edf, read_eeg
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.scoring import classify_files

READ = {
    "multiple_annotation_chans.bdf": (18, 125.0), "test_bdf_stim_channel.bdf": (3, 500.0),
    "Analyzer_nV_Export.vhdr": (32, 500.0), "test_NO.vhdr": (65, 5000.0), "test_VAmp.ahdr": (6, 500.0),
    "chtypes_edf.edf": (42, 200.0), "subsecond_starttime.edf": (3, 512.0),
    "test_edf_overlapping_annotations.edf": (64, 128.0), "test_generator_2.edf": (11, 200.0),
    "test_reduced.edf": (125, 512.0), "test_utf8_annotations.edf": (11, 200.0), "test_raw_2021.set": (3, 128.0),
    "test_raw_chanloc.set": (61, 128.0), "test_raw_chanloc_fids.set": (129, 500.0), "test_1ch.gdf": (1, 150.0),
    "short_psg.edf": (3, 100.0), "subject1.edf": (31, 200.0),
}  # fmt: skip
REFUSED = {
    "scan41_short.cnt": "MNE cannot read it: RuntimeError: Could not automatically compute number of bytes",
    "test_epochs_onefile.set": "MNE cannot read it: TypeError: The number of trials is 4. It must be 1 for raw files",
    "test_raw.set": "MNE cannot read it: FileNotFoundError: File .*test_raw.fdt not found",
}


def quietly(path: Path, **choice: object) -> Recording:
    """Read a file whose oddities other tests look at."""
    with warnings.catch_warnings(action="ignore", category=BiosigWarning):
        return open_recording(path, **choice)  # type: ignore[arg-type]


def by_mne(path: Path) -> mne.io.BaseRaw:
    """Return what MNE reads, labels in Latin-1 where they are not UTF-8."""
    more = {"encoding": "latin1"} if path.name == "subject1.edf" else {}
    with warnings.catch_warnings(action="ignore"):
        return mne.io.read_raw(path, preload=False, verbose="error", **more)


def test_every_sample_file_is_read_or_refused_with_the_reason(data_root: Callable[[str], Path]) -> None:
    found = find_recordings(data_root("eeg-samples"))
    assert {path.name for path in found} == {*READ, *REFUSED}
    for path in found:
        if path.name in REFUSED:
            with pytest.raises(DataError, match=REFUSED[path.name]):
                open_recording(path)
            continue
        got = quietly(path)
        assert (len(got.channels), got.fs) == READ[path.name]
        assert np.isfinite(got.signals).all()


def real_edf(data_root: Callable[[str], Path]) -> list[Path]:
    roots = [data_root(name) for name in ("eeg-samples", "eegmat", "eegmmidb")]
    return [path for path in find_recordings(roots) if path.suffix in {".edf", ".bdf"}]


def test_real_edf_and_bdf_files_are_mnes_within_one_step(data_root: Callable[[str], Path]) -> None:
    paths = real_edf(data_root)
    assert len(paths) >= 30
    for path in paths:
        got, raw, record = quietly(path, stop_s=4), by_mne(path), Steps(path)
        with warnings.catch_warnings(action="ignore"):
            theirs = raw.get_data(stop=round(4 * raw.info["sfreq"]))
        assert got.fs == raw.info["sfreq"]
        steps = {name: (record.step_uv(name), k) for k, name in enumerate(record.channels)}
        for name, unit, values in zip(got.channels, got.units, got.signals, strict=True):
            step, row = steps[name]
            scale = 1e6 if unit == "uV" else 1.0
            np.testing.assert_allclose(values, theirs[row] * scale, rtol=1e-5, atol=step, err_msg=f"{path} {name}")


class Steps:
    """The steps of a file's channels, in the unit that they are read in."""

    def __init__(self, path: Path) -> None:
        with warnings.catch_warnings(action="ignore"):
            record = open_edf(path)
        signals = [signal for signal in record.header.signals if not signal.is_annotation]
        scale = {"V": 1e6, "mV": 1e3, "nV": 1e-3}
        self.channels = record.channels
        self._steps = [abs(signal.gain) * scale.get(signal.unit, 1.0) for signal in signals]

    def step_uv(self, name: str) -> float:
        return self._steps[self.channels.index(name)]


def test_annotations_of_real_files_are_mnes(data_root: Callable[[str], Path]) -> None:
    for path in real_edf(data_root):
        got, raw = quietly(path), by_mne(path)
        marks, length = got.annotations, raw.n_times / raw.info["sfreq"]
        theirs = [(a, b, c) for a, b, c in zip(raw.annotations.onset, raw.annotations.duration,
                                                raw.annotations.description, strict=True) if a < length]  # fmt: skip
        assert sorted(marks.labels.tolist()) == sorted(str(text) for _, _, text in theirs)
        np.testing.assert_allclose(marks.starts / got.fs, [one[0] for one in theirs], atol=0.5 / got.fs)
        lasting = [min(one[1], length - one[0]) for one in theirs]
        np.testing.assert_allclose((marks.stops - marks.starts) / got.fs, lasting, atol=1.01 / got.fs)


def test_labels_that_are_not_ascii_and_units_in_volts(data_root: Callable[[str], Path]) -> None:
    path = data_root("eeg-samples") / "subject1.edf"
    with pytest.warns(BiosigWarning, match="left out 1 Impédance"):
        got = open_recording(path)
    assert {"C3", "C4", "E1", "E2"} <= {name.split("-")[0] for name in got.channels}
    assert quietly(path, channels=["1 Impédance"]).units == ("Ohm",)


@pytest.fixture
def raw() -> mne.io.RawArray:
    """Return two channels of 4 s at 100 Hz and a marker, one more channel marked as bad."""
    values = np.random.default_rng(0).normal(0, 2e-5, (3, 400))
    made = mne.io.RawArray(values, mne.create_info(["Fz", "Cz", "Oz"], 100, "eeg"), verbose="error")
    made.set_annotations(mne.Annotations([1.0], [0.5], ["T1"]))
    made.info["bads"] = ["Oz"]
    return made


def test_fif_with_a_bad_channel(tmp_path: Path, raw: mne.io.RawArray) -> None:
    raw.save(tmp_path / "sub-01_raw.fif.gz", verbose="error")
    got = open_recording(tmp_path / "sub-01_raw.fif.gz", annotator="auto")
    assert (got.id, got.subject, got.channels, got.units) == ("sub-01_raw", "sub-01_raw", ("Fz", "Cz"), ("uV", "uV"))
    assert any("left out Oz: marked as bad" in line for line in got.history)
    np.testing.assert_allclose(got.signals, raw.get_data(picks=["Fz", "Cz"]) * 1e6, atol=1e-4)
    assert (got.annotations.starts.tolist(), got.annotations.labels.tolist()) == ([100], ["T1"])
    part = open_recording(tmp_path / "sub-01_raw.fif.gz", channels=["Oz", "Fz"], start_s=0.5, stop_s=1.2)
    np.testing.assert_allclose(part.signals, raw.get_data(picks=["Oz", "Fz"])[:, 50:120] * 1e6, atol=1e-4)
    assert part.annotations.starts.tolist() == [50]
    with pytest.raises(DataError, match="channel 'Pz'"):
        open_recording(tmp_path / "sub-01_raw.fif.gz", channels=["Pz"])
    with pytest.raises(DataError, match="no stretch from 3 to 5 s, it holds 0 to 4 s"):
        open_recording(tmp_path / "sub-01_raw.fif.gz", start_s=3, stop_s=5)


def test_brainvision_as_the_recorder_writes_it(tmp_path: Path) -> None:
    stored = np.random.default_rng(1).integers(-500, 500, (50, 2)).astype("<i2")
    (tmp_path / "a.eeg").write_bytes(stored.tobytes())
    (tmp_path / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
        "[Marker Infos]\nMk1=Stimulus,S  1,11,1,0\n"
    )
    (tmp_path / "a.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
        "MarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=2\n"
        "SamplingInterval=10000\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=Fz,,0.1,µV\nCh2=Cz,,0.1,µV\n"
    )
    got = open_recording(tmp_path / "a.eeg")
    np.testing.assert_allclose(got.signals, stored.T * 0.1, atol=1e-4)
    assert (got.fs, got.annotations.starts.tolist()) == (100.0, [10])
    assert find_recordings(tmp_path) == [tmp_path / "a.vhdr"]


def night(path: Path, *, hz: float, seed: int) -> Path:
    """Write 20 s: an EEG at 32 Hz with a wave of `hz`, a second at 32 Hz, a slow channel at 1 Hz."""
    rng, t = np.random.default_rng(seed), np.arange(640) / 32
    wave = 300 * np.sin(2 * np.pi * hz * t) + rng.normal(0, 50, 640)
    slow = Signal("Airflow", rng.integers(-300, 300, 20), 1, "uV")
    two = [
        Signal("Pulse", rng.integers(-300, 300, 80), 4, "uV"),
        Signal("Effort", rng.integers(-300, 300, 80), 4, "uV"),
    ]
    return EdfFile([Signal("EEG Fpz-Cz", wave.round().astype(int), 32, "uV"), slow, *two]).write(path)


def test_info_shows_the_channels_of_every_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = night(tmp_path / "n.edf", hz=2, seed=0)
    assert cli.main(["info", str(path)]) == 0
    out = capsys.readouterr()
    assert "Pulse (uV), Effort (uV)" in out.out
    assert "at 32 Hz     EEG Fpz-Cz (uV)" in out.out
    assert "at 1 Hz      Airflow (uV)" in out.out
    assert "left out EEG Fpz-Cz (32 Hz); Airflow (1 Hz)" in out.err
    with warnings.catch_warnings(action="ignore"):
        assert cli.main(["info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fs_hz"] == 4.0


def test_a_model_opens_the_channels_that_it_wants_where_a_file_mixes_rates(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    unseen = [night(tmp_path / "new" / f"{k}.edf", hz=(2, 9)[k % 2], seed=20 + k) for k in range(2)]
    prepare = Pipeline(
        filters=[Channels(("EEG Fpz-Cz",)), Normalize(), Resample(32)], windows=Pieces(5.0, classes=("slow", "fast"))
    )
    parts = []
    for k in range(4):
        one = read_eeg(night(tmp_path / f"s{k}.edf", hz=(2, 9)[k % 2], seed=k), ["EEG Fpz-Cz"])
        parts.append(labelled(one, ("slow", "fast")[k % 2]))
    model = Classifier(prepare, ConvBiLSTM(), task="labels").fit(prepare(parts), max_epochs=1, progress=False)
    assert quietly(unseen[0]).fs == 4.0
    report = classify_files(model, [tmp_path / "new"], out=tmp_path / "out")
    assert report.failed == ()
    assert set(report.counts) == {path.stem for path in unseen}


def labelled(recording: Recording, label: str) -> Recording:
    """Return the recording with one label for all of it."""
    return recording.with_annotations(Annotations([0], [recording.n_samples], [label]))


def test_a_table_of_edf_files_trains_a_classifier(tmp_path: Path) -> None:
    lines = ["path,label,subject"]
    for k in range(4):
        signal = eeg("EEG Cz", n_records=6, width=64, seed=k)
        EdfFile([signal, eeg("EEG Pz", n_records=6, width=64, seed=50 + k)]).write(tmp_path / f"r{k}.edf")
        lines.append(f"r{k}.edf,{('rest', 'task')[k % 2]},s{k}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    model = Classifier.from_table(tmp_path / "table.csv", window_s=3.0, n_splits=2, max_epochs=1, progress=False)
    assert model.classes == ("rest", "task")
    report = classify_files(model, [tmp_path / "r0.edf"], out=tmp_path / "out")
    assert list(report.counts) == ["r0"]
    assert report.failed == ()


def test_a_table_may_name_a_channel_of_another_rate_than_the_commonest(tmp_path: Path) -> None:
    lines = ["path,label,subject"]
    for k in range(4):
        slow = eeg("EMG chin", n_records=40, width=16, seed=k)
        EdfFile([eeg("C3", n_records=40, width=64, seed=k), eeg("C4", n_records=40, width=64, seed=9), slow]).write(
            tmp_path / f"r{k}.edf"
        )
        lines.append(f"r{k}.edf,{('rest', 'task')[k % 2]},s{k}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    model = Classifier.from_table(
        tmp_path / "table.csv", channels=["EMG chin"], n_splits=0, max_epochs=1, progress=False
    )  # fmt: skip
    assert model.columns == ("EMG chin",)
    report = classify_files(model, [tmp_path / "r0.edf"], out=tmp_path / "out")
    assert (list(report.counts), report.failed) == (["r0"], ())
