"""A trained model in one file: weights as safetensors, everything else as JSON in its header; no code is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from biosig_lstm.errors import BiosigError, DataError, ParameterError

__all__ = ["check_writable", "read_header", "read_kind", "read_model", "rebuilding", "versions", "write_model"]

_KEY = "biosig_lstm"
_FORMAT = 1


def versions() -> dict[str, str]:
    """Return the versions of this package and of what its answers depend on."""
    found = {}
    for name in ("biosig-lstm", "torch", "numpy", "scipy", "lightning"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def check_writable(path: str | Path) -> None:
    """Refuse a place where a model could not be saved, before time is spent on training it.

    Raises
    ------
    ParameterError
        When the place is a folder, lies in none, or may not be written.
    """
    target = Path(path)
    if target.is_dir():
        raise ParameterError(f"cannot write {target}: it is a folder; name a file, such as {target / 'model.biosig'}")
    if not target.parent.is_dir():
        raise ParameterError(f"cannot write {target}: the folder {target.parent} does not exist; make it first")
    try:
        _part(target).touch()
        _part(target).unlink()
    except OSError as error:
        raise ParameterError(f"cannot write {target}: {error.strerror}; choose another folder") from error


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def write_model(path: str | Path, *, header: Mapping[str, Any], weights: Mapping[str, Tensor], half: bool) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path : path
        The file; its folder must exist.
    header : mapping
        Plain JSON values.
    weights : mapping of str to Tensor
        Stored as float16 where `half`, else as they are.

    Raises
    ------
    ParameterError
        As `check_writable`.
    """
    check_writable(path)
    text = json.dumps({"format": _FORMAT, **header}, sort_keys=True)
    stored = {k: (v.half() if half and v.is_floating_point() else v).contiguous() for k, v in weights.items()}
    part = _part(Path(path))
    part.write_bytes(save(stored, metadata={_KEY: text}))
    part.replace(path)


def read_header(path: str | Path) -> dict[str, Any]:
    """Return what a model file says about itself, without its weights.

    Raises
    ------
    DataError
        When the file is absent, cut short, damaged, not a model of this package, or of a later format.
    """
    source = Path(path)
    if not source.is_file():
        raise DataError(f"no model file at {source}")
    try:
        with safe_open(source, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{source}: cut short, damaged or not a model file ({error}); copy or train it again"
        ) from error
    if text is None:
        raise DataError(f"{source}: holds weights, but was not written by this package; it cannot say how to use them")
    try:
        header: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{source}: damaged header ({error}); copy or train it again") from error
    if not isinstance(header, dict) or not isinstance(header.get("format"), int):
        raise DataError(f"{source}: damaged header (it names no format); copy or train it again")
    if header["format"] != _FORMAT:
        raise DataError(f"{source}: format {header['format']}, this version reads {_FORMAT}; update biosig-lstm")
    return header


def read_model(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header and the weights (float32) of a model file.

    Raises
    ------
    DataError
        As `read_header`.
    """
    header = read_header(path)
    try:
        with safe_open(Path(path), framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: cut short or damaged ({error}); copy or train it again") from error
    return header, {k: v.to(torch.float32) if v.is_floating_point() else v for k, v in weights.items()}


def read_kind(path: str | Path, kind: type) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header and the weights of a model file that a class wrote.

    Raises
    ------
    DataError
        As `read_header`, and when another class wrote it.
    """
    header, weights = read_model(path)
    if header.get("estimator") != kind.__name__:
        raise DataError(f"{path}: holds a {header.get('estimator')}, not a {kind.__name__}")
    return header, weights


@contextmanager
def rebuilding(path: str | Path) -> Iterator[None]:
    """Say of which file it is that a model cannot be built from what it holds.

    Raises
    ------
    DataError
        In the place of what is raised in the block, where a damaged file can raise it.
    """
    try:
        yield
    except BiosigError as error:
        raise DataError(f"{path}: {error}; it may be damaged, or from a later version") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        what = " ".join(str(error).split())[:300]
        raise DataError(f"{path}: header and weights do not fit together ({what}); copy or train it again") from error
