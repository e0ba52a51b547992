"""Replies of Redis to one request each, in its wire protocol (RESP 2): bulk strings and errors."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel

BULK, ERROR, CUT, BROKEN = range(4)
_DIGITS: Final = 10  # of a length
_RETURN, _NEWLINE, _DOLLAR, _MINUS, _ZERO = 13, 10, 36, 45, 48
_LONGEST_LINE: Final = 4096
_WRONGTYPE: Final = (87, 82, 79, 78, 71, 84, 89, 80, 69)


@exact_kernel
def read_reply(data: Any, at: int, have: int) -> Any:
    """(kind, start, end, next) of the reply at data[at:have]; data uint8.

    BULK: the bytes start..end; a null one is as an empty one. ERROR: its text. CUT: there is more to come. BROKEN: no such
    reply.
    """
    if at >= have:
        return CUT, 0, 0, at
    first = data[at]
    if first == _DOLLAR:
        return _read_bulk(data, at + 1, have)
    if first != _MINUS:
        return BROKEN, 0, 0, at
    for i in range(at + 1, min(have - 1, at + _LONGEST_LINE)):
        if data[i] == _RETURN and data[i + 1] == _NEWLINE:
            return ERROR, at + 1, i, i + 2
    return (CUT if have - at < _LONGEST_LINE else BROKEN), 0, 0, at


@exact_kernel
def _read_bulk(data: Any, at: int, have: int) -> Any:
    """The same of a bulk string whose length begins at `at`."""
    length = 0
    i = at
    negative = i < have and data[i] == _MINUS
    if negative:
        i += 1
    begin = i
    while i < have and i - begin <= _DIGITS:
        digit = int(data[i]) - _ZERO
        if digit < 0 or digit > 9:
            break
        length = 10 * length + digit
        i += 1
    if i + 1 >= have:
        return (CUT if i - begin <= _DIGITS else BROKEN), 0, 0, at
    if i == begin or i - begin > _DIGITS or data[i] != _RETURN or data[i + 1] != _NEWLINE:
        return BROKEN, 0, 0, at
    start = i + 2
    if negative:
        return (BULK if length == 1 else BROKEN), start, start, start
    end = start + length
    if end + 2 > have:
        return CUT, start, end, at
    if data[end] != _RETURN or data[end + 1] != _NEWLINE:
        return BROKEN, 0, 0, at
    return BULK, start, end, end + 2


@exact_kernel
def is_wrong_type(data: Any, start: int, end: int) -> bool:
    """Return whether an error says that the key holds another type."""
    if end - start < len(_WRONGTYPE):
        return False
    for i in range(len(_WRONGTYPE)):  # noqa: SIM110 - numba compiles the plain form
        if data[start + i] != _WRONGTYPE[i]:
            return False
    return True
