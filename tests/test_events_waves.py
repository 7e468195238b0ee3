"""From probabilities to waves, and from marks to the labels of samples: places by hand, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import WAVES, Annotations, Recording, Waves
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.waves import P_WEIGHT, find_waves, p_wave_weight
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows.each_lead import EachLead, lead_scale, other_leads, wave_labels

RATE_HZ = 250.0
BEAT = (("P", 40, 64), ("QRS", 80, 104), ("T", 150, 200))


def certain(*runs: tuple[str, int, int], steps: int = 400, probability: float = 1.0) -> np.ndarray:
    """Return probabilities (steps, 4) that are sure of these runs of waves."""
    out = np.zeros((steps, 4))
    out[:, 0] = 1
    for wave, first, stop in runs:
        out[first:stop] = 0
        out[first:stop, WAVES.index(wave) + 1] = probability
        out[first:stop, 0] = 1 - probability
    return out


def find(*leads: np.ndarray, **how: float) -> list[Waves]:
    signals = np.zeros((len(leads), len(leads[0])))
    return find_waves(np.stack(leads), signals, rate_hz=RATE_HZ, **how)


def test_waves_are_where_the_probabilities_are_sure() -> None:
    (found,) = find(certain(*BEAT))
    assert [(label, onset, offset) for label, onset, _, offset in found.rows()] == [
        (label, first, stop - 1) for label, first, stop in BEAT
    ]


def test_a_boundary_lies_between_steps_where_two_classes_are_equal() -> None:
    sure = certain(("QRS", 80, 104))
    sure[79] = [0.7, 0, 0.3, 0]
    sure[104] = [0.6, 0, 0.4, 0]
    (found,) = find(sure)
    assert found.onsets[0] == pytest.approx(79.5 + 0.4 / 1.4)
    assert found.offsets[0] == pytest.approx(102.5 + 1 / 1.2)


def test_the_peak_is_farthest_from_the_line_between_the_ends() -> None:
    signal = np.linspace(0, 5, 400)
    signal[90] -= 3
    (found,) = find_waves(certain(("QRS", 80, 104))[None], signal[None], rate_hz=RATE_HZ)
    assert found.peaks.tolist() == [90]


def test_short_runs_are_no_waves() -> None:
    (found,) = find(certain(("P", 10, 14), ("QRS", 80, 85), ("T", 150, 157)))
    assert len(found) == 0


def test_one_p_and_one_t_wave_are_kept_between_two_complexes() -> None:
    runs = [("QRS", 20, 44), ("T", 60, 90), ("T", 100, 110), ("P", 130, 140), ("P", 150, 180), ("QRS", 200, 224)]
    (found,) = find(certain(*runs))
    assert [(label, onset) for label, onset, *_ in found.rows()] == [("QRS", 20), ("T", 60), ("P", 150), ("QRS", 200)]


def test_leads_agree_on_what_is_there_and_keep_their_own_boundaries() -> None:
    lost = certain(("QRS", 80, 104), ("T", 150, 200))
    later = certain(("P", 44, 68), ("QRS", 82, 108), ("T", 150, 210))
    found = find(certain(*BEAT), certain(*BEAT), later, lost)
    assert [waves.labels.tolist() for waves in found] == [["P", "QRS", "T"]] * 4
    assert (found[2].onsets[0], found[2].offsets[2]) == (44, 209)
    assert 40 <= found[3].onsets[0] <= 44


def test_without_agreement_each_lead_answers_alone() -> None:
    lost = certain(("QRS", 80, 104), ("T", 150, 200))
    found = find(certain(*BEAT), certain(*BEAT), lost, agreement=0.0)
    assert found[2].labels.tolist() == ["QRS", "T"]


def test_p_waves_that_are_in_doubt_are_found_with_more_weight() -> None:
    doubtful = certain(("P", 40, 64), probability=0.4)
    assert len(find(doubtful, p_weight=1.0)[0]) == 0
    assert find(doubtful, p_weight=2.0)[0].labels.tolist() == ["P"]


def beats_with_p(distances: list[int], *, probability: float) -> np.ndarray:
    """Return probabilities of beats 200 steps apart, a P wave of 20 steps so many steps before each."""
    runs = []
    for k, distance in enumerate(distances):
        beat = 200 * (k + 1)
        runs += [("P", beat - distance - 20, beat - distance), ("QRS", beat, beat + 25)]
    sure = certain(*runs, steps=200 * (len(distances) + 1))
    atrial = sure[:, 1] > 0
    sure[atrial] = [1 - probability, probability, 0, 0]
    return sure


@pytest.mark.parametrize(
    ("distances", "probability", "weight"),
    [
        ([15] * 8, 0.4, P_WEIGHT),  # steady: sinus rhythm
        ([5, 60, 25, 80, 10, 45, 70, 30], 0.4, 0.0),  # anywhere: fibrillation
        ([5, 60, 25, 80, 10, 45, 70, 30], 0.9, P_WEIGHT),  # sure, as in second-degree AV block
        ([15] * 8, 0.2, 1.0),  # hardly any
        ([15, 15, 15], 0.4, 1.0),  # two intervals are too few
    ],
)
def test_p_waves_are_trusted_where_they_are_steady_or_sure(
    distances: list[int], probability: float, weight: float
) -> None:
    probabilities = beats_with_p(distances, probability=probability)
    assert p_wave_weight(probabilities, rate_hz=RATE_HZ) == weight
    (found,) = find(probabilities)
    expected = weight * probability > 1 - probability
    assert len(found.of("P")) == (len(distances) if expected else 0)


def test_the_distance_of_p_may_vary_by_28_ms() -> None:
    for spread, weight in ((6, P_WEIGHT), (8, 0.0)):
        distances = [20 - spread, 20 + spread] * 4 + [20 - spread]
        assert p_wave_weight(beats_with_p(distances, probability=0.5), rate_hz=RATE_HZ) == weight


def test_a_wave_that_the_data_cut_has_no_boundary_there() -> None:
    (found,) = find(certain(("T", 0, 30), ("P", 380, 400)))
    np.testing.assert_array_equal(np.isnan(found.onsets), [True, False])
    np.testing.assert_array_equal(np.isnan(found.offsets), [False, True])


@settings(deadline=None, max_examples=40)
@example(seed=590257, leads=2, steps=79)
@given(seed=st.integers(0, 2**32 - 1), leads=st.integers(1, 3), steps=st.integers(1, 120))
def test_whatever_the_probabilities_waves_are_in_order_and_within_the_data(seed: int, leads: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    rough = np.repeat(rng.dirichlet(np.full(4, 0.3), (leads, -(-steps // 9))), 9, axis=1)[:, :steps]
    for waves in find_waves(rough, rng.standard_normal((leads, steps)), rate_hz=RATE_HZ):
        assert np.nanmin([0, *waves.onsets]) >= 0
        assert np.nanmax([0, *waves.offsets]) <= steps - 1
        beats = np.searchsorted(waves.of("QRS").peaks, waves.of("P").peaks)
        assert len(set(beats.tolist())) == len(beats)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"must be \(leads, steps, 4\).*got \(1, 5, 3\) and \(1, 5\)"):
        find_waves(np.zeros((1, 5, 3)), np.zeros((1, 5)), rate_hz=RATE_HZ)
    with pytest.raises(ParameterError, match=r"agreement must lie in 0 to 1.*got 1.5"):
        find(certain(), agreement=1.5)


def marks(text: str, *, lead: str = "i") -> Annotations:
    return Annotations(10 * (1 + np.arange(len(text))), labels=list(text), notes=[lead] * len(text))


def test_samples_are_labelled_within_the_marked_stretch() -> None:
    y = wave_labels(marks("(p)(N)"), n_samples=80, fs=RATE_HZ)
    assert set(y[:10]) == {-1}
    assert set(y[10:31]) == {1}
    assert set(y[31:40]) == {0}
    assert set(y[40:61]) == {2}
    assert set(y[61:]) == {-1}


def test_what_the_expert_left_open_is_not_labelled() -> None:
    y = wave_labels(marks("(p)N)()(t)"), n_samples=200, fs=100.0)
    assert set(y[10:31]) == {1}
    assert set(y[31:40]) == {-1}
    assert set(y[40:51]) == {2}
    assert set(y[60:71]) == {-1}
    assert set(y[80:101]) == {3}
    no_end = wave_labels(marks("(t(N)"), n_samples=80, fs=100.0)
    assert set(no_end[20:30]) == {3, -1}


def test_a_lead_without_marks_is_not_labelled() -> None:
    assert set(wave_labels(Annotations(), n_samples=9, fs=RATE_HZ)) == {-1}


def recording(signals: np.ndarray, **how: object) -> Recording:
    names = [f"v{k + 1}" for k in range(len(signals))]
    return Recording(signals, RATE_HZ, names, ["mV"] * len(names), id="r", subject="s", **how)


def test_each_lead_is_an_item_with_the_others_beside_it() -> None:
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((3, 1000)).astype(np.float32) * np.array([[1], [10], [0.1]], dtype=np.float32)
    windows = EachLead()(recording(signals, annotations=marks("(p)(N)", lead="v2")))
    assert (len(windows), windows.lengths.tolist(), windows.columns) == (3, [1000] * 3, ("lead", "other leads"))
    scaled = signals / lead_scale(signals, block_samples=625)[:, None]
    np.testing.assert_allclose(windows.item(1)[:, 0], scaled[1], rtol=1e-6)
    np.testing.assert_allclose(windows.item(1)[:, 1], np.sqrt((scaled[0] ** 2 + scaled[2] ** 2) / 2), rtol=1e-4)
    assert windows.classes == ("none", "P", "QRS", "T")
    labelled = [set(windows.item_y(k).tolist()) for k in range(3)]
    assert labelled == [{-1}, {-1, 0, 1, 2}, {-1}]


@given(st.floats(1e-3, 1e3))
def test_neither_unit_nor_gain_matters(gain: float) -> None:
    rows = np.random.default_rng(1).standard_normal((2, 700)).astype(np.float32)
    one, other = EachLead()(recording(rows)), EachLead()(recording(rows * np.float32(gain)))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-3, atol=1e-4)


def test_the_size_of_a_lead_is_not_that_of_a_short_artefact() -> None:
    row = np.tile([1.0, -1.0], 3000)
    row[:600] *= 500
    np.testing.assert_allclose(lead_scale([row], block_samples=625), 1.0, rtol=1e-5)
    assert lead_scale(np.zeros((1, 50)), block_samples=625).tolist() == [1.0]


def test_one_lead_has_no_others() -> None:
    assert not other_leads(np.ones((1, 5), dtype=np.float32)).any()
    assert EachLead()(recording(np.ones((1, 5), dtype=np.float32))).values.shape == (5, 2)


def test_the_step_is_written_and_read() -> None:
    pipeline = Pipeline(windows=EachLead(block_s=3.0))
    assert Pipeline.from_dict(pipeline.to_dict()) == pipeline
    with pytest.raises(ParameterError, match=r"block_s must be positive.* got 0"):
        EachLead(block_s=0)
    with pytest.raises(DataError, match="r: holds no samples of any lead"):
        EachLead()(Recording(np.zeros((0, 0)), RATE_HZ, [], [], id="r"))
