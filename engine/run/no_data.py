"""Whether a run heard too little to be called a success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ridgeline.engine.report.summary import Report
from ridgeline.io.errors import NoData

JUDGED: Final = ("analysed", "boring")
NOT_DUE: Final = ("skipped", "shed")


def no_data(report: Report, match: str | None = None) -> NoData | None:
    """Return what is wrong where nothing is listed, or under half of what the run was to judge could be judged.

    Judged means `analysed` or `boring`. What was skipped or shed was not this run's to judge.
    """
    metrics, counts = report.metrics, report.outcomes
    if not metrics:
        which = "no metrics at all" if match is None else f'no metric that matches "{match}"'
        return NoData(f"the source lists {which}: is it the right one, and is anything writing to it?")
    due = metrics - sum(counts[outcome] for outcome in NOT_DUE)
    judged = sum(counts[outcome] for outcome in JUDGED)
    if 2 * judged >= due:
        return None
    return NoData(
        f"only {judged:,} of {due:,} metrics could be judged ({_rest(counts)}): the source has lost data, nothing "
        "usable is written to it, or it is not the right one"
    )


def _rest(counts: Mapping[str, int]) -> str:
    """The outcomes that left the others unjudged, the most frequent first."""
    rest = [(count, outcome) for outcome, count in counts.items() if outcome not in {*JUDGED, *NOT_DUE} and count]
    return ", ".join(f"{count:,} {outcome}" for count, outcome in sorted(rest, key=lambda pair: (-pair[0], pair[1])))
