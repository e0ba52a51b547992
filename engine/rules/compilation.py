"""Users' algorithms, compiled: once per process, and with numba's own reason where they cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.io.errors import InputError

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_PLACE: Final = re.compile(r'File "[^"]*", line (\d+)')


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled algorithm: it alone, the function over a block of rows, and whether it does without allocation."""

    kernel: Any
    block: Any
    lean: bool


@cache
def compiled(found: UserAlgorithm) -> Compiled:
    """Compile an algorithm, once per process; InputError with numba's words where it cannot be."""
    from ridgeline.kernels.score.user import block_of, compile_user

    try:
        kernel, lean = compile_user(found.function)
    except Exception as error:
        raise InputError(f"algorithm {found.name!r} cannot be compiled: {_words(error)}") from error
    return Compiled(kernel, block_of(kernel, lean=lean), lean)


def _words(error: Exception) -> str:
    """Numba's own reason, of the many lines that it gives, and the line that it is about."""
    text = _COLOUR.sub("", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Failed in ")]
    cause = next((after for line, after in pairwise(lines) if line.endswith("a specific error:")), None)
    place = _PLACE.search(text)
    reason = cause or (lines[0] if lines else type(error).__name__)
    return f"{reason} (line {place[1]})" if place else reason


def remark(found: Iterable[UserAlgorithm]) -> str:
    """Say which algorithms were compiled with allocation; empty where none was."""
    heavy = [one.name for one in found if not compiled(one).lean]
    if not heavy:
        return ""
    return f"{', '.join(heavy)} cannot be compiled without allocating memory and will be slower"
