"""What every step of a pipeline is, and how the steps of a folder are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, ClassVar

__all__ = ["Step", "find_steps", "modules_in", "names_in"]


@dataclass(frozen=True)
class Step:
    """A named, frozen configuration that can be called; its repr shows what it does.

    Subclasses are frozen dataclasses whose fields are plain values (numbers, strings, None, tuples of them),
    so that a step can be written as a dictionary and read back without running code from a file.
    """

    kind: ClassVar[str] = "step"

    def __call__(self, value: Any, /) -> Any:
        """Return what the step makes of a recording or of windows; the input is left as it is."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does")

    def to_dict(self) -> dict[str, Any]:
        """Return the step's class name and fields, as plain JSON values."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"step": type(self).__name__, **plain}

    @classmethod
    def from_fields(cls, values: dict[str, Any]) -> Step:
        """Return the step that has these fields, lists read as tuples."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def names_in(package: str) -> list[str]:
    """Return the names of the public modules of a package, sorted, without importing them.

    Examples
    --------
    >>> "mitdb" in names_in("biosig_lstm.datasets")
    True
    """
    folders = importlib.import_module(package).__path__
    return sorted(found.name for found in pkgutil.iter_modules(folders) if not found.name.startswith("_"))


def modules_in(package: str) -> Iterator[ModuleType]:
    """Yield the public modules of a package, in the order of their names: a new file appears by itself."""
    for name in names_in(package):
        yield importlib.import_module(f"{package}.{name}")


def find_steps(package: str) -> dict[str, type[Step]]:
    """Return the step classes defined in the modules of a package, by name."""
    return {
        name: thing
        for module in modules_in(package)
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, Step) and thing.__module__ == module.__name__
    }
