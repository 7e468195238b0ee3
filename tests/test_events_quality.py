"""Signal quality: each reason has a lead that shows it, and good leads have none."""

from __future__ import annotations

import numpy as np
import pytest

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import ParameterError
from biosig_lstm.events.quality import SignalQuality, signal_quality
from biosig_lstm.formats.wfdb import read_wfdb

FS = 360.0
WINDOW = slice(3600, 7200)


@pytest.fixture
def ecg():
    return synthetic_ecg(fs=FS, duration_s=30, seed=1)[0].copy()


def reasons(signals):
    return [q.reason for q in signal_quality(signals, FS)]


def test_good_leads_have_no_reason(ecg):
    windows = signal_quality(ecg, FS)
    assert all(q.usable for q in windows)
    assert [(q.channel, q.start, q.stop) for q in windows[:3]] == [(0, 0, 3600), (0, 3600, 7200), (0, 7200, 10800)]
    assert len(windows) == 6


def missing(x):
    x[:800] = np.nan


def flat(x):
    x[1000:] = x[1000]


def clipped(x):
    np.clip(x, -0.1, 0.1, out=x)


def noise(x):
    x += 2 * np.sin(2 * np.pi * 60 * np.arange(len(x)) / FS)


def no_beats(x):
    x[:] = 0.001 * np.cumsum(np.random.default_rng(0).normal(size=len(x)))


@pytest.mark.parametrize("spoil", [missing, flat, clipped, noise, no_beats])
def test_each_reason_is_named_where_it_holds(ecg, spoil):
    spoil(ecg[1, WINDOW])
    expected = spoil.__name__.replace("_", " ")
    assert reasons(ecg) == ["", "", "", "", expected, ""]


def test_real_leads_are_usable(data_root):
    recording = read_wfdb(data_root("mitdb") / "101", annotator=None)
    assert all(q.usable for q in signal_quality(recording.signals, recording.fs))


def test_lost_lead_of_record_116_is_seen(data_root):
    recording = read_wfdb(data_root("mitdb") / "116", annotator=None)
    bad = [q for q in signal_quality(recording.signals, recording.fs) if not q.usable]
    assert {(q.channel, q.reason) for q in bad} == {(0, "clipped")}


def test_step_adds_joined_stretches_and_keeps_what_is_there(ecg):
    ecg[1, 3600:] = 0.0
    recording = Recording(ecg, FS, ("MLII", "V1"), ("mV", "mV"), annotations=Annotations([5], labels=["N"]))
    marks = SignalQuality()(recording).annotations
    assert marks == Annotations([5, 3600], [5, 10800], ["N", "unusable"], ["", "V1: flat"])


def test_nothing_to_judge_gives_nothing():
    assert signal_quality(np.zeros((2, 0)), FS) == []


@pytest.mark.parametrize(
    ("signals", "fs", "window_s", "message"),
    [
        (np.zeros((1, 1, 9)), 100.0, 10.0, "signals must be"),
        (np.zeros(9), 0.0, 10.0, "fs must be a positive number of Hz, got 0"),
        (np.zeros(9), 100.0, 1.0, "window_s must be 2 s or more, got 1"),
    ],
)
def test_arguments_outside_the_allowed_are_refused(signals, fs, window_s, message):
    with pytest.raises(ParameterError, match=message):
        signal_quality(signals, fs, window_s=window_s)
