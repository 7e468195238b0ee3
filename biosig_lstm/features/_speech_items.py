"""Items of sound made into items of frames."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.features._frames import Float32, Work, whole
from biosig_lstm.features._speech_settings import Settings

__all__ = ["into_frames", "sound_rate"]


def sound_rate(windows: Windows) -> float:
    """Return the rate of windows whose steps are samples of one channel.

    Raises
    ------
    DataError
        When they are something else.
    """
    if windows.rate_hz is None or windows.window_shape is not None:
        raise DataError("frames are cut from items whose steps are samples, as WholeRecording makes them")
    if len(windows.columns) != 1:
        raise DataError(
            f"frames are cut from one channel, got {', '.join(windows.columns[:8])}; mix them down (Mono) or choose "
            "one (Channels)"
        )
    return windows.rate_hz


def into_frames(windows: Windows, made: Settings, columns: Sequence[str], work: Work) -> Windows:
    """Return items of what `work` makes of the samples of each: (frames, columns), at the rate of the frames.

    Raises
    ------
    DataError
        When an item is too short for a frame.

    Warns
    -----
    BiosigWarning
        When an item is padded to one.
    """
    parts = [
        _framed(windows.values[first:stop, 0], str(name), made, work)
        for (first, stop), name in zip(pairwise(windows.offsets.tolist()), windows.recordings, strict=True)
    ]
    counts = [len(part) for part in parts]
    return replace(
        windows,
        values=np.concatenate(parts) if parts else np.zeros((0, len(columns)), np.float32),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        columns=columns,
        rate_hz=made.fs / made.hop,
        y=_labels(windows, made, counts) if windows.step_labels and windows.y is not None else windows.y,
        positions=None,
    )


def _framed(sound: Float32, name: str, made: Settings, work: Work) -> Float32:
    if made.pad_short and not made.centred and 0 < len(sound) < made.width:
        warnings.warn(
            f"{name}: {len(sound) / made.fs:g} s of sound are less than one frame of {made.duration_s:g} s, and padded "
            "with silence to it: that is too short for anything said",
            BiosigWarning,
            stacklevel=4,
        )
    frames = whole(sound, made, work)
    if not len(frames):
        raise DataError(
            f"{name}: {len(sound) / made.fs:g} s of sound are shorter than one frame of {made.duration_s:g} s, "
            "and these settings do not pad; leave it out, or take like='speech'"
        )
    return frames


def _labels(windows: Windows, made: Settings, counts: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the label of the sample in the middle of each frame."""
    if windows.y is None:
        return np.zeros(0, dtype=np.int64)
    middle = 0 if made.centred else made.width // 2
    at = [
        first + np.minimum(middle + made.hop * np.arange(count), stop - first - 1)
        for (first, stop), count in zip(pairwise(windows.offsets.tolist()), counts, strict=True)
    ]
    return windows.y[np.concatenate(at)] if at else windows.y[:0]
