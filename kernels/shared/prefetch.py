"""Asking for memory that will be read soon: nothing is read, nothing can fail, whatever the address."""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

_BYTE, _FLAG = ir.IntType(8).as_pointer(), ir.IntType(32)
_READ, _KEEP, _DATA = _FLAG(0), _FLAG(3), _FLAG(1)  # what llvm.prefetch takes: not written, into every cache, no code


def _intrinsic() -> Any:
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return lambda array, index: None  # noqa: ARG005 - interpreted kernels wait for more than memory

    def prefetched(typingctx: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - numba passes it by name
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            place = builder.bitcast(builder.gep(data, [arguments[1]]), _BYTE)
            kind = ir.FunctionType(ir.VoidType(), [_BYTE, _FLAG, _FLAG, _FLAG])
            builder.call(builder.module.declare_intrinsic("llvm.prefetch", [_BYTE], kind), [place, _READ, _KEEP, _DATA])
            return context.get_dummy_value()

        return types.none(array, types.intp), codegen

    return intrinsic(prefetched)


prefetch: Final = _intrinsic()
"""prefetch(array, index), called in a kernel: have array[index] brought into the caches. Machines without the means ignore it."""
