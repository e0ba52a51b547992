"""Labelled sets: NAB's score, and F1 of events, of each rule, and how far both move from one half of a set to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ridgeline.bench.nab import false_alarms, spread
from ridgeline.engine.api.judge import replay
from ridgeline.engine.demo.judged import Judged, judged_among
from ridgeline.engine.evaluate.choices import ABOVE_ONE
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.events import score_events
from ridgeline.engine.evaluate.labels import Labels, read_labels
from ridgeline.engine.evaluate.nab import score_corpus
from ridgeline.engine.rules.judgement import CONSENSUS, RULES

HALVES: Final = 40
NAB: Final = "nab"


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Points and labels, relative to the folder of all sets; how long a metric is quiet after an alarm, seconds."""

    name: str
    points: str
    labels: str
    expiry: int


SETS: Final = (
    LabelledSet(NAB, "nab.parquet", "nab_labels.json", 12 * 3600),
    *(
        LabelledSet(name, f"quality/{name}.parquet", f"quality/{name}_labels.parquet", 3600)
        for name in ("cloud_monitoring", "kpi", "synthetic")
    ),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one rule reaches on one set.

    score      NAB's standard score, or F1 of events
    spread     its standard deviation over halves of the metrics, drawn HALVES times
    false      false alarms per metric and week; on NAB after the part of each file on which it judges nobody
    """

    score: float
    spread: float
    false: float


def score_set(data: Path, one: LabelledSet) -> dict[str, Cell]:
    """Judge a set by every rule, with nothing tuned; the nine have their default window and consensus."""
    labels = read_labels(data / one.labels)
    steps = replay(str(data / one.points), rules=[rule for rule in RULES if rule != CONSENSUS])
    judged = list(judged_among(steps))
    return {rule: _cell(data / one.points, judged, rule, one, labels) for rule in RULES}


def _cell(points: Path, judged: Sequence[Judged], rule: str, one: LabelledSet, labels: Labels) -> Cell:
    found = [metric.detections(rule, one.expiry) for metric in judged]
    if one.name == NAB:
        found = spread(found, points)
        false: float | None = false_alarms(found, labels)
    else:
        false = score_events(found, labels, ABOVE_ONE).false_alarms_per_metric_week
    random = np.random.default_rng(len(found))
    halves = []
    for _ in range(HALVES):
        half = [found[row] for row in sorted(random.permutation(len(found))[: len(found) // 2])]
        windows = {metric.metric: labels.windows.get(metric.metric, ()) for metric in half}
        if any(windows.values()):
            halves.append(_score(one.name, half, Labels(windows)))
    return Cell(_score(one.name, found, labels), float(np.std(halves)), false or 0.0)


def _score(name: str, found: Sequence[Detections], labels: Labels) -> float:
    if name == NAB:
        return score_corpus(found, labels, ABOVE_ONE)["standard"].score
    return score_events(found, labels, ABOVE_ONE).f1 or 0.0
