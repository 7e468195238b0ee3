"""What looks ahead, and must not where the future is foreseen: filters that go both ways, networks that read so."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigError, BiosigWarning, ParameterError
from biosig_lstm.filters._base import Filter
from biosig_lstm.models import BiLSTM, ModelSpec
from biosig_lstm.models.causal_lstm import CausalLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.steps import Step

__all__ = ["forward_reader", "looks_ahead", "warn_of_looking_ahead"]

Float32 = npt.NDArray[np.float32]

_RATES_HZ = (360.0, 250.0, 1000.0, 8000.0)
_SAMPLES = 2000
_COMPARED = 0.4
_SMALL = 1e-5


def looks_ahead(step: Step) -> bool:
    """Return whether the first half of what a filter, or a feature, gives changes with the second half of the signal.

    A feature that takes something else than columns of samples is not judged.

    Examples
    --------
    >>> from biosig_lstm.filters import Bandpass, OneWay
    >>> looks_ahead(Bandpass(0.5, 40)), looks_ahead(OneWay(40))
    (True, False)
    """
    signal = np.random.default_rng(0).standard_normal((1, _SAMPLES)).astype(np.float32)
    other = np.concatenate([signal[:, : _SAMPLES // 2], 3 - 2 * signal[:, _SAMPLES // 2 :]], axis=1)
    for fs in _RATES_HZ:
        one, two = (_given(step, rows, fs) for rows in (signal, other))
        compared = int(_COMPARED * one.shape[1])
        if np.abs(one[:, :compared] - two[:, :compared]).max(initial=0.0) > _SMALL:
            return True
    return False


def _given(step: Step, signal: Float32, fs: float) -> Float32:
    """Return what a step makes of a signal, (channels, samples); nothing where it is none for signals of this rate."""
    try:
        if isinstance(step, Filter):
            return step.apply(signal, fs)
        made = step(Windows.from_arrays([signal.T], rate_hz=fs))
    except (BiosigError, NotImplementedError):
        return signal[:, :0]
    return np.asarray(made.values.T) if isinstance(made, Windows) else signal[:, :0]


def warn_of_looking_ahead(pipeline: Pipeline, *, stacklevel: int) -> None:
    """Warn of a pipeline whose filters or features look ahead."""
    found = [repr(step) for step in (*pipeline.filters, *pipeline.features) if looks_ahead(step)]
    if found:
        warnings.warn(
            f"{', '.join(found)} look ahead: within a recording that was filtered as a whole, forecasts are given some "
            "of what comes, and scores are too good. Filter one way (OneWay), or score recordings that end where a "
            "forecast begins",
            BiosigWarning,
            stacklevel=stacklevel + 1,
        )


def forward_reader(model: ModelSpec) -> ModelSpec:
    """Return a model that reads forwards: of one that reads both ways the forward direction.

    Raises
    ------
    ParameterError
        When it gives no answer for each step.

    Examples
    --------
    >>> forward_reader(BiLSTM(8)) == CausalLSTM(8, dropout=0.0)
    True
    """
    if isinstance(model, BiLSTM):
        return CausalLSTM(
            model.hidden_size,
            num_layers=model.num_layers,
            dropout=model.dropout,
            memory_steps=model.memory_steps,
            cell=model.cell,
        )
    if True not in model.answers_per_step:
        raise ParameterError(
            f"{type(model).__name__} gives no answer for each step; a Forecaster takes bl.LSTM, bl.GRU, bl.RNN, "
            "bl.Transformer or CausalLSTM"
        )
    return model
