"""Long sound files named piece after piece: the same answers as of the whole, in memory that does not grow."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosig_lstm as bl
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.containers.rejections import Rejection
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import Classifier, Predictions
from biosig_lstm.estimators._data import windows_of
from biosig_lstm.estimators._long_sound import windows_of_sound
from biosig_lstm.estimators._sound import sound_pipeline
from biosig_lstm.features.against_recording import AgainstRecording
from biosig_lstm.formats.audio import open_audio, read_audio, write_audio
from biosig_lstm.models.spectrogram_bilstm import SpectrogramBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.scoring import tasks
from biosig_lstm.scoring.files import _answered
from biosig_lstm.scoring.tasks._task import Task
from biosig_lstm.steps import names_in
from biosig_lstm.windows import FixedLength, Pieces, WholeRecording

SMALL = SpectrogramBiLSTM((4,), kernels=(5,), strides=(2,), width=16, hidden_size=8, dropout=0.0)
CLASSES = ("high", "low")
RATE_HZ = 2000.0


def tone(hz: float, *, seconds: float, fs: float, seed: int) -> np.ndarray:
    t = np.arange(round(seconds * fs)) / fs
    loud = 0.1 + 0.2 * np.sin(0.37 * t) ** 2
    values = loud * np.sin(2 * np.pi * hz * t) + 0.01 * np.random.default_rng(seed).standard_normal(len(t))
    return values.astype(np.float32)


def trained(windows: Pieces | WholeRecording | FixedLength, *, trim: bool = False) -> Classifier:
    """Return a model of low and high tones at 2 kHz."""
    usual = sound_pipeline(RATE_HZ, windows=windows)
    filters = [*usual.filters, bl.TrimSilence()] if trim else usual.filters
    pipeline = Pipeline(filters=filters, windows=windows, features=usual.features)
    recordings = [
        Recording(
            tone(400 if label == "high" else 150, seconds=10, fs=RATE_HZ, seed=seed)[None],
            RATE_HZ,
            ["sound"],
            ["FS"],
            id=f"{label}{seed}",
            annotations=Annotations([0], [round(10 * RATE_HZ)], [label]),
        )
        for seed in range(2)
        for label in CLASSES
    ]
    model = Classifier(pipeline, SMALL)
    return model.fit(pipeline(recordings), max_epochs=2, batch_size=2, device="cpu", progress=False)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return trained(Pieces(30, classes=CLASSES))


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 100.3 s, which makes four pieces; its second half is higher."""
    fs = 11025.0
    halves = [tone(hz, seconds=50.15, fs=fs, seed=k) for k, hz in enumerate((150, 400))]
    rows = np.stack([np.concatenate(halves), 0.5 * np.concatenate(halves)])
    return write_audio(
        Recording(rows, fs, ["left", "right"], ["FS"] * 2), tmp_path_factory.mktemp("long") / "stereo.wav"
    )


def test_pieces_of_a_file_are_those_of_the_whole(model: Classifier, stereo: Path) -> None:
    said, whole = model.predict(open_audio(stereo)), model.predict(read_audio(stereo))
    assert len(said) == 4
    np.testing.assert_array_equal(said.samples, whole.samples)
    np.testing.assert_array_equal(said.recordings, ["stereo"] * 4)
    np.testing.assert_array_equal(said.durations_s, whole.durations_s)
    np.testing.assert_allclose(said.log_probabilities, whole.log_probabilities, rtol=0, atol=1e-4)
    assert np.ptp(said.log_probabilities[:, 0]) > 1e-2


@pytest.mark.parametrize("trim", [False, True])
def test_what_looks_further_than_a_piece_reads_the_whole(stereo: Path, trim: bool) -> None:
    windows = Pieces(30, classes=CLASSES) if trim else FixedLength(10, classes=CLASSES)
    model = trained(windows, trim=trim)
    said, whole = model.predict(open_audio(stereo)), model.predict(read_audio(stereo))
    np.testing.assert_array_equal(said.log_probabilities, whole.log_probabilities)
    np.testing.assert_array_equal(said.samples, whole.samples)


def test_features_that_look_beyond_their_item_see_the_whole(stereo: Path) -> None:
    usual = sound_pipeline(RATE_HZ, windows=Pieces(30, classes=CLASSES))
    pipeline = Pipeline(
        filters=usual.filters, windows=usual.windows, features=[bl.LogMel(n_mels=8), AgainstRecording()]
    )
    (windows,) = windows_of_sound(open_audio(stereo), pipeline)
    np.testing.assert_array_equal(windows.values, pipeline(read_audio(stereo)).values)


@pytest.mark.parametrize(("rate_hz", "parts"), [(2000.0, 4), (2000.5, 1)])
def test_pieces_of_a_file_have_the_values_of_the_whole(stereo: Path, rate_hz: float, parts: int) -> None:
    pipeline = sound_pipeline(rate_hz, windows=Pieces(30, classes=CLASSES))
    found, whole = list(windows_of_sound(open_audio(stereo), pipeline)), pipeline(read_audio(stereo))
    assert len(found) == parts
    np.testing.assert_array_equal(np.concatenate([part.starts for part in found]), whole.starts)
    np.testing.assert_allclose(np.concatenate([part.values for part in found]), whole.values, rtol=0, atol=1e-4)


def test_what_is_no_recording_is_refused_by_its_kind(stereo: Path) -> None:
    pipeline = sound_pipeline(RATE_HZ, windows=WholeRecording(classes=CLASSES))
    for given in (open_audio(stereo), stereo, str(stereo), [stereo]):
        for prepare in (pipeline, lambda data: windows_of(data, pipeline)):
            with pytest.raises(
                ParameterError, match=r"a Recording or an mne\.io\.Raw is needed, got (AudioFile|.*Path|str)"
            ):
                prepare(given)


def test_long_silence_that_is_read_whole_is_told_of(tmp_path: Path) -> None:
    silent = write_audio(Recording(np.zeros((1, 180_000)), 2000, ["sound"], ["FS"]), tmp_path / "silent.wav")
    pipeline = Pipeline(windows=WholeRecording(classes=CLASSES), features=[bl.LogMel(n_mels=8)])
    with pytest.warns(BiosigWarning, match=r"silent.wav: channel 'sound' is silent: every sample is 0"):
        list(windows_of_sound(open_audio(silent), pipeline))


def test_tasks_that_put_their_question_in_their_own_way_read_their_files() -> None:
    asked = {name: tasks.task(name) for name in names_in(tasks.__name__)}
    assert asked["labels"].takes_sound_files
    assert [name for name, one in asked.items() if one.takes_sound_files and type(one).answer is not Task.answer] == []
    assert not asked["rhythm"].takes_sound_files


def test_what_is_rejected_of_a_long_file_bears_the_name_of_its_rows(stereo: Path) -> None:
    rejected = (Rejection("stereo", 30.0, 60.0, "flat", "", 0.0),)
    said = Predictions(["stereo"], [""], [0], [RATE_HZ], np.zeros((1, 2), np.float32), CLASSES, rejected=rejected)
    model: Any = SimpleNamespace(predict=lambda _: said)
    recording, rows = _answered(model, tasks.task("labels"), stereo, name="b-stereo", annotator=None)
    assert isinstance(rows, Predictions)
    assert (recording.id, recording.n_samples) == ("b-stereo", read_audio(stereo).n_samples)
    assert rows.of("b-stereo").csv_rows().splitlines()[2] == "b-stereo,330750,30.0000,rejected: flat,,"


def test_an_hour_needs_the_memory_of_a_piece(model: Classifier, tmp_path: Path) -> None:
    fs = 4000.0
    minute = tone(300, seconds=60, fs=fs, seed=9)
    path = write_audio(Recording(np.tile(minute, 60)[None], fs, ["sound"], ["FS"]), tmp_path / "hour.wav")
    tracemalloc.start()
    said = model.predict(open_audio(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(said) == 120
    np.testing.assert_array_equal(said.times_s, 30.0 * np.arange(120))
    assert peak < 0.1 * 4 * 3600 * fs


def test_an_hour_is_no_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained(WholeRecording(classes=CLASSES))
    (tmp_path / "in").mkdir()
    hour = write_audio(Recording(np.zeros((1, 3_600_000)), 1000, ["sound"], ["FS"]), tmp_path / "in" / "hour.wav")
    with pytest.raises(DataError, match=r"hour: 3600 s of sound, .* one answer for all .* 600 s are the most"):
        model.predict(open_audio(hour))
    write_audio(
        Recording(tone(400, seconds=2, fs=RATE_HZ, seed=3)[None], RATE_HZ, ["sound"], ["FS"]),
        hour.with_name("word.wav"),
    )
    model.save(tmp_path / "word.biosig")
    out = tmp_path / "out"
    assert main(["classify", str(tmp_path / "word.biosig"), str(tmp_path / "in"), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "hour.wav: " in said.err
    assert "cut it up first" in said.err
    assert "1 failed, 1 done" in said.err


def test_the_command_reads_long_sound_in_pieces(model: Classifier, stereo: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "tones.biosig")
    arguments = ["classify", str(tmp_path / "tones.biosig"), str(stereo), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--annotations", "edf"]) == 0
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["recording"] for row in rows] == ["stereo"] * 4
    whole = model.predict(read_audio(stereo)).at_rate(11025)
    assert [int(row["sample"]) for row in rows] == whole.samples.tolist()
    assert [row["label"] for row in rows] == whole.labels.tolist()
    assert (tmp_path / "out" / "stereo-annotations.edf").is_file()
