"""Settings that tuning chooses among, and the grid of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.units import spoken

HOUR: Final = 3600
# A factor of 1.1 apart, 1 among them.
THRESHOLDS: Final = tuple(round(10 ** (at / 24), 3) for at in range(-10, 15))
EXPIRATIONS: Final = (HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 24 * HOUR)
OFTEN: Final = ((1, 1), (2, 3), (3, 5), (5, 10))  # m of n; (1, 1) is at once
CUTOFFS: Final = (0.7, 1.5, 3.0)  # of one algorithm at a time
# What is tried along with a cutoff: a coarse part of the rest.
CUTOFF_THRESHOLDS: Final = THRESHOLDS[5:16:2]
AT_ONCE: Final = ((1, 1),)
OFF: Final = math.inf


@dataclass(frozen=True, slots=True)
class Column:
    """A score that is thresholded: of one backtest, by one rule.

    view       which of the backtests, by its place
    consensus  of the rule `consensus`: the how manyth largest score counts
    cutoff     an algorithm, and what its scores are divided by beside what the backtest has for it; infinite: switched off
    """

    view: int
    rule: str = CONSENSUS
    consensus: int = 0
    cutoff: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: a column, `rule_threshold`, m of n, and the expiration in seconds."""

    column: Column
    threshold: float
    m_of_n: tuple[int, int]
    expiration: int

    def words(self) -> str:
        """The setting as people read it."""
        column = self.column
        said = [f"{column.rule} {column.consensus}" if column.rule == CONSENSUS else column.rule]
        said.append(f"threshold {self.threshold:g}")
        if column.cutoff is not None:
            said.append(f"cutoff {column.cutoff[0]} {column.cutoff[1]:g}")
        if self.m_of_n != (1, 1):
            said.append(f"{self.m_of_n[0]} of {self.m_of_n[1]}")
        return ", ".join([*said, f"expiration {spoken(self.expiration)}"])

    def as_json(self) -> dict[str, Any]:
        """The setting by the keys of a configuration; `backtest`: which of the folders, by its place."""
        column = self.column
        return {
            "backtest": column.view,
            "rule": column.rule,
            "consensus": column.consensus if column.rule == CONSENSUS else None,
            "rule_threshold": self.threshold,
            "cutoffs": {} if column.cutoff is None else {column.cutoff[0]: column.cutoff[1]},
            "m_of_n": list(self.m_of_n),
            "expiration": self.expiration,
        }


@dataclass(frozen=True, slots=True)
class Family:
    """All settings of one column, in the order of the sweep: thresholds, then m of n, then expirations, which change fastest."""

    column: Column
    thresholds: tuple[float, ...]
    often: tuple[tuple[int, int], ...]
    expirations: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.thresholds) * len(self.often) * len(self.expirations)

    def __getitem__(self, at: int) -> Setting:
        rest, lane = divmod(at, len(self.expirations))
        threshold, runs = divmod(rest, len(self.often))
        return Setting(self.column, self.thresholds[threshold], self.often[runs], self.expirations[lane])


@dataclass(frozen=True)
class Grid:
    """Families, and with them settings, one after another."""

    families: tuple[Family, ...]

    @cached_property
    def starts(self) -> list[int]:
        """The number of the first setting of each family, and of all settings at the end."""
        return [0, *accumulate(map(len, self.families))]

    def __len__(self) -> int:
        return self.starts[-1]

    def of_column(self, column: Column) -> slice:
        """Where the settings of a column are."""
        at = next(at for at, family in enumerate(self.families) if family.column == column)
        return slice(self.starts[at], self.starts[at + 1])

    def __getitem__(self, at: int) -> Setting:
        family = bisect_right(self.starts, at) - 1
        return self.families[family][at - self.starts[family]]


@dataclass(frozen=True, slots=True)
class Own:
    """Today's setting, in words of the grid; overrides and rules of alerting that differ from metric to metric aside.

    `consensus`: the one that is configured, whatever the rule; `expirations`, `often`: all that the rules of alerting have.
    """

    setting: Setting
    consensus: int
    expirations: tuple[int, ...]
    often: tuple[tuple[int, int], ...]


def grid_of(views: Sequence[tuple[Sequence[str], Sequence[str]]], own: Own) -> Grid:
    """The grid over backtests, of each the algorithms and the rules with walks that it has scores of.

    What today's setting goes by is tried too; and of the backtest it is from, each algorithm is switched off once.
    """
    thresholds = tuple(sorted({*THRESHOLDS, own.setting.threshold}))
    waits = tuple(sorted({*EXPIRATIONS, *own.expirations}))
    often = tuple(sorted({*OFTEN, *own.often}, key=lambda runs: (runs[1], runs[0])))
    families: list[Family] = []
    for view, (algorithms, walks) in enumerate(views):
        votes = range(1, len(algorithms) + 1)
        plain = [Column(view, CONSENSUS, k) for k in votes] + [Column(view, rule) for rule in walks]
        families += [Family(column, thresholds, often, waits) for column in plain]
        families += [
            Family(Column(view, CONSENSUS, k, (name, cutoff)), CUTOFF_THRESHOLDS, AT_ONCE, waits)
            for name in algorithms
            for cutoff in CUTOFFS
            for k in votes
        ]
    now = own.setting
    families += [
        Family(Column(0, CONSENSUS, own.consensus, (name, OFF)), (now.threshold,), (now.m_of_n,), (now.expiration,))
        for name in views[0][0]
    ]
    return Grid(tuple(families))
