"""Sound changed at random, so that few voices, rooms and microphones stand for many: speed, pitch, noise, echo."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters.resample_sound import resample_sound

__all__ = [
    "SoundAugmentation",
    "add_noise",
    "change_dynamics",
    "change_speed",
    "change_tempo",
    "equalize",
    "reverberate",
    "shift_pitch",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_FRAME_S = 0.030
_SEARCH_S = 0.008
_SEMITONES = 12
_ENVELOPE_S, _DEEPEST_DB = 0.025, 26.0
_KNOTS_HZ = (100.0, 300.0, 800.0, 2000.0, 5000.0)


def add_noise(signals: npt.ArrayLike, rng: np.random.Generator, *, snr_db: float, slope: float = 0.0) -> Float32:
    """Return sound with Gaussian noise at a set ratio of their powers.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    rng : np.random.Generator
        Draws the noise.
    snr_db : float [unit=dB]
        Power of the sound over that of the noise, both over all samples of a channel. Silence stays silent.
    slope : float
        The noise's power goes with the frequency to this power: 0 is white, -1 pink, 1 blue.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]

    Examples
    --------
    >>> tone = np.sin(0.1 * np.arange(8000))[None]
    >>> noise = add_noise(tone, np.random.default_rng(0), snr_db=20) - tone
    >>> print(f"{10 * np.log10(np.mean(tone**2) / np.mean(noise**2)):.2f} dB")
    20.00 dB
    """
    rows = _rows(signals)
    if not math.isfinite(snr_db) or not math.isfinite(slope):
        raise ParameterError(f"snr_db and slope must be finite, got {snr_db!r} and {slope!r}")
    noise = rng.standard_normal(rows.shape)
    if slope:
        spectrum = np.fft.rfft(noise, axis=1)
        place = np.maximum(np.arange(spectrum.shape[1]), 1.0)
        noise = np.fft.irfft(spectrum * place ** (slope / 2), n=rows.shape[1], axis=1)
    power, wanted = (np.mean(values**2, axis=1, keepdims=True) for values in (noise, rows))
    scale = np.sqrt(wanted * 10 ** (-snr_db / 10) / np.maximum(power, np.finfo(float).tiny))
    return np.asarray(rows + scale * noise, dtype=np.float32)


def reverberate(
    signals: npt.ArrayLike, fs: float, rng: np.random.Generator, *, rt60_s: float, direct_db: float = 6.0
) -> Float32:
    """Return sound as in a room: with echoes that die away exponentially.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    rng : np.random.Generator
        Draws the echoes.
    rt60_s : float [unit=s, > 0]
        Time in which the echoes lose 60 dB.
    direct_db : float [unit=dB]
        Power of what comes straight over that of all echoes.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        As long as it was: what rings on after the end is cut off.

    Notes
    -----
    The room is white noise under an exponential (Polack 1988), the same for all channels.
    """
    rows = _rows(signals)
    if not rt60_s > 0 or not fs > 0 or not math.isfinite(rt60_s * fs * direct_db):
        raise ParameterError(f"rt60_s and fs must be positive and finite, got {rt60_s!r} and {fs!r}")
    seconds = np.arange(1, max(round(rt60_s * fs), 2)) / fs
    echoes = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / rt60_s)
    echoes *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(echoes**2))
    size = 1 << (rows.shape[1] + len(echoes)).bit_length()
    room = np.fft.rfft(np.concatenate([[1.0], echoes]), size)
    return np.asarray(np.fft.irfft(np.fft.rfft(rows, size) * room, size)[:, : rows.shape[1]], dtype=np.float32)


def equalize(
    signals: npt.ArrayLike, fs: float, gains_db: npt.ArrayLike, *, knots_hz: tuple[float, ...] = _KNOTS_HZ
) -> Float32:
    """Return sound as of another microphone: louder at some frequencies, softer at others.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    gains_db : array_like [shape=(knots,), unit=dB]
        Gain at each knot; straight lines over the logarithm of the frequency in between, level beyond.
    knots_hz : tuple of float [unit=Hz, > 0]
        Ascending.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Without delay: the filter has no phase.
    """
    rows, gains = _rows(signals), np.asarray(gains_db, dtype=np.float64)
    if gains.shape != (len(knots_hz),) or not np.isfinite(gains).all() or not fs > 0:
        raise ParameterError(f"equalize needs a finite gain for each of {len(knots_hz)} knots, got {gains.tolist()}")
    frequencies = np.maximum(np.fft.rfftfreq(rows.shape[1], 1 / fs), knots_hz[0])
    curve = 10 ** (np.interp(np.log(frequencies), np.log(knots_hz), gains) / 20)
    return np.asarray(np.fft.irfft(np.fft.rfft(rows, axis=1) * curve, n=rows.shape[1], axis=1), dtype=np.float32)


def change_speed(signals: npt.ArrayLike, fs: float, *, factor: float) -> Float32:
    """Return sound played faster: tempo, pitch and formants rise alike, as on a tape (Ko et al., Interspeech 2015).

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second, before and after.
    factor : float [> 0]
        1.1 is a tenth faster: every frequency is multiplied by 1.1, and what had 11 samples has 10.

    Returns
    -------
    np.ndarray [shape=(channels, ceil(samples / factor)), dtype=float32]
    """
    _check_factor(factor)
    return resample_sound(_rows(signals), fs, rate_hz=fs / factor)


def change_tempo(signals: npt.ArrayLike, fs: float, *, factor: float) -> Float32:
    """Return sound that is faster and keeps pitch and formants.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    factor : float [> 0]
        1.1 is a tenth faster.

    Returns
    -------
    np.ndarray [shape=(channels, round(samples / factor)), dtype=float32]

    Notes
    -----
    WSOLA (Verhelst and Roelands, ICASSP 1993): frames of 30 ms are laid half over each other, each taken from where,
    within 8 ms, it goes on best from the one before. All channels are cut alike, by their sum.
    """
    _check_factor(factor)
    rows = _rows(signals)
    hop, search = max(round(_FRAME_S * fs / 2), 1), round(_SEARCH_S * fs)
    window = np.hanning(2 * hop + 1)[:-1]
    wanted = max(round(rows.shape[1] / factor), 1)
    n_frames = wanted // hop + 2
    padded = np.pad(rows, ((0, 0), (hop + search, round(n_frames * hop * factor) + 3 * hop + 2 * search)))
    total = padded.sum(axis=0)
    out = np.zeros((len(rows), (n_frames + 1) * hop))
    at = search
    for k in range(n_frames):
        out[:, k * hop : (k + 2) * hop] += window * padded[:, at : at + 2 * hop]
        about = search + round((k + 1) * hop * factor)
        follows = total[at + hop : at + 3 * hop]
        near = np.correlate(total[about - search : about + search + 2 * hop], follows, "valid")
        at = about - search + int(np.argmax(near))
    return np.asarray(out[:, hop : hop + wanted], dtype=np.float32)


def change_dynamics(signals: npt.ArrayLike, fs: float, *, compression: float) -> Float32:
    """Return sound whose soft parts are louder, as after automatic gain, or softer still.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    compression : float [up to 1]
        Share of the decibels below the loud parts that is taken back; below 0 they are drawn apart. What lies 26 dB
        below and more is moved as what lies there. 0 changes nothing.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]

    Notes
    -----
    Levels are those of all channels over 25 ms; loud is the one that nine samples in ten do not reach.
    """
    rows = _rows(signals)
    if not -math.inf < compression <= 1 or not 0 < fs < math.inf:
        raise ParameterError(f"compression must be finite and at most 1, fs positive, got {compression!r}, {fs!r}")
    size = min(max(round(_ENVELOPE_S * fs), 1), rows.shape[1])
    power = np.convolve(np.mean(rows**2, axis=0), np.ones(size) / size, "same")
    level = max(float(np.percentile(power, 90)), np.finfo(float).tiny)
    below = np.clip(power / level, 10 ** (-_DEEPEST_DB / 10), 1.0)
    return np.asarray(rows * below ** (-compression / 2), dtype=np.float32)


def shift_pitch(signals: npt.ArrayLike, fs: float, *, semitones: float) -> Float32:
    """Return sound of another pitch, as long as it was; formants move with the pitch.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    semitones : float
        How far up; 12 is an octave.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
    """
    rows = _rows(signals)
    factor = 2.0 ** (semitones / _SEMITONES)
    shifted = change_speed(change_tempo(rows, fs, factor=1 / factor), fs, factor=factor)
    missing = max(rows.shape[1] - shifted.shape[1], 0)
    return np.pad(shifted, ((0, 0), (0, missing)))[:, : rows.shape[1]]


def _rows(signals: npt.ArrayLike) -> Float64:
    rows = np.asarray(signals, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:
        raise DataError(f"sound is (channels, samples) with samples in it, got shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise DataError("sound holds NaN or infinite samples")
    return rows


def _check_factor(factor: float) -> None:
    if not 0 < factor < math.inf:
        raise ParameterError(f"factor must be positive and finite, got {factor!r}")


@dataclass(frozen=True)
class SoundAugmentation:
    """Change a recording of sound: called as ``(recording, rng) -> recording``.

    Parameters
    ----------
    speed : float [0 to 1)
        Logarithm of the greatest change of speed, up or down: pitch and formants go with it.
    tempo : float [0 to 1)
        The same for the tempo alone; pitch and formants stay.
    gain_db : float [unit=dB, >= 0]
        Greatest standard deviation of the gains of a random equalizer; each time some share of it.
    noise : float [0 to 1]
        How often noise is added.
    snr_db : tuple of float [unit=dB]
        Least and greatest ratio of powers.
    reverberation : float [0 to 1]
        How often there is a room.
    rt60_s : tuple of float [unit=s]
        Shortest and longest time in which its echoes lose 60 dB.
    dynamics : float [0 to 1)
        Greatest share of the differences of level that is taken back or added; see `change_dynamics`.

    Raises
    ------
    ParameterError
        When a value is out of range.

    Notes
    -----
    An annotation over the whole of the recording covers the whole of the changed one; recordings with others cannot
    change in length.

    Examples
    --------
    >>> tone = Recording(np.sin(0.5 * np.arange(800))[None], 8000, ["sound"], ["FS"])
    >>> changed = SoundAugmentation(speed=0.2, noise=0, reverberation=0)(tone, np.random.default_rng(1))
    >>> 800 / 1.2 - 1 <= changed.n_samples <= 800 * 1.2 + 1
    True
    """

    speed: float = 0.2
    tempo: float = 0.0
    gain_db: float = 5.0
    noise: float = 0.5
    snr_db: tuple[float, float] = (8.0, 40.0)
    reverberation: float = 0.3
    rt60_s: tuple[float, float] = (0.1, 0.6)
    dynamics: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= most < 1 for most in (self.speed, self.tempo, self.dynamics)):
            raise ParameterError(f"speed, tempo and dynamics lie in [0, 1), got {self!r}")
        if not (0 <= self.noise <= 1 and 0 <= self.reverberation <= 1):
            raise ParameterError(f"noise and reverberation lie in [0, 1], got {self!r}")
        if self.gain_db < 0 or self.snr_db[0] > self.snr_db[1] or not 0 < self.rt60_s[0] <= self.rt60_s[1]:
            raise ParameterError(
                f"gain_db is 0 or more, snr_db and rt60_s are a least and a greatest value, got {self!r}"
            )

    def __call__(self, recording: Recording, rng: np.random.Generator) -> Recording:
        """Return a changed copy of the recording, at its rate."""
        signals, fs = recording.signals, recording.fs
        speed, tempo = (math.exp(rng.uniform(-most, most)) for most in (self.speed, self.tempo))
        if self.speed:
            signals = change_speed(signals, fs, factor=speed)
        if self.tempo:
            signals = change_tempo(signals, fs, factor=tempo)
        if rng.random() < self.reverberation:
            signals = reverberate(
                signals, fs, rng, rt60_s=rng.uniform(*self.rt60_s), direct_db=float(rng.uniform(-3, 12))
            )
        if self.gain_db:
            signals = equalize(signals, fs, rng.uniform(0, self.gain_db) * rng.standard_normal(len(_KNOTS_HZ)))
        if rng.random() < self.noise:
            signals = add_noise(signals, rng, snr_db=rng.uniform(*self.snr_db), slope=rng.uniform(-2.5, 0.0))
        if self.dynamics:
            signals = change_dynamics(signals, fs, compression=float(rng.uniform(-self.dynamics, self.dynamics)))
        return replace(recording, signals=signals, annotations=_stretched(recording, signals.shape[1]))


def _stretched(recording: Recording, n_samples: int) -> Annotations:
    marks = recording.annotations
    if n_samples == recording.n_samples:
        return marks
    if len(marks) and ((marks.starts != 0) | (marks.stops != recording.n_samples)).any():
        raise DataError(f"{recording.id}: annotations of stretches do not follow a change of speed or tempo")
    return replace(marks, stops=np.full(len(marks), n_samples))
