"""The second stage, for those without Mirage: an anomaly of the day is judged again over many days before it alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.config.model import SecondStage
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.run.handoffs.findings import Finding, Points
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.pruned import only_metrics
from ridgeline.io.parquet.source import ParquetSource

DAY: Final = 86400
LEAST: Final = 0.5  # of the days asked for: with less history than that, a longer view is none
CONFIRMED, NOT_CONFIRMED, UNKNOWN = "confirmed", "not_confirmed", "unknown"


def candidates(stage: SecondStage, findings: Sequence[Finding]) -> list[Finding]:
    """The anomalies that are judged again."""
    matched = Patterns(stage.match).any([finding.anomaly.metric for finding in findings])
    return [finding for finding, found in zip(findings, matched, strict=True) if found]


def judge_again(
    stage: SecondStage,
    findings: Sequence[Finding],
    scorer: Scorer,
    as_of: int,
    max_memory: int,
    left: Callable[[], float],
) -> tuple[dict[str, str], list[str]]:
    """What a longer history says of each, by metric, and sentences about what of it could not be read.

    `scorer` judged them in the run. Unknown is what the archive does not hold, or not for long enough. Reading takes
    `left` seconds at most. Raises InputError or SourceUnavailable.
    """
    by_metric = {finding.anomaly.metric: finding for finding in findings}
    past, problems = _read(stage, set(by_metric), as_of - stage.days * DAY, max_memory, left)
    series = {
        metric: merged(past[metric], finding.cleaned)
        for metric, finding in by_metric.items()
        if metric in past and finding.cleaned is not None
    }
    long = {metric: points for metric, points in series.items() if _reaches(points, stage)}
    found = dict.fromkeys(by_metric, UNKNOWN)
    if long:
        verdicts = _over(stage.days * DAY, scorer, as_of).score(_matrix(long))
        anomalous = verdicts.column("anomalous").to_pylist()
        for metric, confirmed in zip(verdicts.column("metric").to_pylist(), anomalous, strict=True):
            found[metric] = {True: CONFIRMED, False: NOT_CONFIRMED, None: UNKNOWN}[confirmed]
    return found, problems


def merged(past: Points, present: Points) -> Points:
    """One series of both, in order of time; where both have a timestamp, what the run read."""
    before = past[0] < present[0][0] if len(present[0]) else np.ones(len(past[0]), np.bool_)
    stamps, values = (np.concatenate([old[before], new]) for old, new in zip(past, present, strict=True))
    return stamps, values


def _read(
    stage: SecondStage, metrics: set[str], since: int, max_memory: int, left: Callable[[], float]
) -> tuple[Mapping[str, Points], list[str]]:
    """The points of these metrics later than `since`: only row groups that may hold some are read."""

    def select(names: Sequence[str]) -> NDArray[np.bool_]:
        return np.array([name in metrics for name in names], np.bool_)

    source = ParquetSource(
        stage.path,
        select=select,
        keep=lambda files: only_metrics(files, metrics, since),
        max_memory=max_memory,
        deadline=left,
    )
    found: dict[str, Points] = {}
    for matrix in source.chunks():
        for row, name in enumerate(matrix.metrics.to_pylist()):
            begin, end = matrix.offsets[row], matrix.offsets[row + 1]
            stamps, values = matrix.timestamps[begin:end], matrix.values[begin:end]
            first = int(np.searchsorted(stamps, since, "right"))
            if first < len(stamps):
                found[name] = stamps[first:].copy(), values[first:].copy()
        if left() <= 0:
            break
    return found, [sentence for _, sentence in source.unreadable]


def _reaches(points: Points, stage: SecondStage) -> bool:
    stamps = points[0]
    return len(stamps) > 1 and int(stamps[-1] - stamps[0]) >= LEAST * stage.days * DAY


def _over(window: int, scorer: Scorer, as_of: int) -> Scorer:
    """The same scorer with a window of so many seconds."""
    overrides = [replace(override, full_duration=None) for override in scorer.overrides.overrides]
    plan = replace(scorer.plan, full_duration=window, as_of=as_of)
    return replace(scorer, plan=plan, overrides=Overrides(scorer.overrides.policies[0], overrides))


def _matrix(series: Mapping[str, Points]) -> MetricMatrix:
    lengths = [len(stamps) for stamps, _ in series.values()]
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int64)
    stamps, values = (np.concatenate(columns) for columns in zip(*series.values(), strict=True))
    return MetricMatrix.from_columns(strings(list(series)), offsets, stamps, values)
