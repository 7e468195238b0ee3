"""The symbols of transcripts: characters, words or phones, and their places among the outputs of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["BLANK", "UNITS", "Alphabet", "frames_needed"]

Int64 = npt.NDArray[np.int64]

BLANK = "<blank>"
"""Name of output 0: no symbol, or the one before goes on."""

UNITS = ("characters", "words", "phones")
"""What a symbol may be. Words and phones are separated by spaces."""


@dataclass(frozen=True)
class Alphabet:
    """The symbols that a text is made of.

    Parameters
    ----------
    symbols : tuple of str
        No two alike; of characters single ones, the space among them where it is one.
    unit : {"characters", "words", "phones"}
        What a symbol is.

    Raises
    ------
    ParameterError
        When the unit is not known, there is no symbol, or a symbol stands twice or cannot be one of its unit.

    Examples
    --------
    >>> words = Alphabet(("no", "yes"), unit="words")
    >>> words.encode("yes no no").tolist()
    [2, 1, 1]
    >>> words.decode([2, 1, 1])
    'yes no no'
    """

    symbols: tuple[str, ...]
    unit: str = "characters"

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(self.symbols))
        if self.unit not in UNITS:
            raise ParameterError(f"unit {options(str(self.unit), UNITS)}")
        if not self.symbols:
            raise ParameterError("an alphabet needs a symbol")
        if len(set(self.symbols)) < len(self.symbols):
            raise ParameterError(f"symbols of an alphabet must differ, got {self.symbols}")
        for symbol in self.symbols:
            whole = len(symbol) == 1 if self.unit == "characters" else symbol.split() == [symbol]
            if not whole or symbol == BLANK:
                raise ParameterError(f"{symbol!r} is no symbol of {self.unit}")

    @classmethod
    def of(cls, texts: Iterable[str], *, unit: str = "characters") -> Alphabet:
        """Return the symbols that occur in texts, sorted.

        Raises
        ------
        DataError
            When there is none.
        """
        found = sorted({symbol for text in texts for symbol in split(text, unit)})
        if not found:
            raise DataError(f"the texts hold no {unit}: there is no alphabet to be taken from them")
        return cls(tuple(found), unit)

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of a network's outputs: the blank, then the symbols."""
        return (BLANK, *self.symbols)

    @cached_property
    def places(self) -> dict[str, int]:
        """Output of each symbol."""
        return {symbol: k for k, symbol in enumerate(self.symbols, 1)}

    def encode(self, text: str, *, name: str = "") -> Int64:
        """Return the outputs of a text's symbols, shape (symbols,), each from 1 to the length of the alphabet.

        Parameters
        ----------
        text : str
            What is said.
        name : str
            Whose text it is, for the message of an error.

        Raises
        ------
        DataError
            When the text holds what is no symbol: the message names it.
        """
        symbols = split(text, self.unit)
        foreign = sorted({symbol for symbol in symbols if symbol not in self.places})
        if foreign:
            where = f"{name}: " if name else ""
            few = [symbol if self.unit != "characters" else repr(symbol)[1:-1] for symbol in self.symbols]
            raise DataError(
                f"{where}the text {_short(text)} holds {', '.join(map(repr, foreign[:8]))}, which the alphabet of "
                f"{self.unit} lacks; {options(foreign[0], few)}"
            )
        return np.array([self.places[symbol] for symbol in symbols], dtype=np.int64)

    def decode(self, outputs: Sequence[int] | Int64) -> str:
        """Return the text of outputs, blanks left out."""
        return self.join([self.symbols[k - 1] for k in np.asarray(outputs, dtype=np.int64).tolist() if k])

    def join(self, symbols: Iterable[str]) -> str:
        """Return symbols as a text."""
        return ("" if self.unit == "characters" else " ").join(symbols)

    def to_dict(self) -> dict[str, Any]:
        """Return the alphabet as plain JSON values."""
        return {"symbols": list(self.symbols), "unit": self.unit}


def split(text: str, unit: str) -> list[str]:
    """Return the symbols of a text: its characters, or what spaces separate."""
    return list(text) if unit == "characters" else text.split()


def frames_needed(outputs: Int64) -> int:
    """Return the fewest frames in which connectionist temporal classification can say these symbols.

    One for each symbol, and one for the blank between two that are alike.
    """
    return len(outputs) + int(np.count_nonzero(outputs[1:] == outputs[:-1]))


def _short(text: str) -> str:
    return repr(text if len(text) < 60 else text[:57] + "...")
