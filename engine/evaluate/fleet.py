"""What a fleet costs those who are woken, and what it finds: pages a day, and the share of labelled faults found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.io.errors import InputError

DAY: Final = 86400
WARM_UP: Final = 4 * DAY  # rules that learn what a day holds are not judged before
METRICS: Final = 2000  # that pages are told for
TOGETHER: Final = 600  # seconds within which the pages of one service are one
LATE: Final = 300  # seconds after a window in which an alarm still finds it


@dataclass(frozen=True, slots=True)
class FleetScore:
    """Pages of the metrics without a label, every one false, and windows found of the others.

    `metrics` without a label and `metric_days` that they were judged for; pages by the expiration, and `grouped`: distinct
    (service, 10 minutes), the service being a name up to its first dot. A window is found by an alarm within it or five
    minutes after. A ratio without a denominator is None.
    """

    metrics: int
    metric_days: float
    pages_per_day_per_2000_metrics: float | None
    grouped_per_day_per_2000_metrics: float | None
    windows: int
    found: int
    recall: float | None


def score_fleet(detections: Iterable[Detections], labels: Labels, threshold: float, expiration: int) -> FleetScore:
    """Judge alarms, every row at or above the threshold; the first four days of a metric count for nothing.

    Raises InputError where no metric has rows after them.
    """
    metrics = pages = found = 0
    days = 0.0
    groups: set[tuple[str, int]] = set()
    for one in detections:
        alarms = one.scores >= threshold
        windows = labels.windows.get(one.metric, ())
        if windows:
            stamps = one.timestamps[alarms]
            found += sum(bool(((stamps >= start) & (stamps <= end + LATE)).any()) for start, end in windows)
            continue
        if not len(one.timestamps) or one.timestamps[-1] - one.timestamps[0] <= WARM_UP:
            continue
        judged = int(np.searchsorted(one.timestamps, one.timestamps[0] + WARM_UP))
        stamps = one.timestamps[judged:]
        paged = stamps[let_through(stamps, alarms[judged:], expiration)]
        metrics += 1
        days += (float(stamps[-1]) - float(one.timestamps[0]) - WARM_UP) / DAY
        pages += len(paged)
        service = one.metric.partition(".")[0]
        groups.update((service, when) for when in (paged // TOGETHER).tolist())
    if not days and not labels.count:
        raise InputError(
            "no metric has rows after its first four days, and there is no label: there is nothing to judge"
        )
    each = METRICS / days if days else None
    return FleetScore(
        metrics=metrics,
        metric_days=days,
        pages_per_day_per_2000_metrics=None if each is None else pages * each,
        grouped_per_day_per_2000_metrics=None if each is None else len(groups) * each,
        windows=labels.count,
        found=found,
        recall=found / labels.count if labels.count else None,
    )
