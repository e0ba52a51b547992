"""What the gaps entry and its callers agree on: columns, limits and room. Needs no numba to import."""

from __future__ import annotations

from typing import Final

# Columns of facts int64[n, FACTS]: the usual step in seconds (0: it cannot be told), how many gaps are closed, and where
# one begins that is not (0: there is none).
STEP, CLOSED, OPEN = range(3)
FACTS: Final = 3

FULL: Final = 1  # status of the entry: the gaps exceed the capacity
SPARE: Final = 64  # what sorting steps needs beside three times their number

FEWEST: Final = 30  # points of a row below which nothing is said about it


def gaps_room(longest: int) -> int:
    """Length of the gaps entry's scratch for rows of up to `longest` points."""
    return 3 * longest + SPARE
