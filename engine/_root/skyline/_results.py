"""A verdict as Skyline gives it: five results, or an exception."""

from __future__ import annotations

from typing import Final, TypeAlias

from ridgeline.engine.score.ensemble import Verdict
from ridgeline.engine.score.failures import record_algorithm_error
from ridgeline.io.text import escape
from ridgeline.skyline.algorithm_exceptions import Boring, EmptyTimeseries, Stale, TooShort

# anomalous, ensemble, datapoint, negatives_found, algorithms_run
Results: TypeAlias = tuple[bool, list[bool | None], float, bool, list[str]]

LABELLED: Final = ("{", "labelled_metric.")


def results_of(verdict: Verdict, *, negatives: bool) -> Results:
    """The five results of a series that was analysed; what users' algorithms raised is logged, once for each."""
    for name, complaint in verdict.complaints.items():
        record_algorithm_error(name, complaint.traceback or complaint.sentence)
    found = negatives and verdict.negatives
    return verdict.anomalous, list(verdict.votes), verdict.datapoint, found, list(verdict.algorithms)


def refuse(verdict: Verdict, metric_name: str) -> None:
    """Raise what Skyline raises for a series that was not analysed; nothing happens to one that was.

    As there, length is looked at before age, age before boredom, and an empty series of a labelled metric is too short.
    """
    name = escape(metric_name)
    if verdict.outcome == "stale":
        raise Stale(f"{name} is stale: its newest point, of {verdict.timestamp}, is over {verdict.stale_period} s old")
    if verdict.outcome == "boring":
        raise Boring(
            f"{name} is boring: its newest {verdict.boring_points} points all have the value {verdict.datapoint:g}"
        )
    if verdict.outcome == "too_short" or (verdict.outcome != "analysed" and any(sign in name for sign in LABELLED)):
        raise TooShort(f"{name} is too short: {verdict.points} usable points, and {verdict.min_points} are needed")
    if verdict.outcome != "analysed":
        raise EmptyTimeseries(f"{name} has no usable point: none, or none with a value and a timestamp after 2000")
