"""Distinct values and medians of arrays: numpy's own import numpy.ma at their first use, a tenth of a small run."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def distinct(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The distinct values of an array without NaN, ascending.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values, axis=None)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def median(values: NDArray[Any]) -> float:
    """The median of an array that is not empty and holds no NaN; of an even number, the mean of the middle two.

    >>> median(np.array([4.0, 1.0, 3.0, 2.0]))
    2.5
    """
    middle = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, middle)[middle])
    low, high = np.partition(values, (middle - 1, middle))[middle - 1 : middle + 1].tolist()
    return float(low / 2 + high / 2) if isinstance(low, float) else (low + high) / 2
