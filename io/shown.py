"""A matrix as people read it: one line, or a short table in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape as html_escape
from typing import TYPE_CHECKING, Final

import numpy as np

from ridgeline.io.text import escape, truncate

if TYPE_CHECKING:
    from ridgeline.io.matrix import MetricMatrix

ROWS: Final = 5
NAME_BYTES: Final = 80


def line(matrix: MetricMatrix) -> str:
    """Metrics, points, the time they span, and what was repaired."""
    lengths = np.diff(matrix.offsets)
    filled = lengths > 0
    parts = [f"{len(matrix):,} metrics", f"{int(lengths.sum()):,} points"]
    if filled.any():
        first = matrix.timestamps[matrix.offsets[:-1][filled]].min()
        last = matrix.timestamps[matrix.offsets[1:][filled] - 1].max()
        parts.append(f"{_instant(first)} to {_instant(last)} UTC")
    if not filled.all():
        parts.append(f"{int(np.count_nonzero(~filled)):,} without points")
    for name, count in matrix.repairs.items():
        parts.append(f"{count:,} {name}")
    return f"MetricMatrix({', '.join(parts)})"


def table(matrix: MetricMatrix) -> str:
    """The line, and the first rows, as HTML."""
    rows = "".join(f"<tr>{''.join(f'<td>{html_escape(cell)}</td>' for cell in cells)}</tr>" for cells in _cells(matrix))
    more = f"<p>... and {len(matrix) - ROWS:,} more</p>" if len(matrix) > ROWS else ""
    head = "".join(f"<th>{title}</th>" for title in ("metric", "points", "from (UTC)", "to (UTC)", "newest value"))
    return f"<p>{html_escape(line(matrix))}</p><table><tr>{head}</tr>{rows}</table>{more}"


def _cells(matrix: MetricMatrix) -> Iterator[tuple[str, ...]]:
    offsets = matrix.offsets
    for row, name in enumerate(matrix.metrics.slice(0, ROWS).to_pylist()):
        start, stop = int(offsets[row]), int(offsets[row + 1])
        shown = truncate(escape(name), NAME_BYTES)
        if start == stop:
            yield shown, "0", "", "", ""
        else:
            bounds = (_instant(matrix.timestamps[at]) for at in (start, stop - 1))
            yield shown, f"{stop - start:,}", *bounds, f"{matrix.values[stop - 1]:.6g}"


def _instant(seconds: np.int64) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M:%S}"
