"""Scores drawn: the confusion matrix, and each subject's F1. No pyplot, so no state and no window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from biosig_lstm.metrics.classification import f1_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from biosig_lstm.metrics.forecast import ForecastScores
    from biosig_lstm.metrics.multilabel import MultiLabelScores
    from biosig_lstm.metrics.result import Scores
    from biosig_lstm.metrics.transcripts import TranscriptScores


def scores_figure(scores: Scores) -> Figure:
    """Return a figure of the confusion matrix (left) and of each subject's F1 by class (right)."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_confusion(left, scores)
    _draw_subjects(right, scores)
    return figure


def multilabel_figure(scores: MultiLabelScores) -> Figure:
    """Return a figure of the area under the ROC curve of each class that has one, the highest first."""
    areas = {name: scores.metrics[f"auc_{name}"] for name in scores.classes}
    shown = sorted((name for name, area in areas.items() if not np.isnan(area.value)), key=lambda k: -areas[k].value)
    figure = Figure(figsize=(max(4.0, 0.28 * len(shown) + 1), 4.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(shown):
        axes.plot([place, place], [areas[name].low, areas[name].high], color="black")
        axes.plot(place, areas[name].value, "o", color="tab:blue")
    macro = scores.metrics["macro_auc"]
    axes.axhline(macro.value, color="tab:blue", linewidth=0.8)
    axes.axhspan(macro.low, macro.high, color="tab:blue", alpha=0.15)
    axes.set_xticks(range(len(shown)), shown, rotation=90)
    axes.set(ylabel="area under the ROC curve", title=f"each class, and their mean: {macro}")
    return figure


def transcript_figure(scores: TranscriptScores) -> Figure:
    """Return a figure of each subject's share of substitutions, deletions and insertions, the worst first."""
    counts = np.array([edits[0] for edits in scores.edits.values()], dtype=np.float64)
    shares = counts[:, 1:] / np.maximum(counts[:, :3].sum(axis=1, keepdims=True), 1)
    order = np.argsort(-shares.sum(axis=1), kind="stable")
    names = np.array(list(scores.edits))[order]
    figure = Figure(figsize=(max(4.0, 0.28 * len(names) + 1), 4.2), layout="constrained")
    axes = figure.subplots()
    below = np.zeros(len(names))
    for kind, column in zip(("substitutions", "deletions", "insertions"), shares[order].T, strict=True):
        axes.bar(range(len(names)), column, bottom=below, label=kind)
        below += column
    axes.set_xticks(range(len(names)), names, rotation=90)
    name = next(iter(scores.metrics))
    axes.set(ylabel=name, ylim=(0, max(1.05 * below.max(initial=0.0), 0.05)))
    axes.set_title(f"{name} of each subject; of all {scores.metrics[name]}")
    axes.legend()
    return figure


def forecast_figure(scores: ForecastScores) -> Figure:
    """Return a figure of the mean absolute scaled error by steps ahead, the model's line and those of the others."""
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    for name, row in scores.by_horizon.items():
        title = name.removeprefix("_") or "model"
        axes.plot(np.arange(1, len(row) + 1), row, label=title, linewidth=1.0 if name else 2.0)
    axes.set(xlabel="steps ahead", ylabel="mean absolute scaled error", ylim=(0, None))
    axes.set_title(f"of the model {scores.metrics['mase']}")
    axes.legend()
    return figure


def _draw_confusion(axes: Axes, scores: Scores) -> None:
    counts = scores.counts
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        share = shares[row, column]
        text = f"{share:.0%}\n{counts[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if share > 0.5 else "black")
    ticks = range(len(scores.classes))
    axes.set_xticks(ticks, scores.classes)
    axes.set_yticks(ticks, scores.classes)
    axes.set(xlabel="predicted", ylabel="truth", title="share of each true class, and counts")


def _draw_subjects(axes: Axes, scores: Scores) -> None:
    shown = [k for k, name in enumerate(scores.classes) if f"f1_{name}" in scores.metrics or name != "none"]
    by_subject = f1_score(np.stack(list(scores.per_subject.values())))
    pooled = f1_score(scores.counts)
    for place, k in enumerate(shown):
        defined = by_subject[~np.isnan(by_subject[:, k]), k]
        spread = np.linspace(-0.25, 0.25, len(defined)) if len(defined) > 1 else np.zeros(len(defined))
        axes.plot(place + spread, defined, "o", markersize=3, color="tab:blue", alpha=0.6)
        axes.plot([place - 0.35, place + 0.35], [pooled[k]] * 2, color="black")
        interval = scores.metrics.get(f"f1_{scores.classes[k]}")
        if interval is not None:
            axes.plot([place, place], [interval.low, interval.high], color="black")
    axes.set_xticks(range(len(shown)), [scores.classes[k] for k in shown])
    axes.set(
        xlim=(-0.6, len(shown) - 0.4),
        ylim=(-0.03, 1.03),
        ylabel="F1",
        title="F1 of each subject (dots), of all (bar) and its interval",
    )
