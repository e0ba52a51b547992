"""Who would have been paged under a tuned setting: its verdicts on the stored steps, through the stages of delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.policy.paging import Paging
from ridgeline.engine.policy.replay import replay_policy
from ridgeline.engine.policy.steps import MetricSteps
from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.rules.profiles import profile_named
from ridgeline.engine.tune.history import Piece
from ridgeline.engine.tune.lots import Lots
from ridgeline.engine.tune.ranks import Ranks
from ridgeline.engine.tune.setting import Column, Setting
from ridgeline.engine.tune.sweep import View
from ridgeline.engine.tune.toml import tuned


def page(view: View, setting: Setting, apart: Mapping[str, Setting], lots: Lots) -> Paging:
    """The pages of a setting, and of others for the metrics of some prefixes, over a backtest's steps."""
    return replay_policy(_steps(view, setting, apart, lots), tuned(view.configured, setting, apart).paging())


def page_today(view: View) -> Paging:
    """The pages of a backtest's own verdicts."""

    def steps() -> Iterator[MetricSteps]:
        for piece in view.history.pieces(scores=False):
            for at in range(len(piece.metrics)):
                yield _step(view, piece, at, piece.anomalous, piece.analysed)

    return replay_policy(steps(), view.configured.paging())


def _steps(view: View, setting: Setting, apart: Mapping[str, Setting], lots: Lots) -> Iterator[MetricSteps]:
    for piece in view.history.pieces():
        ranks = Ranks(piece, view.history.algorithms, view.configured.policies(list(piece.metrics)))
        scored = {one.column: _scores(view, piece, ranks, one.column) for one in (setting, *apart.values())}
        for at, metric in enumerate(piece.metrics):
            number = int(lots.together[lots.first[metric]])
            own = apart.get(lots.prefixes[number], setting) if lots.prefixes else setting
            score, judged = scored[own.column]
            yield _step(view, piece, at, score > own.threshold, judged)


def _step(view: View, piece: Piece, at: int, anomalous: NDArray[np.bool_], analysed: NDArray[np.bool_]) -> MetricSteps:
    """The steps of the metric at this place, by verdicts bool[N] on the piece.

    Sizes, which second order asks for, are not stored: every anomaly is as large as the one before.
    """
    here = piece.steps_of(at)
    policy = view.configured.policies([piece.metrics[at]])[0]
    usual = profile_named(view.configured.analysis.profile).stale_period
    return MetricSteps(
        piece.metrics[at],
        piece.timestamps[here],
        np.zeros(here.stop - here.start),
        anomalous[here],
        analysed[here],
        anomalous[here].astype(np.int8),
        stale_after=usual if policy.stale_period is None else policy.stale_period,
    )


def _scores(view: View, piece: Piece, ranks: Ranks, column: Column) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A column's score, float32[N], and which steps are judged by it, bool[N]."""
    if column.rule != CONSENSUS:
        score = piece.walks[view.history.walks.index(column.rule)]
        return score, ~np.isnan(score)
    rows = ranks.plain() if column.cutoff is None else next(ranks.changed(column.cutoff[0], [column.cutoff[1]]))
    return rows[column.consensus - 1], np.asarray(~np.isnan(piece.scores).all(axis=0))
