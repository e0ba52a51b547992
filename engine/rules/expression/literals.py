"""What a name must hold for an expression to match it: texts that can be looked for much faster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ridgeline.engine.rules.expression.syntax import REPEATS, UNENDING, nodes

# What a break between two texts is; no text is None.
BREAK: Final = None


@dataclass(frozen=True, slots=True)
class Literals:
    """Texts of every name without line breaks that the expression matches.

    `prefix`: it begins with this. `texts`: it holds each of these. `enough`: that is all there is to it, so that the
    expression itself need not be asked.
    """

    prefix: str = ""
    texts: tuple[str, ...] = ()
    enough: bool = False


def literals(tree: Any) -> Literals:
    """Read them off the tree of an expression; none where case is ignored."""
    flags = int(tree.state.flags)
    if flags & re.IGNORECASE:
        return Literals()
    parts = list(nodes(tree))
    if parts and _is(parts[0], "AT_BEGINNING"):
        del parts[0]
    if len(parts) > 1 and _is(parts[-1], "AT_END") and _takes_anything(*parts[-2]):
        del parts[-1]
    while parts and _takes_anything(*parts[-1]):
        del parts[-1]
    free = bool(parts) and _takes_anything(*parts[0])
    if free:
        del parts[0]
    enough = all(operation == "LITERAL" for operation, _ in parts)
    found: list[str] = [""]
    for character in _characters(parts):
        if character is BREAK:
            found.append("")
        else:
            found[-1] += character
    prefix = "" if free else found.pop(0)
    return Literals(prefix, tuple(dict.fromkeys(text for text in found if text)), enough)


def _is(part: tuple[str, Any], anchor: str) -> bool:
    return part[0] == "AT" and str(part[1]) == anchor


def _takes_anything(operation: str, argument: Any) -> bool:
    """Whether this is `.*`, which takes any characters of a name without line breaks, or none."""
    if operation not in REPEATS:
        return False
    low, high, body = argument
    return low == 0 and high == UNENDING and [str(name) for name, _ in body] == ["ANY"]


def _characters(parts: Any) -> Iterator[str | None]:
    """Yield the characters that stand one after another, and BREAK where others may come between them."""
    for operation, argument in parts:
        if operation == "LITERAL":
            yield chr(argument)
        elif operation == "SUBPATTERN" and not argument[1] and not argument[2]:
            yield from _characters(nodes(argument[-1]))
        elif operation in REPEATS and argument[0] > 0:
            # The first round is there; what follows it is not known.
            yield from _characters(nodes(argument[2]))
            yield BREAK
        elif operation != "AT":
            yield BREAK
