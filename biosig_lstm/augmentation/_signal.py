"""The signal that follows a changed rhythm: diastoles stretched, P waves changed, beats of others put in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from biosig_lstm.augmentation._rhythm import RhythmPlan

__all__ = [
    "VentricularBeats",
    "fibrillation_waves",
    "filter_leads",
    "mix_leads",
    "paste_beats",
    "qrs_heights",
    "retime",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
VentricularBeats = Sequence[Float32]

_QRS_S = 0.1
_BANK_BEFORE_S, _BANK_AFTER_S = 0.3, 0.7


def qrs_heights(signals: Float32, times_s: Float64, *, fs: float) -> Float32:
    """Return the median peak-to-peak height of the QRS (0.1 s on either side) in each lead, shape (leads,)."""
    half = round(_QRS_S * fs)
    centres = np.clip(np.rint(times_s * fs).astype(int), half + 1, signals.shape[1] - half - 2)
    spans = signals[:, centres[:, None] + np.arange(-half, half + 1)]
    return np.asarray(np.median(np.ptp(spans, axis=-1), axis=1) + 1e-3, dtype=np.float32)


def mix_leads(signals: Float32, heights: Float32, rng: np.random.Generator, *, probability: float) -> Float32:
    """Return leads scaled to a QRS height of one, each with `probability` replaced by a rotation of the first two."""
    unit = signals / heights[:, None]
    mixed = unit.copy()
    for lead in range(len(unit)):
        if len(unit) > 1 and rng.random() < probability:
            angle = rng.uniform(0, 2 * np.pi)
            mixed[lead] = np.cos(angle) * unit[0] + np.sin(angle) * unit[1]
    return mixed


def filter_leads(signals: Float32, rng: np.random.Generator, *, fs: float) -> Float32:
    """Return each lead through a random short filter of its own, which changes the shape of every beat alike."""
    changed = signals.copy()
    for lead in range(len(signals)):
        half = round(int(rng.integers(2, 7)) * fs / 100)
        taps = rng.normal(0, 1, 2 * half + 1) * np.hanning(2 * half + 3)[1:-1]
        taps *= rng.uniform(0.2, 1.2) / np.sqrt((taps * taps).sum())
        taps[half] += 1
        changed[lead] = np.convolve(signals[lead], taps, "same")
    return changed


def retime(signals: Float32, plan: RhythmPlan, *, fs: float) -> tuple[Float32, Float64]:
    """Return the signal and the instants of its beats at the plan's intervals.

    QRS and T, and the start of the P wave, keep their shape around each beat; the diastole between takes up the
    difference. Where a beat comes early the T wave before it and its P wave overlap, as they do in patients.
    """
    times, rr, new_rr = plan.times_s, np.diff(plan.times_s), np.clip(plan.rr_s, 0.2, 6.0)
    shorter = np.minimum(new_rr, rr)
    new_times = times[0] + np.concatenate([[0.0], np.cumsum(new_rr)])
    before, after = np.minimum(0.22, 0.30 * shorter), np.minimum(0.40, 0.45 * shorter)
    source, target = np.empty(3 * len(times) - 2), np.empty(3 * len(times) - 2)
    for anchors, instants in ((source, times), (target, new_times)):
        anchors[0::3] = instants
        anchors[1::3] = instants[:-1] + after
        anchors[2::3] = instants[1:] - before
    grid = np.arange(int((new_times[-1] + 1.5) * fs)) / fs
    read = np.interp(grid, target, source)
    read = np.where(grid < target[0], grid - target[0] + source[0], read)
    read = np.where(grid > target[-1], grid - target[-1] + source[-1], read)
    place = np.clip(read * fs, 0, signals.shape[1] - 1.001)
    whole = place.astype(np.int64)
    share = (place - whole).astype(np.float32)
    moved = signals[:, whole] * (1 - share) + signals[:, whole + 1] * share
    _change_p_waves(moved, plan, new_times, new_rr, fs=fs)
    return moved.astype(np.float32), new_times


def _change_p_waves(signals: Float32, plan: RhythmPlan, times_s: Float64, rr_s: Float64, *, fs: float) -> None:
    for beat in np.flatnonzero(plan.p_gain != 1):
        stop = round((times_s[beat] - 0.06) * fs)
        width = int(min(0.16, 0.28 * (rr_s[beat - 1] if beat else 0.6)) * fs)
        start = stop - width
        if start < 1 or stop >= signals.shape[1] - 1:
            continue
        ramp = np.linspace(0, 1, width + 1, dtype=np.float32)
        line = signals[:, start : start + 1] * (1 - ramp) + signals[:, stop : stop + 1] * ramp
        wave = signals[:, start : stop + 1] - line
        signals[:, start : stop + 1] = line + plan.p_gain[beat] * wave


def fibrillation_waves(
    signals: Float32, heights: Float32, rng: np.random.Generator, *, start_s: float, stop_s: float, fs: float
) -> None:
    """Add fibrillation waves of 4 to 9 Hz, up to 0.12 of the QRS height, to a stretch of `signals`, in place."""
    first, last = int(start_s * fs), min(int(stop_s * fs), signals.shape[1])
    if last - first < 2:
        return
    knots = np.arange(0, last - first + 0.5 * fs, 0.5 * fs)
    for lead, height in enumerate(heights.tolist()):
        depth, rate = height * rng.uniform(0, 0.12), rng.uniform(4, 9)
        wander = np.interp(np.arange(last - first), knots, rng.normal(0, 1, len(knots)))
        phase = np.cumsum(rate * (1 + 0.1 * wander)) / fs * 2 * np.pi
        signals[lead, first:last] += (0.5 * depth * np.sin(phase)).astype(np.float32)


def cut_ventricular(signals: Float32, times_s: Float64, labels: npt.NDArray[np.str_], *, fs: float) -> Float32 | None:
    """Return a patient's ventricular beats, 0.3 s before to 0.7 s after R in units of the normal QRS, or None.

    Shape (beats, leads, samples); None where there are fewer than ten.
    """
    before, after = round(_BANK_BEFORE_S * fs), round(_BANK_AFTER_S * fs)
    centres = np.rint(times_s * fs).astype(int)
    inside = (centres > fs) & (centres < signals.shape[1] - fs)
    chosen = centres[(labels == "V") & inside]
    normal = times_s[labels == "N"]
    if len(chosen) < 10 or not len(normal):
        return None
    beats = signals[:, chosen[:, None] + np.arange(-before, after)].transpose(1, 0, 2)
    return np.asarray(beats / qrs_heights(signals, normal, fs=fs)[None, :, None], dtype=np.float32)


def paste_beats(
    signals: Float32,
    times_s: Float64,
    beats: Sequence[int],
    bank: VentricularBeats,
    rng: np.random.Generator,
    *,
    fs: float,
) -> None:
    """Put ventricular beats of two patients of the bank in the place of `beats`, in place.

    The two leads are rotated, scaled and stretched at random, the same for all beats of a donor; the ends are faded
    into what was there.
    """
    heights = qrs_heights(signals, times_s, fs=fs)
    donors = [_Donor(bank[int(rng.integers(len(bank)))], len(signals), rng) for _ in range(2)]
    rr = np.diff(times_s)
    for beat in beats:
        centre = round(times_s[beat] * fs)
        if not 0.6 * fs < centre < signals.shape[1] - 1.2 * fs:
            continue
        room_s = 0.85 * rr[beat] - 0.08 if beat < len(rr) else 0.45
        after = round(float(np.clip(room_s, 0.20, 0.45)) * fs)
        donor = donors[int(rng.random() < 0.15)]
        _fade_in(signals, donor.draw(rng, after=after, fs=fs) * heights[:, None], centre - round(0.14 * fs), fs=fs)


class _Donor:
    """One patient's ventricular beats as another patient shall show them."""

    def __init__(self, beats: Float32, n_leads: int, rng: np.random.Generator) -> None:
        self.beats = beats
        self.angles = rng.uniform(0, 2 * np.pi, n_leads)
        self.rotated = rng.random(n_leads) < 0.6
        self.gains = np.exp(rng.normal(0, 0.2, n_leads))
        self.stretch = rng.uniform(0.85, 1.2)

    def draw(self, rng: np.random.Generator, *, after: int, fs: float) -> Float64:
        """Return a beat drawn from the donor's, shape (leads, samples), from 0.14 s before R on."""
        beat = self.beats[int(rng.integers(len(self.beats)))]
        ticks = np.arange(-round(0.14 * fs), after) / self.stretch + _BANK_BEFORE_S * fs
        rows = [self._lead(beat, lead) for lead in range(len(self.gains))]
        return np.stack([np.interp(ticks, np.arange(beat.shape[1]), row) for row in rows])

    def _lead(self, beat: Float32, lead: int) -> Float32:
        own = beat[min(lead, len(beat) - 1)]
        if self.rotated[lead] and len(beat) > 1:
            own = np.cos(self.angles[lead]) * beat[0] + np.sin(self.angles[lead]) * beat[1]
        return np.asarray(own * self.gains[lead], dtype=np.float32)


def _fade_in(signals: Float32, beat: Float64, first: int, *, fs: float) -> None:
    there = signals[:, first : first + beat.shape[1]]
    ends = np.linspace(beat[:, 0] - there[:, 0], beat[:, -1] - there[:, -1], beat.shape[1], axis=1)
    weight = np.ones(beat.shape[1])
    rise, fall = round(0.05 * fs), round(0.08 * fs)
    weight[:rise], weight[-fall:] = np.linspace(0, 1, rise), np.linspace(1, 0, fall)
    signals[:, first : first + beat.shape[1]] = weight * (beat - ends) + (1 - weight) * there
