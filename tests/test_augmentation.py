"""Augmentation: decided by the generator, labels that say what the signal shows, nothing touched that must stay."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from biosig_lstm import datasets
from biosig_lstm.augmentation import BeatAugmentation, RunAugmentation, _signal
from biosig_lstm.augmentation._rhythm import RhythmPlan
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import ParameterError
from biosig_lstm.events.beats import Beats
from biosig_lstm.filters import Bandpass

Array = np.ndarray[Any, Any]
FS = 360.0
SEEDS = range(12)
CLASSES = {"N", "S", "V", "F", "Q"}

CHANCES = (
    "mix", "filtered", "premature", "tachycardia", "burden", "ventricular", "fibrillation", "drift", "swell",
)  # fmt: skip
NOTHING = dict.fromkeys(CHANCES, 0.0) | {"rate_spread": 0.0, "sinus_arrhythmia": 0.0, "jitter_s": 0.0}


def only(**chances: float) -> BeatAugmentation:
    """Return an augmentation that does what is named and nothing else."""
    return BeatAugmentation(**{**NOTHING, **chances})


def generated(*, seed: int = 3, duration_s: float = 180.0, ectopic: float = 0.0) -> Recording:
    signals, peaks, labels = synthetic_ecg(
        duration_s=duration_s, seed=seed, rr_std_s=0.015, p_supraventricular=ectopic, p_ventricular=ectopic,
        noise_mv=0.005, baseline_mv=0.0, mains_mv=0.0,
    )  # fmt: skip
    marks = Annotations(peaks, labels=np.where(labels == "A", "S", labels))
    return Recording(signals, FS, ["MLII", "V1"], ["mV", "mV"], id=f"g{seed}", subject="who", annotations=marks)


@pytest.fixture(scope="module")
def sample() -> list[Recording]:
    chosen = datasets.get("sample").recordings(["s01", "s02", "s03"])
    return [Beats("annotated")(Bandpass(0.5, 40)(recording)) for recording in chosen]


@pytest.fixture(scope="module")
def steady() -> Recording:
    return generated()


def qrs(signals: Array, at: Array) -> Array:
    """Return the QRS complexes, 60 ms on either side, of every lead: (beats, leads, samples)."""
    return signals[:, np.asarray(at)[:, None] + np.arange(-22, 23)].transpose(1, 0, 2)


def likeness(a: Array, b: Array) -> Array:
    """Return the correlation of each beat and lead of one set with that of the other."""
    return np.array(
        [[np.corrcoef(x, y)[0, 1] for x, y in zip(one, other, strict=True)] for one, other in zip(a, b, strict=True)]
    )


def plan_of(recording: Recording) -> RhythmPlan:
    return RhythmPlan(recording.annotations.starts / recording.fs, np.asarray(recording.annotations.labels))


def regular_plan(n_beats: int = 300, *, rr_s: float = 0.8, labels: Array | None = None) -> RhythmPlan:
    names = np.full(n_beats, "N") if labels is None else labels
    return RhythmPlan(0.5 + rr_s * np.arange(n_beats), names)


# ---- The plan of a rhythm


def test_a_plan_begins_as_recorded(steady: Recording) -> None:
    plan = plan_of(steady)
    np.testing.assert_allclose(plan.rr_s, np.diff(steady.annotations.starts) / FS)
    assert plan.n_beats == len(steady.annotations)
    assert (plan.labels == steady.annotations.labels).all()
    assert (plan.p_gain == 1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_another_rate_stretches_all_intervals_alike(seed: int) -> None:
    plan = regular_plan()
    plan.change_rate(np.random.default_rng(seed), spread=0.2, sinus=0.0)
    np.testing.assert_allclose(plan.rr_s, 0.8 * plan.stretch, rtol=0.06)
    assert plan.stretch != 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_premature_beats_come_early_and_nothing_else_changes(seed: int) -> None:
    plan = regular_plan()
    plan.add_premature(np.random.default_rng(seed), rate=0.1)
    early = np.flatnonzero(plan.labels == "S")
    assert 5 < len(early) < 150
    assert (plan.rr_s[early - 1] <= 0.9 * 0.8 + 1e-9).all()
    assert (plan.rr_s[early - 1] >= 0.28).all()
    untouched = np.setdiff1d(np.arange(299), np.concatenate([early - 1, early]))
    np.testing.assert_allclose(plan.rr_s[untouched], 0.8)
    assert (plan.p_gain[plan.labels != "S"] == 1).all()
    assert set(plan.labels) == {"N", "S"}


def test_premature_beats_keep_away_from_ectopic_and_irregular_ones() -> None:
    labels = np.full(300, "N")
    labels[100:200:4] = "V"
    plan = regular_plan(labels=labels)
    plan.add_premature(np.random.default_rng(0), rate=1.0)
    assert not (plan.labels[98:198] == "S").any()
    assert (plan.labels[labels == "V"] == "V").all()
    once = 0.8 * np.arange(300.0)
    once[101:] += 0.4
    irregular = RhythmPlan(once, np.full(300, "N"))
    irregular.add_premature(np.random.default_rng(0), rate=1.0)
    assert not (irregular.labels[100:104] == "S").any()
    assert (irregular.labels[104:120] == "S").any()
    times = np.cumsum(np.random.default_rng(1).uniform(0.4, 1.4, 300))
    irregular = RhythmPlan(times, np.full(300, "N"))
    irregular.add_premature(np.random.default_rng(0), rate=1.0)
    assert np.count_nonzero(irregular.labels == "S") < 5


@pytest.mark.parametrize("seed", SEEDS)
def test_tachycardia_is_a_fast_regular_stretch(seed: int) -> None:
    plan = regular_plan()
    plan.add_tachycardia(np.random.default_rng(seed))
    fast = np.flatnonzero(plan.labels == "S")
    assert len(fast) >= 8
    np.testing.assert_array_equal(np.flatnonzero(plan.rr_s < 0.8 - 1e-9), fast - 1)
    assert (plan.rr_s[fast - 1] > 0.2).all()
    starts = np.flatnonzero(np.diff(fast, prepend=-9) > 1)
    assert 1 <= len(starts) <= 3
    within = np.setdiff1d(np.arange(len(fast)), starts)
    steps = np.abs(np.diff(np.log(plan.rr_s[fast - 1])))[within[within > 1] - 1]
    assert np.median(steps) < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_a_burden_of_premature_beats_is_early_between_pauses(seed: int) -> None:
    plan = regular_plan()
    plan.add_burden(np.random.default_rng(seed))
    early = np.flatnonzero(plan.labels == "S")
    assert len(early) > 15
    assert np.median(plan.rr_s[early - 1]) < 0.9 * 0.8
    after = np.setdiff1d(early + 1, early) - 1
    assert np.median(plan.rr_s[after]) > 0.8 * 0.95
    assert set(plan.labels) == {"N", "S"}


@pytest.mark.parametrize("seed", SEEDS)
def test_lent_ventricular_beats_stand_where_they_are_labelled_and_not_beside_others(seed: int) -> None:
    labels = np.full(300, "N")
    labels[50:250:10] = "S"
    plan = regular_plan(labels=labels)
    plan.add_ventricular(np.random.default_rng(seed), rate=0.3)
    assert plan.ventricular == np.flatnonzero(plan.labels == "V").tolist()
    assert (labels[plan.ventricular] == "N").all()
    assert (plan.labels[labels == "S"] == "S").all()
    beside = np.abs(np.flatnonzero(labels == "S")[:, None] - np.array(plan.ventricular)[None, :])
    assert beside.min() >= 2
    assert (plan.rr_s >= 0.33).all()


@pytest.mark.parametrize("n_beats", [20, 21, 22, 23, 24])
@pytest.mark.parametrize("change", ["add_ventricular", "add_premature"])
def test_ectopic_beats_stay_within_a_short_recording(change: str, n_beats: int) -> None:
    for seed in range(100):
        plan = regular_plan(n_beats)
        getattr(plan, change)(np.random.default_rng(seed), rate=1.0)
        assert plan.labels[-1] == "N"
        assert len(plan.rr_s) == n_beats - 1


@pytest.mark.parametrize("seed", SEEDS)
def test_fibrillation_is_irregular_and_its_beats_are_normal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = regular_plan(500)
    plan.add_premature(rng, rate=0.1)
    plan.add_ventricular(rng, rate=0.05)
    before = plan.labels.copy()
    plan.fibrillate(rng, irregularity=0.4, part=0.5)
    assert plan.fibrillation is not None
    first, last = plan.fibrillation
    inside = np.arange(first + 1, last)
    assert set(plan.labels[inside]) <= {"N", "V"}
    np.testing.assert_array_equal(plan.labels[inside] == "V", before[inside] == "V")
    assert (plan.p_gain[inside][plan.labels[inside] == "N"] == 0).all()
    assert np.std(np.log(plan.rr_s[inside - 1])) > 0.1
    outside = np.setdiff1d(np.arange(500), inside)
    np.testing.assert_array_equal(plan.labels[outside], before[outside])


def test_patients_with_supraventricular_beats_do_not_fibrillate() -> None:
    labels = np.full(300, "N")
    labels[::7] = "S"
    plan = regular_plan(labels=labels)
    plan.fibrillate(np.random.default_rng(0), irregularity=0.4, part=0.0)
    assert plan.fibrillation is None
    np.testing.assert_allclose(plan.rr_s, 0.8)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("change", ["drift_rate", "swell_rate"])
def test_a_sinus_rhythm_that_changes_stays_normal(change: str, seed: int) -> None:
    plan = regular_plan()
    getattr(plan, change)(np.random.default_rng(seed))
    assert (plan.labels == "N").all()
    assert (plan.p_gain == 1).all()
    assert (plan.rr_s >= 0.3).all()
    assert np.abs(np.log(plan.rr_s / 0.8)).max() <= 0.4 + 1e-9
    if change == "drift_rate":
        steps = np.diff(plan.rr_s)
        assert (steps >= -1e-12).all() or (steps <= 1e-12).all()


# ---- The signal that follows


def test_an_unchanged_plan_leaves_the_signal(steady: Recording) -> None:
    moved, times = _signal.retime(steady.signals, plan_of(steady), fs=FS)
    np.testing.assert_allclose(times, steady.annotations.starts / FS)
    n = min(moved.shape[1], steady.n_samples) - 1
    np.testing.assert_allclose(moved[:, :n], steady.signals[:, :n], atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_intervals_follow_the_plan_and_beats_keep_their_shape(steady: Recording, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = plan_of(steady)
    plan.change_rate(rng, spread=0.2, sinus=0.1)
    plan.add_premature(rng, rate=0.1)
    plan.swell_rate(rng)
    moved, times = _signal.retime(steady.signals, plan, fs=FS)
    np.testing.assert_allclose(np.diff(times), np.clip(plan.rr_s, 0.2, 6.0), rtol=1e-9)
    at = np.rint(times * FS).astype(int)
    inside = (at > 30) & (steady.annotations.starts > 30)
    found = likeness(qrs(moved, at[inside]), qrs(steady.signals, steady.annotations.starts[inside]))
    assert found.min() > 0.95
    assert moved.dtype == np.float32
    assert moved.shape[1] == int((times[-1] + 1.5) * FS)


def test_a_lost_p_wave_is_gone_and_a_turned_one_is_turned(steady: Recording) -> None:
    plan = plan_of(steady)
    plan.p_gain[20], plan.p_gain[30] = 0.0, -1.0
    moved, _ = _signal.retime(steady.signals, plan, fs=FS)
    heights = []
    for beat in (20, 30):
        r_peak = int(steady.annotations.starts[beat])
        spans = [s[0, r_peak - 80 : r_peak - 21].astype(float) for s in (steady.signals, moved)]
        heights.append([span[27:40].mean() - (span[0] + span[-1]) / 2 for span in spans])
    assert heights[0][0] > 0.05
    assert abs(heights[0][1]) < 0.35 * heights[0][0]
    assert heights[1][1] < -0.5 * heights[1][0]
    changed = np.flatnonzero(
        np.abs(moved[:, : steady.n_samples - 1] - steady.signals[:, : moved.shape[1]][:, : steady.n_samples - 1]).max(
            axis=0
        )
        > 1e-4
    )
    near = np.abs(changed[:, None] - steady.annotations.starts[[20, 30]][None, :]).min(axis=1)
    assert near.max() < 0.25 * FS


def test_heights_are_those_of_the_qrs(steady: Recording) -> None:
    times = steady.annotations.starts / FS
    spans = [np.ptp(steady.signals[:, p - 36 : p + 37], axis=1) for p in steady.annotations.starts[1:-1]]
    np.testing.assert_allclose(_signal.qrs_heights(steady.signals, times, fs=FS), np.median(spans, axis=0), rtol=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_mixed_leads_are_rotations_of_leads_of_height_one(steady: Recording, seed: int) -> None:
    heights = _signal.qrs_heights(steady.signals, steady.annotations.starts / FS, fs=FS)
    plain = _signal.mix_leads(steady.signals, heights, np.random.default_rng(seed), probability=0.0)
    np.testing.assert_allclose(plain, steady.signals / heights[:, None], rtol=1e-6)
    mixed = _signal.mix_leads(steady.signals, heights, np.random.default_rng(seed), probability=1.0)
    weights, *_ = np.linalg.lstsq(plain.T.astype(np.float64), mixed.T.astype(np.float64), rcond=None)
    np.testing.assert_allclose(plain.T @ weights, mixed.T, atol=1e-4)
    np.testing.assert_allclose(np.square(weights).sum(axis=0), 1.0, atol=1e-4)


def test_a_single_lead_is_only_scaled(steady: Recording) -> None:
    got = _signal.mix_leads(steady.signals[:1], np.array([2.0]), np.random.default_rng(0), probability=1.0)
    np.testing.assert_allclose(got, steady.signals[:1] / 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_filtered_leads_are_one_convolution_throughout(steady: Recording, seed: int) -> None:
    impulse = np.zeros((2, 201), dtype=np.float32)
    impulse[:, 100] = 1
    taps = _signal.filter_leads(impulse, np.random.default_rng(seed), fs=FS)
    got = _signal.filter_leads(steady.signals, np.random.default_rng(seed), fs=FS)
    for row, own, filtered in zip(steady.signals, taps, got, strict=True):
        np.testing.assert_allclose(filtered, signal.fftconvolve(row, own, "same"), atol=2e-4)
        assert np.flatnonzero(own).min() >= 100 - 0.07 * FS
        assert np.flatnonzero(own).max() <= 100 + 0.07 * FS


@pytest.mark.parametrize("seed", SEEDS)
def test_fibrillation_waves_are_small_fast_and_where_they_should_be(seed: int) -> None:
    signals = np.zeros((2, 20_000), dtype=np.float32)
    heights = np.array([1.0, 3.0], dtype=np.float32)
    _signal.fibrillation_waves(signals, heights, np.random.default_rng(seed), start_s=10.0, stop_s=40.0, fs=FS)
    assert not signals[:, :3600].any()
    assert not signals[:, 14_400:].any()
    assert (np.ptp(signals, axis=1) <= 0.12 * heights + 1e-6).all()
    frequency, power = signal.welch(signals[:, 3600:14_400], FS, nperseg=2048)
    strongest = frequency[power.argmax(axis=1)]
    assert (strongest > 3).all()
    assert (strongest < 11).all()


def test_fibrillation_waves_need_a_stretch() -> None:
    signals = np.zeros((1, 100), dtype=np.float32)
    _signal.fibrillation_waves(signals, np.ones(1), np.random.default_rng(0), start_s=2.0, stop_s=3.0, fs=FS)
    assert not signals.any()


def test_the_bank_holds_beats_of_those_who_have_ten() -> None:
    many, few = generated(seed=5, ectopic=0.2), generated(seed=6, ectopic=0.02)
    bank = BeatAugmentation().bank([many, few, generated(seed=7)])
    assert len(bank) == 1
    starts, labels = many.annotations.starts, many.annotations.labels
    inside = (starts > FS) & (starts < many.n_samples - FS)
    chosen = starts[(labels == "V") & inside]
    assert bank[0].shape == (len(chosen), 2, round(1.0 * FS))
    heights = _signal.qrs_heights(many.signals, starts[labels == "N"] / FS, fs=FS)
    expected = many.signals[:, chosen[3] - 108 : chosen[3] + 252] / heights[:, None]
    np.testing.assert_allclose(bank[0][3], expected, rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_beats_are_pasted_in_their_places_alone(steady: Recording, seed: int) -> None:
    bank = BeatAugmentation().bank([generated(seed=5, ectopic=0.2)])
    times, pasted = steady.annotations.starts / FS, steady.signals.copy()
    beats = [10, 25, 26, 60, len(times) - 3]
    _signal.paste_beats(pasted, times, beats, bank, np.random.default_rng(seed), fs=FS)
    assert np.isfinite(pasted).all()
    changed = np.abs(pasted - steady.signals).max(axis=0) > 1e-6
    allowed = np.zeros(steady.n_samples, dtype=bool)
    for beat in beats:
        allowed[round((times[beat] - 0.15) * FS) : round((times[beat] + 0.46) * FS)] = True
    assert not (changed & ~allowed).any()
    at = steady.annotations.starts[[10, 25, 26, 60]]
    assert np.abs(pasted[:, at] - steady.signals[:, at]).max(axis=0).min() > 0.02
    jumps = np.abs(np.diff(pasted, axis=1)).max()
    assert jumps < 3 * np.abs(np.diff(steady.signals, axis=1)).max()


# ---- Whole recordings


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_changed_keeps_its_beats_in_order_and_its_classes(sample: list[Recording], seed: int) -> None:
    augment = BeatAugmentation()
    original = sample[seed % len(sample)]
    before, marks = original.signals.copy(), original.annotations
    changed = augment(original, np.random.default_rng(seed), bank=augment.bank(sample))
    assert np.isfinite(changed.signals).all()
    assert len(changed.annotations) == len(marks)
    assert (np.diff(changed.annotations.starts) > 0).all()
    assert set(changed.annotations.labels) <= CLASSES
    ectopic = np.isin(marks.labels, ["V", "F", "Q", "S"])
    np.testing.assert_array_equal(changed.annotations.labels[ectopic], marks.labels[ectopic])
    assert (changed.id, changed.subject, changed.fs) == (original.id, original.subject, original.fs)
    assert changed.channels == original.channels
    assert changed.history == (*original.history, "augmented")
    np.testing.assert_array_equal(original.signals, before)
    assert original.annotations == marks


def test_the_generator_decides_all(sample: list[Recording]) -> None:
    augment = BeatAugmentation()
    bank = augment.bank(sample)
    assert len(bank) == 3
    first, again, other = (augment(sample[0], np.random.default_rng(seed), bank=bank) for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_with_every_chance_at_nothing_only_the_noise_of_a_sinus_node_is_left(steady: Recording) -> None:
    changed = only()(steady, np.random.default_rng(0))
    assert (changed.annotations.labels == "N").all()
    ratio = np.diff(changed.annotations.starts) / np.diff(steady.annotations.starts)
    assert np.abs(np.log(ratio)).max() < 0.06
    found = likeness(qrs(changed.signals, changed.annotations.starts), qrs(steady.signals, steady.annotations.starts))
    assert found.min() > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_r_peaks_are_where_the_annotations_say(steady: Recording, seed: int) -> None:
    augment = only(premature=1.0, tachycardia=0.5, burden=0.3, drift=1.0, swell=1.0, rate_spread=0.1)
    changed = augment(steady, np.random.default_rng(seed))
    assert "S" in changed.annotations.labels
    found = likeness(qrs(changed.signals, changed.annotations.starts), qrs(steady.signals, steady.annotations.starts))
    assert found.min() > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_made_premature_beats_are_earlier_than_those_around(steady: Recording, seed: int) -> None:
    changed = only(premature=1.0, premature_rate=0.3, rate_spread=0.1)(steady, np.random.default_rng(seed))
    rr = np.diff(changed.annotations.starts)
    early = np.flatnonzero(changed.annotations.labels == "S")
    local = [np.median(rr[max(k - 17, 0) : k + 16]) for k in early]
    assert (rr[early - 1] < local).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_ventricular_beats_look_it_where_labelled_and_normal_ones_where_not(steady: Recording, seed: int) -> None:
    augment = only(ventricular=1.0, ventricular_rate=0.3)
    bank = augment.bank([generated(seed=5, ectopic=0.2), generated(seed=8, ectopic=0.2)])
    changed = augment(steady, np.random.default_rng(seed), bank=bank)
    assert "V" not in augment(steady, np.random.default_rng(seed)).annotations.labels
    lent = changed.annotations.labels == "V"
    found = likeness(qrs(changed.signals, changed.annotations.starts), qrs(steady.signals, steady.annotations.starts))
    assert found[~lent].min() > 0.95
    assert not lent.any() or (found[lent].min(axis=1) < 0.95).mean() > 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_fibrillation_leaves_beats_normal_and_in_place(steady: Recording, seed: int) -> None:
    changed = only(fibrillation=1.0)(steady, np.random.default_rng(seed))
    assert (changed.annotations.labels == "N").all()
    assert np.std(np.log(np.diff(changed.annotations.starts))) > 1.5 * np.std(
        np.log(np.diff(steady.annotations.starts))
    )
    found = likeness(qrs(changed.signals, changed.annotations.starts), qrs(steady.signals, steady.annotations.starts))
    assert np.quantile(found, 0.05) > 0.9


def test_jitter_moves_annotations_a_little(steady: Recording) -> None:
    plain = only()(steady, np.random.default_rng(0))
    moved = only(jitter_s=0.008)(steady, np.random.default_rng(0))
    np.testing.assert_array_equal(moved.signals, plain.signals)
    offsets = (moved.annotations.starts - plain.annotations.starts) / FS
    assert np.std(offsets) == pytest.approx(0.008, rel=0.2)
    assert abs(np.mean(offsets)) < 0.002


@pytest.mark.parametrize("seed", range(30))
def test_short_recordings_with_beats_of_all_classes_are_changed_too(seed: int) -> None:
    source = generated(seed=9, duration_s=40.0)
    n_beats = 20 + seed % 15
    labels = np.array(["N"] * 12 + ["F", "Q", "V"] + ["N"] * (n_beats - 15))
    short = source.with_annotations(Annotations(source.annotations.starts[:n_beats], labels=labels))
    every = BeatAugmentation(**dict.fromkeys(CHANCES, 1.0), premature_rate=1.0, ventricular_rate=1.0)
    changed = every(short, np.random.default_rng(seed), bank=every.bank([generated(seed=5, ectopic=0.2)]))
    assert np.isfinite(changed.signals).all()
    assert len(changed.annotations) == n_beats
    np.testing.assert_array_equal(changed.annotations.labels[12:15], ["F", "Q", "V"])
    assert set(changed.annotations.labels) <= CLASSES


def test_one_lead_is_enough(steady: Recording) -> None:
    bank = BeatAugmentation().bank([generated(seed=5, ectopic=0.2).pick(["MLII"])])
    every = BeatAugmentation(**dict.fromkeys(CHANCES, 1.0))
    changed = every(steady.pick(["MLII"]), np.random.default_rng(0), bank=bank)
    assert changed.signals.shape[0] == 1
    assert np.isfinite(changed.signals).all()


def test_too_few_beats_are_refused(steady: Recording) -> None:
    few = steady.with_annotations(steady.annotations[:19])
    with pytest.raises(ParameterError, match="g3: needs 20 beats or more, has 19"):
        BeatAugmentation()(few, np.random.default_rng(0))


def test_every_chance_of_the_augmentation_is_known_to_these_tests() -> None:
    names = {f.name for f in fields(BeatAugmentation)}
    sizes = {"premature_rate", "ventricular_rate", "irregularity", "fibrillation_part"}
    assert names == set(NOTHING) | sizes


# ---- Runs


LAYOUT = {"leads": 2, "views": 2, "samples": 30, "scalars": 4}
ROW = 2 * 30 + 4


def run_of(*, n_steps: int = 20, seed: int = 0, absent: int | None = None) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_steps, 2 * ROW + 3)).astype(np.float32)
    if absent is not None:
        x[:, absent * ROW : (absent + 1) * ROW] = 0
    return x, rng.integers(0, 5, n_steps)


def rows_of(x: Array) -> Array:
    return x[:, : 2 * ROW].reshape(len(x), 2, ROW)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n_steps=st.integers(1, 30), absent=st.sampled_from([None, 0, 1]))
def test_a_changed_run_keeps_its_labels_and_all_behind_the_windows(seed: int, n_steps: int, absent: int | None) -> None:
    x, y = run_of(n_steps=n_steps, absent=absent)
    before = x.copy()
    changed, labels = RunAugmentation(**LAYOUT)(x, y, np.random.default_rng(seed))
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(labels, y)
    assert changed.shape == x.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    np.testing.assert_array_equal(changed[:, 2 * ROW :], x[:, 2 * ROW :])
    lost = [lead for lead in range(2) if not rows_of(changed)[:, lead].any()]
    assert len(lost) < 2
    assert absent is None or lost == [absent]
    for lead in set(range(2)) - set(lost):
        np.testing.assert_array_equal(rows_of(changed)[:, lead, 60:], rows_of(x)[:, lead, 60:])


def test_a_run_without_any_lead_stays_zero() -> None:
    x, y = run_of()
    x[:, : 2 * ROW] = 0
    changed, _ = RunAugmentation(**LAYOUT, lose_lead=1.0)(x, y, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, x)


def test_the_generator_decides_a_run() -> None:
    x, y = run_of()
    first, again, other = (RunAugmentation(**LAYOUT)(x, y, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


CALM = {"lose_lead": 0.0, "turn": 0.0, "gain": 0.0, "hide": 0.0, "noise": 0.0}


def test_a_run_with_every_chance_at_nothing_stays() -> None:
    x, y = run_of()
    np.testing.assert_array_equal(RunAugmentation(**LAYOUT, **CALM)(x, y, np.random.default_rng(0))[0], x)


def test_a_lead_lost_is_lost_throughout_and_each_as_often() -> None:
    x, y = run_of()
    lose = RunAugmentation(**LAYOUT, **{**CALM, "lose_lead": 1.0})
    runs = [rows_of(lose(x, y, np.random.default_rng(seed))[0]) for seed in range(60)]
    kept = [int(run[0, 1].any()) for run in runs]
    assert 15 < sum(kept) < 45
    for run, lead in zip(runs, kept, strict=True):
        np.testing.assert_array_equal(run[:, lead], rows_of(x)[:, lead])
        assert not run[:, 1 - lead].any()


def test_a_turned_lead_turns_all_its_windows_and_no_scalar() -> None:
    x, y = run_of()
    turned = rows_of(RunAugmentation(**LAYOUT, **{**CALM, "turn": 1.0})(x, y, np.random.default_rng(0))[0])
    np.testing.assert_array_equal(turned[..., :60], -rows_of(x)[..., :60])
    np.testing.assert_array_equal(turned[..., 60:], rows_of(x)[..., 60:])


def test_a_gain_is_that_of_a_lead_and_of_the_spread_asked() -> None:
    x, y = run_of()
    scale = RunAugmentation(**LAYOUT, **{**CALM, "gain": 0.15})
    gains = []
    for seed in range(100):
        ratio = rows_of(scale(x, y, np.random.default_rng(seed))[0])[..., :60] / rows_of(x)[..., :60]
        np.testing.assert_allclose(ratio, ratio[:1, :, :1] * np.ones_like(ratio), rtol=1e-4)
        gains.extend(np.log(ratio[0, :, 0]))
    assert np.std(gains) == pytest.approx(0.15, rel=0.2)


def test_hiding_takes_the_first_window_of_every_lead() -> None:
    x, y = run_of()
    hidden = rows_of(RunAugmentation(**LAYOUT, **{**CALM, "hide": 1.0})(x, y, np.random.default_rng(0))[0])
    assert not hidden[..., :30].any()
    np.testing.assert_array_equal(hidden[..., 30:], rows_of(x)[..., 30:])


def test_noise_is_the_same_in_all_windows_of_a_lead() -> None:
    x, y = run_of()
    hum = rows_of(RunAugmentation(**LAYOUT, **{**CALM, "noise": 0.03})(x, y, np.random.default_rng(0))[0]) - rows_of(x)
    assert np.std(hum[..., :30]) == pytest.approx(0.03, rel=0.1)
    np.testing.assert_allclose(hum[..., :30], hum[..., 30:60], atol=1e-6)
    assert np.abs(np.corrcoef(hum[:, 0, :30].ravel(), hum[:, 1, :30].ravel())[0, 1]) < 0.15
