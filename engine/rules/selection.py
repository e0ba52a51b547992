"""Which of the metrics that a source lists are read at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ridgeline.engine.rules.matching import Patterns

CONFIGURED: Final = "skip"
BY_OPERATORS: Final = "api_skip"


class Selection:
    """Those that match and are among `only`, less those to skip; asked about many names at once, as sources ask.

    `operators` gives the names that operators took out; asked once, when the first names are there. `skipped` says why
    a name was left out so far. Raises InputError for what is no pattern.
    """

    def __init__(
        self,
        match: str | None = None,
        skip: Sequence[str] = (),
        operators: Callable[[], AbstractSet[str]] | None = None,
        only: AbstractSet[str] | None = None,
    ) -> None:
        self.skipped: dict[str, str] = {}
        self._match = None if match is None else _patterns([match])
        self._skip = _patterns(skip) if skip else None
        self._operators = operators
        self._taken_out: AbstractSet[str] | None = None
        self._only = only

    @classmethod
    def of(
        cls,
        match: str | None,
        skip: Sequence[str],
        operators: Callable[[], AbstractSet[str]] | None = None,
        only: AbstractSet[str] | None = None,
    ) -> Selection | None:
        """Return the selection; None where every metric is read."""
        return cls(match, skip, operators, only) if match or skip or operators or only is not None else None

    def __call__(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each name is read, bool[n]."""
        wanted = np.ones(len(names), np.bool_) if self._match is None else self._match.any(names)
        if self._only is not None:
            wanted &= np.array([name in self._only for name in names], np.bool_)
        if self._skip is not None:
            left_out = wanted & self._skip.any(names)
            self._note(names, left_out, CONFIGURED)
            wanted &= ~left_out
        if taken_out := self._by_operators():
            left_out = wanted & np.array([name in taken_out for name in names], np.bool_)
            self._note(names, left_out, BY_OPERATORS)
            wanted &= ~left_out
        return wanted

    def _by_operators(self) -> AbstractSet[str]:
        if self._taken_out is None:
            self._taken_out = frozenset() if self._operators is None else self._operators()
        return self._taken_out

    def _note(self, names: Sequence[str], left_out: NDArray[np.bool_], reason: str) -> None:
        self.skipped.update((names[at], reason) for at in np.flatnonzero(left_out).tolist())


def _patterns(texts: Sequence[str]) -> Patterns:
    from ridgeline.engine.rules.matching import Patterns  # a start without any does without

    return Patterns(texts)
