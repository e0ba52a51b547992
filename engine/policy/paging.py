"""What a policy comes to over a history: its pages, and counts of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

NOISIEST: Final = 20
SCHEMA: Final = pa.schema(
    [("metric", pa.string()), ("timestamp", pa.int64()), ("rule", pa.string()), ("strategy", pa.string())]
)


@dataclass(frozen=True, slots=True)
class Paging:
    """Who would have been paged.

    table        the pages, `SCHEMA`, in the order they went out; `timestamp`: when, epoch seconds
    messages     what left after grouping, that something is over included
    suppressed   alerts held back by expiration, m of n or second order, counted again by each run, as `run` counts them
    muted        alerts of hours in which their rule is quiet, likewise
    unmatched    anomalies that no rule was for, likewise
    by_day       pages of each day (UTC, YYYY-MM-DD) from the first step to the last
    by_rule      pages by the `match` of their rule, by_strategy: by strategy; those without any included
    by_metric    pages of each metric that had any
    anomalous    anomalous steps of each metric that had any
    delay        seconds from the start of an incident to its first page: median and 90th percentile, None without a page
    """

    table: pa.Table
    messages: int
    suppressed: int
    muted: int
    unmatched: int
    by_day: Mapping[str, int]
    by_rule: Mapping[str, int]
    by_strategy: Mapping[str, int]
    by_metric: Counter[str]
    anomalous: Counter[str]
    delay: tuple[float | None, float | None]

    @property
    def pages(self) -> int:
        """Alerts that were let through."""
        return int(self.table.num_rows)

    def noisiest(self, most: int = NOISIEST) -> list[dict[str, Any]]:
        """The metrics with the most pages, of those with equally many the one that was anomalous more often first."""
        order = sorted(self.anomalous, key=lambda name: (-self.by_metric[name], -self.anomalous[name], name))
        return [
            {"metric": name, "pages": self.by_metric[name], "anomalous": self.anomalous[name]} for name in order[:most]
        ]

    def as_json(self) -> dict[str, Any]:
        """What a backtest's manifest says under `policy`."""
        median, p90 = self.delay
        return {
            "pages": self.pages,
            "messages": self.messages,
            "suppressed": self.suppressed,
            "muted": self.muted,
            "unmatched": self.unmatched,
            "by_day": dict(self.by_day),
            "by_rule": dict(self.by_rule),
            "by_strategy": dict(self.by_strategy),
            "noisiest": [{"metric": row["metric"], "pages": row["pages"]} for row in self.noisiest() if row["pages"]],
            "delay": {"median": median, "p90": p90},
        }
