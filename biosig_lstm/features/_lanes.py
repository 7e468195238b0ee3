"""Vectors of the processor for compiled code: several frames go through one transform side by side.

LLVM vectorises the butterflies of a transform only where it can prove that its arrays do not overlap, which it cannot.
Here a vector is a type of its own, with loads, stores, sums and products, so that nothing is left to be proved.
"""

# ruff: noqa: ARG001  (numba gives each of these functions the same arguments)

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

__all__ = ["VECTOR_BYTES", "load", "spread", "store"]

VECTOR_BYTES = 64
"""What a vector holds: 16 numbers of float32, 8 of float64. Narrower processors take it in parts."""

_INT32 = ir.IntType(32)


class _Lanes(types.Type):  # type: ignore[misc]
    """A vector of floating-point numbers."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(f"Lanes({dtype})")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, lanes: Any) -> None:
        number = manager.lookup(lanes.dtype).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(number, 8 * VECTOR_BYTES // lanes.dtype.bitwidth))


def _at(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Return the pointer to a vector in an array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), context.get_value_type(_Lanes(kind.dtype)).as_pointer())


@intrinsic
def load(_: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the vector that begins at `index` of a contiguous array of one axis."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.load(_at(context, builder, signature.args[0], *args))
        found.align = array.dtype.bitwidth // 8
        return found

    return _Lanes(array.dtype)(array, types.intp), code


@intrinsic
def store(_: Any, array: Any, index: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Write a vector to an array, from `index` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        done = builder.store(args[2], _at(context, builder, signature.args[0], args[0], args[1]))
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
