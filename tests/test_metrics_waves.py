"""Scores of wave boundaries against hand-counted cases and an independent count on random waves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from biosig_lstm.containers import Waves
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import BOUNDARIES, boundary_errors, wave_scores

NAN = float("nan")
FS = 500.0


def qrs(*centres: float, on: float = 20, off: float = 20) -> Waves:
    at = np.array(centres, dtype=float)
    return Waves(["QRS"] * len(at), at - on, at, at + off)


def test_errors_are_detected_minus_reference_in_milliseconds() -> None:
    found = boundary_errors(qrs(500, 1000), qrs(503, 1000, on=21, off=25), fs=FS)
    np.testing.assert_allclose(found["qrs_on"][0], [4, -2])
    np.testing.assert_allclose(found["qrs_off"][0], [16, 10])
    assert found["qrs_on"][1:] == (0, 0)
    assert [len(found[name][0]) for name in BOUNDARIES] == [0, 0, 2, 2, 0, 0]


def test_150_ms_is_in_reach_and_more_is_not() -> None:
    reach = [boundary_errors(qrs(500, 1500), qrs(500, 1500 + late), fs=FS)["qrs_on"] for late in (75, 76)]
    assert [len(errors) for errors, _, _ in reach] == [2, 1]
    assert [missed for _, missed, _ in reach] == [0, 1]


def test_what_lies_outside_of_the_marked_stretch_is_not_counted() -> None:
    found = boundary_errors(qrs(1000, 2000), qrs(200, 1000, 1500, 2000, 2800), fs=FS)
    assert found["qrs_on"][1:] == (0, 1)
    assert found["qrs_off"][1:] == (0, 1)


def test_a_match_may_lie_outside_of_the_marked_stretch() -> None:
    errors, missed, false = boundary_errors(qrs(1000, 2000), qrs(990, 2010), fs=FS)["qrs_on"]
    np.testing.assert_allclose(errors, [-20, 20])
    assert (missed, false) == (0, 0)


def test_waves_of_another_kind_do_not_match() -> None:
    found = boundary_errors(qrs(500, 1000), Waves(["T"], [490], [500], [510]), fs=FS)
    assert found["qrs_on"][1:] == (2, 0)
    assert found["t_on"][1:] == (0, 1)


def test_a_boundary_that_the_expert_did_not_give_is_neither_right_nor_wrong() -> None:
    truth = Waves(["QRS"] * 3, [480, NAN, 1480], [500, 1000, 1500], [520, 1020, 1520])
    found = boundary_errors(truth, qrs(500, 1000, 1500), fs=FS)
    assert len(found["qrs_on"][0]) == 2
    assert found["qrs_on"][1:] == (0, 0)
    assert len(found["qrs_off"][0]) == 3


def test_a_boundary_that_was_not_found_is_missed() -> None:
    said = Waves(["QRS", "QRS"], [NAN, 980], [500, 1000], [520, 1020])
    assert boundary_errors(qrs(500, 1000), said, fs=FS)["qrs_on"][1:] == (1, 0)


def test_a_lead_without_marks_counts_nothing() -> None:
    assert all(missed == false == 0 for _, missed, false in boundary_errors(Waves(), qrs(500), fs=FS).values())


places = st.lists(st.integers(200, 4800), min_size=1, max_size=8, unique=True)


@settings(deadline=None, max_examples=60)
@given(places, places)
def test_as_many_pairs_as_can_be_and_the_closest(expert: list[int], said: list[int]) -> None:
    errors, missed, false = boundary_errors(qrs(*expert), qrs(*said), fs=FS)["qrs_on"]
    distance = np.abs(np.sort(expert)[:, None] - np.sort(said)[None, :]) * 2.0
    cost = np.where(distance <= 150, distance - 1e6, 0.0)
    rows, columns = linear_sum_assignment(cost)
    pairs = distance[rows, columns][cost[rows, columns] < 0]
    assert len(errors) == len(pairs)
    assert math.isclose(np.abs(errors).sum(), pairs.sum(), abs_tol=1e-6)
    assert missed == len(expert) - len(pairs)
    assert false <= len(said) - len(pairs)


def test_scores_of_two_subjects_counted_by_hand() -> None:
    truth = [qrs(500, 1000, 1500), qrs(500, 1000, 1500, 2000)]
    said = [qrs(502, 1000, 1250, 1500), qrs(500, 1003, 1500)]
    scores = wave_scores(truth, said, ["a", "b"], fs=FS, n_resamples=50)
    assert scores["se_qrs_on"].value == pytest.approx(6 / 7)
    assert scores["pp_qrs_on"].value == pytest.approx(6 / 7)
    errors = np.array([4, 0, 0, 0, 6, 0])
    assert scores["mean_ms_qrs_on"].value == pytest.approx(errors.mean())
    assert scores["sd_ms_qrs_on"].value == pytest.approx(errors.std())
    assert math.isnan(scores["se_p_on"].value)
    assert scores.per_subject["a"][2].tolist() == [0, 0, 3, 0, 0, 0, 0]
    assert scores.per_subject["a"][-1].tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert scores.per_subject["b"][2, -1] == 1
    assert scores["se_qrs_on"].low <= 6 / 7 <= scores["se_qrs_on"].high


def test_every_metric_has_the_name_that_was_agreed() -> None:
    scores = wave_scores([qrs(500)], [qrs(500)], ["a"], fs=FS)
    sides = [f"{wave}_{side}" for wave in ("p", "qrs", "t") for side in ("on", "off")]
    assert set(scores.metrics) == {f"{kind}_{side}" for kind in ("se", "pp", "mean_ms", "sd_ms") for side in sides}
    assert "se_qrs_on" in scores.to_json()


def test_each_lead_may_have_its_own_rate() -> None:
    scores = wave_scores([qrs(500), qrs(500)], [qrs(501), qrs(501)], ["a", "b"], fs=[500, 1000])
    assert scores["mean_ms_qrs_on"].value == pytest.approx(1.5)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="of one lead or more, got 1, 2, 1 and 1"):
        wave_scores([qrs(500)], [qrs(500)] * 2, ["a"], fs=FS)
    with pytest.raises(DataError, match="got 0, 0, 0 and 0"):
        wave_scores([], [], [], fs=FS)
    with pytest.raises(ParameterError, match=r"fs must be positive and tolerance_s 0 or more, got 0 and 0.15"):
        boundary_errors(qrs(500), qrs(500), fs=0)
