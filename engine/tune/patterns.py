"""Settings of their own for the metrics of one prefix, proven as everything else is: picked on one half, told of the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.tune.lots import Lots, halves
from ridgeline.engine.tune.measures import Floats, Known, measures
from ridgeline.engine.tune.nested import SURE, Aim
from ridgeline.engine.tune.setting import Grid, Setting


@dataclass(frozen=True, slots=True)
class Apart:
    """Settings by prefix, and what they come to.

    gain float64[folds]: what they won on the other halves against one setting for all; tallies float64[lots, TALLIES]:
    of everything with them
    """

    settings: Mapping[str, Setting]
    gain: Floats
    tallies: Floats

    @property
    def proven(self) -> bool:
        """Whether they won something on nine halves of ten."""
        return bool(self.settings) and len(self.gain) > 0 and float(np.percentile(self.gain, SURE)) > 0


@dataclass(frozen=True, slots=True)
class Search:
    """The grid and its tallies float64[settings, lots, TALLIES]; allowed bool[settings]."""

    grid: Grid
    tallies: Floats
    known: Known
    lots: Lots
    aim: Aim
    allowed: NDArray[np.bool_]

    def apart(self, folds: int, seed: int) -> Apart | None:
        """Try settings of their own for every prefix; None where there are no prefixes, or too few lots to part them.

        Halves are dealt inside the prefixes here: what is picked for one must be seen on others of the same.
        """
        if not self.lots.prefixes:
            return None
        training = halves(np.arange(len(self.lots)), self.known.labelled, folds, seed)
        gain = np.zeros(len(training))
        for fold, mask in enumerate(training):
            base = self._base(mask)
            combined = self._fitted(base, mask)[1]
            both = np.stack((self.tallies[base], combined))
            value = self.aim.objective(measures(both, self.known, ~mask[None]))[:, 0]
            gain[fold] = value[1] - value[0]
        everything = np.ones(len(self.lots), np.bool_)
        picked, tallies = self._fitted(self._base(everything), everything)
        return Apart({prefix: self.grid[at] for prefix, at in picked.items()}, gain, tallies)

    def _base(self, mask: NDArray[np.bool_]) -> int:
        return int(self.aim.pick(measures(self.tallies, self.known, mask[None]), self.allowed)[0])

    def _fitted(self, base: int, mask: NDArray[np.bool_]) -> tuple[dict[str, int], Floats]:
        """Prefix by prefix the setting that makes the whole best, of those that an override can change to."""
        places = self._alike(base)
        chosen, tallies = {}, self.tallies[base].copy()
        for number, prefix in enumerate(self.lots.prefixes):
            here = self.lots.together == number
            if not self.known.labelled[here & mask].any():
                continue
            tried = np.repeat(tallies[None], len(places), axis=0)
            tried[:, here] = self.tallies[places][:, here]
            best = int(self.aim.pick(measures(tried, self.known, mask[None]), np.ones(len(places), np.bool_))[0])
            if places[best] != base:
                chosen[prefix], tallies = int(places[best]), tried[best]
        return chosen, tallies

    def _alike(self, base: int) -> NDArray[np.int64]:
        """The setting first, then those that differ from it by rule, consensus and threshold alone."""
        own = self.grid[base]
        found = [base]
        for start, family in zip(self.grid.starts, self.grid.families, strict=False):
            if family.column.view == own.column.view and family.column.cutoff == own.column.cutoff:
                found += [
                    start + at
                    for at in range(len(family))
                    if self.allowed[start + at]
                    and start + at != base
                    and (family[at].m_of_n, family[at].expiration) == (own.m_of_n, own.expiration)
                ]
        return np.array(found)


def pattern_of(prefix: str) -> str:
    """The pattern that means exactly the metrics below a prefix."""
    return f"^{re.escape(prefix)}\\."
