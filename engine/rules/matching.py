"""Which metrics a pattern means; the same everywhere: `--match`, `[[override]]` and `[[alert]]`.

A pattern matches a base name when any of four rules holds:

1. it equals the name;
2. it is a part of the name (`timers` matches `stats.timers.web01`);
3. each of its dotted elements is one of the name's dotted elements, in any order (`web01.timers`);
4. as a regular expression it matches from the start of the name; an invalid expression matches nothing by this rule.

So the empty pattern, like `.*`, matches every metric.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the base name by any of the four rules."""
    return matcher(pattern)(name)


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern once into a predicate over base names."""
    elements = pattern.split(".")
    # An element listed twice can never be found twice in a set; one element alone is a case of rule 2.
    wanted = frozenset(elements)
    by_elements = len(elements) == len(wanted) > 1
    expression = compiled(pattern)
    starts = expression.match if expression is not None else None

    def predicate(name: str) -> bool:
        if pattern in name:
            return True
        if by_elements and wanted.issubset(name.split(".")):
            return True
        return starts is not None and starts(name) is not None

    return predicate


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern as a regular expression, or None where it is not a valid one."""
    try:
        with warnings.catch_warnings():
            # Python warns of expressions whose meaning may change; a metric name is no place to hear of it.
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


class Matcher:
    """Several patterns, asked about many names."""

    __slots__ = ("_predicates", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns: tuple[str, ...] = tuple(patterns)
        self._predicates = [matcher(pattern) for pattern in self.patterns]

    def first(self, name: str) -> int | None:
        """Return the index of the first pattern that matches, or None."""
        for index, predicate in enumerate(self._predicates):
            if predicate(name):
                return index
        return None

    def every(self, name: str) -> tuple[int, ...]:
        """Return the indices of all patterns that match, in their own order."""
        return tuple([index for index, predicate in enumerate(self._predicates) if predicate(name)])

    def any(self, name: str) -> bool:
        """Whether at least one pattern matches."""
        return self.first(name) is not None

    def filter(self, names: Sequence[str]) -> list[str]:
        """Return the names that at least one pattern matches, in their own order."""
        return [name for name in names if self.first(name) is not None]
