"""VUS-ROC and VUS-PR of a corpus: the means over its metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from ridgeline.engine.evaluate.choices import BUFFER
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.evaluate.rows import labelled, step_of
from ridgeline.engine.evaluate.volume import Volume, volume
from ridgeline.io.errors import InputError


@dataclass(frozen=True, slots=True)
class VusScore:
    """Means over `metrics`, those with a labelled row; `vus_roc` over those of them that have another row too, None without any.

    Left out of the means: `unlabelled`, metrics without a labelled row, and `unscored`, labelled metrics without scores. Of the
    labelled windows of `metrics`, `unseen` hold no row.
    """

    vus_pr: float
    vus_roc: float | None
    metrics: dict[str, Volume]
    unlabelled: tuple[str, ...]
    unscored: tuple[str, ...]
    unseen: int


def score_vus(detections: Iterable[Detections], labels: Labels, buffer: int = BUFFER) -> VusScore:
    """Judge scores, whatever their threshold, against labels whose edges are blurred by up to `buffer` median steps.

    Distances are times in median steps of the metric: gaps and uneven steps count as long as they last. Raises InputError where
    there is no label at all, or no metric has a labelled row.
    """
    if not labels.count:
        raise InputError("the labels hold no window at all: there is nothing to find")
    metrics: dict[str, Volume] = {}
    unlabelled: list[str] = []
    heard: set[str] = set()
    unseen = 0
    for one in detections:
        heard.add(one.metric)
        truth, missed = labelled(one.timestamps, labels.windows.get(one.metric, ()))
        if not truth.any():
            unlabelled.append(one.metric)
            continue
        unseen += missed
        positions = (one.timestamps - one.timestamps[0]) / step_of(one.timestamps)
        metrics[one.metric] = volume(one.scores, positions, truth, buffer)
    if not metrics:
        raise InputError("no metric has a row in a labelled window: look at the names and times of scores and labels")
    roc = [one.vus_roc for one in metrics.values() if one.vus_roc is not None]
    return VusScore(
        vus_pr=fmean(one.vus_pr for one in metrics.values()),
        vus_roc=fmean(roc) if roc else None,
        metrics=metrics,
        unlabelled=tuple(unlabelled),
        unscored=tuple(sorted(metric for metric, windows in labels.windows.items() if windows and metric not in heard)),
        unseen=unseen,
    )
