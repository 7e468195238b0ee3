"""Frames of sound that comes in pieces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError
from biosig_lstm.features._frames import Float32, Work, as_signal, read_only, real
from biosig_lstm.features._mel_kernels import append
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

    def __init__(self, made: Settings, work: Work) -> None:
        if made.centred:
            raise ParameterError("librosa's set cannot be streamed; take like='speech' or 'kaldi'")
        self.n_frames = 0
        self.rate_hz = made.fs / made.hop
        self._made, self._work = made, work
        self._room = np.zeros(2 * (made.width + made.hop), dtype=np.float32)
        self._held, self._skip = 0, 0
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
            When they have another shape, are no real numbers, or one is not finite.
        """
        if self._finished:
            raise ParameterError("the stream is finished; start another for other sound")
        self._take(np.ascontiguousarray(real(samples), np.float32) if np.ndim(samples) == 1 else as_signal(samples))
        made = self._made
        begin = min(self._skip, self._held)
        count = max(1 + (self._held - begin - made.width) // made.hop, 0)
        frames = self._work(self._room[begin : self._held], n_frames=count)
        self._drop(self._skip + count * made.hop)
        self.n_frames += count
        return frames

    def _take(self, given: Float32) -> None:
        """Put samples behind those that are held."""
        held = self._held + len(given)
        if held > len(self._room):
            self._room = np.concatenate([self._room[: self._held], np.zeros(held, dtype=np.float32)])
        if not append(self._room, self._held, read_only(given)):
            as_signal(given)
        self._held = held

    def _drop(self, count: int) -> None:
        """Let go of the first samples, also of those that are yet to come."""
        gone = min(count, self._held)
        self._skip = count - gone
        self._room[: self._held - gone] = self._room[gone : self._held]
        self._held -= gone

    def finish(self) -> Float32:
        """Return the frame of sound that was shorter than one, padded where the settings pad; else none."""
        self._finished = True
        count = int(self._made.pad_short and not self.n_frames and self._held > 0)
        self.n_frames += count
        short = np.zeros(self._made.width, dtype=np.float32)
        short[: self._held * count] = self._room[: self._held * count]
        return self._work(short, n_frames=count)
