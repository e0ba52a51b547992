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
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from ridgeline.engine.rules.installed import may_declare
from ridgeline.engine.rules.judgement import EXPECTED_HIGH, EXPECTED_LOW, RULE_SCORE, SCORE_OF_RULE
from ridgeline.io.errors import InputError

GROUP: Final = "ridgeline.algorithms"
# Columns of verdicts and replays beside those of algorithms: no algorithm may bear their names, nor end in `_score`.
COLUMNS: Final = frozenset(
    {
        "metric", "outcome", "reason", "anomalous", "datapoint", "timestamp", "value", "as_of", "votes", "failed", "negatives",
        "resolution", "prepared", "channels", "rule", "ks_test_d", "ks_test_adf",
        EXPECTED_LOW, EXPECTED_HIGH,
    }
)  # fmt: skip
SCORE: Final = "_score"
OTHER_SCORES: Final = frozenset({"mean_score", RULE_SCORE, *SCORE_OF_RULE.values()})  # that are no algorithm's
MOST_POINTS: Final = 10_000_000


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
    _check_facts(summary, min_points)

    def declare(function: Callable[..., float]) -> UserAlgorithm:
        return UserAlgorithm(function.__name__, summary, min_points, function)

    return declare


def _check_facts(summary: object, min_points: object) -> None:
    if not isinstance(summary, str) or not summary.strip():
        raise InputError("an algorithm needs a summary: a sentence that says what it votes on")
    if not isinstance(min_points, int) or not 1 <= min_points <= MOST_POINTS:
        raise InputError(f"min_points is {min_points!r}: give a whole number from 1 to {MOST_POINTS}")


def load_user_algorithms(modules: Sequence[str], taken: Iterable[str] = ()) -> tuple[UserAlgorithm, ...]:
    """Return the algorithms of the named modules and of the entry points in group `ridgeline.algorithms`, by name.

    Raises InputError for a module that cannot be imported or holds none, and for a name that is used twice or is one
    of `taken`.
    """
    return distinct(((place, one) for place, value in _places(modules) for one in _algorithms_in(value)), taken)


def distinct(listed: Iterable[tuple[str, UserAlgorithm]], taken: Iterable[str]) -> tuple[UserAlgorithm, ...]:
    """Return the algorithms, listed with where each comes from, by name.

    Raises InputError for a name that two of them bear, that is `taken`, or that no column of votes can have.
    """
    names = set(taken)
    found: dict[str, UserAlgorithm] = {}
    for place, one in listed:
        if found.get(one.name) == one:
            continue
        fault = _name_fault(one.name, names)
        if fault is not None:
            raise InputError(f"{place} names an algorithm {one.name!r}, {fault}: rename its function")
        names.add(one.name)
        found[one.name] = one
    return tuple(found[name] for name in sorted(found))


def _name_fault(name: str, taken: Collection[str]) -> str | None:
    if name in taken:
        return "which another one is called already"
    if not name.isidentifier() or keyword.iskeyword(name):
        return "which is no name"
    if name in COLUMNS or name.endswith(SCORE):
        return "which is the name of a column of the verdicts"
    if f"{name}{SCORE}" in OTHER_SCORES:
        return "whose score would bear the name of a column that is there already"
    return None


def _places(modules: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """What was named, and where."""
    for name in modules:
        try:
            module = import_module(name)
        except (Exception, SystemExit) as error:
            raise InputError(f"module {name!r} cannot be imported: {_told(error)}") from error
        if not list(_algorithms_in(module)):
            raise InputError(f"module {name!r} holds no function decorated with @ridgeline.algorithm")
        yield f"module {name!r}", module
    for entry in _entries(tuple(sys.path)):
        try:
            yield f"entry point {entry.name!r}", entry.load()
        except (Exception, SystemExit) as error:
            raise InputError(f"entry point {entry.name!r} of group {GROUP} cannot be loaded: {_told(error)}") from error


@cache
def _entries(path: tuple[str, ...]) -> tuple[Any, ...]:
    """The entry points of what is installed on a path, looked for once: it reads the metadata of every package."""
    if not may_declare(GROUP, path):
        return ()
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


def _told(error: BaseException) -> str:
    """What an error says of itself, with its kind where that is no sentence of ours."""
    text = " ".join(str(error).split())
    return text if isinstance(error, InputError | ImportError) else f"{type(error).__name__}: {text}"


def _algorithms_in(value: Any) -> Iterator[UserAlgorithm]:
    if isinstance(value, UserAlgorithm):
        yield value
    elif isinstance(value, ModuleType):
        yield from (one for one in vars(value).values() if isinstance(one, UserAlgorithm))
