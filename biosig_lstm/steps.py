"""What every step of a pipeline is: a frozen dataclass whose fields are its whole configuration."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

__all__ = ["Step"]


@dataclass(frozen=True)
class Step:
    """A named, frozen configuration that can be called; its repr shows what it does.

    Subclasses are frozen dataclasses whose fields are plain values (numbers, strings, None, tuples of them),
    so that a step can be written as a dictionary and read back without running code from a file.
    """

    kind: ClassVar[str] = "step"

    def to_dict(self) -> dict[str, Any]:
        """Return the step's class name and fields, as plain JSON values."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"step": type(self).__name__, **plain}

    @classmethod
    def from_fields(cls, values: dict[str, Any]) -> Step:
        """Return the step that has these fields, lists read as tuples."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
