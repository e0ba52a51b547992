"""Whether a run heard too little to be called a success."""

from __future__ import annotations

from ridgeline.engine.report.summary import Report
from ridgeline.io.errors import Silence


def silence(report: Report, match: str | None = None) -> Silence | None:
    """Return what is wrong where there are no metrics, or more than half of those looked at are missing or stale."""
    metrics, counts = report.metrics, report.outcomes
    if not metrics:
        which = "no metrics at all" if match is None else f'no metric that matches "{match}"'
        return Silence(f"the source lists {which}: is it the right one, and is anything writing to it?")
    reached = metrics - counts["shed"] - counts["skipped"]
    quiet = counts["missing"] + counts["stale"]
    if 2 * quiet <= reached:
        return None
    parts = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in ("missing", "stale") if counts[outcome])
    return Silence(
        f"{quiet:,} of {reached:,} metrics are silent ({parts}): the source has lost data, or nothing writes to it"
    )
