"""Plain arrays as windows: an energy series, the log of a sensor, tokens; whatever is (steps, features)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, options

__all__ = ["array_fields", "is_arrays"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_NO_NAMES = ("", "nan", "none", "nat", "<na>")


def is_arrays(data: Any) -> bool:
    """Return whether `data` is an array or a tensor, or a list or tuple of them."""
    if isinstance(data, list | tuple):
        return bool(data) and (_is_array(data[0]) or isinstance(data[0], list | tuple))
    return _is_array(data)


def array_fields(
    items: Any,
    y: Any = None,
    *,
    subjects: Any = None,
    rate_hz: float | None = None,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] = (),
    step_labels: bool = False,
    multi_label: bool = False,
    unit: str = "",
) -> dict[str, Any]:
    """Return the fields of `Windows` for plain arrays; parameters as of `Windows.from_arrays`."""
    values = _items(items)
    width = values[0].shape[1]
    names = tuple(columns) if columns else tuple(f"feature{k}" for k in range(width))
    if len(names) != width:
        raise DataError(f"items of {width} features, and {len(names)} columns: {', '.join(names[:8])}")
    _check_alike(values)
    known, labels = (tuple(classes), None) if y is None else _labels(y, values, classes, step_labels, multi_label)
    ids = [hashlib.sha256(repr(item.shape).encode() + item.tobytes()).hexdigest()[:12] for item in values]
    return {
        "values": np.concatenate(values),
        "offsets": np.cumsum([0, *map(len, values)]),
        "columns": names,
        "rate_hz": rate_hz,
        "subjects": _subjects(subjects, [f"item-{name}" for name in ids]),
        "recordings": _distinct(ids),
        "starts": np.zeros(len(values), dtype=np.int64),
        "fs": np.full(len(values), rate_hz or 1.0),
        "positions": None if rate_hz else np.concatenate([np.arange(len(item)) for item in values]),
        "y": labels,
        "classes": known,
        "step_labels": step_labels and labels is not None,
        "unit": unit,
    }


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__array__")


def _numpy(value: Any) -> npt.NDArray[Any]:
    """Return an array, whether it comes as a list, an array or a tensor of any device that asks for gradients."""
    plain = value.detach().cpu() if hasattr(value, "detach") else value
    return np.asarray(plain)


def _items(items: Any) -> list[Float32]:
    whole = _is_array(items) and _numpy(items).dtype != object
    if whole and _numpy(items).ndim != 3:
        shape = _numpy(items).shape
        raise DataError(
            f"one array of items must be (n, steps, features), got shape {shape}; one feature: X[:, :, None]"
        )
    if not len(items):
        raise DataError("no items came: an empty array or list")
    return [_item(_numpy(item), k) for k, item in enumerate(_numpy(items) if whole else items)]


def _item(item: npt.NDArray[Any], number: int) -> Float32:
    if item.ndim != 2 or not item.size:
        hint = "; one feature: item[:, None]" if item.ndim == 1 else ""
        raise DataError(f"item {number} must be (steps, features), got shape {item.shape}{hint}")
    if item.dtype.kind not in "fiub":
        raise DataError(f"item {number} must hold numbers, got {item.dtype}")
    if not np.isfinite(item).all():
        raise DataError(f"item {number} holds values that are not finite: fill or leave out what is missing")
    return np.ascontiguousarray(item, dtype=np.float32)


def _check_alike(values: Sequence[Float32]) -> None:
    for k, item in enumerate(values):
        if item.shape[1] != values[0].shape[1]:
            raise DataError(f"item {k} has {item.shape[1]} features, item 0 has {values[0].shape[1]}")


def _subjects(subjects: Any, names: list[str]) -> list[str]:
    if subjects is None:
        return names
    given = [str(one) for one in _numpy(subjects).ravel().tolist()]
    if len(given) != len(names):
        raise DataError(f"subjects must be one for each of {len(names)} items, got {len(given)}")
    unknown = [k for k, name in enumerate(given) if name.strip().casefold() in _NO_NAMES]
    if unknown:
        raise DataError(
            f"{len(unknown)} of {len(given)} items have no subject (item {unknown[0]} the first): name each; "
            "where it is not known whose it is, by a name of its own"
        )
    return given


def _distinct(ids: list[str]) -> list[str]:
    """Return the ids, those that came before with a number behind."""
    seen: dict[str, int] = {}
    made = []
    for name in ids:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return made


def _labels(
    y: Any, values: Sequence[Float32], classes: Sequence[str], step_labels: bool, multi_label: bool
) -> tuple[tuple[str, ...], Int64]:
    if multi_label:
        return _several(_numpy(y), len(values), classes)
    rows = [_numpy(row).ravel() for row in y] if step_labels else [_numpy(y)]
    wanted = [len(item) for item in values] if step_labels else [len(values)]
    if [row.shape for row in rows] != [(length,) for length in wanted]:
        each = "step of each item" if step_labels else "item"
        raise DataError(f"y must be one label for each {each}, got shapes {[row.shape for row in rows][:4]}")
    said = [_name(value) for row in rows for value in row.tolist()]
    known = tuple(classes) or _in_order(said)
    for name in dict.fromkeys(said):
        if name and name not in known:
            raise DataError(f"label {options(name, known)}")
    places = {name: k for k, name in enumerate(known)}
    return known, np.array([places[name] if name else -1 for name in said], dtype=np.int64)


def _several(y: npt.NDArray[Any], n_items: int, classes: Sequence[str]) -> tuple[tuple[str, ...], Int64]:
    if y.ndim != 2 or len(y) != n_items or not np.isin(y, (-1, 0, 1)).all():
        raise DataError(f"several labels need y of 1, 0 or -1, shape ({n_items}, classes), got shape {y.shape}")
    return tuple(classes) or tuple(f"class{k}" for k in range(y.shape[1])), y.astype(np.int64)


def _name(value: Any) -> str:
    """Return the name of a label; empty where there is none (None, NaN, an empty text)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        if not value.is_integer():
            raise DataError(f"labels must be names or whole numbers, got {value!r}: a quantity is no class")
        return str(int(value))
    return str(value)


def _in_order(names: Sequence[str]) -> tuple[str, ...]:
    found = {name for name in names if name}
    try:
        return tuple(sorted(found, key=int))
    except ValueError:
        return tuple(sorted(found))
