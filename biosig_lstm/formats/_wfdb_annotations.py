"""WFDB annotation files (the MIT format): the codes, and reading."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import freeze
from biosig_lstm.errors import BiosigWarning, DataError

__all__ = ["CODES", "NOTE", "SYMBOLS", "WfdbAnnotations", "parse_annotations"]

Int64 = npt.NDArray[np.int64]
Int16 = npt.NDArray[np.int16]
Strings = npt.NDArray[np.str_]

_STANDARD = {
    0: " ",
    **dict(enumerate("NLRaVFJASEj/Q~", start=1)),
    16: "|",
    **dict(enumerate('sT*D"=pB^t+u?![]en@xf()r', start=18)),
}
SYMBOLS = tuple(_STANDARD.get(code, f"[{code}]") for code in range(64))
"""The symbol of each annotation code; such as ``[42]`` where the standard gives none."""

CODES = MappingProxyType({symbol: code for code, symbol in enumerate(SYMBOLS) if code < 59})
"""The code of each symbol."""

NOTE = 22
_NO_END, _CUT_SKIP, _CUT_AUX, _NO_OWNER = 1, 2, 3, 4
_DAMAGE = {
    _CUT_SKIP: "a time skip that runs past the end of the file",
    _CUT_AUX: "a note that runs past the end of the file",
    _NO_OWNER: "a modifier before the first annotation",
}
_TABLE = np.array(SYMBOLS, dtype=np.str_)
_RESOLUTION = re.compile(r"## time resolution: (\d+\.?\d*(?:[eE][-+]?\d+)?)")
_DEFINITION = re.compile(r"(\d+) (\S+) (.+)")


@dataclass(frozen=True, eq=False)
class WfdbAnnotations:
    """What an annotation file says, field for field.

    Parameters
    ----------
    sample : array_like of int [shape=(n,), unit=samples]
        When, by the annotator's clock.
    symbol : array_like of str [shape=(n,)]
        Mnemonic of the annotation code; ``[42]`` for a code that has none.
    subtype, chan, num : array_like of int [shape=(n,)]
        Three small numbers of each annotation; `chan` from 0 to 255, the others from -128 to 127.
    aux_note : sequence of str [length=n]
        Free text, empty where there is none.
    fs : float or None [unit=Hz]
        The annotator's own clock, where the file states it; otherwise that of the record holds.
    custom_labels : mapping of int to (str, str)
        Symbol and description of the codes that the file defines itself.
    comments : sequence of str
        Notes about the file as a whole, such as the command that made it: in the file they are note annotations
        at sample 0, here they are kept apart.

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
    comments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample", freeze(np.asarray(self.sample, dtype=np.int64)))
        object.__setattr__(self, "symbol", freeze(np.asarray(self.symbol, dtype=np.str_)))
        for name in ("subtype", "chan", "num"):
            object.__setattr__(self, name, freeze(np.asarray(getattr(self, name), dtype=np.int16)))
        for name in ("aux_note", "comments"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        lengths = {name: len(getattr(self, name)) for name in _FIELDS}
        if len(set(lengths.values())) > 1:
            raise DataError(f"annotations need one of each field, got {lengths}")

    def __len__(self) -> int:
        return len(self.sample)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WfdbAnnotations):
            return NotImplemented
        same = all(np.array_equal(getattr(self, k), getattr(other, k)) for k in _FIELDS[:-1])
        rest = ("aux_note", "fs", "custom_labels", "comments")
        return same and all(getattr(self, k) == getattr(other, k) for k in rest)

    __hash__ = None  # type: ignore[assignment]


_FIELDS = ("sample", "symbol", "subtype", "chan", "num", "aux_note")


@njit(cache=True, nogil=True)
def _decode(words: Any, sample: Any, small: Any, aux: Any) -> tuple[int, int, int, int]:  # pragma: no cover
    """Fill times, (code, subtype, chan, num) and (annotation, word) of notes; return how many, and what is wrong."""
    n, n_aux, at, n_words = 0, 0, 0, len(words)
    total: Any = 0
    channel: Any = 0
    number: Any = 0
    while at < n_words:
        word = words[at]
        kind, value = word >> 10, word & 1023
        if word == 0:
            return n, n_aux, 0, at
        if kind < 59:
            total += value
            sample[n] = total
            small[0, n], small[1, n], small[2, n], small[3, n] = kind, 0, channel, number
            n += 1
        elif kind == 59:
            if at + 2 >= n_words:
                return n, n_aux, 2, at
            total += np.int32((np.uint32(words[at + 1]) << np.uint32(16)) | np.uint32(words[at + 2]))
            at += 2
        elif n == 0:
            return n, n_aux, 4, at
        elif kind == 60:
            number = np.int8(value & 255)
            small[3, n - 1] = number
        elif kind == 61:
            small[1, n - 1] = np.int8(value & 255)
        elif kind == 62:
            channel = value & 255
            small[2, n - 1] = channel
        else:
            length = ((value & 255) + 1) // 2
            if at + length >= n_words:
                return n, n_aux, 3, at
            aux[n_aux, 0], aux[n_aux, 1] = n - 1, at
            n_aux += 1
            at += length
        at += 1
    return n, n_aux, 1, at


def parse_annotations(path: Path) -> WfdbAnnotations:
    """Return the annotations in a file.

    Raises
    ------
    DataError
        When the file is empty, or damaged: the message says where.
    """
    raw = path.read_bytes()
    if not raw or len(raw) % 2:
        what = f"it holds an odd number of bytes ({len(raw)}), annotations are pairs" if raw else "it is empty"
        raise DataError(f"{path}: damaged annotation file: {what}; fetch it again")
    words = np.frombuffer(raw, dtype="<u2")
    sample, aux = np.empty(len(words), dtype=np.int64), np.empty((len(words), 2), dtype=np.int64)
    small = np.empty((4, len(words)), dtype=np.int16)
    n, n_aux, damage, at = _decode(words, sample, small, aux)
    _check(path, damage, 2 * at, sample[:n], raw)
    notes = {k: raw[2 * w + 2 : 2 * w + 2 + raw[2 * w]].decode("latin-1") for k, w in aux[:n_aux].tolist()}
    return _assemble(sample[:n], small[:, :n], notes)


def _check(path: Path, damage: int, at: int, sample: Int64, raw: bytes) -> None:
    if damage > _NO_END:
        what = f"{_DAMAGE[damage]} at byte {at}, after {len(sample)} annotations"
        raise DataError(f"{path}: damaged annotation file: {what}; fetch it again")
    if len(sample) and sample.min() < 0:
        raise DataError(f"{path}: damaged annotation file: annotation at sample {sample.min()}, before the record")
    if damage == _NO_END:
        message = f"{path}: the annotation file has no end mark, it may be cut short; {len(sample)} annotations read"
        warnings.warn(message, BiosigWarning, stacklevel=5)
    elif any(raw[at:]):
        message = f"{path}: bytes after the end mark of the annotations, at byte {at}, are left out"
        warnings.warn(message, BiosigWarning, stacklevel=5)


def _assemble(sample: Int64, small: Int16, notes: dict[int, str]) -> WfdbAnnotations:
    code, texts = small[0], [""] * len(sample)
    for k, note in notes.items():
        texts[k] = note
    about_file = (sample == 0) & (code == NOTE)
    fs, custom, comments = _about_file([texts[k] for k in np.flatnonzero(about_file).tolist()])
    keep = ~about_file & (code != 0)
    if not keep.all():
        sample, small = sample[keep], small[:, keep]
        texts = [text for text, kept in zip(texts, keep.tolist(), strict=True) if kept]
    table = np.array([custom.get(k, (s, ""))[0] for k, s in enumerate(SYMBOLS)]) if custom else _TABLE
    subtype, chan, num = small[1:]
    return WfdbAnnotations(
        sample, table[small[0]], subtype, chan, num, tuple(texts), fs=fs, custom_labels=custom, comments=tuple(comments)
    )


def _about_file(notes: list[str]) -> tuple[float | None, dict[int, tuple[str, str]], list[str]]:
    """Return the clock, the codes that are defined, and what else the notes at sample 0 say."""
    fs, custom, comments, inside = None, {}, [], False
    for note in notes:
        resolution, definition = _RESOLUTION.match(note), _DEFINITION.match(note)
        if resolution:
            fs = float(resolution[1])
        elif note == "## annotation type definitions":
            inside = True
        elif note == "## end of definitions":
            inside = False
        elif inside and definition:
            custom[int(definition[1])] = (definition[2], definition[3])
        else:
            comments.append(note)
    return fs, custom, comments
