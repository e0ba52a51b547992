"""When metrics are stale: periods of their own, and those that nobody is told of."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.engine.manage.lists import Hash, Kept, MetricSet
from ridgeline.engine.manage.subject import Subject
from ridgeline.engine.run.books.stale_periods import STALE_PERIODS

QUIET: Final = "metrics_manager.do_not_alert_on_stale_metrics"


def stale_periods(subject: Subject) -> list[Kept]:
    """Seconds of each metric whose overrides give it another period than the fleet's; the last override decides."""
    overrides = [one for one in subject.config.overrides if one.stale_period is not None]
    usual, names = subject.config.analysis.stale_period, subject.fleet.names
    last = subject.matches.last([one.match for one in overrides])
    periods = {
        names[row]: str(overrides[last[row]].stale_period)
        for row in np.flatnonzero(last >= 0).tolist()
        if overrides[last[row]].stale_period != usual
    }
    return [Hash(STALE_PERIODS, periods, subject.fleet.share.among)]


def quiet_metrics(subject: Subject) -> list[Kept]:
    """What the digest of stale metrics leaves out."""
    digest = subject.config.stale_digest
    wanted = subject.matches.any(() if digest is None else digest.exclude)
    return [MetricSet(QUIET, subject.fleet, wanted)]
