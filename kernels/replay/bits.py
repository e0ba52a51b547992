"""Machine words: population count, lowest and highest set bit.

LLVM lowers these to one instruction where the CPU has it and to a few where it has not: the result is the same.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _unary(name: str, *, flag: bool) -> Any:
    """Return an intrinsic int64 -> int64 that calls LLVM's `name` on the 64 bits."""

    def typed(typingctx: Any, word: Any) -> Any:  # noqa: ARG001 - numba passes the context by position
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            wide = ir.IntType(64)
            kinds = [wide, ir.IntType(1)] if flag else [wide]
            function = builder.module.declare_intrinsic(name, [wide], ir.FunctionType(wide, kinds))
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
