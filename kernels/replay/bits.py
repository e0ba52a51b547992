"""Machine words: population count, lowest and highest set bit, and the bits from any place of a bitmap on.

LLVM lowers these to one instruction where the CPU has it and to a few where it has not: the result is the same.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_WORD = ir.IntType(64)


def _unary(name: str, *, flag: bool) -> Any:
    """Return an intrinsic int64 -> int64 that calls LLVM's `name` on the 64 bits."""

    def typed(typingctx: Any, word: Any) -> Any:  # noqa: ARG001 - numba passes the context by position
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            kinds = [_WORD, ir.IntType(1)] if flag else [_WORD]
            function = builder.module.declare_intrinsic(name, [_WORD], ir.FunctionType(_WORD, kinds))
            given = [arguments[0], ir.Constant(ir.IntType(1), 0)] if flag else [arguments[0]]
            return builder.call(function, given)

        return types.int64(types.int64), codegen

    typed.__name__ = name.replace(".", "_")
    return intrinsic(typed)


population = _unary("llvm.ctpop", flag=False)
"""Number of set bits of an int64."""
lowest = _unary("llvm.cttz", flag=True)
"""Index of the lowest set bit of an int64 (64 if none)."""
leading_zeros = _unary("llvm.ctlz", flag=True)
"""Number of zero bits above the highest set bit of an int64 (64 if none)."""


def _around(name: str, *, below: bool) -> Any:
    """Return an intrinsic (int64[rows, words], row, bit) -> int64: eight bytes of a row that hold the bits at one side."""

    def typed(typingctx: Any, table: Any, row: Any, bit: Any) -> Any:  # noqa: ARG001
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def number(value: int) -> ir.Constant:
                return ir.Constant(_WORD, value)

            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            stride = cgutils.unpack_tuple(builder, array.strides)[0]
            bit = arguments[2]
            octet = builder.lshr(builder.add(bit, number(7)), number(3)) if below else builder.lshr(bit, number(3))
            place = builder.sub(octet, number(8)) if below else octet
            offset = builder.add(builder.mul(arguments[1], stride), place)
            start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
            word = builder.load(builder.bitcast(builder.gep(start, [offset]), _WORD.as_pointer()), align=1)
            if below:
                return builder.shl(word, builder.sub(builder.shl(octet, number(3)), bit))
            return builder.lshr(word, builder.and_(bit, number(7)))

        return types.int64(table, types.int64, types.int64), codegen

    typed.__name__ = name
    return intrinsic(typed)


bits_from = _around("bits_from", below=False)
"""(table, row, bit): the bits of a row of int64[rows, words] from `bit` on, lowest first: 57 of them or more, then zeros.

The eight bytes from that of `bit` on must belong to the table."""
bits_below = _around("bits_below", below=True)
"""(table, row, bit): the bits below `bit`, the nearest one highest: 57 of them or more, then zeros.

The eight bytes before the end of that of `bit` must belong to the table."""
