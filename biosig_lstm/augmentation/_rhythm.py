"""What is to become of a run of beats: new intervals and labels, drawn at random, before the signal follows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["RhythmPlan"]

Float64 = npt.NDArray[np.float64]

_REGULAR = 0.12


@dataclass
class RhythmPlan:
    """A run of beats while it is being changed.

    Parameters
    ----------
    times_s : np.ndarray [shape=(n,), unit=s]
        Instants of the beats as recorded.
    original : np.ndarray of str [shape=(n,)]
        Their AAMI classes as annotated.
    """

    times_s: Float64
    original: npt.NDArray[np.str_]
    labels: npt.NDArray[np.str_] = field(init=False)
    rr_s: Float64 = field(init=False)
    p_gain: Float64 = field(init=False)
    ventricular: list[int] = field(default_factory=list)
    fibrillation: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.labels = self.original.copy()
        self.rr_s = np.diff(self.times_s)
        self.recorded_s = np.clip(self.rr_s, 0.25, 3.0)
        self.log_rr = np.log(self.recorded_s)
        self.usual_s = np.exp(ndimage.median_filter(self.log_rr, size=17, mode="nearest"))
        self.p_gain = np.ones(len(self.times_s))
        self.stretch = 1.0

    @property
    def n_beats(self) -> int:
        """How many beats there are."""
        return len(self.times_s)

    def change_rate(self, rng: np.random.Generator, *, spread: float, sinus: float) -> None:
        """Stretch all intervals alike, and by breathing (respiratory sinus arrhythmia) and a little at random."""
        self.stretch = float(np.exp(rng.normal(0, spread)))
        depth, period = abs(rng.normal(0, sinus)), rng.uniform(3, 9)
        beats = np.arange(len(self.rr_s))
        breathing = depth * np.sin(2 * np.pi * beats / period + rng.uniform(0, 2 * np.pi))
        self.rr_s *= self.stretch * np.exp(breathing + rng.normal(0, 0.01, len(self.rr_s)))

    def drift_rate(self, rng: np.random.Generator) -> None:
        """Let the rate change once and for good, over 15 to 60 beats: the beats stay what they are."""
        beats = np.arange(len(self.rr_s))
        centre, width, depth = rng.integers(0, self.n_beats), rng.uniform(20, 60), rng.uniform(-0.35, 0.25)
        self._multiply(depth / (1 + np.exp(-(beats - centre) / width * 4)))

    def swell_rate(self, rng: np.random.Generator) -> None:
        """Let the rate come and go in places, within 2 to 40 beats: the beats stay what they are."""
        beats = np.arange(len(self.rr_s))
        change = np.zeros(len(beats))
        for _ in range(rng.poisson(self.n_beats / 80)):
            centre, width = rng.integers(0, self.n_beats), np.exp(rng.uniform(np.log(2.5), np.log(40)))
            change += rng.normal(0, 0.13) * np.exp(-0.5 * ((beats - centre) / width) ** 2)
        self._multiply(np.clip(change, -0.4, 0.4))

    def _multiply(self, log_change: Float64) -> None:
        self.rr_s = np.maximum(self.rr_s * np.exp(log_change), 0.3)

    def add_premature(self, rng: np.random.Generator, *, rate: float) -> None:
        """Make normal beats of regular rhythm come early, as supraventricular beats do: S.

        Alone, in pairs, in runs of 3 to 8, or every other beat; 0.5 to 0.87 of the usual interval, the pause after
        anything up to compensatory; the P wave kept, changed, inverted or gone.
        """
        k = 4
        while k < self.n_beats - 6:
            if rng.random() < rate and self._regular(k, 1):
                pattern = _supraventricular_pattern(rng)
                pattern = pattern if self._regular(k, len(pattern)) else [1]
                self._place_premature(rng, k, pattern)
                k += len(pattern) + 1
            k += 1

    def _regular(self, k: int, n: int) -> bool:
        if k - 3 < 0 or k + n + 2 >= self.n_beats:
            return False
        near = np.abs(self.log_rr[k - 3 : k + n + 1] - np.log(self.usual_s[k - 1])) < _REGULAR
        return bool((self.original[k - 2 : k + n + 2] == "N").all() and near.all())

    def _place_premature(self, rng: np.random.Generator, k: int, pattern: list[int]) -> None:
        early, compensation = rng.uniform(0.5, 0.87), rng.uniform(0, 1)
        p_wave = rng.choice(4, p=[0.35, 0.25, 0.2, 0.2])
        for beat, premature in enumerate(pattern, start=k):
            if not premature:
                continue
            usual = self.usual_s[beat - 1] * self.stretch
            share = float(np.clip(early * np.exp(rng.normal(0, 0.05)), 0.4, 0.9))
            self.rr_s[beat - 1] = max(usual * share, 0.28)
            self.labels[beat] = "S"
            self.p_gain[beat] = (1.0, rng.uniform(-1, 0.2), 0.0, rng.uniform(0.5, 1.5))[p_wave]
            if not (beat + 1 < k + len(pattern) and pattern[beat + 1 - k]):
                self.rr_s[beat] = usual * (1 + compensation * (1 - share)) * np.exp(rng.normal(0, 0.05))

    def add_tachycardia(self, rng: np.random.Generator) -> None:
        """Make one to three stretches of 8 to 100 regular normal beats a supraventricular tachycardia: S."""
        for _ in range(int(rng.integers(1, 4))):
            n = int(rng.integers(8, 100))
            k = int(rng.integers(5, max(6, self.n_beats - n - 5)))
            if k + n < self.n_beats - 4 and self._calm(k, n):
                self._place_tachycardia(rng, k, n)

    def _calm(self, k: int, n: int) -> bool:
        normal = (self.original[k - 2 : k + n + 2] == "N").all() and (self.labels[k - 2 : k + n + 2] == "N").all()
        return bool(normal and np.median(np.abs(np.diff(self.log_rr[k - 2 : k + n]))) <= 0.08)

    def _place_tachycardia(self, rng: np.random.Generator, k: int, n: int) -> None:
        usual = float(np.median(self.recorded_s[k - 2 : k + n])) * self.stretch
        share = max(rng.uniform(0.45, 0.85), 0.3 / usual)
        if share > 0.88:
            return
        self.rr_s[k - 1 : k + n - 1] = usual * share * np.exp(rng.normal(0, 0.015, n))
        self.rr_s[k - 1] *= rng.uniform(0.85, 1.05)
        self.rr_s[k + n - 1] = usual * rng.uniform(1.0, 1.6)
        self.labels[k : k + n] = "S"
        self.p_gain[k : k + n] = rng.choice([rng.uniform(-1, 0.3), 0.0, rng.uniform(0.3, 1)])

    def add_burden(self, rng: np.random.Generator) -> None:
        """Make most beats of a stretch premature: S in groups, the normal beats between them after a pause.

        In a patient of many ectopic beats the usual interval and the usual beat are the ectopic ones; a model that
        takes the median for normal fails there. All have one focus: one P wave, one prematurity, a little varied.
        """
        n = self.n_beats if rng.random() < 0.5 else int(rng.integers(80, max(81, self.n_beats)))
        first = int(rng.integers(0, max(1, self.n_beats - n)))
        early, compensation = rng.uniform(0.55, 0.87), rng.uniform(0, 1.5)
        group, between = rng.uniform(1, 6), rng.uniform(0, 1.5)
        p_gain = rng.choice([rng.uniform(-1, 0.3), 0.0, rng.uniform(0.3, 1), 1.0])
        k = first + 4
        while k < min(first + n, self.n_beats) - 12:
            size = min(int(rng.geometric(1 / group)), 10)
            if self._normal(k - 1, k + size + 1):
                for beat in range(k, k + size):
                    usual = self.usual_s[beat - 1] * self.stretch
                    share = early * np.exp(rng.normal(0, 0.06))
                    self.rr_s[beat - 1] = max(usual * share, 0.28)
                    self.labels[beat], self.p_gain[beat] = "S", p_gain
                self.rr_s[k + size - 1] = usual * (1 + compensation * (1 - early)) * np.exp(rng.normal(0, 0.08))
            k += size + 1 + int(rng.poisson(between))

    def add_ventricular(self, rng: np.random.Generator, *, rate: float) -> None:
        """Choose normal beats that a ventricular beat of another patient is to replace: V.

        Alone, in pairs, in runs of 3 to 5, or every other beat; from half the usual interval to no earlier at all.
        """
        k = 4
        while k < self.n_beats - 8:
            if rng.random() < rate and self._normal(k - 1, k + 2):
                pattern = _ventricular_pattern(rng)
                if self._normal(k, k + len(pattern) + 1):
                    self._place_ventricular(rng, k, pattern)
                    k += len(pattern) + 2
            k += 1

    def _normal(self, first: int, stop: int) -> bool:
        if first < 0 or stop >= self.n_beats:
            return False
        return bool((self.original[first:stop] == "N").all() and (self.labels[first:stop] == "N").all())

    def _place_ventricular(self, rng: np.random.Generator, k: int, pattern: list[int]) -> None:
        early, compensation = rng.uniform(0.5, 1.0), rng.uniform(0.3, 1.1)
        for beat, ectopic in enumerate(pattern, start=k):
            if not ectopic:
                continue
            usual = self.usual_s[beat - 1] * self.stretch
            self.rr_s[beat - 1] = max(usual * early * np.exp(rng.normal(0, 0.06)), 0.33)
            self.labels[beat] = "V"
            self.p_gain[beat] = rng.choice([0.0, 1.0, 0.3])
            self.ventricular.append(beat)
            if not (beat + 1 < k + len(pattern) and pattern[beat + 1 - k]):
                self.rr_s[beat] = usual * (1 + compensation * (1 - early)) * np.exp(rng.normal(0, 0.04))

    def fibrillate(self, rng: np.random.Generator, *, irregularity: float, part: float) -> None:
        """Make a stretch, or with probability ``1 - part`` all of it, atrial fibrillation: irregular, no P, all N."""
        n = int(rng.integers(60, 400)) if rng.random() < part else self.n_beats
        first = int(rng.integers(0, max(1, self.n_beats - n)))
        last = min(self.n_beats - 2, first + n)
        if last - first < 2 or not (self.original[first:last] != "S").all():
            return
        spread = rng.uniform(0.12, irregularity)
        middle = float(np.median(self.recorded_s[first:last])) * rng.uniform(0.65, 1.0)
        self.fibrillation = (first, last)
        for beat in range(first + 1, last):
            if self.original[beat] == "N" and self.original[beat - 1] == "N":
                self.rr_s[beat - 1] = max(middle * np.exp(rng.normal(0, spread)), 0.3)
            if self.original[beat] == "N" and self.labels[beat] != "V":
                self.labels[beat], self.p_gain[beat] = "N", 0.0


def _supraventricular_pattern(rng: np.random.Generator) -> list[int]:
    kind = rng.choice(4, p=[0.6, 0.15, 0.15, 0.1])
    if kind == 3:
        return [1, 0] * int(rng.integers(2, 8))
    return [1] * (1, 2, int(rng.integers(3, 9)))[kind]


def _ventricular_pattern(rng: np.random.Generator) -> list[int]:
    kind = rng.choice(4, p=[0.65, 0.15, 0.1, 0.1])
    if kind == 3:
        return [1, 0] * int(rng.integers(2, 6))
    return [1] * (1, 2, int(rng.integers(3, 6)))[kind]
