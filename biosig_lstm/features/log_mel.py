"""The logarithm of the power of sound in mel filters, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._frames import Float32, as_signal, log_powers, not_below, padded
from biosig_lstm.features._speech_items import into_frames, sound_rate
from biosig_lstm.features._speech_settings import FAST_HZ, Like, Settings, settings
from biosig_lstm.features._speech_stream import FrameStream
from biosig_lstm.steps import Step

__all__ = ["LogMel", "log_mel"]


def log_mel(
    signal: npt.ArrayLike,
    fs: float,
    *,
    like: Like = "speech",
    n_mels: int | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    low_hz: float | None = None,
    high_hz: float | None = None,
    energy: bool = False,
) -> Float32:
    """Return the logarithm of the power of sound in mel filters.

    Parameters
    ----------
    signal : array_like [shape=(samples,)]
        Sound in parts of full scale, -1 to 1.
    fs : float [unit=Hz, > 0]
        Samples a second.
    like : {'speech', 'kaldi', 'librosa'}
        Whose settings (see Notes).
    n_mels : int [>= 1], optional
        Filters; 40, 23 and 128 by default.
    window_s, hop_s : float [unit=s, > 0], optional
        Length of a frame and from one to the next; 0.025 and 0.010 by default, in librosa's set 2048 and 512 samples.
    low_hz, high_hz : float [unit=Hz, 0 to fs / 2], optional
        Where the first filter begins and the last ends; 20 (librosa's 0) and half the rate by default.
    energy : bool
        Put the logarithm of the frame's energy before the filters, as Kaldi does.

    Returns
    -------
    np.ndarray [shape=(frames, n_mels), dtype=float32]
        With `energy` a column more, the first. Natural logarithms; in librosa's set dB.

    Raises
    ------
    DataError
        When the sound has another shape, no samples, or one that is not finite.
    ParameterError
        When an argument is not in its range, or there are so many filters that one holds no frequency.

    Notes
    -----
    *speech*: frames of 25 ms every 10 ms, the mean taken away, pre-emphasis 0.97 within the frame, Povey's window, the
    next power of two as length of the transform, power, 40 triangles on HTK's mel scale, ln of at least 1e-8 (about the
    noise of 16 bits), so that silence is -18.42 and never infinite. The last samples that do not fill a frame are left
    out; what is shorter than a frame is padded with zeros to one.

    *kaldi*: the numbers of Kaldi's ``compute-fbank-feats --dither=0`` for a 16-bit file (samples are multiplied by
    32768 first): as above but with 23 filters and the floor of 2**-23; what is shorter than a frame gives none.

    *librosa*: ``power_to_db(melspectrogram(y=signal, sr=fs))`` at its defaults, transposed: 2048 samples centred on
    every 512th, zeros beyond the ends, Hann window, 128 triangles of area 1 on Slaney's scale, dB of at least 1e-10, no
    lower than 80 dB below the loudest.

    Davis and Mermelstein 1980 (doi:10.1109/TASSP.1980.1163420).

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> frames = log_mel(0.5 * np.sin(2 * np.pi * 1000 * t), 16000)
    >>> frames.shape, int(frames[50].argmax())
    ((98, 40), 13)
    """
    made = settings(fs, like=like, n_mels=n_mels, window_s=window_s, hop_s=hop_s, low_hz=low_hz, high_hz=high_hz)
    check_energy(like, energy=energy)
    return _frames(as_signal(signal), made, energy=energy)


def _frames(values: Float32, made: Settings, *, energy: bool) -> Float32:
    return logs_of(padded(values, made), made, n_frames=made.n_frames(len(values)), energy=energy)


def logs_of(values: Float32, made: Settings, *, n_frames: int, energy: bool) -> Float32:
    """Return the frames of sound that begins where the first of them does."""
    logs, energies = log_powers(values, made, n_frames=n_frames)
    logs = not_below(logs, made)
    return np.concatenate([energies[:, None], logs], axis=1) if energy else logs


def check_energy(like: str, *, energy: bool) -> None:
    """Refuse the energy of frames where the set has none."""
    if energy and like == "librosa":
        raise ParameterError("librosa's set has no energy of frames; take like='speech' or 'kaldi'")


@dataclass(frozen=True)
class LogMel(Step):
    """Sound to frames of log-mel power; see `log_mel`.

    Parameters
    ----------
    like, n_mels, window_s, hop_s, low_hz, high_hz, energy
        As in `log_mel`.

    Raises
    ------
    ParameterError
        When an argument is not in its range.

    Notes
    -----
    Columns ``mel_0`` and so on, with `energy` ``log_energy`` before them. The rate of the windows is that of the
    frames, 100 Hz; step labels are those of the middle of a frame.

    Examples
    --------
    >>> from biosig_lstm.containers import Recording
    >>> from biosig_lstm.windows import WholeRecording
    >>> sound = Recording(np.zeros((1, 8000)), 8000, ["sound"], ["FS"], id="word")
    >>> LogMel()(WholeRecording()(sound))
    Windows(1 items of 98 steps x 40 features; 1 subjects; no labels)
    """

    kind: ClassVar[str] = "feature"

    like: Like = "speech"
    n_mels: int | None = None
    window_s: float | None = None
    hop_s: float | None = None
    low_hz: float | None = None
    high_hz: float | None = None
    energy: bool = False

    def __post_init__(self) -> None:
        check_energy(self.like, energy=self.energy)
        settings(FAST_HZ, **self._given())

    def _given(self) -> dict[str, Any]:
        names = ("like", "n_mels", "window_s", "hop_s", "low_hz", "high_hz")
        return {name: getattr(self, name) for name in names}

    def __call__(self, windows: Windows) -> Windows:
        """Return items of frames, shape (frames, n_mels).

        Raises
        ------
        DataError
            When steps are not samples of one channel, or an item is too short for a frame in Kaldi's set.
        ParameterError
            When frequencies or filters do not fit the rate.
        """
        made = settings(sound_rate(windows), **self._given())
        columns = [*(["log_energy"] if self.energy else []), *(f"mel_{k}" for k in range(made.n_mels))]
        return into_frames(windows, made, columns, partial(_frames, made=made, energy=self.energy))

    def stream(self, fs: float) -> FrameStream:
        """Return what makes the same frames of sound that comes in pieces; see `FrameStream`.

        Raises
        ------
        ParameterError
            In librosa's set, whose frames begin before the sound and whose loudest is known at the end; or when
            frequencies or filters do not fit the rate.
        """
        made = settings(fs, **self._given())
        return FrameStream(made, partial(logs_of, made=made, energy=self.energy))
