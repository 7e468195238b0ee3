"""Frames of sound that comes in pieces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError
from biosig_lstm.features._frames import Float32, as_signal
from biosig_lstm.features._speech_settings import Settings

__all__ = ["FrameStream"]


class FrameStream:
    """Frames of sound that comes in pieces of any length: each as soon as its last sample is there.

    Made by the `stream` of `biosig_lstm.features.log_mel.LogMel` and `biosig_lstm.features.mfcc.MFCC`. All frames
    together are those of the whole sound.

    Attributes
    ----------
    n_frames : int
        Frames given so far; frame k begins at k / rate_hz seconds.
    rate_hz : float [unit=Hz]
        Frames a second.
    """

    def __init__(self, made: Settings, work: Callable[..., Float32]) -> None:
        if made.centred:
            raise ParameterError("librosa's set cannot be streamed; take like='speech' or 'kaldi'")
        self.n_frames = 0
        self.rate_hz = made.fs / made.hop
        self._made, self._work = made, work
        self._kept = np.zeros(0, dtype=np.float32)
        self._skipped = 0
        self._finished = False

    def push(self, samples: npt.ArrayLike) -> Float32:
        """Return the frames that these samples complete, shape (frames, columns).

        Parameters
        ----------
        samples : array_like [shape=(samples,)]
            What follows the samples given before; may be empty.

        Raises
        ------
        ParameterError
            After `finish`.
        DataError
            When they have another shape, or one is not finite.
        """
        if self._finished:
            raise ParameterError("the stream is finished; start another for other sound")
        given = as_signal(samples) if np.size(samples) else np.zeros(0, dtype=np.float32)
        kept = np.concatenate([self._kept, given])[self._skipped :]
        self._skipped = max(self._skipped - len(self._kept) - len(given), 0)
        made = self._made
        count = max(1 + (len(kept) - made.width) // made.hop, 0)
        done = count * made.hop
        self._kept, self._skipped = kept[done:].copy(), self._skipped + max(done - len(kept), 0)
        self.n_frames += count
        return self._work(kept, n_frames=count)

    def finish(self) -> Float32:
        """Return the frame of sound that was shorter than one, padded where the settings pad; else none."""
        self._finished = True
        count = int(self._made.pad_short and not self.n_frames and len(self._kept) > 0)
        self.n_frames += count
        short = np.zeros(self._made.width, dtype=np.float32)
        short[: len(self._kept)] = self._kept if count else 0
        return self._work(short, n_frames=count)
