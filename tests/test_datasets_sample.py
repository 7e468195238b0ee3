"""The sample in the package: its files are those that its generator writes, and it is worth learning from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from biosig_lstm import datasets
from biosig_lstm.datasets.sample import write_sample

wfdb = pytest.importorskip("wfdb")
processing = pytest.importorskip("wfdb.processing")

BEATS = ("N", "A", "V")


@pytest.fixture(scope="module")
def sample():
    return datasets.get("sample")


@pytest.fixture(scope="module")
def recordings(sample):
    return {recording.id: recording for recording in sample.recordings()}


def test_files_in_the_package_are_what_seed_0_writes(sample, tmp_path):
    write_sample(tmp_path)
    files = sorted(path.name for path in sample.root.iterdir() if path.name != "card.toml")
    assert files == sorted(path.name for path in tmp_path.iterdir())
    assert len(files) == 3 * 8 + 1
    for name in files:
        assert (tmp_path / name).read_bytes() == (sample.root / name).read_bytes(), name


def test_another_seed_writes_other_subjects(sample, tmp_path):
    write_sample(tmp_path, seed=1)
    assert (tmp_path / "s01.dat").read_bytes() != (sample.root / "s01.dat").read_bytes()


def test_sample_stays_small(sample):
    assert sum(path.stat().st_size for path in sample.root.iterdir()) < 1.5e6


def test_sums_beside_the_card_are_those_of_the_files(sample):
    assert len(sample.verify()) == 24


def test_root_is_in_the_package_whatever_the_environment_says(sample, monkeypatch, tmp_path):
    monkeypatch.setenv("BIOSIG_LSTM_DATA", str(tmp_path))
    assert datasets.get("sample").root == sample.root == sample.card.folder
    assert sample.absent == ()


def test_wfdb_reads_the_same_beats_and_values(sample, recordings):
    for record, recording in recordings.items():
        path = str(Path(sample.root) / record)
        reference, marks = wfdb.rdrecord(path), wfdb.rdann(path, "atr")
        assert (reference.fs, reference.sig_name, reference.fmt) == (360, ["MLII", "V1"], ["212", "212"])
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
        assert recording.annotations.labels.tolist() == marks.symbol
        assert marks.aux_note[0] == recording.annotations.notes[0] == "(N"


def test_every_subject_has_mostly_sinus_beats_and_some_of_each_premature_kind(recordings):
    shares = {kind: [] for kind in BEATS}
    for recording in recordings.values():
        counts = Counter(recording.annotations.labels.tolist())
        total = sum(counts[kind] for kind in BEATS)
        for kind in BEATS:
            shares[kind].append(counts[kind] / total)
        assert min(counts[kind] for kind in BEATS) >= 5
    assert min(shares["N"]) > 0.75
    for kind in ("A", "V"):
        assert 0.05 < np.mean(shares[kind]) < 0.11


def test_sides_of_the_split_share_no_subject_and_make_up_the_whole(sample):
    protocol = datasets.get_protocol("sample-aami")
    assert sorted(protocol.train + protocol.test) == list(sample.record_names)
    assert protocol.shared_subjects == ()
    assert protocol.classes == datasets.get_protocol("mitdb-aami").classes


@pytest.mark.parametrize("record", ["s01", "s08"])
def test_a_published_detector_finds_the_beats(recordings, record):
    recording = recordings[record]
    found = processing.xqrs_detect(recording.signals[0].astype(float), recording.fs, verbose=False)
    beats = recording.annotations[np.isin(recording.annotations.labels, BEATS)].starts
    beats = beats[beats > found[0] - 54]
    distance = np.abs(beats[:, None] - found[None, :])
    assert (distance.min(axis=1) <= 54).mean() > 0.97
    assert (distance.min(axis=0) <= 54).mean() > 0.97


def features(recording):
    """Intervals before and after each beat relative to the mean, and the beat itself every fifth sample."""
    beats = recording.annotations[np.isin(recording.annotations.labels, BEATS)]
    at, reach = beats.starts, np.arange(-72, 144, 5)
    inside = np.flatnonzero((at > 72) & (at < recording.n_samples - 144))[1:-1]
    gaps = np.diff(at)
    intervals = np.stack([gaps[inside - 1], gaps[inside]], axis=1) / gaps.mean()
    shapes = recording.signals[0][at[inside, None] + reach]
    return np.hstack([intervals, shapes - shapes.mean(axis=1, keepdims=True)]), beats.labels[inside]


def test_a_linear_model_learns_the_classes_on_unseen_subjects(sample, recordings):
    protocol = datasets.get_protocol("sample-aami")
    sides = [[features(recordings[record]) for record in side] for side in (protocol.train, protocol.test)]
    (x, y), (x_test, y_test) = ([np.concatenate(part) for part in zip(*side, strict=True)] for side in sides)
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)).fit(x, y)
    scores = f1_score(y_test, model.predict(x_test), labels=BEATS, average=None)
    assert scores.min() > 0.7
