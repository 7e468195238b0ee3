"""Pieces of a recording: all of it, nothing twice, none longer than allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import Pieces


def ramp(n_samples: int, *, fs: float = 100, annotations: Annotations | None = None) -> Recording:
    rows = np.stack([np.arange(n_samples), -np.arange(n_samples)]).astype(np.float32)
    return Recording(rows, fs, ["a", "b"], ["mV", "mV"], id="r", subject="s", annotations=annotations or Annotations())


@given(
    n_samples=st.integers(1, 5000),
    fs=st.one_of(st.floats(0.5, 2000), st.sampled_from([100.0, 128.0, 360.0, 173.61])),
    longest_s=st.floats(0.01, 100),
)
def test_pieces_cover_the_recording_without_gap_or_overlap(n_samples: int, fs: float, longest_s: float) -> None:
    windows = Pieces(longest_s)(ramp(n_samples, fs=fs))
    np.testing.assert_array_equal(windows.values[:, 0], np.arange(n_samples))
    np.testing.assert_array_equal(windows.values[:, 1], -np.arange(n_samples))
    np.testing.assert_array_equal(windows.offsets, [*windows.starts, n_samples])
    most = max(longest_s * fs * (1 + 1e-9), 1)
    assert windows.lengths.max() <= most
    assert windows.lengths.min() >= 1
    assert windows.lengths.max() - windows.lengths.min() <= 1
    assert len(windows) == math.ceil(n_samples / math.floor(most))


@pytest.mark.parametrize(
    ("seconds", "starts_s"), [(20, [0]), (30, [0]), (30.01, [0, 15]), (60, [0, 30]), (70, [0, 23.33, 46.66])]
)
def test_as_few_as_will_do(seconds: float, starts_s: list[float]) -> None:
    windows = Pieces(30)(ramp(round(seconds * 100)))
    assert (windows.starts / 100).tolist() == starts_s
    assert (windows.rate_hz, windows.unit, tuple(windows.columns)) == (100, "mV", ("a", "b"))
    assert set(windows.recordings.tolist()) == {"r"}
    assert set(windows.subjects.tolist()) == {"s"}


def test_thirds_of_a_second_are_not_one_sample_too_long() -> None:
    assert len(Pieces(0.3)(ramp(30))) == 1
    assert len(Pieces(1 / 3)(ramp(25, fs=75))) == 1


def test_a_piece_has_the_label_over_its_middle() -> None:
    marks = Annotations([0, 250, 300], [250, 300, 400], ["x", "y", "other"])
    windows = Pieces(1, classes=("x", "y"))(ramp(500, annotations=marks))
    assert windows.y is not None
    assert windows.y.tolist() == [0, 0, 1, -1, -1]
    assert Pieces(1)(ramp(500, annotations=marks)).y is None


@pytest.mark.parametrize("longest_s", [0, -1, math.nan, math.inf])
def test_lengths_that_are_none(longest_s: float) -> None:
    with pytest.raises(ParameterError, match="must last a positive number of seconds"):
        Pieces(longest_s)


def test_a_recording_without_samples() -> None:
    with pytest.raises(DataError, match="r: the recording holds no samples"):
        Pieces(1)(ramp(0))


def test_written_and_read_back() -> None:
    pipeline = Pipeline(windows=Pieces(12.5, classes=("x", "y")))
    assert Pipeline.from_dict(pipeline.to_dict()) == pipeline
