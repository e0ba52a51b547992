"""Counts what a policy replay sends, page by page."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.summary import Summary
from ridgeline.engine.policy.paging import SCHEMA, Paging
from ridgeline.engine.policy.rules import PagingRules
from ridgeline.engine.score.verdicts import named
from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.ordered import distinct

DAY: Final = 86400
COUNTED: Final = ("messages", "suppressed", "muted", "unmatched")


def _codes() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Ledger:
    """Pages as columns of codes, and sums; `incidents`: since when each metric is anomalous, and whether it paged since."""

    names: dict[str, int] = field(default_factory=dict)  # metrics, rules and strategies, by the order they came in
    stamps: array[int] = field(default_factory=_codes)
    metrics: array[int] = field(default_factory=_codes)
    rules: array[int] = field(default_factory=_codes)
    strategies: array[int] = field(default_factory=_codes)
    delays: array[int] = field(default_factory=_codes)
    counts: Counter[str] = field(default_factory=Counter)
    anomalous: Counter[str] = field(default_factory=Counter)
    incidents: dict[str, int] = field(default_factory=dict)
    unpaged: set[str] = field(default_factory=set)

    def anomaly(self, metric: str, timestamp: int) -> None:
        """Note an anomalous step."""
        self.anomalous[metric] += 1
        if metric not in self.incidents:
            self.incidents[metric] = timestamp
            self.unpaged.add(metric)

    def over(self, metric: str) -> None:
        """Note a step that is not anomalous."""
        if self.incidents.pop(metric, None) is not None:
            self.unpaged.discard(metric)

    def add(self, summary: Summary, now: int) -> None:
        """Note what a run sent."""
        for name in COUNTED:
            self.counts[name] += getattr(summary, name)
        for item in summary.arrived:
            if item.status == "firing" and not item.ours:
                self._page(item, now)

    def _page(self, item: Item, now: int) -> None:
        alert = item.alert
        self.stamps.append(now)
        for column, name in ((self.metrics, alert.metric), (self.rules, alert.rule), (self.strategies, alert.strategy)):
            column.append(self.names.setdefault(name, len(self.names)))
        if alert.metric in self.unpaged:
            self.unpaged.discard(alert.metric)
            self.delays.append(now - self.incidents[alert.metric])

    def paging(self, rules: PagingRules, moments: NDArray[np.int64]) -> Paging:
        """What it comes to, where runs took place at these moments."""
        names = list(self.names)
        texts = [named(np.array(column, np.int64), names) for column in (self.metrics, self.rules, self.strategies)]
        stamps = np.array(self.stamps, np.int64)
        table = pa.table([texts[0], arrow(stamps), *texts[1:]], schema=SCHEMA)
        strategies = dict.fromkeys(rules.strategies, 0) | _count(names, self.strategies)
        return Paging(
            table,
            **{name: self.counts[name] for name in COUNTED},
            by_day=_by_day(stamps, moments),
            by_rule=dict.fromkeys((row.match for row in rules.alerts), 0) | _count(names, self.rules),
            by_strategy=strategies,
            by_metric=Counter(_count(names, self.metrics)),
            anomalous=self.anomalous,
            delay=_spread(np.array(self.delays, np.int64)),
        )


def _count(names: Sequence[str], codes: array[int]) -> dict[str, int]:
    return {names[code]: count for code, count in Counter(codes).items()}


def _by_day(stamps: NDArray[np.int64], moments: NDArray[np.int64]) -> dict[str, int]:
    """The pages of each day that anything was judged on."""
    days = distinct(moments // DAY)
    counts = np.diff(np.searchsorted(np.sort(stamps // DAY), np.append(days, np.iinfo(np.int64).max)))
    return {_date(day): count for day, count in zip(days.tolist(), counts.tolist(), strict=True)}


def _date(day: int) -> str:
    """YYYY-MM-DD of a day since the epoch, by numpy, whose calendar has no end."""
    return str(np.datetime64(day, "D"))


def _spread(delays: NDArray[np.int64]) -> tuple[float | None, float | None]:
    """The median and the 90th percentile."""
    if not len(delays):
        return None, None
    median, p90 = np.quantile(delays, (0.5, 0.9)).tolist()
    return median, p90
