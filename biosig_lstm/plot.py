"""Pictures: a strip of ECG with its beats named, a night, and how training went. Figures are returned, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Estimator, Predictions
from biosig_lstm.events.sleep_stages import SleepStages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Float64 = npt.NDArray[np.float64]

__all__ = ["COLOURS", "STAGE_COLOURS", "beats", "history", "hypnogram"]

COLOURS = {"N": "#4477aa", "S": "#ee7733", "V": "#cc3311", "F": "#aa3377", "Q": "#777777"}
STAGE_COLOURS = {"W": "#ee7733", "R": "#cc3311", "N1": "#77aadd", "N2": "#4477aa", "N3": "#223355"}
_OTHER = "#222222"
_HOUR_S = 3600.0


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


def hypnogram(predictions: Predictions, recording: Recording | None = None) -> Figure:
    """Draw the sleep stages of a night: the expert's where there are any, the model's, and how sure it is.

    Parameters
    ----------
    predictions : Predictions
        Stages of the epochs of one night.
    recording : Recording, optional
        The night with the expert's stages, in the words that `SleepStages` knows; drawn above the model's.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each hypnogram, and one for the probabilities. Epochs without a stage are gaps.

    Raises
    ------
    DataError
        When the predictions are of no night or of several, or the recording has no stages.
    """
    from matplotlib.figure import Figure

    nights = sorted(set(predictions.recordings.tolist()))
    if len(nights) != 1:
        raise DataError(f"a hypnogram shows one night, got {len(nights)}: {', '.join(nights[:4])}")
    hours = predictions.times_s / _HOUR_S
    drawn = [] if recording is None else [("expert", *_expert(recording))]
    drawn.append(("model", hours, predictions.labels.tolist()))
    figure = Figure(figsize=(11, 1.2 + 1.6 * (len(drawn) + 1)), layout="constrained")
    rows = figure.subplots(len(drawn) + 1, 1, sharex=True)
    for axes, (name, starts, stages) in zip(rows[:-1], drawn, strict=True):
        _draw_stages(axes, starts, stages)
        axes.set_ylabel(name)
    shown = [stage for stage in STAGE_COLOURS if stage in predictions.classes]
    shares = predictions.probabilities[:, [predictions.classes.index(stage) for stage in shown]].T
    rows[-1].stackplot(hours, shares, colors=[STAGE_COLOURS[stage] for stage in shown], labels=shown)
    rows[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    rows[-1].set(ylabel="probability", xlabel="time (h)", ylim=(0, 1))
    rows[-1].margins(x=0)
    figure.suptitle(f"recording {nights[0]}", fontsize="medium")
    return figure


def _expert(recording: Recording) -> tuple[Float64, list[str]]:
    """Return the hours at which stages begin and their names; where one ends and none follows, an empty one."""
    marks = SleepStages()(recording).annotations
    if not len(marks):
        raise DataError(f"{recording.id}: no sleep stages to draw among {recording.annotations!r}")
    ends = marks.stops[np.append(marks.starts[1:] > marks.stops[:-1], True)]
    at = np.concatenate([marks.starts, ends])
    order = np.argsort(at, kind="stable")
    names = [*marks.labels.tolist(), *[""] * len(ends)]
    return at[order] / (recording.fs * _HOUR_S), [names[k] for k in order]


def _draw_stages(axes: Axes, hours: Float64, stages: list[str]) -> None:
    levels = {stage: -k for k, stage in enumerate(STAGE_COLOURS)}
    heights = [levels.get(stage, np.nan) for stage in stages]
    axes.step(hours, heights, where="post", color=_OTHER, linewidth=0.9)
    in_rem = np.where(np.array(stages) == "R", levels["R"], np.nan)
    axes.step(hours, in_rem, where="post", color=STAGE_COLOURS["R"], linewidth=3)
    axes.set_yticks(list(levels.values()), list(levels))


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
