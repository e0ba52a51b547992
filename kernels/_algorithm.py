"""The only place that holds numba's options, and what an algorithm says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

# NaN-safe: `nnan` and `ninf` stay out, so that comparisons with NaN and infinity keep their meaning.
FASTMATH: Final = frozenset({"reassoc", "contract", "nsz", "arcp"})
# `_nrt=False` makes numba refuse a kernel that allocates; the numpy error model makes one that cannot raise.
OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "nogil": True, "_nrt": False, "cache": False}


def _documented(function: Callable[..., Any]) -> Callable[..., Any]:
    if not (function.__doc__ or "").strip():
        raise TypeError(f"kernel {function.__module__}.{function.__name__} needs a docstring")
    return function


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a kernel with the NaN-safe fast-math flags."""
    return njit(**OPTIONS, fastmath=set(FASTMATH))(_documented(function))


def exact_kernel(function: Callable[..., Any]) -> Any:
    """Compile a kernel without any fast-math flag: for bin edges, exact medians, ADF."""
    return njit(**OPTIONS, fastmath=False)(_documented(function))


def _marker(attribute: str) -> Any:
    """An intrinsic that gives the kernel which calls it an attribute of LLVM's functions."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return lambda: None  # interpreted kernels are not inlined

    def marked(typingctx: Any) -> Any:  # noqa: ARG001 - numba passes it by name
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's protocol
            builder.function.attributes.add(attribute)
            return ir.Constant(ir.LiteralStructType([]), ir.Undefined)

        return types.none(), codegen

    marked.__name__ = attribute
    return intrinsic(marked)


def _disjoint() -> Any:
    """An intrinsic that tells LLVM of the kernel which calls it that its arguments overlap nowhere."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return lambda: None

    def disjoint(typingctx: Any) -> Any:  # noqa: ARG001 - numba passes it by name
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's protocol
            for argument in builder.function.args:
                if isinstance(argument.type, ir.PointerType):
                    argument.add_attribute("noalias")
            return ir.Constant(ir.LiteralStructType([]), ir.Undefined)

        return types.none(), codegen

    return intrinsic(disjoint)


never_inline = _marker("noinline")
"""Called in a kernel: it is compiled once and computes the same bits whichever entry calls it."""
always_inline = _marker("alwaysinline")
"""Called in a kernel: called often with many arrays, it must not pass them."""
disjoint = _disjoint()
"""Called in a kernel that is not inlined: none of the arrays given overlap, so that loops over many of them vectorise."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm's facts.

    `kernel` returns the score (float64, vote = score > 1, NaN = failed); `threshold` is the statistic's own;
    `cost` ranks the algorithms for early exit, cheapest first; `order` is the column's place in verdicts.
    """

    name: str
    summary: str
    min_points: int
    threshold: float
    cost: int
    order: int
    kernel: Callable[..., float]


def algorithm(
    *, min_points: int, threshold: float, cost: int, order: int, exact: bool = False
) -> Callable[[Callable[..., float]], Algorithm]:
    """Declare an algorithm: compile its kernel and take name and summary from the function itself.

    Every kernel has one signature, `(row, threshold) -> score`: the series and what was computed about it
    (`shared.row.Row`), and the statistic's limit, `Algorithm.threshold` unless overridden.
    """

    def declare(function: Callable[..., float]) -> Algorithm:
        compiled = exact_kernel(function) if exact else kernel(function)
        summary = (function.__doc__ or "").strip().splitlines()[0]
        return Algorithm(function.__name__, summary, min_points, threshold, cost, order, compiled)

    return declare
