"""One expression: Python's own matcher where that is quick for certain, the automaton where it might not be."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.rules.expression.automaton import Automaton
from ridgeline.engine.rules.expression.effort import effort
from ridgeline.engine.rules.expression.program import NoProgramError
from ridgeline.engine.rules.expression.syntax import compiled, tree_of

# Steps that Python's matcher may take for one name: about a millisecond, and as long as a name is ever waited for.
BRIEF: Final = 1e5
PATIENT: Final = 1e7
# What cannot be done without backtracking must at least be done with names of this length.
ORDINARY: Final = 256
_LENGTHS: Final = (65_536, 16_384, 4096, 2048, 1024, 512, 310, ORDINARY, 128, 64, 44, 32, 16, 8, 4, 2, 1, 0)


class Expression:
    """Says whether a regular expression matches from the start of a name, as `re.match` does, in bounded time.

    An expression that looks ahead, behind or back can only be tried by backtracking: it matches no name that is so long
    that this might take seconds (`reach`).
    """

    __slots__ = ("_automaton", "_brief", "_match", "reach")

    def __init__(self, pattern: str) -> None:
        """Compile. Raises ValueError saying what is wrong with the expression."""
        self._match = compiled(pattern).match
        tree = tree_of(pattern)
        self._brief = _longest(tree, BRIEF)
        self._automaton: Automaton | None = None
        self.reach: int | None = None
        if self._brief == _LENGTHS[0]:
            return
        try:
            self._automaton = Automaton(tree)
        except NoProgramError as error:
            self.reach = _longest(tree, PATIENT)
            if self.reach < ORDINARY:
                raise ValueError(
                    f"trying it on a name might never end, because it repeats what can match in many ways, and {error}"
                ) from None

    def matches(self, name: str) -> bool:
        """Whether the expression matches from the start of the name."""
        if len(name) <= self._brief:
            return self._match(name) is not None
        if self._automaton is not None:
            return self._automaton.matches(name)
        return self.reach is not None and len(name) <= self.reach and self._match(name) is not None


def _longest(tree: object, steps: float) -> int:
    """Return how long a name may be for that many steps; -1 if no name is short enough."""
    return next((length for length in _LENGTHS if effort(tree, length) <= steps), -1)
