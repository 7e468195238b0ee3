"""Forecasts of recordings: the next RR intervals, the next samples, filters that look ahead."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from forecast_series import QUICK

import biosig_lstm as bl
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning
from biosig_lstm.estimators import Forecaster, Forecasts
from biosig_lstm.features.against_recording import AgainstRecording


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ecg(subject: str, *, seconds: int = 120, fs: float = 200.0) -> Recording:
    """Beats whose interval swings with the breath, under noise."""
    rng = np.random.default_rng(ord(subject))
    at, times = 0.5, []
    while at < seconds - 1:
        times.append(at)
        at += 0.8 + 0.08 * np.sin(2 * np.pi * at / 4) + 0.01 * rng.standard_normal()
    clock = np.arange(int(seconds * fs)) / fs
    row = sum(np.exp(-0.5 * ((clock - t) / 0.02) ** 2) for t in times) + 0.02 * rng.standard_normal(len(clock))
    labels = np.array(["N"] * len(times))
    labels[20] = "V"
    marks = Annotations(np.rint(np.array(times) * fs).astype(int), labels=labels)
    return Recording(row[None], fs, ["II"], ["mV"], id=f"r{subject}", subject=subject, annotations=marks)


def test_the_next_rr_intervals_of_recordings() -> None:
    prepare = bl.Pipeline(events=bl.Beats(), windows=bl.BeatIntervals())
    model = Forecaster(prepare, bl.LSTM(8), horizon_steps=4, targets=("rr",), observed="normal", context_steps=16)
    model.fit([ecg(who) for who in "abcdef"], [ecg("g")], **(QUICK | {"max_epochs": 2}))
    said = model.predict(ecg("x"))
    marks = ecg("x").annotations
    assert said.origins_s.tolist() == [marks.starts[-1] / 200]
    assert np.isnan(said.times_s).all()
    assert (said.targets, said.unit) == (("rr",), "s")
    assert ((said.median > 0.6) & (said.median < 1.0)).all()
    assert model.evaluate([ecg("x"), ecg("y")])["mase_ratio_naive"].value < 0.9
    rows = list(csv.DictReader(io.StringIO(said.csv_rows())))
    assert (rows[0]["time_s"], rows[0]["target"], rows[3]["ahead"]) == ("", "rr", "4")


def test_the_next_samples_of_recordings(tmp_path: Path) -> None:
    prepare = bl.Pipeline(filters=[bl.OneWay(20, rate_hz=50)], windows=bl.WholeRecording())
    model = Forecaster(prepare, bl.GRU(8), horizon_steps=10, context_steps=64)
    model.fit([ecg(who, seconds=40) for who in "abc"], **(QUICK | {"max_epochs": 1}))
    said = model.predict([ecg("x", seconds=40), ecg("y", seconds=40)])
    assert said.rate_hz == 50
    assert said.times_s[0, 0] == pytest.approx(40.0)
    np.testing.assert_allclose(np.diff(said.times_s[0]), 0.02)
    said.to_csv(tmp_path / "said.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "said.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 20
    assert float(rows[13]["q0.5"]) == pytest.approx(float(said.median[1, 3, 0]), rel=1e-4)
    assert (rows[13]["recording"], rows[13]["ahead"], float(rows[13]["time_s"])) == ("ry", "4", pytest.approx(40.06))


def test_filters_that_look_ahead_are_warned_of() -> None:
    prepare = bl.Pipeline(filters=[bl.Bandpass(0.5, 20), bl.Resample(50)], windows=bl.WholeRecording())
    whole = bl.Pipeline(windows=bl.WholeRecording(), features=[AgainstRecording()])
    with pytest.warns(BiosigWarning, match=r"AgainstRecording\(\) look ahead"):
        Forecaster(whole, horizon_steps=5).fit([ecg("a", seconds=20)], **(QUICK | {"max_epochs": 1}))
    with pytest.warns(BiosigWarning, match=r"Bandpass\(.*\), Resample\(rate_hz=50\) look ahead.*OneWay"):
        Forecaster(prepare, horizon_steps=5).fit([ecg("a", seconds=20)], **(QUICK | {"max_epochs": 1}))


def test_rr_intervals_of_real_patients(data_root: Callable[[str], Path]) -> None:
    records = ["101", "106", "112", "122", "205"]
    recordings = list(bl.datasets.get("mitdb", data_root("mitdb")).recordings(records))
    prepare = bl.Pipeline(events=bl.Beats(positions="annotated"), windows=bl.BeatIntervals())
    model = Forecaster(prepare, bl.LSTM(8), horizon_steps=8, targets=("rr",), observed="normal", context_steps=32)
    model.fit(recordings[:4], **(QUICK | {"max_epochs": 1}))
    scores = model.evaluate(recordings[4:])
    assert scores["mase_ratio_naive"].value < 0.95
    assert 0.7 < scores["coverage_90"].value < 1


def test_times_of_a_night_keep_their_milliseconds() -> None:
    said = Forecasts(
        recordings=np.array(["a"]), subjects=np.array(["a"]), items=np.array([0]), origins=np.array([1_295_999]),
        origins_s=np.array([28799.978]), quantiles=np.zeros((1, 2, 1, 1), np.float32), levels=(0.5,), targets=("x",),
        rate_hz=45.0,
    )  # fmt: skip
    first, second = csv.DictReader(io.StringIO(said.csv_rows()))
    assert float(first["origin_s"]) == pytest.approx(28799.978, abs=1e-4)
    assert float(second["time_s"]) - float(first["time_s"]) == pytest.approx(1 / 45, abs=1e-4)
