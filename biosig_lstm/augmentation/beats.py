"""Recordings of beats under another rhythm, other leads and with beats of other patients: new patients, nearly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from biosig_lstm.augmentation import _signal
from biosig_lstm.augmentation._rhythm import RhythmPlan
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError

__all__ = ["BeatAugmentation"]


@dataclass(frozen=True)
class BeatAugmentation:
    """Change recordings with annotated beats at random, each time otherwise.

    Most patients have no supraventricular beat and none of the others' ventricular ones. Here normal beats of
    regular rhythm are made premature (S), few of a recording or most of it, ventricular beats are borrowed from
    training patients (V), stretches are made to fibrillate and sinus rhythm to drift and swell (all N: irregular does
    not mean ectopic), and leads are rotated and filtered so that no one's QRS is known by heart.

    Parameters
    ----------
    mix, filtered : float [0 to 1]
        Probability that a lead is a rotation of both, and that the leads are filtered.
    premature, tachycardia, burden, ventricular, fibrillation : float [0 to 1]
        Probability that a recording gets some of each.
    premature_rate, ventricular_rate : float
        Largest share of beats that are made premature or ventricular: drawn between zero and it for each recording.
    drift, swell : float [0 to 1]
        Probability of changes of the sinus rate.
    rate_spread, sinus_arrhythmia : float
        Standard deviation of the logarithm of the overall rate, and of the depth of breathing's effect on it.
    irregularity : float
        Largest standard deviation of the logarithm of the intervals in fibrillation.
    fibrillation_part : float [0 to 1]
        Probability that fibrillation takes a stretch of 60 to 400 beats rather than the whole.
    jitter_s : float [unit=s]
        Standard deviation of the beats' positions.

    Notes
    -----
    All is done on the recording before windows are cut, so that a window shows the T wave of the beat before and
    the P wave of its own as far apart as the intervals say.
    """

    mix: float = 0.5
    filtered: float = 0.6
    premature: float = 0.8
    premature_rate: float = 0.1
    tachycardia: float = 0.5
    burden: float = 0.0
    ventricular: float = 0.7
    ventricular_rate: float = 0.08
    fibrillation: float = 0.6
    irregularity: float = 0.4
    fibrillation_part: float = 0.6
    drift: float = 0.3
    swell: float = 0.7
    rate_spread: float = 0.08
    sinus_arrhythmia: float = 0.05
    jitter_s: float = 0.008

    def bank(self, recordings: Iterable[Recording]) -> list[np.ndarray]:
        """Return the ventricular beats of those recordings that have ten or more, to be lent to others."""
        found = (
            _signal.cut_ventricular(r.signals, r.annotations.starts / r.fs, r.annotations.labels, fs=r.fs)
            for r in recordings
        )
        return [beats for beats in found if beats is not None]

    def __call__(
        self, recording: Recording, rng: np.random.Generator, *, bank: list[np.ndarray] | None = None
    ) -> Recording:
        """Return the recording changed.

        Parameters
        ----------
        recording : Recording
            Filtered, finite, with beats labelled by AAMI class as its only annotations.
        rng : np.random.Generator
            Where chance comes from.
        bank : list of np.ndarray, optional
            What `bank` returned; without it no ventricular beats are lent.
        """
        if len(recording.annotations) < 20:
            raise ParameterError(f"{recording.id}: needs 20 beats or more, has {len(recording.annotations)}")
        times = recording.annotations.starts / recording.fs
        signals = _signal.mix_leads(
            recording.signals,
            _signal.qrs_heights(recording.signals, times, fs=recording.fs),
            rng,
            probability=self.mix,
        )
        if rng.random() < self.filtered:
            signals = _signal.filter_leads(signals, rng, fs=recording.fs)
        plan = self._plan(times, np.asarray(recording.annotations.labels), rng, lend=bool(bank))
        moved, new_times = _signal.retime(signals, plan, fs=recording.fs)
        self._dress(moved, new_times, plan, rng, bank=bank or [], fs=recording.fs)
        return self._finish(recording, moved, new_times, plan, rng)

    def _plan(self, times: np.ndarray, labels: np.ndarray, rng: np.random.Generator, *, lend: bool) -> RhythmPlan:
        plan = RhythmPlan(times, labels)
        plan.change_rate(rng, spread=self.rate_spread, sinus=self.sinus_arrhythmia)
        if rng.random() < self.premature:
            plan.add_premature(rng, rate=rng.uniform(0, self.premature_rate))
        if rng.random() < self.tachycardia:
            plan.add_tachycardia(rng)
        if rng.random() < self.burden:
            plan.add_burden(rng)
        if rng.random() < self.drift:
            plan.drift_rate(rng)
        if rng.random() < self.swell:
            plan.swell_rate(rng)
        if lend and rng.random() < self.ventricular:
            plan.add_ventricular(rng, rate=rng.uniform(0, self.ventricular_rate))
        if rng.random() < self.fibrillation:
            plan.fibrillate(rng, irregularity=self.irregularity, part=self.fibrillation_part)
        return plan

    def _dress(
        self,
        signals: np.ndarray,
        times: np.ndarray,
        plan: RhythmPlan,
        rng: np.random.Generator,
        *,
        bank: list[np.ndarray],
        fs: float,
    ) -> None:
        if plan.fibrillation:
            first, last = plan.fibrillation
            heights = _signal.qrs_heights(signals, times, fs=fs)
            _signal.fibrillation_waves(signals, heights, rng, start_s=times[first], stop_s=times[last], fs=fs)
        if plan.ventricular:
            _signal.paste_beats(signals, times, plan.ventricular, bank, rng, fs=fs)

    def _finish(
        self, recording: Recording, signals: np.ndarray, times: np.ndarray, plan: RhythmPlan, rng: np.random.Generator
    ) -> Recording:
        places = np.rint((times + rng.normal(0, self.jitter_s, len(times))) * recording.fs).astype(np.int64)
        places = np.maximum.accumulate(np.clip(places, 0, signals.shape[1] - 1))
        beats = Annotations(places, labels=plan.labels)
        return replace(recording, signals=signals, annotations=beats, history=(*recording.history, "augmented"))
