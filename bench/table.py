"""Rows as a table for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ridgeline.bench.row import Row

HEADER = ("work", "median", "+-", "per metric", "metrics/s", "ns/point", "GB/s", "peak MB", "of limit", "ratio")


def render(rows: Sequence[Row]) -> str:
    """One block per scenario."""
    blocks = []
    for scenario in dict.fromkeys(row.scenario for row in rows):
        cells = [HEADER, *(_cells(row) for row in rows if row.scenario == scenario)]
        widths = [max(len(line[k]) for line in cells) for k in range(len(HEADER))]
        lines = [
            "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths, strict=True)))
            for line in cells
        ]
        notes = sorted({f"of limit: {row.limit[0]}" for row in rows if row.scenario == scenario and row.limit})
        notes += sorted(
            {f"ratio: times faster than {row.against[0]}" for row in rows if row.scenario == scenario and row.against}
        )
        notes += [note for row in rows if row.scenario == scenario for note in row.notes]
        blocks.append("\n".join([scenario, "-" * len(scenario), *(line.rstrip() for line in lines), *notes]))
    return "\n\n".join(blocks)


def _cells(row: Row) -> tuple[str, ...]:
    axes = ", ".join(
        f"{name} {value}" for name, value in row.parameters.items() if name in {"threads", "chunk", "block"}
    )
    return (
        f"{row.work} ({axes})" if axes else row.work,
        _seconds(row.median),
        _error(row.timing.error),
        _shown(row.us_per_metric, ".2f", " us"),
        _shown(row.metrics_per_second, ",.0f"),
        _shown(row.ns_per_point, ".2f"),
        _shown(row.bytes_per_second and row.bytes_per_second / 1e9, ".2f"),
        _shown(row.timing.peak and row.timing.peak / 1e6, ",.0f"),
        _shown(row.fraction_of_limit, ".0%"),
        _shown(row.ratio, ".2f", " x"),
    )


def _shown(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"


def _error(share: float) -> str:
    return "" if math.isinf(share) else f"{share:.1%}"


def _seconds(value: float) -> str:
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"
