"""What a model is before the data are known: a frozen configuration that builds the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from torch import Tensor, nn

from biosig_lstm.errors import ParameterError, options
from biosig_lstm.steps import modules_in

__all__ = ["ModelSpec", "answer_lengths", "spec_from_dict", "specs"]


@dataclass(frozen=True)
class ModelSpec(ABC):
    """A named, frozen configuration of a network; its repr is the whole configuration.

    Subclasses are frozen dataclasses whose fields are plain values: numbers, strings, None, tuples of them, or
    another `ModelSpec`.

    Attributes
    ----------
    answers_per_step : tuple of bool
        Values of `per_step` that `build` takes: whether it can answer items (False), steps (True) or both.
    only_cell : str
        Why another cell cannot be chosen, of a model without the field `cell`; empty of all others.
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (False, True)
    only_cell: ClassVar[str] = ""

    @abstractmethod
    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,
        per_step: bool = False,
    ) -> nn.Module:
        """Return a freshly initialised network for data of these sizes.

        Parameters
        ----------
        n_features : int
            Features of a step.
        n_outputs : int
            Logits of an answer, one for each class.
        window_shape : (int, int), optional
            Where each step is itself a window, its (leads, samples).
        per_step : bool
            Whether every step gets an answer, rather than every item.

        Returns
        -------
        torch.nn.Module
            Takes x, float [shape=(batch, steps, n_features)], and lengths, int64 [shape=(batch,)], of 1 to `steps`;
            returns logits, float [shape=(batch, n_outputs)], or [shape=(batch, steps, n_outputs)] when `per_step`,
            where the steps beyond an item's length are zero. A network that answers fewer steps than it is given has
            ``answer_lengths(lengths)``, which says how many.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return the model's name and fields, as plain JSON values."""
        return {"model": type(self).__name__, **{f.name: _plain(getattr(self, f.name)) for f in fields(self)}}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> ModelSpec:
        """Return the specification that `to_dict` wrote; the same as `spec_from_dict`."""
        return spec_from_dict(values)


def specs() -> dict[str, type[ModelSpec]]:
    """Return every model of this package by name: those defined in the files of its folder.

    Examples
    --------
    >>> specs()["BiLSTM"](hidden_size=32).hidden_size
    32
    """
    return {
        value.__name__: value
        for module in modules_in(__package__)
        for value in vars(module).values()
        if _defined_in(module, value)
    }


def spec_from_dict(values: Mapping[str, Any]) -> ModelSpec:
    """Return the specification that a dictionary describes; no code is run from it.

    Parameters
    ----------
    values : mapping
        ``"model"``, the model's name, and its fields, as written by `ModelSpec.to_dict`.

    Returns
    -------
    ModelSpec
        Equal to the one that was written.

    Raises
    ------
    ParameterError
        When the model, or one of its fields, is not known, or a value is not allowed.

    Examples
    --------
    >>> spec_from_dict({"model": "BiLSTM", "hidden_size": 32}).hidden_size
    32
    """
    known = specs()
    name = values.get("model")
    if name not in known:
        raise ParameterError(f"model is not known: {options(str(name), known)}")
    given = {key: _spec_value(value) for key, value in values.items() if key != "model"}
    allowed = {f.name for f in fields(known[name])}
    for key in given:
        if key not in allowed:
            raise ParameterError(f"{name} has no such field: {options(key, allowed)}")
    return known[name](**given)


def answer_lengths(network: nn.Module, lengths: Tensor) -> Tensor:
    """Return how many steps a network of steps answers of items of these lengths: all, unless it says otherwise.

    Examples
    --------
    >>> import torch
    >>> answer_lengths(torch.nn.Linear(1, 1), torch.tensor([7])).tolist()
    [7]
    """
    shortened = getattr(network, "answer_lengths", None)
    found: Tensor = lengths if shortened is None else shortened(lengths)
    return found


def _defined_in(module: object, value: object) -> bool:
    is_spec = isinstance(value, type) and issubclass(value, ModelSpec)
    return is_spec and value.__module__ == getattr(module, "__name__", None)


def _plain(value: Any) -> Any:
    if isinstance(value, ModelSpec):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _spec_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return spec_from_dict(value)
    return tuple(_spec_value(item) for item in value) if isinstance(value, list) else value
