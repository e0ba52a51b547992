"""Rules with walks, applied to the steps of a replay.

A walk goes over a metric's whole history, cleaned and unprepared, from its first point, whatever steps are written. Of
equal timestamps it walks the first point; that is the step's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.replay.history import History
from ridgeline.engine.replay.ruled import Ruled
from ridgeline.engine.rules.judgement import NEEDS_WALKS, SPOKEN
from ridgeline.engine.score.threads import each
from ridgeline.kernels.replay.layout import ABOVE_ONE
from ridgeline.kernels.score.layout import ANALYSED

if TYPE_CHECKING:
    from ridgeline.engine.replay.plan import ReplayPlan
    from ridgeline.engine.replay.steps import Steps
    from ridgeline.engine.replay.variants import Points
    from ridgeline.engine.rules.policy import Policy


def judge_by_rules(
    points: Sequence[Points],
    steps: Steps,
    plan: ReplayPlan,
    policies: Sequence[Policy],
    policy_of_row: NDArray[np.int32] | None,
    threads: int,
) -> Ruled:
    """Return what rules make of the steps of each series of points, and judge those whose rule has walks by it."""
    ruled = Ruled.nothing(plan.rules, len(steps.outcomes))
    stops = np.cumsum(steps.counts).tolist()
    rows = np.flatnonzero(steps.counts).tolist()
    within = max(1, threads // max(len(rows), 1))

    def judge(row: int) -> None:
        policy = policies[0 if policy_of_row is None else policy_of_row[row]]
        here = slice(stops[row] - int(steps.counts[row]), stops[row])
        asked = [rule for rule in plan.rules if rule == policy.rule or rule in plan.throughout]
        if asked:
            history = History.of(*points[row])
            at = history.places(steps.timestamps[here])
            ruled.expected[:, here] = history.expected[:, at]
        for rule in asked:
            score, channels, learning = history.judged(rule, within)
            ruled.scores[rule][here] = score[at]
            if rule == policy.rule:
                ruled.score[here] = divided(score[at], policy.rule_threshold)
                ruled.learning[here] = learning[at]
                for name, channel in channels.items():
                    bit = np.uint8(1 << SPOKEN.index(name))
                    ruled.channels[here][channel[at].astype(np.float64) > policy.rule_threshold] |= bit
        if policy.rule in NEEDS_WALKS:
            steps.outcomes[here], steps.reasons[here] = ANALYSED, 0
            steps.anomalous[here] = ruled.score[here] > 1
        else:
            ruled.score[here] = np.where(steps.outcomes[here] == ANALYSED, steps.grades[0, here], np.nan)

    each(judge, rows, threads)
    return ruled


def divided(scores: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Return scores / threshold as float32, above 1 exactly where the scores are above the threshold."""
    exact = scores.astype(np.float64)
    with np.errstate(over="ignore"):  # beyond the largest number is above any threshold
        found, above = (exact / threshold).astype(np.float32), exact > threshold
    return np.where(above & ~(found > 1), ABOVE_ONE, np.where(~above & (found > 1), np.float32(1), found))
