"""Beats in AAMI classes: names, values against scikit-learn, and what detection adds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn import metrics as sk

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import (
    AAMI,
    AAMI_CLASSES,
    Interval,
    Scores,
    beat_scores,
    class_scores,
    detected_beat_scores,
    summarize,
)

NAMES = [f"{m}_{c}" for c in "NSVFQ" for m in ("se", "pp", "f1")] + ["mean_f1_nsv", "accuracy"]


def made_up(n=600, *, subjects=("101", "106", "232", "208"), seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(list("NSVFQ"), n, p=[0.6, 0.1, 0.15, 0.1, 0.05])
    predicted = np.where(rng.random(n) < 0.8, truth, rng.choice(list("NSVF"), n))
    return truth, predicted, rng.choice(subjects, n)


def test_the_mapping_is_that_of_aami():
    groups = {name: "".join(s for s, c in AAMI.items() if c == name) for name in AAMI_CLASSES}
    assert groups == {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F", "Q": "/fQ"}


def test_names_are_exactly_these():
    assert list(beat_scores(*made_up()).metrics) == NAMES + [f"{name}_without_232" for name in NAMES]
    assert list(beat_scores(*made_up(subjects=("101", "106"))).metrics) == NAMES


def test_values_agree_with_sklearn():
    truth, predicted, subjects = made_up()
    scores = beat_scores(truth, predicted, subjects)
    for suffix, kept in (("", np.full(len(truth), True)), ("_without_232", subjects != "232")):
        said = sk.precision_recall_fscore_support(
            truth[kept], predicted[kept], labels=list("NSVFQ"), zero_division=np.nan
        )
        for k, name in enumerate("NSVFQ"):
            mine = [scores[f"{m}_{name}{suffix}"].value for m in ("pp", "se", "f1")]
            np.testing.assert_allclose(mine, [said[0][k], said[1][k], said[2][k]])
        mean = sk.f1_score(truth[kept], predicted[kept], labels=list("NSV"), average="macro")
        assert math.isclose(scores[f"mean_f1_nsv{suffix}"].value, mean)
        assert math.isclose(scores[f"accuracy{suffix}"].value, sk.accuracy_score(truth[kept], predicted[kept]))


def test_a_perfect_prediction_scores_one():
    truth, _, subjects = made_up()
    scores = beat_scores(truth, truth, subjects)
    assert {(i.value, i.low, i.high) for i in scores.metrics.values()} == {(1.0, 1.0, 1.0)}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_order_does_not_matter_and_intervals_hold_the_value(seed):
    truth, predicted, subjects = made_up(200, seed=seed)
    order = np.random.default_rng(seed).permutation(200)
    there = beat_scores(truth, predicted, subjects, n_resamples=200)
    back = beat_scores(truth[order], predicted[order], subjects[order], n_resamples=200)
    assert there.to_json() == back.to_json()
    for interval in there.metrics.values():
        assert math.isnan(interval.value) or interval.low <= interval.value <= interval.high


def test_the_order_in_which_subjects_come_does_not_matter():
    counts = np.random.default_rng(0).integers(1, 30, (6, 2, 2))
    said = [
        summarize(counts[order], [f"s{k}" for k in order], classes="ab", statistics=lambda n: {"x": n[..., 0, 0]})
        for order in (np.arange(6), np.array([3, 5, 0, 1, 4, 2]))
    ]
    assert said[0].to_json() == said[1].to_json()


def test_renaming_subjects_does_not_change_values():
    truth, predicted, subjects = made_up(subjects=("1", "2", "3"))
    renamed = np.array([{"1": "3", "2": "1", "3": "2"}[s] for s in subjects.tolist()])
    values = [[i.value for i in beat_scores(truth, predicted, who).metrics.values()] for who in (subjects, renamed)]
    assert values[0] == values[1]


def test_the_seed_decides():
    one, other = (beat_scores(*made_up(), seed=seed).to_json() for seed in (0, 1))
    assert one == beat_scores(*made_up(), seed=0).to_json()
    assert one != other


def test_letters_and_indices_are_alike_and_minus_one_is_left_out():
    truth, predicted, subjects = made_up()
    by_index = [np.array([AAMI_CLASSES.index(c) for c in x.tolist()]) for x in (truth, predicted)]
    assert beat_scores(*by_index, subjects).to_json() == beat_scores(truth, predicted, subjects).to_json()
    by_index[0][:100] = -1
    assert beat_scores(*by_index, subjects).n_items == 500


def test_what_is_nought_by_nought_is_null():
    said = beat_scores(list("NNVV"), list("NVVV"), list("abab")).to_dict()["metrics"]
    assert said["se_S"] == {"value": None, "low": None, "high": None}
    assert said["mean_f1_nsv"]["value"] is None
    assert said["se_N"]["value"] == 0.5


def test_other_subjects_can_be_left_out_under_another_name():
    truth, predicted, subjects = made_up()
    scores = beat_scores(truth, predicted, subjects, leave_out={"of_two": ("101", "106"), "x": ("nobody",)})
    kept = np.isin(subjects, ["232", "208"])
    assert scores["accuracy_of_two"].value == np.mean(truth[kept] == predicted[kept])
    assert scores.variants == ("", "_of_two")
    everyone = beat_scores(truth, predicted, subjects, leave_out={"none": ("101", "106", "208", "232")})
    assert math.isnan(everyone["accuracy_none"].value)


def test_fewer_classes_have_no_mean_over_n_s_v():
    scores = beat_scores(list("NVN"), list("NVV"), list("abc"), classes=("N", "V"))
    assert "mean_f1_nsv" not in scores.metrics


def test_labels_and_lengths_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match="no class 'L'; possible: F, N, Q, S, V"):
        beat_scores(["L"], ["N"], ["101"])
    with pytest.raises(DataError, match="differ in length: 1, 2, 1"):
        beat_scores(["N"], ["N", "V"], ["101"])
    with pytest.raises(DataError, match="one or more distinct subjects, got 0"):
        beat_scores([], [], [])
    with pytest.raises(DataError, match="distinct subjects, got 2"):
        summarize(np.zeros((2, 1, 1)), ["a", "a"], classes=["x"], statistics=lambda n: {})


def beats(starts, labels):
    return Annotations(starts, labels=list(labels))


def test_missed_and_invented_beats_count():
    expert = beats([100, 400, 700, 1000], "NVNS")
    found = beats([102, 390, 850, 1010], "NNVS")
    scores = detected_beat_scores([expert], [found], ["101"], tolerance_samples=54)
    assert scores.classes == ("N", "S", "V", "F", "Q", "none")
    expected = np.zeros((6, 6), dtype=int)
    expected[0, 0] = expected[2, 0] = expected[0, 5] = expected[5, 2] = expected[1, 1] = 1
    assert np.array_equal(scores.counts, expected)
    assert (scores["se_N"].value, scores["pp_N"].value, scores["accuracy"].value) == (0.5, 0.5, 0.4)
    assert (scores["se_V"].value, scores["pp_V"].value, scores["f1_S"].value) == (0.0, 0.0, 1.0)
    assert list(scores.metrics) == NAMES
    assert scores.to_dict()["per_subject"]["101"]["N"] == {"tp": 1, "fp": 1, "fn": 1}


def test_perfect_detection_scores_as_given_beats():
    truth, predicted, subjects = made_up()
    records = sorted(set(subjects.tolist()))
    starts = {name: np.arange((subjects == name).sum()) * 300 for name in records}
    expert, found = (
        [beats(starts[name], labels[subjects == name].tolist()) for name in records] for labels in (truth, predicted)
    )
    detected = detected_beat_scores(expert, found, records, tolerance_samples=[54] * 4)
    given_beats = beat_scores(truth, predicted, subjects)
    for name, interval in given_beats.metrics.items():
        assert detected[name] == interval


def test_lists_of_recordings_must_fit():
    with pytest.raises(DataError, match="one reference, detection and subject each, got 1, 0 and 1"):
        detected_beat_scores([beats([1], "N")], [], ["a"], tolerance_samples=54)
    with pytest.raises(ParameterError, match=r"no class '\+'"):
        detected_beat_scores([beats([1], "+")], [beats([1], "N")], ["a"], tolerance_samples=54)


def test_the_table_reads_well():
    text = repr(beat_scores(*made_up()))
    lines = text.splitlines()
    assert lines[0] == "Scores of 600 items of 4 subjects; [95% interval over subjects]"
    assert lines[1].split() == ["class", "n", "Se", "+P", "F1"]
    columns = [line.index("[") for line in lines[2:6]]
    assert len(set(columns)) == 1
    assert "without 232" in lines
    value = beat_scores(*made_up())["se_V"]
    assert str(value) in next(line for line in lines if line.startswith("V "))
    assert text.count("mean_f1_nsv") == 2


def test_the_html_table_holds_the_same_and_escapes():
    scores = beat_scores(*made_up())
    page = scores._repr_html_()
    assert all(str(interval) in page for interval in scores.metrics.values())
    marked = class_scores(["<b>", "x"], ["x", "x"], ["1", "2"], classes=("<b>", "x"))
    assert "<td>&lt;b&gt;</td>" in marked._repr_html_()


def test_json_is_strict_and_complete():
    scores = beat_scores(*made_up())
    said = json.loads(scores.to_json(indent=1))
    assert set(said) == {"metrics", "confusion", "subjects", "items", "confidence", "per_subject"}
    assert said["confusion"] == {"classes": list(AAMI_CLASSES), "counts": scores.counts.tolist()}
    assert (said["subjects"], said["items"]) == (4, 600)
    for name in AAMI_CLASSES:
        k = AAMI_CLASSES.index(name)
        hits = sum(table[name]["tp"] for table in said["per_subject"].values())
        misses = sum(table[name]["fn"] for table in said["per_subject"].values())
        assert (hits, hits + misses) == (scores.counts[k, k], scores.counts[k].sum())


def test_the_figure_shows_counts_and_subjects():
    scores = beat_scores(*made_up())
    figure = scores.plot()
    assert isinstance(figure, Figure)
    left, right = figure.axes
    shown = [text.get_text() for text in left.texts]
    assert shown[0] == f"{scores['se_N'].value:.0%}\n{scores.counts[0, 0]}"
    assert len(shown) == 25
    assert [label.get_text() for label in right.get_xticklabels()] == list(AAMI_CLASSES)
    dots = next(line for line in right.lines if line.get_marker() == "o")
    assert len(dots.get_xdata()) == 4
    figure.canvas.draw()


def test_the_figure_of_one_subject_and_missed_beats_draws():
    scores = detected_beat_scores([beats([1], "N")], [beats([900], "N")], ["a"], tolerance_samples=5)
    right = scores.plot().axes[1]
    assert "none" not in [label.get_text() for label in right.get_xticklabels()]


def test_a_metric_that_is_none_is_refused_with_a_guess():
    with pytest.raises(ParameterError, match="no metric 'f1_v'; did you mean 'f1_"):
        beat_scores(*made_up())["f1_v"]


def test_scores_are_frozen_and_square():
    scores = beat_scores(*made_up())
    with pytest.raises(ValueError, match="read-only"):
        scores.per_subject["101"][0, 0] = 5
    with pytest.raises(DataError, match=r"subject 'a': confusion must have shape \(1, 1\), got \(2, 2\)"):
        Scores({"x": Interval(1, 1, 1)}, ("c",), {"a": np.zeros((2, 2))})


def test_any_task_is_scored_with_kappa_and_macro_f1():
    rng = np.random.default_rng(0)
    stages = ("W", "N1", "N2", "N3", "R")
    truth = rng.choice(stages, 400)
    predicted = np.where(rng.random(400) < 0.7, truth, rng.choice(stages, 400))
    scores = class_scores(truth, predicted, rng.choice(["a", "b", "c"], 400), classes=stages)
    assert math.isclose(scores["kappa"].value, sk.cohen_kappa_score(truth, predicted))
    assert math.isclose(scores["macro_f1"].value, sk.f1_score(truth, predicted, average="macro"))
    assert math.isclose(scores["balanced_accuracy"].value, sk.balanced_accuracy_score(truth, predicted))
    assert scores["kappa"].low < scores["kappa"].value < scores["kappa"].high
