"""Pictures: the right rows, names and marks; figures come back and no window opens."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from biosig_lstm import datasets, plot
from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import StepClassifier


@pytest.fixture(scope="module")
def shown() -> Recording:
    (recording,) = datasets.get("sample").recordings(["s06"])
    return recording


def texts(axes: object) -> list[tuple[float, str]]:
    return [(text.get_position()[0], text.get_text()) for text in axes.texts]  # type: ignore[attr-defined]


def test_a_row_for_each_lead_with_its_unit_and_samples(shown: Recording) -> None:
    figure = plot.beats(shown, start_s=20, length_s=12)
    first, second = figure.axes
    assert (first.get_ylabel(), second.get_ylabel()) == ("MLII (mV)", "V1 (mV)")
    assert second.get_xlabel() == "time (s)"
    for axes, signal in zip((first, second), shown.signals, strict=True):
        (line,) = axes.get_lines()
        np.testing.assert_array_equal(line.get_ydata(), signal[7200:11520])
        np.testing.assert_allclose(line.get_xdata(), np.arange(7200, 11520) / 360)
    assert figure.get_suptitle() == "recording s06; below: annotated"
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_annotations_stand_below_and_predictions_above(shown: Recording, beats_model: StepClassifier) -> None:
    said = beats_model.predict(shown)
    first, second = plot.beats(shown, said, start_s=20, length_s=12).axes
    marks = shown.annotations
    inside = (marks.starts >= 7200) & (marks.starts < 11520)
    assert texts(second) == [
        (pytest.approx(start / 360), label)
        for start, label in zip(marks.starts[inside], marks.labels[inside], strict=True)
    ]
    there = (said.times_s >= 20) & (said.times_s < 32)
    assert texts(first) == [
        (pytest.approx(t), label) for t, label in zip(said.times_s[there], said.labels[there], strict=True)
    ]
    assert len(first.get_lines()) == 1 + there.sum()
    colours = {text.get_text(): text.get_color() for text in first.texts}
    assert {colours[name] == plot.COLOURS[name] for name in colours} == {True}


def test_an_unsure_answer_is_faint(shown: Recording, beats_model: StepClassifier) -> None:
    said = beats_model.predict(shown)
    (first, _) = plot.beats(shown, said, length_s=shown.duration_s).axes
    certainty = said.probabilities.max(axis=1)
    assert [text.get_alpha() for text in first.texts] == pytest.approx(np.maximum(certainty, 0.3).tolist())


def test_the_stretch_ends_with_the_recording(shown: Recording) -> None:
    (line,) = plot.beats(shown, start_s=145, length_s=100).axes[0].get_lines()
    assert line.get_xdata()[-1] == pytest.approx(150 - 1 / 360)
    with pytest.raises(ParameterError, match="cannot crop 200 to 150 s"):
        plot.beats(shown, start_s=200)


def test_one_lead_with_a_gap_is_drawn_and_nothing_is_refused(shown: Recording) -> None:
    signals = shown.signals[:1].copy()
    signals[0, 100:200] = np.nan
    figure = plot.beats(Recording(signals, 360.0, ["MLII"], ["mV"], id="gap"))
    (axes,) = figure.axes
    assert axes.get_lines()[0].get_ydata().shape == (3600,)
    assert figure.get_suptitle() == "recording gap"
    with pytest.raises(DataError, match="r: nothing to draw"):
        plot.beats(Recording(np.zeros((1, 0)), 360.0, ["MLII"], ["mV"], id="r"))


def test_history_is_a_line_for_each_loss(beats_model: StepClassifier) -> None:
    (axes,) = plot.history(beats_model).axes
    (line,) = axes.get_lines()
    assert line.get_label() == "train_loss"
    assert list(line.get_xdata()) == list(range(1, 9))
    losses = [row["train_loss"] for row in beats_model.history[0].epochs]
    assert list(line.get_ydata()) == pytest.approx(losses)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")


def test_a_loaded_model_has_no_history(model_file: object) -> None:
    with pytest.raises(DataError, match="no history to draw: the model was not trained in this session"):
        plot.history(StepClassifier.load(model_file))  # type: ignore[arg-type]
