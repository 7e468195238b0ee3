"""The command detect: .qrs files that wfdb reads, quality for each 10 s, and what becomes of files that are no ECG."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import wfdb

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.containers import Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.events.rpeaks import rpeaks
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb
from biosig_lstm.scoring import detect_files

Captured = pytest.CaptureFixture[str]
SAMPLE = datasets.get("sample").root


def quality(folder: Path) -> list[dict[str, str]]:
    with (folder / "quality.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def written(folder: Path, name: str, signals: np.ndarray, *, channels: list[str], units: list[str]) -> Path:
    write_wfdb(Recording(signals, 360.0, channels, units, id=name), folder, fmt="16", gain=1000.0)
    return folder / name


def test_wfdb_reads_the_beats_that_were_found(tmp_path: Path, capsys: Captured) -> None:
    assert main(["detect", str(SAMPLE / "s01"), str(SAMPLE / "s02.hea"), "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line, name in zip(lines, ("s01", "s02"), strict=True):
        recording = read_wfdb(SAMPLE / name, annotator=None)
        marks = wfdb.rdann(str(tmp_path / name), "qrs")
        np.testing.assert_array_equal(marks.sample, rpeaks(recording.signals, recording.fs))
        assert set(marks.symbol) == {"N"}
        assert marks.fs == recording.fs
        assert line.split()[:3] == [name, str(len(marks.sample)), "beats"]
        assert line.endswith("MLII V1")


def test_the_beats_of_the_sample_are_the_generated_ones(tmp_path: Path) -> None:
    report = detect_files([SAMPLE], out=tmp_path)
    assert sorted(report.found) == [f"s0{k}" for k in range(1, 9)]
    for name, found in report.found.items():
        truth = wfdb.rdann(str(SAMPLE / name), "atr")
        beats = truth.sample[np.array(truth.symbol) != "+"]
        marks = wfdb.rdann(str(tmp_path / name), "qrs").sample
        assert found.beats == len(marks) == len(beats)
        assert np.abs(marks - beats).max() < 0.15 * truth.fs
        assert found.heart_rate_bpm == pytest.approx(60 / np.median(np.diff(marks) / truth.fs))


def test_quality_says_where_a_lead_is_lost_and_why(tmp_path: Path) -> None:
    signals = read_wfdb(SAMPLE / "s01", annotator=None).signals.copy()
    signals[1, 7200:] = 0.0
    path = written(tmp_path, "lost", signals, channels=["MLII", "V1"], units=["mV", "mV"])
    report = detect_files([path], out=tmp_path / "out")
    rows = quality(tmp_path / "out")
    assert len(rows) == 2 * 15
    assert {row["usable"] for row in rows if row["channel"] == "MLII"} == {"yes"}
    lost = [row for row in rows if row["channel"] == "V1" and float(row["start_s"]) >= 20]
    assert {(row["usable"], row["reason"]) for row in lost} == {("no", "flat")}
    assert report.found["lost"].usable == 1.0


def test_what_was_not_recorded_is_named(tmp_path: Path, capsys: Captured) -> None:
    signals = read_wfdb(SAMPLE / "s01", annotator=None).signals.copy()
    signals[:, 7200:14400] = np.nan
    path = written(tmp_path, "gap", signals, channels=["MLII", "V1"], units=["mV", "mV"])
    assert main(["detect", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "gap: 20 to 40 s left out: missing" in capsys.readouterr().err
    marks = wfdb.rdann(str(tmp_path / "out" / "gap"), "qrs").sample
    assert not ((marks >= 7200) & (marks < 14400)).any()


def test_only_named_ecg_leads_are_searched_unless_told(tmp_path: Path) -> None:
    ecg = read_wfdb(SAMPLE / "s01", annotator=None).signals[:1]
    noise = np.random.default_rng(0).standard_normal(ecg.shape).astype(np.float32)
    path = written(tmp_path, "r", np.concatenate([noise, ecg]), channels=["EEG", "ECG"], units=["mV", "mV"])
    assert detect_files([path], out=tmp_path / "a").found["r"].leads == ("ECG",)
    assert detect_files([path], out=tmp_path / "b", leads=["EEG"]).found["r"].leads == ("EEG",)


def test_a_bad_file_is_reported_and_the_others_are_done(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "broken.hea").write_text("broken 1 360 100\nbroken.dat 212 200\n")
    pressure = np.ones((1, 3600), dtype=np.float32)
    written(tmp_path, "pressure", pressure, channels=["ABP"], units=["mmHg"])
    arguments = [str(tmp_path), str(tmp_path / "absent"), str(SAMPLE / "s01"), "--out", str(tmp_path / "out")]
    assert main(["detect", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out.split()[0] == "s01"
    assert "broken.dat" in err
    assert "no ECG lead among ABP (mmHg); name the leads to search" in err
    assert "absent: no such file or record" in err
    assert "3 failed, 1 done" in err


def test_an_unknown_lead_fails_with_a_guess(tmp_path: Path) -> None:
    report = detect_files([SAMPLE / "s01"], out=tmp_path, leads=["MLI"])
    assert report.found == {}
    assert "MLII" in report.failed[0].reason


def test_too_short_and_empty_recordings_give_no_beats(tmp_path: Path) -> None:
    path = written(tmp_path, "short", np.zeros((1, 30), np.float32), channels=["II"], units=["mV"])
    report = detect_files([path], out=tmp_path / "out")
    assert report.found["short"].beats == 0
    assert np.isnan(report.found["short"].heart_rate_bpm)
    assert report.found["short"].left_out == ((0.0, 30 / 360.0, "too short"),)
    assert report.found["short"].usable == 0.0


def test_out_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="file: it is a file; name a folder"):
        detect_files([SAMPLE / "s01"], out=tmp_path / "file")
