"""Expressions as Python's own parser reads them; everything else here is derived from that tree.

The tree is a list of (operation, argument) pairs, as `re` compiles it. Its modules carry an underscore but no promise,
so what they may one day add is treated as what it is: unknown.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

_PARSER: Final[Any] = import_module("re._parser")
_COMPILER: Final[Any] = import_module("re._compiler")

Node = tuple[Any, Any]
# The names of its operations, so that no one else needs those modules.
CHARACTERS: Final = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})
REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
UNENDING: Final = int(_PARSER.MAXREPEAT)


@lru_cache(maxsize=4096)
def tree_of(pattern: str) -> Any:
    """Parse an expression. Raises ValueError with Python's own words where it is not one."""
    return _quietly(_PARSER.parse, pattern)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile an expression. Raises ValueError with Python's own words where it is not one."""
    found: re.Pattern[str] = _quietly(re.compile, pattern)
    return found


def single(node: Node, flags: int) -> re.Pattern[str]:
    """Compile the node of one character as Python would within an expression of these flags."""
    state = _PARSER.State()
    state.flags = flags
    found: re.Pattern[str] = _COMPILER.compile(_PARSER.SubPattern(state, [node]), flags)
    return found


def nodes(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield the operations of one sequence, by name."""
    for operation, argument in tree:
        yield str(operation), argument


def _quietly(read: Any, pattern: str) -> Any:
    try:
        with warnings.catch_warnings():
            # Python warns of expressions whose meaning may change; a metric name is no place to hear of it.
            warnings.simplefilter("ignore")
            return read(pattern)
    except (re.error, OverflowError) as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
