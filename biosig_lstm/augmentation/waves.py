"""Leads with labelled waves changed at random: heart rate and conduction, amplitude and sign, drift, noise, hum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError

__all__ = ["WaveAugmentation"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_NONE, _P, _QRS, _T = 0, 1, 2, 3
_WITH_F_WAVES = 0.8
_IRREGULAR = 0.35
_SLOW_STEPS = 125
_PAUSES = {(_T, _P): (-1.6, 0.3), (_T, _QRS): (-1.0, 0.3), (_P, _QRS): (-0.5, 1.0), (_QRS, _T): (-0.4, 0.4)}


@dataclass(frozen=True)
class WaveAugmentation:
    """Take a stretch of a lead and change it; items are those of `EachLead`, labels those of its steps.

    Parameters
    ----------
    steps : int [>= 2]
        Length of the stretch taken.
    rate_hz : float [unit=Hz]
        Steps a second.
    stretch : float [>= 0]
        Time runs faster or slower by a factor of up to ``exp(stretch)``.
    pauses : float [0 to 1]
        Probability that the pauses between the waves are changed too: that between T and P (down to a fifth, which
        is a fast heart), between P and QRS (up to 2.7 times, a long PR interval) and between QRS and T.
    fibrillation : float [0 to 1]
        Probability that the P waves are taken out, every pause is drawn by itself, and, four times in five, the waves
        of fibrillating atria run through: sinus rhythm becomes something like atrial fibrillation.
    turn : float [0 to 1]
        Probability that the lead changes its sign.
    gain : float
        Standard deviation of the logarithm of the gains of the lead and of the other leads.
    alone : float [0 to 1]
        Probability that the other leads are not there.
    drift, noise, hum : float
        Mean amplitude, in units of the lead's size, of a wandering baseline, of white noise and of the mains, each
        there half, half and a fifth of the time.

    Raises
    ------
    ParameterError
        When `steps` is below two.
    """

    steps: int = 1536
    rate_hz: float = 250.0
    stretch: float = 0.22
    pauses: float = 0.5
    fibrillation: float = 0.12
    turn: float = 0.3
    gain: float = 0.25
    alone: float = 0.25
    drift: float = 0.1
    noise: float = 0.06
    hum: float = 0.06

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise ParameterError(f"steps must be at least 2, got {self.steps}")

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the stretch, shape (steps or fewer, 2), and its labels."""
        fibrillates = rng.random() < self.fibrillation
        if fibrillates:
            x, y = without_p_waves(x, y)
        at = self._times(y, rng, alike=not fibrillates)
        whole = np.arange(len(x))
        lead, others = (np.interp(at, whole, column) for column in x.T)
        if fibrillates and rng.random() < _WITH_F_WAVES:
            size = rng.uniform(0.02, 0.3)
            lead += size * self._f_waves(len(at), rng)
            others = np.hypot(others, rng.uniform(0.3, 1.0) * size * self._f_waves(len(at), rng))
        lead *= np.exp(rng.normal(0, self.gain)) * (-1.0 if rng.random() < self.turn else 1.0)
        lead += self._disturbance(len(at), rng)
        others *= 0.0 if rng.random() < self.alone else np.exp(rng.normal(0, self.gain))
        return np.stack([lead, others], axis=1).astype(np.float32), y[np.rint(at).astype(np.int64)]

    def _times(self, y: Int64, rng: np.random.Generator, *, alike: bool) -> Float64:
        """Return which step of the item stands at each step of the stretch, in order, between steps too."""
        pace = np.full(len(y), np.exp(rng.uniform(-self.stretch, self.stretch)))
        if not alike or rng.random() < self.pauses:
            pace *= changed_pauses(y, rng, alike=alike)
        ends = np.cumsum(pace)
        total = ends[-1] - ends[0]
        first = rng.uniform(0, max(total - self.steps, 0.0))
        wanted = first + np.arange(min(self.steps, int(total) + 1))
        times: Float64 = np.interp(wanted, ends - ends[0], np.arange(len(y)))
        return times

    def _f_waves(self, n: int, rng: np.random.Generator) -> Float64:
        """Return a saw of 4 to 9 Hz whose rate and size wander, root mean square near 1."""
        slow = np.repeat(rng.standard_normal((2, n // _SLOW_STEPS + 2)), _SLOW_STEPS, axis=1)
        rate, size = (np.convolve(row, np.ones(_SLOW_STEPS) / _SLOW_STEPS, "same")[:n] for row in slow)
        phase = 2 * np.pi * np.cumsum(rng.uniform(4, 9) * (1 + 0.1 * rate)) / self.rate_hz + rng.uniform(0, 2 * np.pi)
        saw: Float64 = (1 + 0.3 * size) * (np.sin(phase) + rng.uniform(0, 0.5) * np.sin(2 * phase))
        return saw

    def _disturbance(self, n: int, rng: np.random.Generator) -> Float64:
        seconds, added = np.arange(n) / self.rate_hz, np.zeros(n)
        if rng.random() < 0.5:
            added += rng.exponential(self.drift) * _sine(seconds, rng.uniform(0.1, 0.7), rng)
        if rng.random() < 0.5:
            added += rng.exponential(self.noise) * rng.standard_normal(n)
        if rng.random() < 0.2:
            added += rng.exponential(self.hum) * _sine(seconds, float(rng.choice([50, 60])), rng)
        return added


def without_p_waves(x: Float32, y: Int64) -> tuple[Float32, Int64]:
    """Return an item whose P waves are straight lines, and labels without them.

    Examples
    --------
    >>> x, y = without_p_waves(np.array([[0.0], [5.0], [2.0]], dtype=np.float32), np.array([0, 1, 0]))
    >>> x.ravel().tolist(), y.tolist()
    ([0.0, 1.0, 2.0], [0, 0, 0])
    """
    atrial, steps = y == _P, np.arange(len(y))
    if not atrial.any() or atrial.all():
        return x, y
    flat = [np.where(atrial, np.interp(steps, steps[~atrial], column[~atrial]), column) for column in x.T]
    return np.stack(flat, axis=1).astype(np.float32), np.where(atrial, _NONE, y)


def changed_pauses(y: Int64, rng: np.random.Generator, *, alike: bool = True) -> Float64:
    """Return how long each step lasts when the pauses between waves are drawn anew; steps of waves last 1.

    Parameters
    ----------
    y : np.ndarray of int64 [shape=(steps,)]
        0 no wave, 1 P, 2 QRS, 3 T, -1 not known.
    rng : np.random.Generator
        What draws.
    alike : bool
        One factor for each kind of pause, rather than one for each pause.

    Examples
    --------
    >>> changed_pauses(np.array([3, 0, 0, 1, -1, 2]), np.random.default_rng(0)).round(1).tolist()
    [1.0, 0.7, 0.7, 1.0, 1.0, 1.0]
    """
    factor = {pause: float(np.exp(rng.uniform(*limits))) for pause, limits in _PAUSES.items()}
    lasting = np.ones(len(y))
    edges = np.concatenate([[0], np.flatnonzero(np.diff(y)) + 1, [len(y)]])
    for first, last in zip(edges[1:-2].tolist(), edges[2:-1].tolist(), strict=True):
        if y[first] == _NONE:
            own = 1.0 if alike else float(np.exp(rng.normal(0, _IRREGULAR)))
            lasting[first:last] = own * factor.get((int(y[first - 1]), int(y[last])), 1.0)
    return lasting


def _sine(seconds: Float64, hz: float, rng: np.random.Generator) -> Float64:
    wave: Float64 = np.sin(2 * np.pi * (hz * seconds + rng.random()))
    return wave
