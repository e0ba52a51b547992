"""Unaligned loads of big-endian numbers from a byte array, and bit patterns as numbers.

numba compiles a number put together byte by byte into eight loads; one unaligned load and a byte swap are four times
faster. LLVM swaps bytes on little-endian machines only, so the results do not depend on the machine. Without
compilation (NUMBA_DISABLE_JIT) plain Python gives the same numbers.

The loads check nothing: callers stay inside the array.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

_LITTLE_ENDIAN: Final = sys.byteorder == "little"


def _loader(bits: int) -> Callable[..., Any]:
    """`load(data, position)`: the big-endian unsigned number of `bits` bits there, as int64 (64 bits: the same bits)."""

    @intrinsic
    def load(typingctx: Any, data: Any, position: Any) -> Any:  # noqa: ARG001 - numba's protocol
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.gep(array.data, [arguments[1]])
            number = builder.load(builder.bitcast(place, ir.IntType(bits).as_pointer()))
            number.align = 1
            if _LITTLE_ENDIAN and bits > 8:
                number = builder.bswap(number)
            return number if bits == 64 else builder.zext(number, ir.IntType(64))

        return types.int64(data, types.int64), codegen

    return load


def _plain_loader(form: str) -> Callable[..., Any]:
    def load(data: Any, position: int) -> int:
        return int(struct.unpack_from(form, data, position)[0])

    return load


@intrinsic
def _float64_of(typingctx: Any, bits: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's protocol
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def _float32_of(typingctx: Any, bits: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's protocol
        single = builder.bitcast(builder.trunc(arguments[0], ir.IntType(32)), ir.FloatType())
        return builder.fpext(single, ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def _bits_of(typingctx: Any, number: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's protocol
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _float64_of_unsigned(typingctx: Any, bits: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's protocol
        return builder.uitofp(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


def _reinterpret(source: str, target: str) -> Callable[..., Any]:
    def convert(number: Any) -> Any:
        return struct.unpack(target, struct.pack(source, number))[0]

    return convert


def _plain_float32(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def _plain_unsigned(bits: int) -> float:
    return float(bits % 2**64)


# load_NN(data, position): as `_loader` says. float64_of, float32_of: the number whose bits these are; bits_of: the other
# way. float64_of_unsigned: the number that these 64 bits are, taken as unsigned.
load_u8: Any
load_u16: Any
load_u32: Any
load_64: Any
float64_of: Any
float32_of: Any
bits_of: Any
float64_of_unsigned: Any
if getattr(config, "DISABLE_JIT", False):
    load_u8, load_u16, load_u32, load_64 = (_plain_loader(form) for form in (">B", ">H", ">I", ">q"))
    float64_of, bits_of = _reinterpret("<q", "<d"), _reinterpret("<d", "<q")
    float32_of, float64_of_unsigned = _plain_float32, _plain_unsigned
else:
    load_u8, load_u16, load_u32, load_64 = _loader(8), _loader(16), _loader(32), _loader(64)
    float64_of, bits_of, float32_of, float64_of_unsigned = _float64_of, _bits_of, _float32_of, _float64_of_unsigned
