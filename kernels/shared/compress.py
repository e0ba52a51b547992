"""Keep the values inside an interval, in order: four lanes at a time on AVX2, eight on AVX-512, else one by one.

The results are the same to the bit: values are only copied. Where numba is told to compile for another CPU than this
one (`NUMBA_CPU_NAME=generic`, as a test does), the plain form is taken.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import binding, ir
from numba import config, types
from numba.extending import intrinsic

from ridgeline.kernels._algorithm import exact_kernel

BELOW: Final = 1 << 32  # counts of kept values and of values below travel in one integer
KEPT: Final = BELOW - 1


def lanes() -> int:
    """Values that this CPU compresses at once: 8, 4 or 1."""
    if config.DISABLE_JIT or config.CPU_NAME or config.CPU_FEATURES:  # type: ignore[attr-defined]
        return 1
    features = binding.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512vl"):
        return 8
    return 4 if features.get("avx2") else 1


LANES: Final = lanes()


@intrinsic
def compress_lanes(
    typingctx: Any,  # noqa: ARG001 - numba's protocol
    x: Any,
    at: Any,  # noqa: ARG001
    low: Any,
    high: Any,
    out: Any,
    kept: Any,  # noqa: ARG001
) -> Any:
    """Copy those of x[at : at + LANES] in [low, high] to out[kept:], which may lose LANES values there.

    Returns the number copied + BELOW times the number under low. out may be x itself where kept <= at.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, place, lower, upper, target, start = arguments
        vector = ir.VectorType(ir.DoubleType(), LANES)

        def address(position: int, value: Any, index: Any) -> Any:
            data = context.make_array(signature.args[position])(context, builder, value).data
            return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

        def all_lanes(value: Any) -> Any:
            return _splat(builder, value, LANES)

        values = builder.load(address(0, source, place), align=8)
        under = builder.fcmp_ordered("<", values, all_lanes(lower))
        inside = builder.and_(builder.fcmp_ordered("<=", values, all_lanes(upper)), builder.not_(under))
        packed = _packed_by_avx512(builder, values, inside) if LANES == 8 else _packed_by_avx2(builder, values, inside)
        store = builder.store(packed, address(4, target, start))
        store.align = 8
        return builder.add(_count(builder, inside), builder.mul(_count(builder, under), ir.Constant(_WORD, BELOW)))

    return types.int64(x, types.int64, low, high, out, types.int64), codegen


_WORD: Final = ir.IntType(64)


def _splat(builder: Any, value: Any, lanes: int) -> Any:
    """All lanes of a vector set to one value."""
    vector = ir.VectorType(value.type, lanes)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        first, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
    )


def _bits(builder: Any, mask: Any) -> Any:
    """A lane mask as an int64."""
    return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), _WORD)


def _count(builder: Any, mask: Any) -> Any:
    """Number of lanes set, int64."""
    function = builder.module.declare_intrinsic("llvm.ctpop", [_WORD])
    return builder.call(function, [_bits(builder, mask)])


def _declared(module: Any, name: str, kind: Any) -> Any:
    """An LLVM function by name, declared once a module (llvmlite's own declare_intrinsic knows no vectors)."""
    return module.globals.get(name) or ir.Function(module, kind, name)


def _packed_by_avx512(builder: Any, values: Any, mask: Any) -> Any:
    """The masked lanes first, by VCOMPRESSPD."""
    kind = ir.FunctionType(values.type, [values.type, mask.type, values.type])
    function = _declared(builder.module, "llvm.experimental.vector.compress.v8f64", kind)
    return builder.call(function, [values, mask, ir.Constant(values.type, ir.Undefined)])


def _packed_by_avx2(builder: Any, values: Any, mask: Any) -> Any:
    """The masked lanes first, by VPERMD and a table of sixteen permutations."""
    halves = ir.VectorType(ir.IntType(32), 8)
    table_type = ir.ArrayType(halves, 16)
    name = "ridgeline_compress_permutations"
    table = builder.module.globals.get(name)
    if table is None:
        rows = []
        for bits in range(16):
            order = [lane for lane in range(4) if bits >> lane & 1] + [
                lane for lane in range(4) if not bits >> lane & 1
            ]
            rows.append(ir.Constant(halves, [2 * lane + half for lane in order for half in (0, 1)]))
        table = ir.GlobalVariable(builder.module, table_type, name)
        table.initializer = ir.Constant(table_type, rows)
        table.global_constant = True
        table.linkage = "internal"
    row = builder.load(builder.gep(table, [ir.Constant(_WORD, 0), _bits(builder, mask)]))
    kind = ir.FunctionType(halves, [halves, halves])
    function = _declared(builder.module, "llvm.x86.avx2.permd", kind)
    return builder.bitcast(builder.call(function, [builder.bitcast(values, halves), row]), values.type)


@exact_kernel
def compress_plain(x: np.ndarray, at: int, low: float, high: float, out: np.ndarray) -> int:
    """Copy the values of x[at:] in [low, high] to out, in order; return kept + BELOW * (number under low).

    Branch-free; out may be x itself. out needs a place more than is kept.
    """
    total = 0
    for i in range(at, x.size):
        v = x[i]
        out[total & KEPT] = v
        total += ((v >= low) & (v <= high)) + BELOW * (v < low)
    return total


if LANES == 1:

    @exact_kernel
    def compress(x: np.ndarray, low: float, high: float, out: np.ndarray) -> tuple[int, int]:
        """Copy the values of x in [low, high] to out float64[>= n + 8], in order; return (number below low, kept)."""
        total = compress_plain(x, 0, low, high, out)
        return total >> 32, total & KEPT

else:

    @exact_kernel
    def compress(x: np.ndarray, low: float, high: float, out: np.ndarray) -> tuple[int, int]:
        """Copy the values of x in [low, high] to out float64[>= n + 8], in order; return (number below low, kept)."""
        total = 0
        whole = x.size - x.size % LANES
        for i in range(0, whole, LANES):
            total += compress_lanes(x, i, low, high, out, total & KEPT)  # type: ignore[call-arg]
        for i in range(whole, x.size):
            v = x[i]
            out[total & KEPT] = v
            total += ((v >= low) & (v <= high)) + BELOW * (v < low)
        return total >> 32, total & KEPT
