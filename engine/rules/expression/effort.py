"""How long Python's backtracking may take: an upper bound, from the tree of an expression.

A backtracking matcher tries every way in which an expression can be laid over a name. The ways through a sequence are
the product of the ways through its parts, those of alternatives their sum; a repeat of something that fits in one way
only has as many as it may have lengths, a repeat of anything else has exponentially many.
"""

from __future__ import annotations

import math
from typing import Any, Final

from ridgeline.engine.rules.expression.syntax import CHARACTERS, REPEATS, nodes

_NO_CHOICE: Final = CHARACTERS | {"AT", "GROUPREF", "FAILURE"}


def effort(tree: Any, length: int) -> float:
    """Steps that matching the expression against a name of `length` characters takes at most; infinity if unknown."""
    return _sequence(tree, length)[1]


def _sequence(tree: Any, length: int) -> tuple[float, float]:
    """(ways through, steps) of the parts one after another."""
    ways, steps = 1.0, 1.0
    for operation, argument in nodes(tree):
        own, cost = _part(operation, argument, length)
        steps += ways * cost
        ways *= own
    return ways, steps


def _part(operation: str, argument: Any, length: int) -> tuple[float, float]:
    if operation in REPEATS:
        return _repeat(argument, length)
    if operation == "SUBPATTERN":
        return _sequence(argument[-1], length)
    if operation == "BRANCH":
        return _any_of(argument[1], length)
    if operation == "GROUPREF_EXISTS":
        return _any_of([part or [] for part in argument[1:]], length)
    return 1.0, _once(operation, argument, length)


def _any_of(branches: list[Any], length: int) -> tuple[float, float]:
    found = [_sequence(branch, length) for branch in branches]
    return sum(ways for ways, _ in found), 1.0 + sum(steps for _, steps in found)


def _once(operation: str, argument: Any, length: int) -> float:
    """Steps of what is never tried in a second way; infinity for what is not known."""
    if operation in _NO_CHOICE:
        return float(length) if operation == "GROUPREF" else 1.0
    if operation == "POSSESSIVE_REPEAT":
        return _repeat(argument, length)[1]
    if operation == "ATOMIC_GROUP":
        return _sequence(argument, length)[1]
    return _sequence(argument[1], length)[1] if operation in {"ASSERT", "ASSERT_NOT"} else math.inf


def _repeat(argument: tuple[int, int, Any], length: int) -> tuple[float, float]:
    """A name has room for no more rounds than its length and one that matches nothing, but for those that must be."""
    low, high, body = argument
    width = int(body.getwidth()[0])
    rounds = min(int(high), length // max(width, 1) + 1)
    if width == 0:
        rounds = max(rounds, int(low))
    lengths = max(rounds - int(low), 0) + 1.0
    ways, steps = _sequence(body, length)
    if ways <= 1.0:
        return lengths, 1.0 + rounds * steps
    try:
        every = ways**rounds * lengths
    except OverflowError:
        every = math.inf
    return every, every * steps
