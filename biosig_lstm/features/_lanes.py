"""Vectors of the processor for compiled code: several frames go through one transform side by side.

LLVM vectorises the butterflies of a transform only where it can prove that its arrays do not overlap, which it cannot.
Here a vector is a type of its own, with loads, stores, sums and products, so that nothing is left to be proved.
"""

# ruff: noqa: ARG001  (numba gives each of these functions the same arguments)

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

__all__ = ["lanes", "load", "spread", "store"]

_VECTOR_BYTES, _FEW_BYTES = 64, 16

_INT32 = ir.IntType(32)


def lanes(dtype: npt.DTypeLike, *, few: bool = False) -> tuple[int, ...]:
    """Return a tuple as long as a vector is wide, which compiled code is told by: the length is part of its type.

    Parameters
    ----------
    dtype : dtype
        Of the numbers: 16 of float32 and 8 of float64, which narrower processors take in parts.
    few : bool
        Four of float32, two of float64: for one or two frames, with which the others would lie idle.
    """
    return (0,) * ((_FEW_BYTES if few else _VECTOR_BYTES) // np.dtype(dtype).itemsize)


class _Lanes(types.Type):  # type: ignore[misc]
    """A vector of floating-point numbers."""

    def __init__(self, dtype: Any, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"Lanes({dtype}, {count})")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: Any) -> None:
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, vector.count))


def _at(context: Any, builder: Any, kind: Any, vector: Any, array: Any, index: Any) -> Any:  # noqa: PLR0917
    """Return the pointer to a vector in an array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), context.get_value_type(vector).as_pointer())


@intrinsic
def load(_: Any, array: Any, index: Any, lanes: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the vector that begins at `index` of a contiguous array of one axis, as wide as `lanes` is long."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.load(_at(context, builder, signature.args[0], signature.return_type, *args[:2]))
        found.align = array.dtype.bitwidth // 8
        return found

    return _Lanes(array.dtype, lanes.count)(array, types.intp, lanes), code


@intrinsic
def store(_: Any, array: Any, index: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Write a vector to an array, from `index` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        done = builder.store(args[2], _at(context, builder, signature.args[0], signature.args[2], *args[:2]))
        done.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), code


@intrinsic
def spread(_: Any, number: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a vector of one number, of the kind of `like`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = context.get_value_type(signature.return_type)
        nothing = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(nothing, args[0], ir.Constant(_INT32, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INT32, vector.count), None))

    return like(like.dtype, like), code


def _lane_by_lane(name: str) -> Any:
    @intrinsic
    def work(_: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args, flags=("contract",))

        return a(a, a), code

    return work


def _define(symbol: Any, name: str) -> None:
    """Give vectors an operator, between two of them and between a number and one."""
    work = _lane_by_lane(name)

    @overload(symbol, strict=False)  # the annotations are of one of the two
    def operate(a: Any, b: Any) -> Any:
        if not isinstance(b, _Lanes):
            return None
        if isinstance(a, _Lanes):
            return lambda a, b: work(a, b)  # noqa: PLW0108  (numba compiles functions of Python, not intrinsics)
        return lambda a, b: work(spread(a, b), b)


for _symbol, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_symbol, _name)
