"""The first pass over a row. It brings the row from memory, which costs more than all that is worked out on the way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.shared.lanes import FLOAT, INT, before, sums

LOOKED: Final = 768  # values among which falls are counted: where a series goes nowhere, every other one is a fall
GROUP: Final = 16  # values at a time, between which falls are not counted


def _surveyed(typingctx: Any, x: Any, origin: Any) -> Any:  # noqa: ARG001 - numba passes it by name
    found = types.Tuple((types.float64, types.int64, types.int64))

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def brief(values: Any, known: list[Any], origin: Any) -> tuple[Any, ...]:
            total, signs, falls = known
            bits = builder.bitcast(values, ir.VectorType(INT, values.type.count))
            return builder.fadd(builder.fsub(total, origin), values), builder.or_(signs, bits), falls

        def full(values: Any, known: list[Any], origin: Any) -> tuple[Any, ...]:
            total, signs, falls = brief(values, known, origin)
            fell = builder.fcmp_ordered("<", values, before(builder, values))
            return total, signs, builder.sub(falls, builder.sext(fell, falls.type))

        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        begin = ((FLOAT(0.0), builder.fadd), (INT(0), builder.or_), (INT(0), builder.add))
        seen = sums(builder, array, arguments[1], (LOOKED, full, brief), begin)
        return context.make_tuple(builder, signature.return_type, seen)

    return found(x, origin), codegen


def _interpreted(x: np.ndarray, origin: float) -> tuple[float, int, int]:
    total = 0.0
    for value in x.tolist():
        total = (total - origin) + value
    groups = x[: min(len(x), LOOKED) // GROUP * GROUP].reshape(-1, GROUP)
    return total, int(np.bitwise_or.reduce(x.view(np.int64))), int((groups[:, 1:] < groups[:, :-1]).sum())


_survey: Final[Any] = _interpreted if config.DISABLE_JIT else intrinsic(_surveyed)  # type: ignore[attr-defined]


@exact_kernel
def survey(x: np.ndarray, origin: float) -> tuple[float, int, int]:
    """Return the sum of x - origin, x float64[n], n >= 1; a number below 0 where any sign is set; how often x falls, at least."""
    return _survey(x, origin)
