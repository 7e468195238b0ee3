"""Scores as an aligned text table, and as an HTML one."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biosig_lstm.metrics.result import Scores

_HEADS = {"auc": "AUC", "ap": "AP", "se": "Se", "pp": "+P", "f1": "F1"}

Rows = list[list[str]]


def scores_text(scores: Scores) -> str:
    """Return the scores as lines of text, columns aligned."""
    parts = [_title(scores)]
    for variant in scores.variants:
        blocks = [_lines(rows) for rows in (_class_rows(scores, variant), _other_rows(scores, variant)) if rows]
        parts += [f"\n{_name(variant)}", *blocks] if variant else blocks
    return "\n".join(parts)


def scores_html(scores: Scores) -> str:
    """Return the scores as HTML tables."""
    parts = [f"<b>{html.escape(_title(scores))}</b>"]
    for variant in scores.variants:
        parts += [f"<p>{html.escape(_name(variant))}</p>"] if variant else []
        parts += [_table(rows) for rows in (_class_rows(scores, variant), _other_rows(scores, variant)) if rows]
    return f"<div>{''.join(parts)}</div>"


def _title(scores: Scores) -> str:
    return (
        f"Scores of {scores.n_items} items of {scores.n_subjects} subjects; "
        f"[{scores.confidence:.0%} interval over subjects]"
    )


def _name(variant: str) -> str:
    return variant.strip("_").replace("_", " ")


def _class_rows(scores: Scores, variant: str) -> Rows:
    metrics, n_true = scores.metrics, scores.n_true.tolist()
    heads = [head for head in _HEADS if any(f"{head}_{c}{variant}" in metrics for c in scores.classes)]
    rows = [
        [name, "" if variant else str(n), *(str(metrics.get(f"{head}_{name}{variant}", "")) for head in heads)]
        for name, n in zip(scores.classes, n_true, strict=True)
        if any(f"{head}_{name}{variant}" in metrics for head in heads)
    ]
    return [["class", "" if variant else "n", *(_HEADS[head] for head in heads)], *rows] if rows else []


def _other_rows(scores: Scores, variant: str) -> Rows:
    of_class = {f"{head}_{name}{variant}" for head in _HEADS for name in scores.classes}
    foreign = tuple(v for v in scores.variants if v and v != variant)
    return [
        [name.removesuffix(variant), str(interval)]
        for name, interval in scores.metrics.items()
        if name not in of_class and name.endswith(variant) and not (foreign and name.endswith(foreign))
    ]


def _lines(rows: Rows) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def _table(rows: Rows) -> str:
    body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"
