"""Copies of bytes between arrays, eight at a time: a loop over single bytes, which may overlap for all LLVM knows, is slow.

Nothing is checked: callers stay inside both arrays.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from ridgeline.kernels._algorithm import exact_kernel

WORD: Final = 8


@intrinsic
def _copy_word(typingctx: Any, source: Any, start: Any, out: Any, at: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(8 * WORD)
        places = []
        for which in (0, 2):
            array = context.make_array(signature.args[which])(context, builder, arguments[which])
            places.append(builder.bitcast(builder.gep(array.data, [arguments[which + 1]]), word.as_pointer()))
        moved = builder.load(places[0])
        moved.align = 1
        stored = builder.store(moved, places[1])
        stored.align = 1
        return context.get_dummy_value()

    return types.none(source, types.int64, out, types.int64), codegen


def _plain_copy_word(source: np.ndarray, start: int, out: np.ndarray, at: int) -> None:
    out[at : at + WORD] = source[start : start + WORD]


copy_word: Any = _plain_copy_word if getattr(config, "DISABLE_JIT", False) else _copy_word


@exact_kernel
def copied(source: np.ndarray, start: int, end: int, out: np.ndarray, at: int) -> int:
    """Copy uint8 `source[start:end]` to uint8 `out[at:]`, another array, and return where it ends there."""
    size = end - start
    if size < WORD:
        for i in range(size):
            out[at + i] = source[start + i]
    else:
        for i in range(0, size - WORD + 1, WORD):
            copy_word(source, start + i, out, at + i)
        copy_word(source, end - WORD, out, at + size - WORD)  # the rest, with some that is there already
    return at + size
