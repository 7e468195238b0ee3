"""What finds events in a recording: R-peaks, signal quality. Recording in, Recording with annotations out."""

from __future__ import annotations

import importlib
import pkgutil

from biosig_lstm.steps import Step

__all__ = ["steps"]


def steps() -> dict[str, type[Step]]:
    """Return every step defined in this folder, by class name; a new file is found without being listed.

    Examples
    --------
    >>> "RPeaks" in steps()
    True
    """
    names = [found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Step) and value.__module__ == module.__name__
    }
