"""Detectors of plain arrays, and whom they refuse to score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import biosig_lstm as bl
from biosig_lstm.containers import Windows
from biosig_lstm.errors import LeakageError, ParameterError
from biosig_lstm.estimators import load

QUICK: dict[str, Any] = {
    "max_epochs": 4, "batch_size": 8, "device": "cpu", "progress": False, "learning_rate": 0.02,
    "false_alarms_per_h": 60.0,
}  # fmt: skip


def logs(n: int, *, seed: int, rest: bool = False) -> list[np.ndarray]:
    """Two sensors of a machine that turns; at `rest` the second one stands still for the last half."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        at = np.arange(int(rng.integers(40, 60))) / 3 + rng.uniform(0, 6)
        item = np.stack([np.sin(at), np.cos(at)], axis=1) + 0.05 * rng.standard_normal((len(at), 2))
        if rest:
            item[len(at) // 2 :, 1] = 2.0
        made.append(item)
    return made


@pytest.fixture(scope="module")
def trained() -> bl.AnomalyDetector:
    return bl.AnomalyDetector().fit(logs(16, seed=0), logs(8, seed=1), **QUICK)


def test_arrays_are_learned_and_scored(trained: bl.AnomalyDetector, tmp_path: Path) -> None:
    items = [*logs(8, seed=2), *logs(8, seed=3, rest=True)]
    said = trained.predict(items)
    assert said.scores[8:].min() > said.scores[:8].max()
    np.testing.assert_array_equal(trained.predict([torch.from_numpy(item) for item in items]).scores, said.scores)
    assert trained.step_scores(items[:1])[0].shape == (len(items[0]), 2)
    labelled = Windows.from_arrays(items, [None] * 8 + ["rest"] * 8, subjects=[f"machine{k}" for k in range(16)])
    assert trained.evaluate(labelled)["auroc"].value == 1
    trained.save(tmp_path / "logs.biosig")
    np.testing.assert_array_equal(load(tmp_path / "logs.biosig").predict(items).scores, said.scores)


def test_whose_arrays_are_can_be_said() -> None:
    names = [f"m{k % 4}" for k in range(12)]
    val = Windows.from_arrays(logs(6, seed=1), subjects=[f"v{k % 2}" for k in range(6)])
    model = bl.AnomalyDetector(model=bl.LSTMPredictor(4)).fit(logs(12, seed=0), val, subjects=names, **QUICK)
    assert model.training is not None
    assert model.training.subjects == ("m0", "m1", "m2", "m3", "v0", "v1")
    again = bl.AnomalyDetector(model=bl.LSTMPredictor(4))
    with pytest.raises(LeakageError, match="on both sides: subjects 'm1'"):
        again.fit(logs(12, seed=0), replace(val, subjects=np.array(["m1"] * 6)), subjects=names, **QUICK)


def test_who_set_a_later_threshold_is_not_scored() -> None:
    model = bl.AnomalyDetector(model=bl.LSTMPredictor(4)).fit(logs(12, seed=0), logs(6, seed=1), **QUICK)
    late = Windows.from_arrays(
        logs(4, seed=5) + logs(4, seed=6, rest=True),
        [None] * 4 + ["rest"] * 4,
        subjects=["late"] * 8,
    )
    assert model.evaluate(late).n_subjects == 1
    model.set_threshold(late, false_alarms_per_h=3600.0)
    with pytest.raises(LeakageError, match=r"1 of these subjects \(late\)"):
        model.evaluate(late)


def test_scaling_that_is_not_wanted_is_left_out() -> None:
    model = bl.AnomalyDetector(model=bl.LSTMPredictor(4), standardize=None)
    assert model.fit(logs(8, seed=0), logs(4, seed=1), **QUICK).scaling is None
    foresee = bl.Forecaster(horizon_steps=2, standardize=None)
    quick = {name: value for name, value in QUICK.items() if name != "false_alarms_per_h"}
    assert foresee.fit(logs(8, seed=0), **quick).scaling is None


def test_what_evaluate_does_not_know_is_refused(trained: bl.AnomalyDetector) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'threshold'"):
        trained.evaluate(logs(2, seed=1), threshold=1.0)  # type: ignore[call-arg]
    with pytest.raises(ParameterError, match="a threshold needs normal signal of subjects that are not trained on"):
        bl.AnomalyDetector().fit(logs(4, seed=0), **QUICK)
