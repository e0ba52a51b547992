"""A shadow run: Skyline's newest results are looked for, the series cut there, judged, and compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ridgeline.engine.report.difference import Compared, Difference
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.shadow.shadowing import Shadowing
from ridgeline.engine.run.shadow.theirs import Theirs, find_theirs
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.engine.run.turn import Request
from ridgeline.io.errors import InputError

RECOMMENDED: Final = "earthgecko"


def run_shadow(
    request: Request, *, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Report:
    """Judge what Skyline judged in its newest run, and compare; nobody is alerted and nothing is written.

    Raises InputError for a source that is no Redis, NoData where Skyline left no results; else as `run_once`.
    """
    config = request.config
    if config.source.kind != "redis":
        raise InputError("--shadow compares with what Skyline keeps in Redis: `[source] kind` must be redis")
    end = clock() + config.run.deadline
    ledger = ledger_of(config.source.settings, lambda: end - clock())
    try:
        settings = config.source.settings
        theirs = find_theirs(ledger, settings.namespace, int(now()) if request.as_of is None else request.as_of)
    finally:
        ledger.close()
    shadowing = Shadowing(theirs.epoch, theirs.counters)
    report = run_once(replace(request, as_of=theirs.epoch, dry_run=True, shadow=shadowing), now=now, clock=clock)
    report.shadow = difference(request, theirs, shadowing.by_outcome)
    if config.analysis.profile != RECOMMENDED:
        report.problems.append(
            f'the profile is {config.analysis.profile}: with `[analysis] profile = "{RECOMMENDED}"`, Skyline\'s own '
            "arithmetic, fewer differences are to be expected"
        )
    return report


def difference(request: Request, theirs: Theirs, ours: dict[str, set[str]]) -> Difference:
    """What both sides say of the metrics that this run was to judge."""
    seen = set().union(*ours.values())
    batch, share = Patterns(request.config.batch.match), request.config.shards.share()

    def compared(our: set[str], their: frozenset[str]) -> Compared:
        of_theirs = share.among(their) if request.everything else their & seen
        told = Compared.of(our, of_theirs)
        return replace(told, only_ours=_without(told.only_ours, batch), only_theirs=_without(told.only_theirs, batch))

    return Difference(
        theirs.epoch,
        compared(ours.get("anomalous", set()), theirs.anomalous),
        {name: compared(ours.get(name, set()), told.metrics) for name, told in theirs.outcomes.items()},
        {name: told.updated_at for name, told in theirs.outcomes.items()},
    )


def _without(names: list[str], batch: Patterns) -> list[str]:
    """Metrics that are `batch`'s are judged elsewhere."""
    if not len(batch) or not names:
        return names
    return [name for name, theirs in zip(names, batch.any(names), strict=True) if not theirs]
