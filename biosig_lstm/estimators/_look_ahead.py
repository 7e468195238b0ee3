"""Filters that look ahead: a forecast of a recording that went through them as a whole is given some of its future."""

from __future__ import annotations

import warnings

import numpy as np

from biosig_lstm.errors import BiosigError, BiosigWarning
from biosig_lstm.filters._base import Filter
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.steps import Step

__all__ = ["looks_ahead", "warn_of_looking_ahead"]

_RATES_HZ = (360.0, 250.0, 1000.0, 8000.0)
_SAMPLES = 2000
_COMPARED = 0.4
_SMALL = 1e-5


def looks_ahead(step: Step) -> bool:
    """Return whether the first half of what a filter gives changes with the second half of the signal.

    Examples
    --------
    >>> from biosig_lstm.filters import Bandpass, OneWay
    >>> looks_ahead(Bandpass(0.5, 40)), looks_ahead(OneWay(40))
    (True, False)
    """
    if not isinstance(step, Filter):
        return False
    signal = np.random.default_rng(0).standard_normal((1, _SAMPLES)).astype(np.float32)
    other = np.concatenate([signal[:, : _SAMPLES // 2], 3 - 2 * signal[:, _SAMPLES // 2 :]], axis=1)
    for fs in _RATES_HZ:
        try:
            one, two = step.apply(signal, fs), step.apply(other, fs)
        except (BiosigError, NotImplementedError):
            one = two = signal  # not a filter of signals of this rate
        compared = int(_COMPARED * one.shape[1])
        if np.abs(one[:, :compared] - two[:, :compared]).max(initial=0.0) > _SMALL:
            return True
    return False


def warn_of_looking_ahead(pipeline: Pipeline, *, stacklevel: int) -> None:
    """Warn of a pipeline whose filters look ahead."""
    found = [repr(step) for step in pipeline.filters if looks_ahead(step)]
    if found:
        warnings.warn(
            f"{', '.join(found)} look ahead: within a recording that was filtered as a whole, forecasts are given some "
            "of what comes, and scores are too good. Filter one way (OneWay), or score recordings that end where a "
            "forecast begins",
            BiosigWarning,
            stacklevel=stacklevel + 1,
        )
