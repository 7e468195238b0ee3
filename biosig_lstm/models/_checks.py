"""What the models refuse, and how they say so."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from biosig_lstm.errors import ParameterError, options

__all__ = ["check_batch", "check_count", "check_fraction", "check_name", "is_exporting"]


def is_exporting() -> bool:
    """Return whether the network is being traced, compiled or exported, so that no step may depend on values."""
    return torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export() or torch._C._get_tracing_state() is not None


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Raise a ParameterError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_fraction(name: str, value: object) -> None:
    """Raise a ParameterError unless `value` lies in [0, 1)."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise ParameterError(f"{name} must lie in [0, 1), got {value!r}")


def check_name(name: str, value: object, allowed: Iterable[str]) -> None:
    """Raise a ParameterError unless `value` is one of the allowed names."""
    names = list(allowed)
    if value not in names:
        raise ParameterError(f"{name} is not known: {options(str(value), names)}")


def check_batch(x: Tensor, lengths: Tensor, *, n_features: int) -> None:
    """Raise a ParameterError unless `x` and `lengths` are a batch that the model was built for.

    Nothing is checked while the model is compiled or exported: there the values are not known.

    Parameters
    ----------
    x : Tensor [shape=(batch, steps, n_features), dtype=float]
        The padded items.
    lengths : Tensor [shape=(batch,), dtype=int64]
        How many steps of each item are valid, 1 to `steps`.
    n_features : int
        How many features a step has.
    """
    if is_exporting():
        return
    if x.ndim != 3 or x.shape[2] != n_features:
        raise ParameterError(f"x must be (batch, steps, {n_features} features), got shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise ParameterError(f"x must be floating point, got {x.dtype}")
    _check_lengths(lengths, batch=x.shape[0], steps=x.shape[1])


def _check_lengths(lengths: Tensor, *, batch: int, steps: int) -> None:
    if lengths.shape != (batch,) or lengths.dtype != torch.int64:
        raise ParameterError(f"lengths must be ({batch},) int64, got {tuple(lengths.shape)} {lengths.dtype}")
    if batch == 0:
        raise ParameterError("a batch needs at least one item, got none")
    shortest, longest = (int(value) for value in torch.aminmax(lengths))
    if shortest < 1 or longest > steps:
        raise ParameterError(f"lengths must lie in 1 to {steps} steps, got {shortest} to {longest}")
