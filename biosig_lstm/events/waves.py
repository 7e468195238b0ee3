"""From the probability of each wave at each sample to waves: where they are, begin and end, lead by lead."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import WAVES, Waves
from biosig_lstm.errors import ParameterError

__all__ = ["AGREEMENT", "P_WEIGHT", "find_waves", "p_wave_weight"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

AGREEMENT = 0.8
"""Share of the other leads in whether there is a wave."""

P_WEIGHT = 2.0
"""What the probability of a P wave is multiplied by where P waves stand at a steady distance before the QRS."""

_SHORTEST_S = {"P": 0.02, "QRS": 0.024, "T": 0.032}
_P, _QRS = WAVES.index("P") + 1, WAVES.index("QRS") + 1
_STRONGEST_S = 0.048
_PLAUSIBLE, _SURE = 1 / 3, 0.7
_STEADY_S = 0.028
_FEWEST_BEATS = 3


class _Run(NamedTuple):
    """A stretch of steps of one class: its first step, and the one after its last."""

    kind: int
    first: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.first


def find_waves(
    probabilities: npt.ArrayLike,
    signals: npt.ArrayLike,
    *,
    rate_hz: float,
    agreement: float = AGREEMENT,
    p_weight: float | None = None,
) -> list[Waves]:
    """Return the waves of each lead of a recording.

    Parameters
    ----------
    probabilities : array_like [shape=(leads, steps, 4)]
        Of no wave, P, QRS and T, at each step of each lead.
    signals : array_like [shape=(leads, steps)]
        The leads, for the peaks; neither unit nor baseline matters.
    rate_hz : float [unit=Hz]
        Steps a second.
    agreement : float [0 to 1]
        Whether there is a wave is asked of the lead and of the mean of all leads, the latter with this weight.
    p_weight : float [>= 0], optional
        What the probability of a P wave is multiplied by in that question: more than one where P waves that are
        missed are worse than those that are invented. By default what `p_wave_weight` says of the recording.

    Returns
    -------
    list of Waves
        In steps, and between steps, of each lead. A wave that the first or the last step cuts has no onset or end.

    Raises
    ------
    ParameterError
        When shapes do not fit, or a parameter is out of range.

    Notes
    -----
    A wave is a run of steps at which its class is the most probable one, of 20 ms or more (P), 24 ms (QRS), 32 ms
    (T). Between two QRS complexes at most one P and one T wave are kept, those with the largest sum of
    probabilities. A boundary lies where the probability of the wave and that of its strongest rival are equal,
    interpolated between steps, in the lead itself where it shows the wave, else in the mixture with the other
    leads. The peak is the sample farthest from the straight line between onset and end.

    Examples
    --------
    >>> sure = np.zeros((1, 100, 4))
    >>> sure[:, :, 0] = 1
    >>> sure[:, 40:60] = [0, 0, 1, 0]
    >>> found = find_waves(sure, np.bincount([50], minlength=100)[None], rate_hz=250)[0]
    >>> list(found.rows())
    [('QRS', 40.0, 50.0, 59.0)]
    """
    own, leads = np.asarray(probabilities, dtype=np.float64), np.asarray(signals, dtype=np.float64)
    if own.ndim != 3 or own.shape[2] != len(WAVES) + 1 or leads.shape != own.shape[:2]:
        raise ParameterError(
            f"probabilities must be (leads, steps, {len(WAVES) + 1}) and signals (leads, steps), "
            f"got {own.shape} and {leads.shape}"
        )
    if not 0 <= agreement <= 1 or not rate_hz > 0 or (p_weight is not None and p_weight < 0):
        raise ParameterError(
            f"agreement must lie in 0 to 1, rate_hz be positive and p_weight 0 or more, got {agreement}, {rate_hz} and "
            f"{p_weight}"
        )
    mean = own.mean(axis=0)
    mixed = (1 - agreement) * own + agreement * mean
    mixed[:, :, _P] *= p_wave_weight(mean, rate_hz=rate_hz) if p_weight is None else p_weight
    return [_of_lead(*lead, rate_hz=rate_hz) for lead in zip(own, mixed, leads, strict=True)]


def p_wave_weight(probabilities: npt.ArrayLike, *, rate_hz: float) -> float:
    """Return how far to trust the probabilities of P waves, from whether these stand at a steady distance to the QRS.

    Parameters
    ----------
    probabilities : array_like [shape=(steps, 4)]
        Of no wave, P, QRS and T, mean of the leads.
    rate_hz : float [unit=Hz]
        Steps a second.

    Returns
    -------
    float
        `P_WEIGHT` where P waves are sure or steady, 0 where they are neither, and 1 where fewer than three beats have
        a plausible one.

    Notes
    -----
    In sinus rhythm the distance from P to QRS hardly changes; what looks like a P wave in atrial fibrillation stands
    anywhere. Between two QRS complexes, the place of P is the mean step weighted with its probability, and its
    strength the mean of the largest 48 ms of it. Steady is a standard deviation of the distance of 28 ms or less over
    the beats with a strength above a third; sure a mean strength of all beats of 0.7. Both limits were chosen in
    cross-validation on LUDB. Where P waves are sure they need not be steady: so it is in second-degree AV block.
    """
    mean = np.asarray(probabilities, dtype=np.float64)
    beats = [
        run for run in _runs(mean.argmax(axis=1)) if run.kind == _QRS and run.length >= _SHORTEST_S["QRS"] * rate_hz
    ]
    n_strongest = max(round(_STRONGEST_S * rate_hz), 1)
    strength, distance_s = [], []
    for before, after in pairwise(beats):
        atrial = mean[before.stop : after.first, _P]
        if len(atrial) > n_strongest:
            strength.append(np.sort(atrial)[-n_strongest:].mean())
            steps = np.arange(len(atrial), 0, -1)
            distance_s.append((steps * atrial).sum() / max(atrial.sum(), 1e-9) / rate_hz)
    plausible = np.array(distance_s)[np.array(strength) > _PLAUSIBLE]
    if len(plausible) < _FEWEST_BEATS:
        return 1.0
    return P_WEIGHT if np.std(plausible) <= _STEADY_S or np.mean(strength) >= _SURE else 0.0


def _of_lead(own: Float64, mixed: Float64, signal: Float64, *, rate_hz: float) -> Waves:
    shortest = {k: round(_SHORTEST_S[wave] * rate_hz) for k, wave in enumerate(WAVES, start=1)}
    found = [run for run in _runs(mixed.argmax(axis=1)) if run.length >= shortest[run.kind]]
    shown = [run for run in _runs(own.argmax(axis=1)) if run.length >= shortest[run.kind]]
    own_lead, mixture = _margins(own), _margins(mixed)
    rows = []
    for run in _one_of_each(found, mixed):
        same = _same_wave(run, shown)
        onset, end = _boundaries(own_lead, same) if same else _boundaries(mixture, run)
        rows.append((WAVES[run.kind - 1], onset, _peak(signal, same or run, within=run, onset=onset, end=end), end))
    return Waves(*zip(*rows, strict=True)) if rows else Waves()


def _runs(classes: Int64) -> list[_Run]:
    edges = np.concatenate([[0], np.flatnonzero(np.diff(classes)) + 1, [len(classes)]])
    firsts = edges[:-1] if len(classes) else edges[:0]
    kinds = classes[firsts].tolist()
    return [_Run(k, a, b) for k, a, b in zip(kinds, firsts.tolist(), edges[1:].tolist(), strict=False) if k]


def _one_of_each(runs: list[_Run], mixed: Float64) -> list[_Run]:
    """Return the runs with at most one P and one T wave between two QRS complexes."""
    best: dict[tuple[int, int], tuple[float, _Run]] = {}
    beat = 0
    for run in runs:
        beat += run.kind == _QRS
        sure = float(mixed[run.first : run.stop, run.kind].sum())
        if (beat, run.kind) not in best or sure > best[beat, run.kind][0]:
            best[beat, run.kind] = (sure, run)
    return sorted((run for _, run in best.values()), key=lambda run: run.first)


def _same_wave(run: _Run, shown: list[_Run]) -> _Run | None:
    """Return the run of the lead itself that shows the same wave: most of it, and not twice as long."""
    near = [other for other in shown if other.kind == run.kind and other.first < run.stop and other.stop > run.first]
    shared = {other: min(other.stop, run.stop) - max(other.first, run.first) for other in near}
    best = max(near, key=lambda other: shared[other], default=None)
    if best is None or shared[best] <= run.length / 2 or best.length >= 2 * run.length:
        return None
    return best


def _margins(probabilities: Float64) -> Float64:
    """Return by how much each class is more probable than its strongest rival, shape (steps, classes)."""
    kinds = range(probabilities.shape[1])
    rivals = [np.delete(probabilities, k, axis=1).max(axis=1) for k in kinds]
    ahead: Float64 = probabilities - np.stack(rivals, axis=1)
    return ahead


def _boundaries(margins: Float64, run: _Run) -> tuple[float, float]:
    """Return the first and the last step of a wave, NaN where the data begin or end before it does."""
    ahead = margins[:, run.kind]
    onset, end = float("nan"), float("nan")
    if run.first > 0:
        before, inside = ahead[run.first - 1], ahead[run.first]
        onset = run.first - 0.5 - before / (inside - before) if inside > before else float(run.first)
    if run.stop < len(ahead):
        inside, after = ahead[run.stop - 1], ahead[run.stop]
        end = run.stop - 1.5 + inside / (inside - after) if inside > after else run.stop - 1.0
    return onset, end


def _peak(signal: Float64, run: _Run, *, within: _Run, onset: float, end: float) -> float:
    """Return the sample of a run farthest from the line through its ends, out of those of another run it shares.

    Runs of the mixture do not overlap: peaks that lie in them come in the order of their waves.
    """
    piece = signal[run.first : run.stop]
    away = np.abs(piece - np.linspace(piece[0], piece[-1], len(piece)))
    first, stop = max(run.first, within.first), min(run.stop, within.stop)
    farthest = float(first + int(away[first - run.first : stop - run.first].argmax()))
    return float(np.clip(farthest, farthest if np.isnan(onset) else onset, farthest if np.isnan(end) else end))
