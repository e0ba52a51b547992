"""The value of a Python expression, found without executing anything: literals, names known before, plain arithmetic.

What a settings file could do by being executed it cannot do here; what could be large by growing is refused in time.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

HEAVIEST: Final = 1_000_000  # characters and items of one value, those of what it holds included
DEEPEST: Final = 60  # levels of lists and expressions
LARGEST: Final = 2**63
_FORMAT: Final = re.compile(r"%([%sd]?)")
_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_CASTS: Final[Mapping[str, Callable[[Any], Any]]] = {"int": int, "float": float, "str": str, "bool": bool}
_ENVIRONMENT: Final = {"os.environ.get", "os.getenv", "environ.get", "getenv"}


class Unreadable(Exception):  # noqa: N818 - reads as the sentence it is
    """An expression that would have to be executed, or whose value is out of all proportion; says which."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value: text, number, boolean, None, list, tuple or dict; how much it holds, and how deep."""

    value: Any
    weight: int = 1
    depth: int = 1


Names = Mapping[str, Known]


def evaluate(node: ast.expr, names: Names, level: int = 0) -> Known:
    """The value of an expression. Raises Unreadable."""
    if level > DEEPEST:
        raise Unreadable("it is nested too deeply")
    try:
        return _bounded(_evaluate(node, names, level + 1))
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise Unreadable(f"it has no value ({error})") from error


def _evaluate(node: ast.expr, names: Names, level: int) -> Known:
    reader = _READERS.get(type(node))
    if reader is None:
        raise Unreadable(f"it would have to be executed ({type(node).__name__})")
    return reader(node, names, level)


def _constant(node: ast.Constant, _names: Names, _level: int) -> Known:
    if isinstance(node.value, str):
        return Known(node.value, 1 + len(node.value))
    if node.value is None or isinstance(node.value, int | float):
        return Known(node.value)
    raise Unreadable(f"a value of its kind means nothing here ({type(node.value).__name__})")


def _name(node: ast.Name, names: Names, _level: int) -> Known:
    if node.id not in names:
        raise Unreadable(f"{node.id} is not known at this place")
    return names[node.id]


def _unary(node: ast.UnaryOp, names: Names, level: int) -> Known:
    inner = evaluate(node.operand, names, level).value
    if isinstance(node.op, ast.Not):
        return Known(not inner)
    if isinstance(node.op, ast.USub):
        return Known(-_number(inner))
    raise Unreadable(f"it would have to be executed ({type(node.op).__name__})")


def _bounded(known: Known) -> Known:
    if known.weight > HEAVIEST or known.depth > DEEPEST:
        raise Unreadable("its value is out of all proportion")
    if isinstance(known.value, int) and not -LARGEST <= known.value < LARGEST:
        raise Unreadable("it is too large a number")
    if isinstance(known.value, float) and not math.isfinite(known.value):
        raise Unreadable("it is no finite number")
    return known


def _several(node: ast.List | ast.Tuple | ast.Set, names: Names, level: int) -> Known:
    found = [evaluate(item, names, level) for item in node.elts]
    values = [one.value for one in found]
    return Known(values if isinstance(node, ast.List) else tuple(values), *_measure(found))


def _dict(node: ast.Dict, names: Names, level: int) -> Known:
    pairs = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise Unreadable("it would have to be executed (**)")
        pairs.append((evaluate(key, names, level), evaluate(value, names, level)))
    found = [one for pair in pairs for one in pair]
    return Known({key.value: value.value for key, value in pairs}, *_measure(found))


def _measure(found: Sequence[Known]) -> tuple[int, int]:
    """Weight and depth of what holds these."""
    return 1 + sum(one.weight for one in found), 1 + max((one.depth for one in found), default=0)


def _combine(node: ast.BinOp, names: Names, level: int) -> Known:
    left, op, right = evaluate(node.left, names, level), node.op, evaluate(node.right, names, level)
    if isinstance(op, ast.Mod) and isinstance(left.value, str):
        return _formatted(left.value, right)
    if isinstance(op, ast.Add) and type(left.value) is type(right.value) and isinstance(left.value, str | list | tuple):
        whole = _bounded(Known(None, left.weight + right.weight, max(left.depth, right.depth)))
        return Known(left.value + right.value, whole.weight, whole.depth)
    if type(op) not in _ARITHMETIC:
        raise Unreadable(f"it would have to be executed ({type(op).__name__})")
    return Known(_ARITHMETIC[type(op)](_number(left.value), _number(right.value)))


def _number(value: Any) -> int | float:
    if isinstance(value, int | float):
        return value
    raise Unreadable("it is arithmetic with what is no number")


def _formatted(text: str, given: Known) -> Known:
    """`text % given`, for plain `%s` and `%d`."""
    values = list(given.value) if isinstance(given.value, tuple) else [given.value]
    parts: list[Known] = []
    at = 0
    for found in _FORMAT.finditer(text):
        if not found[1]:
            raise Unreadable("it formats in other ways than %s and %d")
        parts.append(_text(text[at : found.start()]))
        parts.append(_text("%") if found[1] == "%" else _text(values.pop(0)))
        at = found.end()
    if values:
        raise Unreadable("it formats more than its text has places for")
    return _joined([*parts, _text(text[at:])])


def _template(node: ast.JoinedStr, names: Names, level: int) -> Known:
    return _joined([_part(part, names, level) for part in node.values])


def _part(part: ast.expr, names: Names, level: int) -> Known:
    match part:
        case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
            return _text(evaluate(inner, names, level).value)
        case ast.Constant(value=str() as text):
            return _text(text)
        case _:
            raise Unreadable("it formats in ways that would have to be executed")


def _text(value: Any) -> Known:
    if not isinstance(value, str | int | float):
        raise Unreadable("it makes a text of what is no text and no number")
    return Known(str(value), 1 + len(str(value)))


def _joined(parts: Sequence[Known]) -> Known:
    whole = _bounded(Known(None, 1 + sum(part.weight for part in parts)))
    return Known("".join(part.value for part in parts), whole.weight)


def _item(node: ast.Subscript, names: Names, level: int) -> Known:
    """An item weighs at most what its holder does."""
    inner, place = evaluate(node.value, names, level), evaluate(node.slice, names, level)
    return Known(inner.value[place.value], inner.weight, inner.depth)


def _call(node: ast.Call, names: Names, level: int) -> Known:
    """A cast of a plain value; of a look into the environment, the default that it names."""
    called, given = ast.unparse(node.func), node.args
    if called in _ENVIRONMENT and len(given) == 2 and not node.keywords:
        return evaluate(given[1], names, level)
    if called in _CASTS and called not in names and len(given) == 1 and not node.keywords:
        inner = evaluate(given[0], names, level)
        if isinstance(inner.value, str | int | float):
            return Known(_CASTS[called](inner.value), inner.weight)
    raise Unreadable(f"it would have to be executed ({called[:40]})")


_READERS: Final[Mapping[type[ast.expr], Callable[[Any, Names, int], Known]]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _several,
    ast.Tuple: _several,
    ast.Set: _several,
    ast.Dict: _dict,
    ast.UnaryOp: _unary,
    ast.BinOp: _combine,
    ast.JoinedStr: _template,
    ast.Subscript: _item,
    ast.Call: _call,
}
