"""Sensors that fail at known times: a lead that falls off, a rail that is hit, lost samples, mains, motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["KINDS", "SensorFailure", "drop_out", "lead_off", "mains", "motion", "saturate", "usual_range"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

KINDS = ("lead_off", "saturation", "dropout", "mains", "motion")
"""What can fail, in the order of the labels."""

_SMALL = 1e-6
_TREMOR_HZ = (1.0, 8.0)
_TREMOR_WAVES = 12


def usual_range(signal: npt.ArrayLike) -> float:
    """Return the distance from the 1st to the 99th percentile of a signal: the size that failures are measured in.

    Examples
    --------
    >>> usual_range(np.arange(101.0))
    98.0
    """
    low, high = np.percentile(np.asarray(signal, dtype=np.float64), [1, 99])
    return float(max(high - low, _SMALL))


def lead_off(signal: npt.ArrayLike, *, level: float, noise: float = 0.0, rng: np.random.Generator) -> Float32:
    """Return what is recorded of a lead that has fallen off: a step to a level, and nothing but the amplifier's noise.

    Parameters
    ----------
    signal : array_like [shape=(samples,)]
        What would have been recorded.
    level : float
        Where the line lies, in the unit of the signal.
    noise : float [>= 0]
        Standard deviation of the noise, in the unit of the signal.
    rng : np.random.Generator
        What draws.

    Examples
    --------
    >>> lead_off([1.0, 2.0], level=-3.0, rng=np.random.default_rng(0)).tolist()
    [-3.0, -3.0]
    """
    n = len(np.asarray(signal))
    return np.asarray(level + noise * rng.standard_normal(n), dtype=np.float32)


def saturate(signal: npt.ArrayLike, *, gain: float, offset: float, low: float, high: float) -> Float32:
    """Return what an amplifier gives that is driven against its rails: ``gain * signal + offset``, cut off.

    Parameters
    ----------
    signal : array_like [shape=(samples,)]
        What would have been recorded.
    gain : float
        Of the amplifier, against what it should be.
    offset : float
        Added, in the unit of the signal.
    low, high : float
        The rails, in the unit of the signal.

    Examples
    --------
    >>> saturate([0.0, 1.0, 2.0], gain=2.0, offset=0.0, low=-1.0, high=3.0).tolist()
    [0.0, 2.0, 3.0]
    """
    return np.clip(gain * np.asarray(signal, dtype=np.float64) + offset, low, high).astype(np.float32)


def drop_out(signal: npt.ArrayLike, *, fs: float, gap_s: float, share: float, rng: np.random.Generator) -> Float32:
    """Return a signal of which packets are lost: in each gap its last value is held.

    Parameters
    ----------
    signal : array_like [shape=(samples,)]
        What would have been recorded.
    fs : float [unit=Hz]
        Its rate.
    gap_s : float [unit=s, > 0]
        Length of a packet.
    share : float [0 to 1]
        Probability that a packet is lost; the first is, always.
    rng : np.random.Generator
        What draws.

    Examples
    --------
    >>> drop_out([1.0, 2.0, 3.0], fs=1, gap_s=3, share=1.0, rng=np.random.default_rng(0)).tolist()
    [1.0, 1.0, 1.0]
    """
    row = np.asarray(signal, dtype=np.float32)
    packet = max(round(gap_s * fs), 1)
    lost = rng.random(-(-len(row) // packet)) < share
    lost[:1] = True
    held = np.repeat(lost, packet)[: len(row)]
    held[:1] = False
    source = np.maximum.accumulate(np.where(held, 0, np.arange(len(row))))
    return np.asarray(row[source])


def mains(
    signal: npt.ArrayLike, *, fs: float, amplitude: float, mains_hz: float = 50.0, rng: np.random.Generator
) -> Float32:
    """Return a signal with hum: the mains and a third of it at three times its frequency, where the rate holds that.

    Parameters
    ----------
    signal : array_like [shape=(samples,)]
        What would have been recorded.
    fs : float [unit=Hz]
        Its rate.
    amplitude : float
        Of the sine, in the unit of the signal.
    mains_hz : float [unit=Hz, < fs / 2]
        Its frequency.
    rng : np.random.Generator
        Draws the phases.

    Raises
    ------
    ParameterError
        When the rate cannot hold the frequency.
    """
    if not 0 < mains_hz < fs / 2:
        raise ParameterError(f"mains of {mains_hz:g} Hz need a rate above {2 * mains_hz:g} Hz, got {fs:g} Hz")
    row = np.asarray(signal, dtype=np.float64)
    turns = mains_hz * np.arange(len(row)) / fs
    hum = np.sin(2 * np.pi * (turns + rng.random()))
    if 3 * mains_hz < fs / 2:
        hum += np.sin(2 * np.pi * (3 * turns + rng.random())) / 3
    return np.asarray(row + amplitude * hum, dtype=np.float32)


def motion(signal: npt.ArrayLike, *, fs: float, amplitude: float, rng: np.random.Generator) -> Float32:
    """Return a signal of a moving electrode: tremor of 1 to 8 Hz, and baselines that jump and come back.

    Parameters
    ----------
    signal : array_like [shape=(samples,)]
        What would have been recorded.
    fs : float [unit=Hz]
        Its rate.
    amplitude : float
        Standard deviation of the tremor and of the jumps, in the unit of the signal.
    rng : np.random.Generator
        What draws.
    """
    row = np.asarray(signal, dtype=np.float64)
    seconds = np.arange(len(row)) / fs
    frequencies, phases = rng.uniform(*_TREMOR_HZ, _TREMOR_WAVES), rng.random(_TREMOR_WAVES)
    waves = np.sin(2 * np.pi * (frequencies[:, None] * seconds + phases[:, None])).sum(axis=0)
    added = waves * np.sqrt(2 / _TREMOR_WAVES)
    for at in rng.uniform(0, len(row) / fs, 1 + round(len(row) / fs)):
        added += rng.standard_normal() * np.exp(-np.maximum(seconds - at, 0) / 0.4) * (seconds >= at)
    return np.asarray(row + amplitude * added, dtype=np.float32)


@dataclass(frozen=True)
class SensorFailure:
    """Let the sensors of a recording fail, at times that are known from then on.

    Parameters
    ----------
    kinds : tuple of str
        What fails, among `KINDS`.
    n_each : int [>= 1]
        How often each.
    shortest_s, longest_s : float [unit=s]
        How long it lasts.
    apart_s : float [unit=s]
        Least time from one failure to the next, and to the ends of the recording.
    all_channels : float [0 to 1]
        Probability that all channels fail at once, rather than one.
    size : float [> 0]
        How large mains and motion are: amplitudes are drawn from 0.5 to 1.5 times this share of the signal's usual
        range; see `usual_range`.

    Raises
    ------
    ParameterError
        When a kind is not known, or a number is out of range.

    Examples
    --------
    >>> quiet = Recording(np.zeros((1, 30000)), 250, ["II"], ["mV"], id="r", subject="a")
    >>> failed = SensorFailure(("lead_off", "mains"), n_each=2)(quiet, np.random.default_rng(0))
    >>> failed.annotations
    Annotations(4: mains 2, lead_off 2)
    """

    kinds: tuple[str, ...] = KINDS
    n_each: int = 2
    shortest_s: float = 3.0
    longest_s: float = 10.0
    apart_s: float = 10.0
    all_channels: float = 0.5
    size: float = 0.3

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise ParameterError(f"no kind of failure {options(kind, KINDS)}")
        times = 0 < self.shortest_s <= self.longest_s and self.apart_s >= 0
        if not times or self.n_each < 1 or not 0 <= self.all_channels <= 1 or not self.size > 0 or not self.kinds:
            raise ParameterError(f"failures need a kind, a length, a number and a size, got {self!r}")

    def __call__(self, recording: Recording, rng: np.random.Generator) -> Recording:
        """Return the recording with failures, an annotation for each beside those that were there.

        Raises
        ------
        DataError
            When the recording is too short for them.
        """
        kinds = rng.permutation(np.repeat(np.array(self.kinds), self.n_each)).tolist()
        starts, stops = self._places(recording, len(kinds), rng)
        signals = np.array(recording.signals)
        sizes = [usual_range(row) for row in signals]
        for kind, start, stop in zip(kinds, starts.tolist(), stops.tolist(), strict=True):
            every = rng.random() < self.all_channels
            channels = range(len(signals)) if every else [int(rng.integers(len(signals)))]
            for k in channels:
                part = signals[k, start:stop]
                signals[k, start:stop] = self._failed(kind, part, sizes[k], fs=recording.fs, rng=rng)
        before = recording.annotations
        marks = Annotations(
            np.append(before.starts, starts),
            np.append(before.stops, stops),
            [*before.labels.tolist(), *kinds],
            [*before.notes.tolist(), *[""] * len(kinds)],
        )
        return recording.with_signals(signals, note=repr(self)).with_annotations(marks)

    def _places(self, recording: Recording, n: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
        lengths = rng.uniform(self.shortest_s, self.longest_s, n)
        spare = recording.duration_s - lengths.sum() - (n + 1) * self.apart_s
        if spare < 0:
            raise DataError(
                f"{recording.id}: {recording.duration_s:g} s are too short for {n} failures, {self.apart_s:g} s apart: "
                f"{-spare:.0f} s are lacking"
            )
        gaps = self.apart_s + spare * np.diff(np.sort(rng.random(n)), prepend=0.0)
        starts = np.cumsum(gaps) + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
        begin = np.rint(starts * recording.fs).astype(np.int64)
        return begin, begin + np.maximum(np.rint(lengths * recording.fs), 1).astype(np.int64)

    def _failed(self, kind: str, part: Float32, size: float, *, fs: float, rng: np.random.Generator) -> Float32:
        middle = float(np.median(part))
        amplitude = self.size * size * rng.uniform(0.5, 1.5)
        sign = float(rng.choice([-1.0, 1.0]))
        if kind == "lead_off":
            return lead_off(part, level=middle + sign * size * rng.uniform(0.1, 2.0), noise=0.002 * size, rng=rng)
        if kind == "saturation":
            rail = size * rng.uniform(0.3, 0.8)
            offset = middle * (1 - 4.0) + sign * size * rng.uniform(0.0, 0.5)
            return saturate(part, gain=4.0, offset=offset, low=middle - rail, high=middle + rail)
        if kind == "dropout":
            return drop_out(part, fs=fs, gap_s=float(rng.uniform(0.2, 0.8)), share=0.6, rng=rng)
        if kind == "mains":
            return mains(part, fs=fs, amplitude=amplitude, mains_hz=float(rng.choice([50.0, 60.0])), rng=rng)
        return motion(part, fs=fs, amplitude=amplitude, rng=rng)
