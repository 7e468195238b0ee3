"""Frames of sound that comes in pieces: the same as of all of it at once; what is wrong with a piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vowels import windows_of, words

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features.log_mel import LogMel, log_mel
from biosig_lstm.features.mfcc import MFCC, mfcc


@pytest.mark.filterwarnings("ignore:r. .* are less than one frame:biosig_lstm.errors.BiosigWarning")
@settings(deadline=None, max_examples=40)
@given(
    pieces=st.lists(st.integers(0, 1500), min_size=1, max_size=12),
    fs=st.sampled_from([8000, 16000, 44100]),
    step=st.sampled_from([LogMel(), LogMel("kaldi", energy=True), MFCC(), MFCC("kaldi"), LogMel(hop_s=0.04)]),
)
def test_streams_give_the_same_frames(pieces: list[int], fs: int, step: Any) -> None:
    x = words(1, 44100)[: max(sum(pieces), 1)]
    pieces = pieces if sum(pieces) else [1]
    stream = step.stream(fs)
    parts = [stream.push(x[stop - size : stop]) for size, stop in zip(pieces, np.cumsum(pieces), strict=True)]
    together = np.concatenate([*parts, stream.finish()])
    given_windows = windows_of(x, fs)
    short = len(x) < int(0.025 * fs)
    expected = np.zeros((0, together.shape[1])) if short and step.like == "kaldi" else step(given_windows).values
    tolerance = 0 if isinstance(step, LogMel) else 1e-4
    np.testing.assert_allclose(together, expected, rtol=0, atol=tolerance)
    assert stream.n_frames == len(expected)


def test_frames_come_as_soon_as_they_are_complete() -> None:
    stream = LogMel().stream(8000)
    counts = [len(stream.push(words(1, 8000)[k : k + 1])) for k in range(281)]
    assert np.flatnonzero(counts).tolist() == [199, 279]
    assert (stream.n_frames, stream.rate_hz) == (2, 100)


def test_streams_that_cannot_be() -> None:
    with pytest.raises(ParameterError, match="librosa's set cannot be streamed; take like='speech' or 'kaldi'"):
        LogMel("librosa").stream(8000)
    stream, x = MFCC().stream(8000), words(1, 8000)
    first = stream.push(x[:300])
    with pytest.raises(DataError, match="first at sample 1"):
        stream.push([0.0, np.nan])
    with pytest.raises(DataError, match="sound is real numbers, got an array of complex128"):
        stream.push([1j])
    with pytest.raises(DataError, match="sound is real numbers, got an array of <U"):
        stream.push("sound.wav")
    with pytest.raises(DataError, match=r"got shape \(1, 2\)"):
        stream.push([[0.0, 0.0]])
    together = np.concatenate([first, stream.push([]), stream.push(x[300:].tolist())])
    np.testing.assert_allclose(together, mfcc(x, 8000), rtol=0, atol=1e-4)
    stream.finish()
    with pytest.raises(ParameterError, match="the stream is finished"):
        stream.push([0.0])
    with pytest.raises(DataError, match="sound is real numbers, got an array of complex128"):
        log_mel([1j, 2j], 8000)
