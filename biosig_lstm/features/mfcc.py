"""Mel-frequency cepstral coefficients: the cosine transform of the logarithms of power in mel filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._frames import Float32, LogPowers, not_below, whole
from biosig_lstm.features._mel import cosines
from biosig_lstm.features._speech_items import into_frames, sound_rate
from biosig_lstm.features._speech_settings import FAST_HZ, Like, Settings, settings, settings_of
from biosig_lstm.features._speech_stream import FrameStream
from biosig_lstm.features.log_mel import check_energy
from biosig_lstm.steps import Step

__all__ = ["MFCC", "mfcc"]

_BLOCK = 4096
_N_MFCC = {"speech": 13, "kaldi": 13, "librosa": 20}


def mfcc(
    signal: npt.ArrayLike,
    fs: float,
    *,
    like: Like = "speech",
    n_mfcc: int | None = None,
    n_mels: int | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    low_hz: float | None = None,
    high_hz: float | None = None,
    lifter: float | None = None,
    energy: bool | None = None,
) -> Float32:
    """Return the mel-frequency cepstral coefficients of sound.

    Parameters
    ----------
    signal, fs, like, n_mels, window_s, hop_s, low_hz, high_hz
        As in `biosig_lstm.features.log_mel.log_mel`.
    n_mfcc : int [1 to n_mels], optional
        Coefficients; 13, in librosa's set 20 by default.
    lifter : float [>= 0], optional
        Coefficient k is multiplied by ``1 + lifter / 2 * sin(pi * k / lifter)``, in librosa's set with k + 1 for k; 22,
        in librosa's set 0 (not at all) by default.
    energy : bool, optional
        Whether the logarithm of the frame's energy stands in the place of coefficient 0; in Kaldi's set it does by
        default.

    Returns
    -------
    np.ndarray [shape=(frames, n_mfcc), dtype=float32]

    Raises
    ------
    DataError, ParameterError
        As `biosig_lstm.features.log_mel.log_mel`.

    Notes
    -----
    The orthonormal cosine transform (type II) of what `log_mel` gives. *kaldi*: the numbers of ``compute-mfcc-feats
    --dither=0``. *librosa*: those of ``librosa.feature.mfcc(y=signal, sr=fs)``, transposed. Davis and Mermelstein
    1980 (doi:10.1109/TASSP.1980.1163420).

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> mfcc(0.5 * np.sin(2 * np.pi * 1000 * t), 16000).shape
    (98, 13)
    """
    made = settings(fs, like=like, n_mels=n_mels, window_s=window_s, hop_s=hop_s, low_hz=low_hz, high_hz=high_hz)
    cepstrum = _Cepstrum.of(made, like, n_mfcc=n_mfcc, lifter=lifter, energy=energy)
    return whole(signal, made, _Cepstra(made, cepstrum))


@dataclass(frozen=True)
class _Cepstrum:
    n_mfcc: int
    lifter: float
    energy: bool

    @classmethod
    def of(
        cls, made: Settings, like: Like, *, n_mfcc: int | None, lifter: float | None, energy: bool | None
    ) -> _Cepstrum:
        count = _N_MFCC[like] if n_mfcc is None else n_mfcc
        if not 1 <= count <= made.n_mels:
            raise ParameterError(f"n_mfcc must lie between 1 and n_mels, {made.n_mels}, got {count!r}")
        weight = made.lifter if lifter is None else lifter
        if not 0 <= weight < np.inf:
            raise ParameterError(f"lifter must be 0 or more, got {lifter!r}")
        with_energy = made.energy if energy is None else energy
        check_energy(like, energy=with_energy)
        return cls(count, weight, with_energy)


class _Cepstra:
    """Sound to frames of coefficients: called as ``(values, n_frames=...)``."""

    def __init__(self, made: Settings, cepstrum: _Cepstrum) -> None:
        self._powers = LogPowers(made)
        basis = cosines(made.n_mels, cepstrum.n_mfcc, cepstrum.lifter, made.lifter_from)
        self._basis = basis.astype(self._powers.dtype)
        self._energy = cepstrum.energy

    def __call__(self, values: Float32, *, n_frames: int) -> Float32:
        """Return the frames of sound that begins where the first of them does."""
        logs, energies = self._powers(values, n_frames=n_frames)
        found = _product(not_below(logs, self._powers.made), self._basis)
        if self._energy:
            found[:, 0] = self._powers.log(energies)
        return found


def _product(logs: Float32, basis: npt.NDArray[Any]) -> Float32:
    """Return the product of two matrices, computed as exactly as the second is."""
    if basis.dtype == logs.dtype:
        return np.asarray(np.dot(logs, basis))
    found = np.empty((len(logs), basis.shape[1]), dtype=np.float32)
    for first in range(0, len(logs), _BLOCK):
        found[first : first + _BLOCK] = logs[first : first + _BLOCK].astype(basis.dtype) @ basis
    return found


@dataclass(frozen=True)
class MFCC(Step):
    """Sound to frames of mel-frequency cepstral coefficients; see `mfcc`.

    Parameters
    ----------
    like, n_mfcc, n_mels, window_s, hop_s, low_hz, high_hz, lifter, energy
        As in `mfcc`.

    Raises
    ------
    ParameterError
        When an argument is not in its range.

    Notes
    -----
    Columns ``mfcc_0`` and so on; with `energy` the first is ``log_energy``. Rate and labels as of
    `biosig_lstm.features.log_mel.LogMel`.

    Examples
    --------
    >>> from biosig_lstm.containers import Recording
    >>> from biosig_lstm.windows import WholeRecording
    >>> sound = Recording(np.zeros((1, 8000)), 8000, ["sound"], ["FS"], id="word")
    >>> MFCC()(WholeRecording()(sound))
    Windows(1 items of 98 steps x 13 features; 1 subjects; no labels)
    """

    kind: ClassVar[str] = "feature"

    like: Like = "speech"
    n_mfcc: int | None = None
    n_mels: int | None = None
    window_s: float | None = None
    hop_s: float | None = None
    low_hz: float | None = None
    high_hz: float | None = None
    lifter: float | None = None
    energy: bool | None = None

    def __post_init__(self) -> None:
        self._plan(FAST_HZ)

    def _plan(self, fs: float) -> tuple[Settings, _Cepstrum]:
        made = settings_of(self, fs)
        return made, _Cepstrum.of(made, self.like, n_mfcc=self.n_mfcc, lifter=self.lifter, energy=self.energy)

    def __call__(self, windows: Windows) -> Windows:
        """Return items of frames, shape (frames, n_mfcc).

        Raises
        ------
        DataError
            When steps are not samples of one channel, or an item is too short for a frame in Kaldi's set.
        ParameterError
            When frequencies or filters do not fit the rate.
        """
        made, cepstrum = self._plan(sound_rate(windows))
        columns = [f"mfcc_{k}" for k in range(cepstrum.n_mfcc)]
        if cepstrum.energy:
            columns[0] = "log_energy"
        return into_frames(windows, made, columns, _Cepstra(made, cepstrum))

    def stream(self, fs: float) -> FrameStream:
        """Return what makes the same frames of sound that comes in pieces; see `FrameStream`.

        Raises
        ------
        ParameterError
            In librosa's set, whose frames begin before the sound and whose loudest is known at the end; or when
            frequencies or filters do not fit the rate.
        """
        made, cepstrum = self._plan(fs)
        return FrameStream(made, _Cepstra(made, cepstrum))
