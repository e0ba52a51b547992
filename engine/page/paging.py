"""Who would have been paged: pages by day, rule, strategy and metric, as a backtest's manifest counts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ridgeline.io.text import escape

MEASURES: Final = ("pages", "messages", "suppressed", "muted", "unmatched", "delay")
MOST: Final = 100  # rules and strategies that are listed


def paged(policy: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    """What the page tells of a manifest's `policy`; `places` are those of the metrics that it holds in full.

    `days`: [YYYY-MM-DD, pages] in order; `rules`, `strategies`: [name, pages], `metrics`: [name, pages, place or None], the
    most pages first.
    """
    return {
        **{name: policy.get(name) for name in MEASURES},
        "days": sorted(policy["by_day"].items()),
        "rules": _most(policy["by_rule"]),
        "strategies": _most(policy["by_strategy"]),
        "metrics": [(escape(row["metric"]), row["pages"], places.get(row["metric"])) for row in policy["noisiest"]],
    }


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(escape(name), pages) for name, pages in sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:MOST]]
