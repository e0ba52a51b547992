"""Who would have been paged: pages by day, rule, strategy and metric, from `pages.parquet` and the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

DAY: Final = 86400
NOISIEST: Final = 20


def paged(pages: pa.Table | None, policy: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Counts of the pages that the policy let through, or None where the backtest has no such file.

    `days`: pages of each day (UTC) from the first with one to the last; the others: [name, pages], the most first.
    """
    if pages is None:
        return None
    days = pages["timestamp"].to_numpy() // DAY
    first = int(days.min()) if len(days) else 0
    return {
        "total": len(days),
        "first_day": first * DAY,
        "days": np.bincount(days - first).tolist() if len(days) else [],
        **{name: _most(pages[name]) for name in ("rule", "strategy", "metric")},
        "delay": None if policy is None else policy.get("delay"),
    }


def _most(column: pa.ChunkedArray) -> list[tuple[str, int]]:
    counted = Counter(column.to_pylist())
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))[:NOISIEST]
