"""What is asked for each metric, by its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.plan import AUTO, Preparation
from ridgeline.kernels.prepare.layout import DERIVE, DETECT, LAST_VALUE, ZERO_FILL

if TYPE_CHECKING:
    from ridgeline.engine.rules.matching import Patterns

Asks = NDArray[np.uint8]


class Asking:
    """Gives each metric what a preparation asks for it. Where both fills match a metric, it is filled with zeros."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._known: dict[str, int] = {}

    @cached_property
    def _lists(self) -> tuple[Patterns, ...]:
        """Patterns of: counters, what is none, zeros, last values; compiled when first asked."""
        from ridgeline.engine.rules.matching import Patterns

        given = self._preparation
        return tuple(
            Patterns(texts) for texts in (given.declared, given.non_derivative, given.zero_fill, given.last_known_value)
        )

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for any metric."""
        return self._preparation.idle

    @property
    def by_name(self) -> bool:
        """Whether it depends on a metric's name."""
        return not self.idle and bool(self._preparation.patterns)

    def of(self, names: Iterable[str | None], count: int) -> Asks | None:
        """Bits as `kernels.prepare.layout` has them, uint8[n], of `count` names; None where nothing is asked for any."""
        if self.idle:
            return None
        if not self.by_name:
            return np.full(count, DETECT, np.uint8)
        listed = [name or "" for name in names]
        unknown = [name for name in listed if name not in self._known] if self._known else listed
        found = dict(zip(unknown, self._match(unknown).tolist(), strict=True))
        return np.array([found[name] if name in found else self._known[name] for name in listed], np.uint8)

    def foresee(self, names: Sequence[str]) -> None:
        """Match names that `of` will ask for later, all at once."""
        if self.by_name:
            self._known.update(zip(names, self._match(names).tolist(), strict=True))

    def _match(self, names: Sequence[str]) -> Asks:
        counters, never, zeros, last = (patterns.any(names) for patterns in self._lists)
        asks = np.where(zeros, ZERO_FILL, np.where(last, LAST_VALUE, 0)).astype(np.uint8)
        asks[counters & ~never] |= DERIVE
        if self._preparation.counters == AUTO:
            asks[~never] |= DETECT
        return asks
