"""One pattern: what it says, what a name must hold for it to match, and whether it can be used at all.

A pattern matches a base name when any of four rules holds:

1. it equals the name;
2. it is a part of the name (`timers` matches `stats.timers.web01`);
3. each of its dotted elements is one of the name's dotted elements, in any order (`web01.timers`);
4. as a regular expression it matches from the start of the name.

So the empty pattern, like `.*`, matches every metric. What is no expression is refused, for it is a slip of the
keyboard far more often than a part of a name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ridgeline.engine.rules.expression.expression import Expression
from ridgeline.engine.rules.expression.literals import Literals, literals
from ridgeline.engine.rules.expression.syntax import compiled, tree_of
from ridgeline.io.errors import InputError

# Patterns that match every metric.
UNIVERSAL: Final = frozenset({"", ".*", "^.*", ".*$", "^.*$", "^"})
# Characters that mean themselves in an expression, but for the dot, which means any.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/, =@%~-]*")
# No more than this is read: nobody writes it by hand, and it must be compiled.
LONGEST: Final = 10_000
_SHOWN: Final = 80


class Pattern:
    """A pattern that can be used. `elements`: its dotted elements, where rule 3 says more than rule 2."""

    __slots__ = ("_expression", "elements", "literals", "text")

    def __init__(self, text: str) -> None:
        """Raises InputError with what to write instead."""
        if len(text) > LONGEST:
            raise InputError(f'"{_shown(text)}" is longer than {LONGEST} characters: write several patterns')
        self.text = text
        elements = text.split(".")
        # An element listed twice can never be found twice in a set; one element alone is a case of rule 2.
        self.elements = frozenset(elements) if len(elements) == len(set(elements)) > 1 else frozenset()
        self._expression: Expression | None = None
        if is_plain(text):
            self.literals = Literals(elements[0], tuple(filter(None, elements[1:])), enough=len(elements) == 1)
            return
        try:
            self.literals = literals(tree_of(text))
            self._expression = Expression(text)
        except ValueError as error:
            raise InputError(_refusal(text, str(error))) from None
        except RecursionError:
            raise InputError(f'"{_shown(text)}" is nested too deeply: write several patterns') from None

    @property
    def expression(self) -> Expression:
        """Rule 4."""
        if self._expression is None:
            self._expression = Expression(self.text)
        return self._expression

    def matches(self, name: str) -> bool:
        """Whether any of the four rules holds."""
        if self.text in name:
            return True
        if self.elements and self.elements.issubset(name.split(".")):
            return True
        return self.expression.matches(name)


@lru_cache(maxsize=8192)
def pattern_of(text: str) -> Pattern:
    """Return the pattern, compiled once. Raises InputError where it cannot be used, saying what to write instead."""
    return Pattern(text)


def parse_pattern(text: str) -> str:
    """Return the text if it is a pattern that can be used. Raises InputError saying what to write instead."""
    return pattern_of(text).text


def is_plain(text: str) -> bool:
    """Whether a pattern holds no sign of an expression but the dot."""
    return _PLAIN.fullmatch(text) is not None


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _refusal(text: str, reason: str) -> str:
    shown = _shown(text)
    plain = text.strip("*?")
    if text.startswith(("*", "?")):
        if not plain:
            return f'"{shown}" is no pattern, because nothing stands before the "{text[0]}": write .* for every metric'
        as_expression = re.sub(r"[*?]", lambda sign: "." + sign[0] * (sign[0] == "*"), re.sub(r"\*+", "*", text))
        return (
            f'"{shown}" is no pattern, because nothing stands before the first "{text[0]}": write {plain} for a part of '
            f"the name, or the expression {as_expression}"
        )
    if _compiles(text):
        return f'"{shown}" is not tried on any name: {reason}'
    return (
        f'"{shown}" is no regular expression ({reason}): put a backslash before signs that stand for themselves, as in '
        f".*{re.escape(shown)}"
    )


def _compiles(text: str) -> bool:
    try:
        compiled(text)
    except ValueError:
        return False
    return True
