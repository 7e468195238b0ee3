"""What every feature keeps to; a new file in the folder, or a new column, is tested from the moment that it exists."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import biosig_lstm.features as features
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.features import hrv, local_hrv, own_beat, rr
from biosig_lstm.steps import Step
from biosig_lstm.windows import AroundEvents

Array = np.ndarray[Any, Any]
BEFORE_S, RATE_HZ, SAMPLES = 0.4, 100.0, 85
CUT = AroundEvents(BEFORE_S, 0.45, rate_hz=RATE_HZ, leads=3)


def recording(name: str, *, seed: int, n_beats: int | None = None) -> Recording:
    """Return a generated recording of about 400 beats, or of its first `n_beats`."""
    signals, peaks, labels = synthetic_ecg(duration_s=300.0, seed=seed, heart_rate_bpm=80, mains_mv=0.0)
    kept = peaks[:n_beats], np.where(labels == "A", "S", labels)[:n_beats]
    return Recording(
        signals, 360.0, ["II", "V1"], ["mV", "mV"], id=name, annotations=Annotations(kept[0], labels=kept[1])
    )


LONG = CUT(recording("long", seed=1))
SHORT = {n: CUT(recording(f"beats{n}", seed=n, n_beats=n)) for n in (1, 2, 3, 4, 9, 30)}


@dataclass(frozen=True)
class Rhythm:
    """The intervals of a recording, by plain loops over slices."""

    times_s: Array

    @cached_property
    def log_rr(self) -> Array:
        return np.log(np.minimum(np.maximum(self.times_s[1:] - self.times_s[:-1], 0.2), 3.0))

    @cached_property
    def record(self) -> float:
        return float(np.median(self.log_rr))

    @cached_property
    def before(self) -> Array:
        return np.array([self.record, *self.log_rr])

    @cached_property
    def after(self) -> Array:
        return np.array([*self.log_rr, self.record])

    @cached_property
    def change(self) -> Array:
        return np.array([0.0, *(abs(b - a) for a, b in pairwise(self.before))])

    def slices(self, values: Array, beats: int) -> list[Array]:
        reach = max(0, min(beats, (len(values) - 1) // 2 - 1))
        mirrored = np.pad(values, reach, mode="reflect") if reach else values
        return [mirrored[k : k + 2 * reach + 1] for k in range(len(values))]

    def median(self, values: Array, beats: int) -> Array:
        return np.array([np.median(part) for part in self.slices(values, beats)])

    def share_above(self, values: Array, beats: int) -> Array:
        return np.array([np.count_nonzero(part > 0.1) / len(part) for part in self.slices(values, beats)])

    def slow(self, beats: int, tenths: int) -> Array:
        return np.array([np.sort(part)[tenths * len(part) // 10] for part in self.slices(self.before, beats)])

    @cached_property
    def local(self) -> Array:
        return self.median(self.before, 16)


# Every column of the step needs a formula here.
RR_REFERENCES: dict[str, Callable[[Rhythm], Array]] = {
    "rr_before/local": lambda r: 4 * (r.before - r.local),
    "rr_after/local": lambda r: 4 * (r.after - r.local),
    "rr_before/local_slow": lambda r: 4 * (r.before - r.slow(16, 8)),
    "rr_before/record": lambda r: 4 * (r.before - r.record),
    "rr_after/record": lambda r: 4 * (r.after - r.record),
    "rr_before/rr_after": lambda r: 3 * (r.before - r.after),
    "rr_before/previous": lambda r: 3 * (r.before - [r.before[k - 1] for k in range(len(r.before))]),
    "rr_after/next": lambda r: 3 * (r.after - [*r.after[1:], r.after[0]]),
    "local/record": lambda r: 4 * (r.local - r.record),
    "local_change": lambda r: 10 * r.median(r.change, 16),
    "record": lambda r: 2 * np.log(np.exp(r.record) / 0.8) * np.ones(len(r.before)),
    "local_irregular": lambda r: 3 * r.share_above(r.change, 16),
    "wide_irregular": lambda r: 3 * r.share_above(r.change, 60),
    "wide_change": lambda r: 10 * r.median(r.change, 60),
    "rr_before/wide_slow": lambda r: 4 * (r.before - r.slow(120, 7)),
    "local/wide_slow": lambda r: 4 * (r.local - r.slow(120, 7)),
    "rr_before/local_mean": lambda r: 4 * (r.before - np.log([p.mean() for p in r.slices(np.exp(r.before), 16)])),
    "rr_before/record_mean": lambda r: 4 * (r.before - np.log(np.exp(r.before).mean())),
}


@dataclass(frozen=True)
class Shape:
    """A beat beside the usual one in one lead, in units of the usual QRS: float64, one beat at a time."""

    beat: Array
    usual: Array
    earlier: Array
    later: Array

    @staticmethod
    def part(x: Array, first_s: float, last_s: float) -> Array:
        return x[max(round((BEFORE_S + first_s) * RATE_HZ), 0) : min(round((BEFORE_S + last_s) * RATE_HZ), len(x))]

    def qrs(self, x: Array) -> Array:
        return self.part(x, -0.10, 0.11)

    def wide(self, x: Array) -> Array:
        return self.part(x, -0.12, 0.16)

    def p_wave(self, x: Array) -> Array:
        return self.part(x, -0.28, -0.07)

    def t_wave(self, x: Array) -> Array:
        return self.part(x, 0.12, 0.45)

    def whole(self, x: Array) -> Array:
        return self.part(x, -0.12, 0.40)


def correlation(a: Array, b: Array) -> float:
    shared = len(a) * np.cov(a, b, bias=True)
    return float(shared[0, 1] / np.sqrt(shared[0, 0] * shared[1, 1] + 1e-3))


def energy_ratio(a: Array, b: Array) -> float:
    return float(np.log((np.dot(a, a) / len(a) + 1e-3) / (np.dot(b, b) / len(b) + 1e-3)))


def slope(x: Array) -> float:
    steps = [(b - a) ** 2 for a, b in pairwise(x)]
    return float(0.5 * np.log((np.mean(steps) + 1e-4) / (np.mean((x - np.median(x)) ** 2) + 1e-3)))


def steep_share(x: Array) -> float:
    steps = abs(x[1:] - x[:-1])
    return np.count_nonzero(steps > 0.2 * steps.max()) / len(steps)


def high_share(x: Array) -> float:
    height = abs(x - np.median(x))
    return np.count_nonzero(height > 0.4 * height.max()) / len(height)


def span(x: Array) -> float:
    return float(x.max() - x.min())


# Every scalar of a lead needs a formula here.
SHAPE_REFERENCES: dict[str, Callable[[Shape], float]] = {
    "qrs_correlation": lambda s: correlation(s.qrs(s.beat), s.qrs(s.usual)),
    "p_correlation": lambda s: correlation(s.p_wave(s.beat), s.p_wave(s.usual)),
    "t_correlation": lambda s: correlation(s.t_wave(s.beat), s.t_wave(s.usual)),
    "qrs_energy": lambda s: energy_ratio(s.qrs(s.beat), s.qrs(s.usual)),
    "p_energy": lambda s: energy_ratio(s.p_wave(s.beat), s.p_wave(s.usual)),
    "qrs_residual": lambda s: 0.3 * energy_ratio(s.qrs(s.beat - s.usual), s.qrs(s.usual)),
    "qrs_correlation_before": lambda s: correlation(s.qrs(s.beat), s.qrs(s.earlier)),
    "qrs_correlation_after": lambda s: correlation(s.qrs(s.beat), s.qrs(s.later)),
    "p_correlation_before": lambda s: correlation(s.p_wave(s.beat), s.p_wave(s.earlier)),
    "slope": lambda s: 2 * (slope(s.wide(s.beat)) - slope(s.wide(s.usual))),
    "usual_slope": lambda s: 2 * slope(s.wide(s.usual)),
    "steep_share": lambda s: 4 * (steep_share(s.wide(s.beat)) - steep_share(s.wide(s.usual))),
    "usual_steep_share": lambda s: 4 * (steep_share(s.wide(s.usual)) - 0.3),
    "high_share": lambda s: 4 * (high_share(s.wide(s.beat)) - high_share(s.wide(s.usual))),
    "usual_high_share": lambda s: 4 * (high_share(s.wide(s.usual)) - 0.3),
    "height": lambda s: np.log((span(s.wide(s.beat)) + 0.02) / (span(s.wide(s.usual)) + 0.02)),
    "residual": lambda s: np.log(
        abs(s.whole(s.beat - s.usual)).mean() / (abs(s.whole(s.usual)).mean() + 0.02) + 0.05
    ),
}  # fmt: skip


def lead_reference(beats: Array) -> dict[str, Array]:
    """Return the columns of one lead, by name: its beats, what is left of them, its scalars."""
    qrs = slice(30, 51)
    scaled = beats / (np.median([span(beat[qrs]) for beat in beats]) + 1e-3)
    usual = np.median(scaled, axis=0)
    distance = np.array([np.mean(abs(beat[qrs] - usual[qrs])) for beat in scaled])
    usual = np.median([beat for beat, d in zip(scaled, distance, strict=True) if d <= np.median(distance)], axis=0)
    last = len(scaled) - 1
    shapes = [
        Shape(beat, usual, scaled[max(k - 1, 0)], scaled[min(k + 1, last)]) for k, beat in enumerate(scaled)
    ]  # fmt: skip
    columns = {f"[{j}]": np.clip(scaled[:, j], -5, 5) for j in range(SAMPLES)}
    columns |= {f".residual[{j}]": np.clip(scaled[:, j] - usual[j], -5, 5) for j in range(SAMPLES)}
    for name, formula in SHAPE_REFERENCES.items():
        columns[f".{name}"] = np.clip([formula(shape) for shape in shapes], -4, 4)
    return columns


def rr_reference(windows: Windows) -> dict[str, Array]:
    times = windows.step_samples() / windows.fs[0]
    if len(times) < 2:
        return dict.fromkeys(RR_REFERENCES, np.zeros(len(times)))
    return {name: np.clip(formula(Rhythm(times)), -4, 4) for name, formula in RR_REFERENCES.items()}


def local_hrv_reference(windows: Windows) -> dict[str, Array]:
    """Return what the time domain says about the intervals between the beats within 20 s of each beat."""
    times = windows.step_samples() / windows.fs[0]
    nn = hrv.nn_intervals(times)
    rows = []
    for time in times:
        inside = (times[:-1] >= time - 20) & (times[1:] <= time + 20)
        found = hrv.time_domain(nn[inside], times_s=times[1:][inside])
        rows.append([found[name] for name in local_hrv.COLUMNS])
    return dict(zip(local_hrv.COLUMNS, np.nan_to_num(rows).reshape(len(times), -1).T, strict=True))


def own_beat_reference(windows: Windows) -> dict[str, Array]:
    leads = windows.values.astype(np.float64).reshape(len(windows.values), 3, SAMPLES)
    absent = np.zeros(len(leads))
    found: dict[str, Array] = {}
    for lead in range(3):
        columns = lead_reference(leads[:, lead]) if lead < 2 else dict.fromkeys(lead_reference(leads[:, 0]), absent)
        found |= {f"lead{lead}{name}": values for name, values in columns.items()}
    return found


# Every step of every file needs an example here, with the reference that gives the columns it adds, by name.
REFERENCES: list[tuple[Step, Callable[[Windows], dict[str, Array]]]] = [
    (features.own_beat.AgainstOwnBeat(BEFORE_S, RATE_HZ), own_beat_reference),
    (features.rr.RRIntervals(), rr_reference),
    (local_hrv.LocalHRV(40.0), local_hrv_reference),
]
IDS = [type(step).__name__ for step, _ in REFERENCES]
each_feature = pytest.mark.parametrize(("step", "reference"), REFERENCES, ids=IDS)
each_step = pytest.mark.parametrize("step", [step for step, _ in REFERENCES], ids=IDS)
each_length = pytest.mark.parametrize("n_beats", list(SHORT))


def columns_made(step: Step, windows: Windows) -> dict[str, Array]:
    """Return the columns that the step adds or changes, by name."""
    made = step(windows)
    first = 0 if made.columns[: len(windows.columns)] != windows.columns else len(windows.columns)
    return dict(zip(made.columns[first:], made.values.T[first:], strict=True))


OF_NIGHTS = {"AgainstNight", "NightHeart"}
"""Features of epochs, not of beats: their own tests hold them to the same."""

OF_EEG = {
    "BandEnvelope",
    "BandPower",
    "Coherence",
    "Complexity",
    "DelayCovariance",
    "Hjorth",
    "LineLength",
    "LogSpectrum",
    "ScalarsOnly",
    "SpectralShape",
}
"""Features of windows of EEG: `test_features_eeg` holds them to the same."""

OF_RECORDINGS = {"BeatSequence"}
"""Features that make beats of a recording: `test_features_rhythm` holds them to the same."""

OF_SENSORS = {"AgainstRecording", "LogActivity"}
"""Features that say how a sensor works: `test_features_activity` holds them to the same."""

OF_ITEMS = {"RejectArtefacts"}
"""What leaves out items and makes no columns: `test_artefacts`."""


OF_SOUND = {"Deltas", "LogMel", "MFCC", "NormalizeUtterance", "QuietFloor"}
"""Features of sound: `test_features_speech` holds them to the same."""

OF_WORDS = {"LevelFloor", "SpokenPart", "Tilt"}
"""Features of single words: `test_features_words` holds them to the same."""


def test_every_step_of_every_file_has_a_reference() -> None:
    others = OF_SOUND | OF_WORDS | OF_NIGHTS | OF_EEG | OF_RECORDINGS | OF_SENSORS | OF_ITEMS
    assert set(features.steps()) == set(IDS) | others


def test_every_file_is_a_feature_or_known_not_to_be() -> None:
    files = {m.name for m in pkgutil.iter_modules(features.__path__) if not m.name.startswith("_")}
    with_step = {kind.__module__.rpartition(".")[2] for kind in features.steps().values()}
    assert files - with_step == {"hrv", "standardize", "wave_intervals"}


def test_every_column_has_a_formula_by_name() -> None:
    assert tuple(RR_REFERENCES) == rr.COLUMNS
    assert tuple(SHAPE_REFERENCES) == own_beat.SCALARS


@each_feature
def test_every_column_agrees_with_its_formula(step: Step, reference: Callable[[Windows], dict[str, Array]]) -> None:
    got, expected = columns_made(step, LONG), reference(LONG)
    assert list(got) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=0, atol=2e-4, err_msg=name)


@each_length
@each_feature
def test_short_recordings_agree_too(step: Step, reference: Callable[[Windows], dict[str, Array]], n_beats: int) -> None:
    got, expected = columns_made(step, SHORT[n_beats]), reference(SHORT[n_beats])
    assert list(got) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=0, atol=5e-4, err_msg=name)


def test_no_column_is_the_same_for_all_beats_of_all_recordings() -> None:
    wide = replace(recording("wide", seed=2, n_beats=60), fs=200.0)
    several = Windows.concatenate([LONG, CUT(recording("other", seed=3, n_beats=60)), CUT(wide)])
    for step, _ in REFERENCES:
        for name, values in columns_made(step, several).items():
            assert name.startswith("lead2") or np.ptp(values) > 1e-3, name


@each_step
def test_input_is_unchanged_and_the_answer_repeats(step: Step) -> None:
    before = LONG.values.copy()
    first, second = step(LONG), step(LONG)
    np.testing.assert_array_equal(LONG.values, before)
    assert first == second


@each_step
def test_values_are_finite_float32_and_what_is_not_a_value_stays(step: Step) -> None:
    got = step(LONG)
    assert got.values.dtype == np.float32
    assert np.isfinite(got.values).all()
    assert len(set(got.columns)) == len(got.columns)
    for name in ("offsets", "y", "positions", "subjects", "recordings", "starts", "fs"):
        np.testing.assert_array_equal(getattr(got, name), getattr(LONG, name))
    assert got.classes == LONG.classes


@each_step
def test_recordings_do_not_know_each_other(step: Step) -> None:
    other = CUT(recording("other", seed=2))
    together = step(Windows.concatenate([LONG, other, SHORT[1], SHORT[3]]))
    apart = Windows.concatenate([step(part) for part in (LONG, other, SHORT[1], SHORT[3])])
    assert together == apart


@each_step
def test_flat_signals_and_equal_intervals_stay_finite(step: Step) -> None:
    flat = Recording(
        np.zeros((1, 3600)), 360.0, ["II"], ["mV"], id="flat",
        annotations=Annotations(range(100, 3500, 300), labels=["N"] * 12),
    )  # fmt: skip
    windows = CUT(flat)
    made = step(windows)
    assert np.isfinite(made.values).all()
    np.testing.assert_array_equal(made.values[:, : 3 * SAMPLES], np.zeros((12, 3 * SAMPLES)))


@each_step
def test_no_items_give_no_items(step: Step) -> None:
    nothing = LONG.select(np.zeros(0, dtype=np.int64))
    made = step(nothing)
    assert len(made) == 0
    assert made.columns == step(LONG).columns


@each_step
def test_reads_back_from_its_dictionary(step: Step) -> None:
    values = json.loads(json.dumps(step.to_dict()))
    kind = features.steps()[values.pop("step")]
    assert kind.from_fields(values) == step
    assert step.kind == "feature"
