"""Sums over a row by LLVM's own vectors: of one order, and so of the same bits wherever they are compiled.

Compilers vectorise the loop of a sum in one order or another, and the last bits of a sum depend on the order. Here it is
fixed. Sixteen values at a time, then four, then one: lane k takes value k of each group, and after each kind of group its
lanes are added up: 0-3 and 4-7, 8-11 and 12-15, both of these, then both halves of what is left, twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils

FLOAT, INT, _LANE = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
_GROUPS: Final = (16, 4, 1)

Step = Callable[[Any, list[Any], Any], Sequence[Any]]  # (values, what is known, origin) -> what is known then
Add = Callable[[Any, Any], Any]


def sums(builder: Any, array: Any, origin: Any, steps: tuple[int, Step, Step], begin: Sequence[tuple[Any, Add]]) -> Any:
    """Walk over the items of a numba array, float64[n]; return what `begin` has become, its lanes added up.

    steps: the first step is taken at so many values, a multiple of sixteen, if there are as many; the second at all others.
    """
    first, full, brief = steps
    known, start = [value for value, _ in begin], INT(0)
    for width in _GROUPS:
        stop = builder.and_(array.nitems, INT(-width))
        middle = start
        if width == _GROUPS[0]:
            middle = builder.select(builder.icmp_signed("<", stop, INT(first)), stop, INT(first))
        origins = _everywhere(builder, origin, width)
        kept = [cgutils.alloca_once_value(builder, _alone(builder, value, width)) for value in known]
        for bounds, step in (((start, middle), full), ((middle, stop), brief)):
            with cgutils.for_range_slice(builder, *bounds, INT(width), INT) as (at, _):
                place = builder.bitcast(builder.gep(array.data, [at]), ir.VectorType(FLOAT, width).as_pointer())
                values = builder.load(place, align=8)
                for one, new in zip(kept, step(values, [builder.load(one) for one in kept], origins), strict=True):
                    builder.store(new, one)
        known = [_total(builder, add, builder.load(one), width) for one, (_, add) in zip(kept, begin, strict=True)]
        start = stop
    return known


def before(builder: Any, values: Any) -> Any:
    """The value before each of a group; for the first of it that one itself."""
    return _lanes(builder, values, [0, *range(values.type.count - 1)])


def _everywhere(builder: Any, value: Any, width: int) -> Any:
    """A vector of one value."""
    one = _alone(builder, value, width)
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_LANE, width), None))


def _alone(builder: Any, value: Any, width: int) -> Any:
    """A vector of zeros but for the first lane."""
    return builder.insert_element(ir.Constant(ir.VectorType(value.type, width), None), value, _LANE(0))


def _lanes(builder: Any, vector: Any, lanes: Sequence[int]) -> Any:
    """Some lanes of a vector."""
    mask = ir.Constant(ir.VectorType(_LANE, len(lanes)), [_LANE(lane) for lane in lanes])
    return builder.shuffle_vector(vector, vector, mask)


def _total(builder: Any, add: Add, vector: Any, width: int) -> Any:
    """All lanes added up."""
    if width == 16:
        first, second, third, fourth = (_lanes(builder, vector, range(at, at + 4)) for at in range(0, 16, 4))
        vector, width = add(add(first, second), add(third, fourth)), 4
    while width > 1:
        width //= 2
        low, high = (_lanes(builder, vector, range(at, at + width)) for at in (0, width))
        vector = add(low, high)
    return builder.extract_element(vector, _LANE(0))
