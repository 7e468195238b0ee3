"""WFDB annotation files (MIT format): decoding, and the codes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import freeze
from biosig_lstm.errors import BiosigWarning, DataError

__all__ = ["CODES", "SYMBOLS", "WfdbAnnotations", "parse_annotations"]

Int64 = npt.NDArray[np.int64]
Int16 = npt.NDArray[np.int16]
Strings = npt.NDArray[np.str_]

SYMBOLS = tuple(
    dict(enumerate(" NLRaVFJASEj/Q~", 0))
    .get(code, {16: "|", **dict(enumerate('sT*D"=pB^t+u?![]en@xf()r', 18))}.get(code, f"[{code}]"))
    for code in range(64)
)  # fmt: skip
"""The symbol of each of the 64 annotation codes; ``[42]`` where the standard gives none."""

CODES = {symbol: code for code, symbol in enumerate(SYMBOLS)}

NOTE, SKIP, NUM, SUB, CHN, AUX = 22, 59, 60, 61, 62, 63
_OK, _NO_END, _CUT_SKIP, _CUT_AUX, _LOST_FIELD = range(5)
_DAMAGE = {
    _CUT_SKIP: "a SKIP that runs past the end of the file",
    _CUT_AUX: "a note that runs past the end of the file",
    _LOST_FIELD: "a modifier before the first annotation",
}
_TABLE = np.array(SYMBOLS, dtype=np.str_)
_RESOLUTION = re.compile(r"## time resolution: (\d+\.?\d*)")
_DEFINITION = re.compile(r"(\d+) (\S+) (.+)")


@dataclass(frozen=True, eq=False)
class WfdbAnnotations:
    """What an annotation file says, field for field.

    Parameters
    ----------
    sample : np.ndarray [shape=(n,), dtype=int64]
        When, in samples of the annotator's clock.
    symbol : np.ndarray [shape=(n,), dtype=str]
        Mnemonic of the annotation code; ``[42]`` for a code that has none.
    subtype, chan, num : np.ndarray [shape=(n,), dtype=int16]
        The three small numbers of each annotation; chan 0 to 255, the others -128 to 127.
    aux_note : tuple of str [length=n]
        Free text, empty where there is none.
    fs : float or None [unit=Hz]
        The annotator's own clock, where the file states it; otherwise that of the record holds.
    custom_labels : mapping of int to (str, str)
        Symbol and description of the codes that the file defines itself.

    Raises
    ------
    DataError
        When the lengths differ.
    """

    sample: Int64
    symbol: Strings
    subtype: Int16
    chan: Int16
    num: Int16
    aux_note: tuple[str, ...]
    fs: float | None = None
    custom_labels: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample", freeze(np.asarray(self.sample, dtype=np.int64)))
        object.__setattr__(self, "symbol", freeze(np.asarray(self.symbol, dtype=np.str_)))
        for name in ("subtype", "chan", "num"):
            object.__setattr__(self, name, freeze(np.asarray(getattr(self, name), dtype=np.int16)))
        object.__setattr__(self, "aux_note", tuple(self.aux_note))
        lengths = {name: len(getattr(self, name)) for name in _FIELDS}
        if len(set(lengths.values())) > 1:
            raise DataError(f"annotations need one of each field, got {lengths}")

    def __len__(self) -> int:
        return len(self.sample)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WfdbAnnotations):
            return NotImplemented
        same = all(np.array_equal(getattr(self, k), getattr(other, k)) for k in _FIELDS[:-1])
        return same and (self.aux_note, self.fs, self.custom_labels) == (other.aux_note, other.fs, other.custom_labels)

    __hash__ = None  # type: ignore[assignment]


_FIELDS = ("sample", "symbol", "subtype", "chan", "num", "aux_note")


@njit(cache=True, nogil=True)
def _decode(
    words: Any, sample: Any, code: Any, subtype: Any, chan: Any, num: Any, aux: Any
) -> tuple[int, int, int]:  # pragma: no cover
    """Fill the fields; return how many annotations, what is wrong, and at which word."""
    n, at, total = 0, 0, 0
    channel, number = 0, 0
    n_words = len(words)
    while at < n_words:
        word = words[at]
        kind, value = word >> 10, word & 1023
        if word == 0:
            return n, 0, at
        if kind < 59:
            total += value
            sample[n], code[n], subtype[n], chan[n], num[n], aux[n] = total, kind, 0, channel, number, 0
            n += 1
        elif kind == 59:
            if at + 2 >= n_words:
                return n, 2, at
            total += np.int64(np.int32((np.uint32(words[at + 1]) << np.uint32(16)) | np.uint32(words[at + 2])))
            at += 2
        elif n == 0:
            return n, 4, at
        elif kind == 60:
            number = np.int8(value & 255)
            num[n - 1] = number
        elif kind == 61:
            subtype[n - 1] = np.int8(value & 255)
        elif kind == 62:
            channel = value & 255
            chan[n - 1] = channel
        else:
            length = value & 255
            if at + (length + 1) // 2 >= n_words:
                return n, 3, at
            aux[n - 1] = at + 1
            at += (length + 1) // 2
        at += 1
    return n, 1, at


def parse_annotations(path: Path) -> WfdbAnnotations:
    """Return the annotations of a file.

    Raises
    ------
    DataError
        When the file is empty, or damaged: the message says where.
    """
    raw = path.read_bytes()
    if not raw:
        raise DataError(f"{path}: the annotation file is empty; fetch it again")
    words = np.frombuffer(raw, dtype="<u2", count=len(raw) // 2)
    size = len(words)
    sample, aux = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    code, subtype, chan, num = (np.empty(size, dtype=np.int16) for _ in range(4))
    n, damage, at = _decode(words, sample, code, subtype, chan, num, aux)
    if damage > _NO_END:
        raise DataError(f"{path}: damaged annotation file: {_DAMAGE[damage]} at byte {2 * at}, after {n} annotations")
    if damage == _NO_END:
        message = f"{path}: the annotation file has no end mark, it may be cut short; {n} annotations read"
        warnings.warn(message, BiosigWarning, stacklevel=4)
    notes = _notes(raw, aux[:n])
    return _build(path, sample[:n], code[:n], subtype[:n], chan[:n], num[:n], notes)


def _notes(raw: bytes, aux: Int64) -> list[str]:
    notes = [""] * len(aux)
    for k in np.flatnonzero(aux).tolist():
        begin = 2 * int(aux[k])
        notes[k] = raw[begin : begin + raw[begin - 2]].decode("latin-1")
    return notes


def _build(path: Path, sample: Int64, code: Int16, subtype: Int16, chan: Int16, num: Int16, notes: list[str]) -> Any:
    special = np.flatnonzero((sample == 0) & (code == NOTE)).tolist()
    fs, custom = _definitions([notes[k] for k in special])
    keep = code != 0
    keep[special] = False
    if len(sample) and sample.min() < 0:
        raise DataError(
            f"{path}: damaged annotation file: an annotation at sample {sample.min()}, before the beginning"
        )
    if not keep.all():
        sample, code, subtype, chan, num = (x[keep] for x in (sample, code, subtype, chan, num))
        notes = [note for note, kept in zip(notes, keep.tolist(), strict=True) if kept]
    table = _TABLE
    if custom:
        table = np.array([custom.get(k, (symbol, ""))[0] for k, symbol in enumerate(SYMBOLS)], dtype=np.str_)
    return WfdbAnnotations(sample, table[code], subtype, chan, num, tuple(notes), fs=fs, custom_labels=custom)


def _definitions(notes: list[str]) -> tuple[float | None, dict[int, tuple[str, str]]]:
    fs, custom, inside = None, {}, False
    for note in notes:
        resolution, definition = _RESOLUTION.match(note), _DEFINITION.match(note)
        if resolution:
            fs = float(resolution[1])
        elif note.startswith("## "):
            inside = note == "## annotation type definitions"
        elif inside and definition:
            custom[int(definition[1])] = (definition[2], definition[3])
    return fs, custom
