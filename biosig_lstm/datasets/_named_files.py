"""Databases whose files are known by their names, in whatever folders they lie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from biosig_lstm.datasets._base import Dataset
from biosig_lstm.errors import DataError

__all__ = ["NamedFiles"]


@dataclass(frozen=True, repr=False)
class NamedFiles(Dataset):
    """A database of one file for each record; a subclass says by ``file_name`` what the files are called.

    The first group of ``file_name`` is the record, or becomes it by `record_of`. Of several files of one record the one
    least deep is read, and of those the first by its path.
    """

    file_name: ClassVar[re.Pattern[str]]

    def find_records(self) -> set[str]:
        """Return the names of the records at the root and in the folders below it."""
        return set(self.paths)

    @cached_property
    def paths(self) -> dict[str, Path]:
        """The file of each record that was there when they were first asked for."""
        return {self.record_of(name): path for name, path in _named(self.root, self.file_name)}

    def record_of(self, name: str) -> str:
        """Return the record of what the first group of ``file_name`` holds."""
        return name

    def path_of(self, record: str) -> Path:
        """Return the file of a record.

        Raises
        ------
        DataError
            When it is not there.
        """
        if record not in self.paths:
            raise DataError(f"no file of {record} in {self.root} or the folders below it")
        return self.paths[record]


def _named(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, Path]]:
    """Yield records and their files, those that are read in the place of others of one record last."""
    below = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    for path in sorted(below, key=lambda path: (len(path.parts), path), reverse=True):
        match = pattern.fullmatch(path.name)
        if match:
            yield match[1], path
