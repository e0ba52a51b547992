"""The demonstration's second half: outages at quiet hours, which the nine sleep through and the rule `pages` finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import gmtime, strftime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.engine.demo.judged import judged_among
from ridgeline.engine.demo.services import DAY, FAULT_POINTS, FIRST_FAULT_DAY, STEP, Series, Times, services, table_of
from ridgeline.engine.report.sparkline import sparkline
from ridgeline.engine.rules.judgement import CONSENSUS, EXPECTED_HIGH, EXPECTED_LOW, PAGES

METRICS: Final = 40
DAYS: Final = 14
EXPIRATION: Final = 3600
LATE: Final = 5  # points after an outage in which it is still found
JUDGED_DAYS: Final = DAYS - FIRST_FAULT_DAY
SHOWN: Final = 1440 + FAULT_POINTS  # points of the picture: a day and the outage


@dataclass(frozen=True, slots=True)
class Outage:
    """One request rate at zero, points `first` to `last`, and what each rule made of it and the minutes after.

    found     minutes from its first point to each rule's first alarm, without those that found nothing
    votes     most votes of the nine
    expected  the least and the most that the outage walk expected when `pages` first alarmed; empty where it did not
    """

    rate: Series
    first: int
    last: int
    found: dict[str, int]
    votes: int
    expected: list[float]


def play_night(end: int, seed: int, say: Callable[[str], None]) -> None:
    """Judge two weeks of a few services by both rules, and the same request rates with an outage each; say what came of it."""
    pages = {CONSENSUS: 0, PAGES: 0}
    outages: list[tuple[Times, Outage]] = []
    metrics = 0
    for timestamps, series in services(METRICS, DAYS, end, seed, faults=False):
        for rule, many in _pages(timestamps, series).items():
            pages[rule] += many
        metrics += len(series)
        outages += ((timestamps, outage) for outage in _outages(timestamps, series))
    say(
        f"\ntwo weeks of {metrics} metrics of services, in which nothing happens; and their {len(outages)} request rates once more, "
        "at zero for a quarter of an hour of their quietest time"
    )
    say(f"  {'rule':<12}{'false pages a day':>18}{'outages found':>16}")
    for rule, many in pages.items():
        found = sum(rule in outage.found for _, outage in outages)
        say(f"  {rule:<12}{many / JUDGED_DAYS:>18.1f}{f'{found} of {len(outages)}':>16}")
    asleep = [one for one in outages if set(one[1].found) == {PAGES}]
    for timestamps, outage in asleep[:1]:
        _tell(timestamps, outage, say)


def _tell(timestamps: Times, outage: Outage, say: Callable[[str], None]) -> None:
    """One outage that only the walks saw."""
    values = outage.rate.values[outage.last + 1 - SHOWN : outage.last + 1]
    when = strftime("%A %H:%M UTC", gmtime(int(timestamps[outage.first])))
    say(f"  {outage.rate.metric}, zero from {when}: {sparkline(values[~np.isnan(values)])}")
    say(f"    {CONSENSUS:<11} at most {outage.votes} of 9 votes: a day's own swing is as wide")
    band = ", {:,.0f} to {:,.0f} a minute expected".format(*outage.expected)
    say(f"    {PAGES:<11} after {outage.found[PAGES]} minutes{band}")


def _pages(timestamps: Times, series: list[Series]) -> dict[str, int]:
    """How often each rule pages about series in which nothing happens, from the day on which walks begin to speak."""
    begin = int(timestamps[FIRST_FAULT_DAY * DAY // STEP])
    pages = {CONSENSUS: 0, PAGES: 0}
    for one in judged_among(_judged(timestamps, series, [begin] * len(series))):
        for rule, hot in one.alarms.items():
            pages[rule] += int(let_through(one.timestamps, hot, EXPIRATION).sum())
    return pages


def _outages(timestamps: Times, series: list[Series]) -> Iterator[Outage]:
    """The request rates among these, each with an outage on its last day."""
    rates = [one for one in series if ".requests." in one.metric]
    begins = [_quietest(one.values) for one in rates]
    silent = [_silenced(one, first) for one, first in zip(rates, begins, strict=True)]
    steps = _judged(timestamps, silent, [int(timestamps[first]) for first in begins])
    votes = steps["votes"].fill_null(0).to_numpy()
    bounds = [steps[name].to_numpy() for name in (EXPECTED_LOW, EXPECTED_HIGH)]
    for one, rate, first in zip(judged_among(steps), silent, begins, strict=True):
        alarms = {rule: np.flatnonzero(hot) for rule, hot in one.alarms.items()}
        minutes = (one.timestamps - timestamps[first]) // 60
        found = {rule: int(minutes[hot[0]]) for rule, hot in alarms.items() if len(hot)}
        expected = [float(bound[one.rows][at]) for at in alarms[PAGES][:1] for bound in bounds]
        yield Outage(rate, first, first + FAULT_POINTS - 1, found, int(votes[one.rows].max()), expected)


def _quietest(values: NDArray[np.float64]) -> int:
    """Where the quietest quarter of an hour of the last day begins, as the days before it had it."""
    days = values[: (DAYS - 1) * DAY // STEP].reshape(DAYS - 1, -1)
    quarters = np.nanmean(days, axis=0).reshape(-1, FAULT_POINTS).mean(axis=1)
    return (DAYS - 1) * DAY // STEP + int(quarters[:-1].argmin()) * FAULT_POINTS


def _silenced(one: Series, first: int) -> Series:
    """The series at zero from `first` on; it ends where nobody would look for an alarm any more."""
    values = one.values.copy()
    values[first : first + FAULT_POINTS] *= 0.0
    values[first + FAULT_POINTS + LATE :] = np.nan
    return replace(one, values=values)


def _judged(timestamps: Times, series: list[Series], starts: list[int]) -> pa.Table:
    """The steps of each series from its start on, judged by the consensus, with what `pages` makes of them."""
    from ridgeline.engine.replay.matrix import replay_matrix
    from ridgeline.engine.replay.plan import ReplayPlan
    from ridgeline.io.matrix import MetricMatrix

    matrix = MetricMatrix.from_table(table_of(timestamps, series))
    plan = ReplayPlan(rules=(PAGES,), throughout=(PAGES,))
    return replay_matrix(matrix, plan, starts=np.array(starts, np.int64))
