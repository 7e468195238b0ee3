"""Rows with named columns, as a study measures them, and as text, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from math import isnan

from biosig_lstm.errors import ParameterError, options

__all__ = ["Cell", "Row", "Table"]

Cell = str | int | float | bool | None
"""What a table can hold; None is what was not measured."""

Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows with named columns.

    Parameters
    ----------
    columns : tuple of str
        A name for each; with its unit where it has one.
    rows : tuple of tuples
        As long as `columns` each.
    title : str
        What stands above it.

    Raises
    ------
    ParameterError
        When a row has another number of values than there are columns, or a column is there twice.

    Examples
    --------
    >>> table = Table(("cell", "steps"), (("lstm", 10), ("rnn", 10), ("lstm", 30)))
    >>> table.where(cell="lstm").column("steps")
    [10, 30]
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        if len(set(self.columns)) != len(self.columns):
            raise ParameterError(f"columns must have names of their own, got {', '.join(self.columns)}")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ParameterError(f"a row needs {len(self.columns)} values ({', '.join(self.columns)}), got {row!r}")

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return self.to_markdown()

    def column(self, name: str) -> list[Cell]:
        """Return the values of a column; ParameterError when there is none of that name."""
        return [row[self._place(name)] for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """Return the values of a column that are numbers: what was not measured is left out."""
        return [float(value) for value in self.column(name) if isinstance(value, int | float) and not isnan(value)]

    def values(self, name: str) -> list[Cell]:
        """Return the different values of a column, in the order of their first row."""
        return list(dict.fromkeys(self.column(name)))

    def where(self, **wanted: Cell) -> Table:
        """Return the rows that have these values in the columns of these names."""
        places = {self._place(name): value for name, value in wanted.items()}
        kept = tuple(row for row in self.rows if all(row[k] == value for k, value in places.items()))
        return Table(self.columns, kept, title=self.title)

    def to_csv(self) -> str:
        """Return the table as CSV, numbers in full; an empty field is what was not measured."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()

    def to_markdown(self) -> str:
        """Return the table as Markdown, numbers to three figures."""
        lines = [self.columns, tuple("---" for _ in self.columns), *(tuple(map(_shown, row)) for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _place(self, name: str) -> int:
        if name not in self.columns:
            raise ParameterError(f"column {options(name, self.columns)}")
        return self.columns.index(name)


def _shown(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else value.replace("|", "\\|")
