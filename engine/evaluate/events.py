"""Event-wise precision, recall, F1, detection delay and false-alarm rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels, Window
from ridgeline.engine.evaluate.rows import runs
from ridgeline.io.errors import InputError

WEEK: Final = 7 * 86400


@dataclass(frozen=True, slots=True)
class EventScore:
    """An alarm is a run of consecutive rows at or above the threshold; it is true if it touches a labelled window.

    `precision` = true alarms / alarms, `recall` = windows touched / windows, `f1` their harmonic mean; a ratio without
    a denominator is None. Delays run from a window's start to its first alarmed row, in seconds.
    """

    alarms: int
    true_alarms: int
    windows: int
    found: int
    precision: float | None
    recall: float | None
    f1: float | None
    mean_delay: float | None
    median_delay: float | None
    metric_weeks: float
    false_alarms_per_metric_week: float | None


def score_events(detections: Iterable[Detections], labels: Labels, threshold: float) -> EventScore:
    """Judge alarms against labels; windows of a metric without rows count as not found.

    Raises InputError where there is no label at all.
    """
    if not labels.count:
        raise InputError("the labels hold no window at all: there is nothing to find")
    alarms = true_alarms = 0
    weeks = 0.0
    delays: list[int] = []
    for found in detections:
        windows = labels.windows.get(found.metric, ())
        runs = _alarms(found, threshold)
        alarms += len(runs)
        true_alarms += sum(any(_touches(found, run, window) for window in windows) for run in runs)
        delays += [delay for window in windows if (delay := _delay(found, window, threshold)) is not None]
        if len(found.timestamps):
            weeks += float(found.timestamps.max() - found.timestamps.min()) / WEEK
    precision = true_alarms / alarms if alarms else None
    recall = len(delays) / labels.count if labels.count else None
    return EventScore(
        alarms=alarms,
        true_alarms=true_alarms,
        windows=labels.count,
        found=len(delays),
        precision=precision,
        recall=recall,
        f1=harmonic(precision, recall),
        mean_delay=fmean(delays) if delays else None,
        median_delay=median(delays) if delays else None,
        metric_weeks=weeks,
        false_alarms_per_metric_week=(alarms - true_alarms) / weeks if weeks else None,
    )


def harmonic(precision: float | None, recall: float | None) -> float | None:
    """F1 of a precision and a recall; None where one of them is."""
    if precision is None or recall is None:
        return None
    return 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0


def _alarms(found: Detections, threshold: float) -> list[tuple[int, int]]:
    """Row spans [first, last] of the runs at or above the threshold."""
    first, after = runs(found.scores >= threshold)
    return list(zip(first.tolist(), (after - 1).tolist(), strict=True))


def _touches(found: Detections, run: tuple[int, int], window: Window) -> bool:
    stamps = found.timestamps[run[0] : run[1] + 1]
    return bool(((stamps >= window[0]) & (stamps <= window[1])).any())


def _delay(found: Detections, window: Window, threshold: float) -> int | None:
    stamps = found.timestamps
    inside = stamps[(stamps >= window[0]) & (stamps <= window[1]) & (found.scores >= threshold)]
    return int(inside.min()) - window[0] if len(inside) else None
