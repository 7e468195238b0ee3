"""Pictures: beats named, a night, gates of an LSTM, a forecast, how training went. Figures are returned, not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.estimators import AnomalyDetector, Estimator, Forecasts, Gates, Predictions
from biosig_lstm.events.sleep_stages import SleepStages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

__all__ = ["COLOURS", "STAGE_COLOURS", "anomalies", "beats", "forecast", "gates", "history", "hypnogram"]

COLOURS = {"N": "#4477aa", "S": "#ee7733", "V": "#cc3311", "F": "#aa3377", "Q": "#777777"}
STAGE_COLOURS = {"W": "#ee7733", "R": "#cc3311", "N1": "#77aadd", "N2": "#4477aa", "N3": "#223355"}
_OTHER = "#222222"
_HOUR_S = 3600.0
_GATE_ROWS = {
    "forget_gate": ("units\nforget gate", {0: "forgets", 1: "keeps"}),
    "input_gate": ("units\ninput gate", {0: "ignores", 1: "writes"}),
    "output_gate": ("units\noutput gate", {0: "hides", 1: "shows"}),
    "cell": ("units\nmemory (tanh)", {-1: "-1", 0: "empty", 1: "+1"}),
}
_DIRECTIONS = ("forward", "backward")
_SAME_LEVEL = 1e-9


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


def gates(
    recording: Recording,
    traces: Gates,
    predictions: Predictions | None = None,
    *,
    start_s: float = 0.0,
    length_s: float = 10.0,
    layer: int = 0,
    direction: str = "forward",
) -> Figure:
    """Draw what an LSTM keeps, writes, shows and remembers under a stretch of the signal.

    Parameters
    ----------
    recording : Recording
        What the model has read; its first channel is drawn, with its annotations below.
    traces : Gates
        What `Estimator.gates` returned for it.
    predictions : Predictions, optional
        The model's answers, written above the signal.
    start_s, length_s : float [unit=s]
        The stretch.
    layer : int
        Which layer.
    direction : {"forward", "backward"}
        Which direction: from the first step on, or from the last step back.

    Returns
    -------
    matplotlib.figure.Figure
        Below the signal a row of pictures for the forget gate, the input gate, the output gate and the memory: a
        column for each step, from half the way before it to half the way after it, and a line for each unit. Memory is
        drawn as its hyperbolic tangent, which is what the output gate lets out. Units are in the same order in all
        rows: those that act alike in the stretch are together. Beside each row stands what its colours mean.

    Raises
    ------
    DataError
        When the recording has no samples, or the model read no step in the stretch.
    ParameterError
        When there is no such layer or direction.
    """
    from matplotlib.figure import Figure

    chosen = _gates_between(recording, traces, start_s=start_s, length_s=length_s)
    place = _layer_and_direction(chosen, layer, direction)
    figure = Figure(figsize=(11, 9), layout="constrained")
    rows = figure.subplots(1 + len(_GATE_ROWS), 1, sharex=True, height_ratios=[1.3, *[1] * len(_GATE_ROWS)])
    stop_s = min(start_s + length_s, recording.duration_s)
    _draw_lead(rows[0], recording.crop(start_s=start_s, stop_s=stop_s), start_s=start_s)
    if predictions is not None:
        _name_predicted(rows[0], predictions.of(recording.id), start_s=start_s, stop_s=stop_s)
    edges = _edges(chosen.times_s, start_s=start_s, stop_s=stop_s)
    shown = {name: getattr(chosen, name)[:, *place] for name in _GATE_ROWS}
    shown["cell"] = np.tanh(shown["cell"])
    order = _alike_together(np.concatenate([values - values.mean(axis=0) for values in shown.values()]))
    for axes, (name, (title, marks)) in zip(rows[1:], _GATE_ROWS.items(), strict=True):
        low, colours = (-1.0, "RdBu_r") if name == "cell" else (0.0, "viridis")
        lines = np.arange(len(order) + 1)
        mesh = axes.pcolormesh(edges, lines, shown[name].T[order], vmin=low, vmax=1.0, cmap=colours)
        axes.set_ylabel(title)
        figure.colorbar(mesh, ax=axes, pad=0.01, ticks=list(marks)).ax.set_yticklabels(list(marks.values()))
    rows[-1].set_xlabel("time (s)")
    figure.suptitle(f"{_title(recording, predictions)}; LSTM layer {layer}, {direction}", fontsize="medium")
    return figure


def _gates_between(recording: Recording, traces: Gates, *, start_s: float, length_s: float) -> Gates:
    chosen = traces.of(recording.id).between(start_s, start_s + length_s)
    if not recording.signals.size or not len(chosen):
        raise DataError(
            f"{recording.id}: the model read no step from {start_s:g} to {start_s + length_s:g} s; {traces!r}"
        )
    return chosen


def _layer_and_direction(traces: Gates, layer: int, direction: str) -> tuple[int, int]:
    if direction not in _DIRECTIONS:
        raise ParameterError(f"direction is not known: {options(direction, _DIRECTIONS)}")
    if not 0 <= layer < traces.cell.shape[1]:
        raise ParameterError(f"layer must lie in 0 to {traces.cell.shape[1] - 1}, got {layer}")
    return layer, _DIRECTIONS.index(direction)


def _alike_together(changes: Float32) -> Int64:
    """Return an order of the columns in which those that change alike are near: along the first principal component."""
    return np.argsort(np.linalg.svd(changes, full_matrices=False)[2][0], kind="stable")


def _draw_lead(axes: Axes, part: Recording, *, start_s: float) -> None:
    axes.plot(start_s + np.arange(part.n_samples) / part.fs, part.signals[0], color="black", linewidth=0.7)
    axes.set_ylabel(f"{part.channels[0]} ({part.units[0]})")
    axes.margins(x=0, y=0.25)
    _name(axes, part.annotations, start_s=start_s, fs=part.fs)


def _edges(times_s: Float64, *, start_s: float, stop_s: float) -> Float64:
    """Return where the columns of steps begin and end: half the way to their neighbours."""
    between = (times_s[1:] + times_s[:-1]) / 2
    return np.concatenate([[start_s], between, [stop_s]])


def anomalies(
    recording: Recording, detector: AnomalyDetector, *, start_s: float = 0.0, length_s: float = 30.0
) -> Figure:
    """Draw a stretch of a recording, the events found in it, and what of it was surprising.

    Parameters
    ----------
    recording : Recording
        What to draw.
    detector : AnomalyDetector
        Trained; it is asked about the whole recording.
    start_s, length_s : float [unit=s]
        The stretch.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each channel, events shaded; the scores with the threshold, on a logarithmic scale where windows are
        scored; the surprise of each step in each channel, in standard deviations: red where the residual is larger than
        usual, blue where it is smaller.

    Raises
    ------
    DataError
        When the recording has no samples in that stretch.
    """
    from matplotlib.figure import Figure

    stop_s = min(start_s + length_s, recording.duration_s)
    if not start_s < stop_s:
        raise DataError(f"{recording.id}: nothing to draw from {start_s:g} s on, {recording!r}")
    part, said = recording.crop(start_s=start_s, stop_s=stop_s), detector.predict(recording)
    figure = Figure(figsize=(11, 3.4 + 1.2 * len(part.channels)), layout="constrained")
    rows = figure.subplots(len(part.channels) + 2, 1, sharex=True)
    times = start_s + np.arange(part.n_samples) / part.fs
    for axes, name, unit, signal in zip(rows, part.channels, part.units, part.signals, strict=False):
        axes.plot(times, signal, color="black", linewidth=0.7)
        axes.set_ylabel(f"{name} ({unit})")
    for event in said.events:
        for axes in rows[:-1]:
            axes.axvspan(event.start_s, event.stop_s, color=COLOURS["V"], alpha=0.15, linewidth=0)
    rows[-2].plot((said.starts_s + said.stops_s) / 2, said.scores, ".-", color=COLOURS["N"], linewidth=0.8)
    rows[-2].axhline(said.threshold, color=COLOURS["V"], linewidth=0.8)
    rows[-2].set(ylabel="score", yscale="log" if detector.scored == "window" else "linear")
    _draw_surprise(rows[-1], recording, detector, start_s=start_s, stop_s=stop_s)
    rows[-1].set(xlabel="time (s)", xlim=(start_s, stop_s))
    figure.suptitle(f"recording {recording.id}: {len(said.events)} events", fontsize="medium")
    return figure


def _draw_surprise(
    axes: Axes, recording: Recording, detector: AnomalyDetector, *, start_s: float, stop_s: float
) -> None:
    windows = detector.prepare(recording)
    at = windows.step_samples() / np.repeat(windows.fs, windows.lengths)
    values = np.concatenate(detector.step_scores(recording))
    first = np.unique(at, return_index=True)[1]
    shown = first[(at[first] >= start_s) & (at[first] < stop_s)]
    if len(shown) > 1:
        edges = np.append(at[shown], 2 * at[shown[-1]] - at[shown[-2]])
        rows = np.arange(values.shape[1] + 1)
        mesh = axes.pcolormesh(edges, rows, values[shown].T, cmap="RdBu_r", vmin=-5, vmax=5)
        axes.figure.colorbar(mesh, ax=axes, pad=0.01)
    axes.set(ylabel="surprise", yticks=[])
    axes.invert_yaxis()


def forecast(said: Forecasts, series: Windows, *, number: int = 0, past_steps: int | None = None) -> Figure:
    """Draw a forecast as a fan: what was known, the quantiles of what comes, and what came, where it is there.

    Parameters
    ----------
    said : Forecasts
        Of `Forecaster.predict` or `Forecaster.backtest`.
    series : Windows
        The series that were given to it, not scaled: ``pipeline(recordings)`` or ``Windows.from_arrays``.
    number : int
        Which of the forecasts.
    past_steps : int [>= 1], optional
        Steps up to the origin that are drawn; three times the horizon by default.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each target; an area for each pair of quantiles, the wider the fainter. Time is in seconds where steps
        are evenly spaced, else in steps.

    Raises
    ------
    ParameterError
        When there is no such forecast, or `past_steps` is below 1.
    DataError
        When the series are not those of the forecasts.
    """
    from matplotlib.figure import Figure

    if not 0 <= number < len(said):
        raise ParameterError(f"number must lie in 0 to {len(said) - 1}, got {number}")
    if past_steps is not None and past_steps < 1:
        raise ParameterError(f"past_steps must be at least 1, got {past_steps}")
    item, origin = int(said.items[number]), int(said.origins[number])
    mine = item < len(series) and series.recordings[item] == said.recordings[number]
    if not mine or series.lengths[item] <= origin or not set(said.targets) <= set(series.columns):
        raise DataError(
            f"{series!r} does not hold {', '.join(said.targets)} of {said.recordings[number]} that was read"
        )
    first = max(origin + 1 - (3 * said.horizon_steps if past_steps is None else past_steps), 0)
    step_s, unit = (1 / said.rate_hz, "s") if said.rate_hz else (1.0, "steps")
    figure = Figure(figsize=(9, 0.8 + 2.4 * len(said.targets)), layout="constrained")
    rows = figure.subplots(len(said.targets), 1, sharex=True, squeeze=False)[:, 0]
    for k, (axes, name) in enumerate(zip(rows, said.targets, strict=True)):
        values = series.item(item)[:, series.columns.index(name)]
        steps = np.arange(first, min(origin + 1 + said.horizon_steps, len(values)))
        axes.plot((steps - origin) * step_s, values[steps], color=_OTHER, linewidth=0.9, label="came")
        _draw_fan(axes, said, said.quantiles[number, :, :, k], step_s=step_s)
        axes.axvline(0, color=_OTHER, linewidth=0.6, linestyle=":")
        axes.set_ylabel(f"{name} ({said.unit})" if said.unit else name)
    rows[0].legend(loc="upper left", fontsize="small")
    rows[-1].set_xlabel(f"time after the last known step ({unit})")
    figure.suptitle(f"{said.recordings[number]}, foreseen after step {origin}", fontsize="medium")
    return figure


def _draw_fan(axes: Axes, said: Forecasts, quantiles: Float32, *, step_s: float) -> None:
    ahead = np.arange(1, said.horizon_steps + 1) * step_s
    for low, level in enumerate(said.levels):
        high = [k for k, other in enumerate(said.levels) if abs(level + other - 1) < _SAME_LEVEL]
        if level < 0.5 and high:
            ends = quantiles[:, low], quantiles[:, high[0]]
            label = f"{1 - 2 * level:.0%} interval"
            axes.fill_between(ahead, *ends, color=COLOURS["N"], alpha=0.2, linewidth=0, label=label)
    axes.plot(ahead, quantiles[:, said.levels.index(0.5)], color=COLOURS["V"], linewidth=1.2, label="median")
