"""Pictures: a strip of ECG with its beats named, and how training went. Figures are returned, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Estimator, Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "beats", "history"]

COLOURS = {"N": "#4477aa", "S": "#ee7733", "V": "#cc3311", "F": "#aa3377", "Q": "#777777"}
_OTHER = "#222222"


def beats(
    recording: Recording,
    predictions: Predictions | None = None,
    *,
    start_s: float = 0.0,
    length_s: float = 10.0,
) -> Figure:
    """Draw a stretch of a recording with its beats named.

    Parameters
    ----------
    recording : Recording
        What to draw; its annotations are written below the signals.
    predictions : Predictions, optional
        A model's answers, written above the signals in the colour of their class; faint where the model is unsure.
    start_s, length_s : float [unit=s]
        The stretch.

    Returns
    -------
    matplotlib.figure.Figure
        One row for each lead.

    Raises
    ------
    DataError
        When the recording has no samples or no channels.
    """
    from matplotlib.figure import Figure

    if not recording.signals.size:
        raise DataError(f"{recording.id}: nothing to draw, {recording!r}")
    stop_s = min(start_s + length_s, recording.duration_s)
    part = recording.crop(start_s=start_s, stop_s=stop_s)
    figure = Figure(figsize=(11, 1.2 + 1.4 * len(part.channels)), layout="constrained")
    rows = figure.subplots(len(part.channels), 1, sharex=True, squeeze=False)[:, 0]
    times = start_s + np.arange(part.n_samples) / part.fs
    for axes, name, unit, signal in zip(rows, part.channels, part.units, part.signals, strict=True):
        axes.plot(times, signal, color="black", linewidth=0.7)
        axes.set_ylabel(f"{name} ({unit})")
        axes.margins(x=0, y=0.25)
    rows[-1].set_xlabel("time (s)")
    _name(rows[-1], part.annotations, start_s=start_s, fs=part.fs)
    if predictions is not None:
        _name_predicted(rows[0], predictions.of(recording.id), start_s=start_s, stop_s=stop_s)
    figure.suptitle(_title(recording, predictions), fontsize="medium")
    return figure


def _title(recording: Recording, predictions: Predictions | None) -> str:
    said = [f"recording {recording.id}"]
    said += ["above: predicted"] if predictions is not None else []
    said += ["below: annotated"] if len(recording.annotations) else []
    return "; ".join(said)


def _name(axes: Axes, marks: Annotations, *, start_s: float, fs: float) -> None:
    for start, label in zip(marks.starts.tolist(), marks.labels.tolist(), strict=True):
        axes.text(
            start_s + start / fs, 0.02, label, color=COLOURS.get(label, _OTHER), ha="center", transform=_x_of(axes)
        )


def _name_predicted(axes: Axes, said: Predictions, *, start_s: float, stop_s: float) -> None:
    shown = (said.times_s >= start_s) & (said.times_s < stop_s)
    rows = zip(said.times_s[shown], said.labels[shown].tolist(), said.probabilities[shown].max(axis=1), strict=True)
    for time_s, label, certainty in rows:
        colour = COLOURS.get(label, _OTHER)
        axes.axvline(time_s, color=colour, linewidth=4, alpha=0.12)
        axes.text(
            time_s, 0.9, label, color=colour, alpha=max(float(certainty), 0.3), ha="center", weight="bold",
            transform=_x_of(axes),
        )  # fmt: skip


def _x_of(axes: Axes) -> object:
    return axes.get_xaxis_transform()


def history(model: Estimator) -> Figure:
    """Draw the losses of each epoch of a model that was trained in this session.

    Returns
    -------
    matplotlib.figure.Figure
        Training loss, and validation loss where there is one; a line for each member.

    Raises
    ------
    DataError
        When the model was loaded from a file, which keeps no history.
    """
    from matplotlib.figure import Figure

    if not model.history:
        raise DataError("no history to draw: the model was not trained in this session")
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    for k, member in enumerate(model.history):
        for name, style in (("train_loss", "-"), ("val_loss", "--")):
            points = [(row["epoch"] + 1, row[name]) for row in member.epochs if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), style, color=f"C{k}", label=f"{name} {k}" if k else name)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.legend()
    return figure
