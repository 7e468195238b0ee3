"""Recordings as sequences of beats with a rhythm to name: those of CinC 2017, and some that are made by rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.metrics.rhythm import CINC2017_CLASSES
from biosig_lstm.recipes import recipe_for

__all__ = ["COLUMNS", "made_rhythms", "read_rhythms"]

Float32 = npt.NDArray[np.float32]

POINTS = 22
_OF_BEAT = ("rr_before", "rr_after", "height_here", "noise")
COLUMNS = (*(f"wave[{k}]" for k in range(POINTS)), *_OF_BEAT)

FEWEST_BEATS, MOST_BEATS = 20, 40
_P_AT, _QRS_AT, _T_AT = 6.0, 10.0, 16.0  # points of the wave
_USUAL_RR_S = 0.8


def read_rhythms(root: str | Path | None) -> Windows:
    """Return the recordings of CinC 2017 as sequences of beats.

    Parameters
    ----------
    root : path or None
        Folder of the database; None: where databases are kept.

    Returns
    -------
    Windows
        An item is a recording, a step a beat: `COLUMNS`, which are the wave from 0.5 s before the R-peak to 0.6 s
        after it in 22 means, the logarithms of the intervals before and after it, its height, and the noise around it.
        Of longer recordings the first 40 beats.

    Raises
    ------
    DataError
        When the database is not there.

    Notes
    -----
    Prepared as the recipe of the protocol ``cinc2017`` does, of which the columns that sum up the whole recording are
    left out: what a sequence comes to is for the network to find.
    """
    windows = recipe_for("cinc2017").pipeline(datasets.get("cinc2017", root).recordings())
    return first_steps(narrowed(windows), MOST_BEATS)


def first_steps(windows: Windows, n_steps: int) -> Windows:
    """Return the items cut to at most so many steps from their start; their labels are those of the whole."""
    lengths = np.minimum(windows.lengths, n_steps)
    at = np.arange(len(windows.values)) - np.repeat(windows.offsets[:-1], windows.lengths)
    kept = at < n_steps
    return replace(
        windows,
        values=windows.values[kept],
        offsets=np.cumsum([0, *lengths.tolist()]),
        positions=None if windows.positions is None else windows.positions[kept],
    )


def narrowed(windows: Windows) -> Windows:
    """Return the `COLUMNS` of what the recipe's preparation gives."""
    names = list(windows.columns)
    _, samples = windows.window_shape or (1, 0)
    wave = windows.values[:, : samples // 2].reshape(len(windows.values), POINTS, -1).mean(axis=2)
    others = windows.values[:, [names.index(name) for name in _OF_BEAT]]
    values = np.concatenate([wave, others], axis=1)
    return replace(windows, values=values, columns=COLUMNS, window_shape=None)


def made_rhythms(n: int, *, seed: int) -> Windows:
    """Return sequences of beats made by rule, a third of each rhythm; they stand for no patient.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of what is drawn.

    Returns
    -------
    Windows
        As of `read_rhythms`. Normal beats come evenly; in fibrillation intervals are independent of each other and
        there is no P wave; of the other recordings one beat in six comes early and is wide.
    """
    rng = np.random.default_rng(seed)
    kinds = np.arange(n) % 3
    items = [_made(int(kind), rng) for kind in kinds]
    lengths = [len(item) for item in items]
    names = [f"made{k:04d}" for k in range(n)]
    return Windows(
        values=np.concatenate(items),
        offsets=np.cumsum([0, *lengths]),
        columns=COLUMNS,
        rate_hz=None,
        subjects=np.array(names),
        recordings=np.array(names),
        starts=np.zeros(n, dtype=np.int64),
        fs=np.ones(n),
        positions=np.concatenate([np.arange(length) for length in lengths]),
        y=kinds,
        classes=CINC2017_CLASSES,
    )


def _made(kind: int, rng: np.random.Generator) -> Float32:
    n = int(rng.integers(FEWEST_BEATS, MOST_BEATS + 1))
    early = (rng.random(n) < 1 / 6) & (kind == 2)
    usual_s = _USUAL_RR_S * rng.uniform(0.75, 1.25)
    spread = 0.18 if kind == 1 else 0.03
    intervals_s = usual_s * np.exp(spread * rng.standard_normal(n + 1))
    intervals_s[:-1][early] *= 0.65
    intervals_s[1:][early] *= 1.3
    at = np.arange(POINTS)
    p_height = 0.0 if kind == 1 else 0.15
    width = np.where(early, 2.0, 0.8)[:, None]
    wave = np.exp(-0.5 * ((at - _QRS_AT) / width) ** 2) + 0.3 * np.exp(-0.5 * ((at - _T_AT) / 2) ** 2)
    wave = wave + p_height * np.exp(-0.5 * (at - _P_AT) ** 2) + 0.1 * rng.standard_normal((n, POINTS))
    others = np.stack([np.log(intervals_s[:-1]), np.log(intervals_s[1:]), np.zeros(n), np.zeros(n)], axis=1)
    return np.concatenate([wave, others], axis=1).astype(np.float32)
