"""A recording drawn as a small inline picture, with nothing but numpy."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from biosig_lstm.containers.recording import Recording

_WIDTH, _ROW, _SHOWN_S, _LEADS = 720, 56, 10.0, 4


def recording_html(recording: Recording) -> str:
    """Return an HTML table of the facts and a picture of the first seconds of the first leads."""
    facts = {
        "subject": recording.subject,
        "length": f"{recording.duration_s:g} s at {recording.fs:g} Hz",
        "channels": ", ".join(f"{c} ({u})" for c, u in zip(recording.channels, recording.units, strict=True)),
        "annotations": repr(recording.annotations).removeprefix("Annotations"),
        "history": "; ".join(recording.history) or "as read",
    }
    rows = "".join(f"<tr><th>{k}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    return f"<div><b>{html.escape(recording.id or 'Recording')}</b><table>{rows}</table>{_picture(recording)}</div>"


def _picture(recording: Recording) -> str:
    shown = recording.signals[:_LEADS, : int(_SHOWN_S * recording.fs)]
    if not shown.size:
        return "<p>(no samples)</p>"
    height = _ROW * len(shown)
    lines = [_polyline(row, top=k * _ROW) for k, row in enumerate(shown)]
    marks = _marks(recording, n_shown=shown.shape[1], height=height)
    return f'<svg width="{_WIDTH}" height="{height + 14}" style="background:#fff">{"".join(lines)}{marks}</svg>'


def _polyline(row: npt.NDArray[np.float32], *, top: float) -> str:
    finite = row[np.isfinite(row)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    step = max(len(row) // (_WIDTH * 2), 1)
    kept = row[::step]
    x = np.linspace(0, _WIDTH, len(kept))
    y = top + _ROW - 4 - (kept - low) / max(float(high - low), 1e-9) * (_ROW - 8)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
    return f'<polyline fill="none" stroke="#225" stroke-width="0.8" points="{points}"/>'


def _marks(recording: Recording, *, n_shown: int, height: int) -> str:
    shown = recording.annotations.crop(start=0, stop=n_shown)
    pairs = list(zip(shown.starts.tolist(), shown.labels.tolist(), strict=True))[:80]
    text = (
        f'<text x="{start / n_shown * _WIDTH:.1f}" y="{height + 11}" font-size="10" fill="#a22" '
        f'text-anchor="middle">{html.escape(label[:6])}</text>'
        for start, label in pairs
    )
    return "".join(text)
