"""The logarithm of the power of sound in mel filters, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._frames import Float32, LogPowers, not_below, whole
from biosig_lstm.features._speech_items import into_frames, sound_rate
from biosig_lstm.features._speech_settings import FAST_HZ, Like, Settings, settings, settings_of
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
    return whole(signal, made, LogMels(made, energy=energy))


class LogMels:
    """Sound to frames of log-mel power: called as ``(values, n_frames=...)``."""

    def __init__(self, made: Settings, *, energy: bool) -> None:
        self._powers = LogPowers(made)
        self._energy = energy

    def __call__(self, values: Float32, *, n_frames: int) -> Float32:
        """Return the frames of sound that begins where the first of them does."""
        logs, energies = self._powers(values, n_frames=n_frames)
        logs = not_below(logs, self._powers.made)
        if not self._energy:
            return logs
        return np.concatenate([self._powers.log(energies)[:, None].astype(np.float32), logs], axis=1)


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
        settings_of(self, FAST_HZ)

    def __call__(self, windows: Windows) -> Windows:
        """Return items of frames, shape (frames, n_mels).

        Raises
        ------
        DataError
            When steps are not samples of one channel, or an item is too short for a frame in Kaldi's set.
        ParameterError
            When frequencies or filters do not fit the rate.
        """
        made = settings_of(self, sound_rate(windows))
        columns = [*(["log_energy"] if self.energy else []), *(f"mel_{k}" for k in range(made.n_mels))]
        return into_frames(windows, made, columns, LogMels(made, energy=self.energy))

    def stream(self, fs: float) -> FrameStream:
        """Return what makes the same frames of sound that comes in pieces; see `FrameStream`.

        Raises
        ------
        ParameterError
            In librosa's set, whose frames begin before the sound and whose loudest is known at the end; or when
            frequencies or filters do not fit the rate.
        """
        made = settings_of(self, fs)
        return FrameStream(made, LogMels(made, energy=self.energy))
