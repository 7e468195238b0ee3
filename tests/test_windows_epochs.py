"""A night as a run of epochs."""

from __future__ import annotations

import numpy as np
import pytest

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.windows.epochs import Epochs
from biosig_lstm.windows.fixed_length import FixedLength
from biosig_lstm.windows.frames import Frames
from biosig_lstm.windows.pieces import Pieces

MARKS = Annotations([0, 25, 31, 50], [20, 30, 45, 60], ["W", "N1", "R", "?"])


def night(n_samples: int = 73, marks: Annotations = MARKS) -> Recording:
    signals = np.arange(2 * n_samples, dtype=np.float32).reshape(2, n_samples)
    return Recording(signals, 2.0, ["EEG", "EOG"], ["uV", "uV"], id="n1", subject="s1", annotations=marks)


def test_a_step_is_an_epoch_channel_after_channel() -> None:
    windows = Epochs(5)(night())
    assert len(windows) == 1
    assert windows.lengths.tolist() == [7]
    assert windows.window_shape == (2, 10)
    eeg, eog = night().signals[:, :70].reshape(2, 7, 10)
    np.testing.assert_array_equal(windows.values, np.concatenate([eeg, eog], axis=1))
    assert windows.columns[:2] == ("EEG[0]", "EEG[1]")
    assert windows.columns[-1] == "EOG[9]"
    assert windows.unit == "uV"


def test_an_epoch_has_the_label_over_its_middle() -> None:
    windows = Epochs(5)(night())
    assert windows.y is not None
    assert windows.y.tolist() == [0, 0, 1, 4, -1, -1, -1]
    unlabelled = Epochs(5)(night(marks=Annotations()))
    assert unlabelled.y is not None
    assert set(unlabelled.y.tolist()) == {-1}


def test_each_epoch_knows_where_it_lies() -> None:
    windows = Epochs(5)(night())
    assert windows.rate_hz == pytest.approx(0.2)
    np.testing.assert_array_equal(windows.step_samples(), 10 * np.arange(7))
    assert windows.into_runs(3).starts.tolist() == [0, 30, 60]


def test_what_holds_no_epoch_is_refused() -> None:
    with pytest.raises(DataError, match=r"n1: 4\.5 s of 2 channels hold no epoch of 5 s"):
        Epochs(5)(night(9, Annotations()))
    nothing = Recording(np.zeros((0, 100)), 2.0, (), (), id="n2")
    with pytest.raises(DataError, match="n2: 50 s of 0 channels hold no epoch"):
        Epochs(5)(nothing)
    with pytest.raises(ParameterError, match="length_s must be positive and finite, got 0"):
        Epochs(0)


@pytest.mark.parametrize(
    "step",
    [
        Epochs(5, classes=("W", "R")),
        FixedLength(5, classes=("W", "R")),
        Frames(5, 5, 5, classes=("W", "R"), exact=True),
    ],
    ids=["epochs", "windows", "frames"],
)
def test_what_is_marked_within_a_stage_takes_nothing_of_it(step: Epochs | FixedLength | Frames) -> None:
    marks = Annotations([0, 14, 22, 30], [60, 16, 28, 40], ["W", "arousal", "limb", "R"])
    found = step(night(60, marks)).y
    assert found is not None
    assert found.tolist() == [0, 0, 0, 1, 0, 0]
    assert Pieces(30, classes=("W", "R"))(night(60, marks)).y.tolist() == [1]  # type: ignore[union-attr]
