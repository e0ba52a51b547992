"""Users' own algorithms: a decorator, and the ways to find what it marked.

    import ridgeline

    @ridgeline.algorithm(summary="The newest point doubled.", min_points=20)
    def doubled(t, x, as_of, scratch):
        return x[-1] / (2.0 * x[-2])

`t` int64[n], `x` float64[n], `as_of` int64 (epoch seconds), `scratch` float64[4 n], free for use; float64 out:
vote = score > 1, NaN = failed. The function is compiled by numba; it may call other compiled functions.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from ridgeline.io.errors import InputError

GROUP: Final = "ridgeline.algorithms"


@dataclass(frozen=True, slots=True)
class UserAlgorithm:
    """One algorithm of a user: its name, facts and Python function."""

    name: str
    summary: str
    min_points: int
    function: Callable[..., float]

    def __call__(self, *arguments: Any) -> float:
        """Call the Python function itself, uncompiled."""
        return self.function(*arguments)


def algorithm(*, summary: str, min_points: int = 1) -> Callable[[Callable[..., float]], UserAlgorithm]:
    """Mark a function as an algorithm; its name is the algorithm's. Fewer than `min_points` points: a False vote."""

    def declare(function: Callable[..., float]) -> UserAlgorithm:
        return UserAlgorithm(function.__name__, summary, min_points, function)

    return declare


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled algorithm: its kernel, the block function, and whether it does without allocation."""

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
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise InputError(f"algorithm {found.name!r} cannot be compiled: {first.strip()}") from error
    return Compiled(kernel, block_of(kernel, lean=lean), lean)


def remark(found: Iterable[UserAlgorithm]) -> str:
    """Say which algorithms were compiled with allocation; empty where none was."""
    heavy = [one.name for one in found if not compiled(one).lean]
    if not heavy:
        return ""
    return f"{', '.join(heavy)} cannot be compiled without allocating memory and will be slower"


def load_user_algorithms(modules: Sequence[str], taken: Iterable[str] = ()) -> tuple[UserAlgorithm, ...]:
    """Return the algorithms of the named modules and of the entry points in group `ridgeline.algorithms`, by name.

    Raises InputError for a module that cannot be imported or holds none, and for a name that is used twice or is one
    of `taken`.
    """
    names = set(taken)
    found: dict[str, UserAlgorithm] = {}
    for place, value in _places(modules):
        for one in _algorithms_in(value):
            if found.get(one.name) == one:
                continue
            if one.name in names or not one.name.isidentifier() or keyword.iskeyword(one.name):
                raise InputError(f"{place} names an algorithm {one.name!r}, which is taken or is no name")
            names.add(one.name)
            found[one.name] = one
    return tuple(found[name] for name in sorted(found))


def _places(modules: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """What was named, and where."""
    from importlib.metadata import entry_points

    for name in modules:
        try:
            module = import_module(name)
        except Exception as error:
            raise InputError(f"module {name!r} cannot be imported: {error}") from error
        if not list(_algorithms_in(module)):
            raise InputError(f"module {name!r} holds no function decorated with @ridgeline.algorithm")
        yield f"module {name!r}", module
    for entry in entry_points(group=GROUP):
        try:
            yield f"entry point {entry.name!r}", entry.load()
        except Exception as error:
            raise InputError(f"entry point {entry.name!r} of group {GROUP} cannot be loaded: {error}") from error


def _algorithms_in(value: Any) -> Iterator[UserAlgorithm]:
    if isinstance(value, UserAlgorithm):
        yield value
    elif isinstance(value, ModuleType):
        yield from (one for one in vars(value).values() if isinstance(one, UserAlgorithm))
