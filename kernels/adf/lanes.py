"""Twelve running sums side by side: one value of `y` against twelve neighbours of `d`, row after row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES: Final = 12
WIDTH: Final = 4


def _interpreted(y: np.ndarray, d: np.ndarray, rows: int, out: np.ndarray) -> None:
    """`lagged_products`, without a compiler."""
    for q in range(LANES):
        total = 0.0
        for r in range(rows):
            total += y[r] * d[r + q]
        out[q] = total


if config.DISABLE_JIT:  # type: ignore[attr-defined] # numba sets it when imported
    lagged_products = _interpreted
else:

    @intrinsic
    def lagged_products(typingctx: Any, y: Any, d: Any, rows: Any, out: Any) -> Any:  # noqa: ARG001
        """Write `out[q] = sum(y[r] * d[r + q] for r in range(rows))`, q = 0..11, each sum in the order of r.

        y: float64[>= rows], d: float64[>= rows + 11], out: float64[>= 12], all contiguous; rows >= 0.
        Three vectors of four doubles: the order of every sum is fixed, so any CPU gives the same bits, and numba's own
        passes, which leave float sums as they are, would take four times as long.
        """
        signature = types.void(y, d, types.int64, out)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def data(i: int) -> Any:
                return cgutils.create_struct_proxy(signature.args[i])(context, builder, value=arguments[i]).data

            double, vector, index = ir.DoubleType(), ir.VectorType(ir.DoubleType(), WIDTH), ir.IntType(64)
            y_data, d_data, out_data = data(0), data(1), data(3)
            before = builder.block
            body, after = builder.append_basic_block("row"), builder.append_basic_block("done")
            zero = ir.Constant(vector, [ir.Constant(double, 0.0)] * WIDTH)
            builder.cbranch(builder.icmp_signed(">", arguments[2], ir.Constant(index, 0)), body, after)

            def at(pointer: Any, offset: Any) -> Any:
                return builder.bitcast(builder.gep(pointer, [offset]), vector.as_pointer())

            builder.position_at_end(body)
            row = builder.phi(index)
            sums = [builder.phi(vector) for _ in range(LANES // WIDTH)]
            value = builder.insert_element(
                ir.Constant(vector, ir.Undefined),
                builder.load(builder.gep(y_data, [row])),
                ir.Constant(ir.IntType(32), 0),
            )
            lanes = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [ir.Constant(ir.IntType(32), 0)] * WIDTH)
            value = builder.shuffle_vector(value, value, lanes)
            added = []
            for i, total in enumerate(sums):
                neighbours = builder.load(at(d_data, builder.add(row, ir.Constant(index, i * WIDTH))), align=8)
                added.append(builder.fadd(total, builder.fmul(value, neighbours)))
            following = builder.add(row, ir.Constant(index, 1))
            builder.cbranch(builder.icmp_signed("<", following, arguments[2]), body, after)
            row.add_incoming(ir.Constant(index, 0), before)
            row.add_incoming(following, body)
            for total, new in zip(sums, added, strict=True):
                total.add_incoming(zero, before)
                total.add_incoming(new, body)

            builder.position_at_end(after)
            for i, new in enumerate(added):
                total = builder.phi(vector)
                total.add_incoming(zero, before)
                total.add_incoming(new, body)
                added[i] = total
            for i, total in enumerate(added):
                builder.store(total, at(out_data, ir.Constant(index, i * WIDTH)), align=8)
            return context.get_dummy_value()

        return signature, codegen
