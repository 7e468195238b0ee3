"""Filters: functions on arrays of (channels, samples), and the steps Recording -> Recording around them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from biosig_lstm.filters.bandpass import Bandpass, bandpass
from biosig_lstm.filters.causal import CausalFilter
from biosig_lstm.steps import Step

__all__ = [
    "Bandpass",
    "CausalFilter",
    "bandpass",
    "steps",
]


def steps() -> dict[str, type[Step]]:
    """Return every filter step by name: those of each module in this folder, so a new file appears by itself."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in sorted(names))
    return {
        name: kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Step) and kind.__module__ == module.__name__
    }
