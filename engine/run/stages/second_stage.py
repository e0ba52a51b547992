"""What a longer history says of the run's anomalies, before anybody is alerted."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.errors import InputError, SourceUnavailable

SHARE: Final = 0.5  # of the time left for alerts
GRACE: Final = 0.5  # seconds to say itself, and better, that the time was over


def ask_second_stage(turn: Turn) -> None:
    """Withhold the anomalies that are none over many days. Where the archive cannot tell, they are alerted on as usual.

    Those of Mirage's metrics are Mirage's to look at again.
    """
    stage, handoffs = turn.request.config.second_stage, turn.handoffs
    ours = [finding for finding in handoffs.anomalous if finding.anomaly.metric not in handoffs.mirage]
    if stage is None or not ours:
        return
    from ridgeline.engine.run.handoffs.second_stage import NOT_CONFIRMED, UNKNOWN, candidates, judge_again

    asked = candidates(stage, ours)
    if not asked:
        return
    end = turn.budget.clock() + SHARE * max(turn.budget.alerts_end - turn.budget.clock(), 0.0)

    def left() -> float:
        return end - turn.budget.clock()

    memory = turn.request.config.run.max_memory
    judge = partial(judge_again, stage, asked, turn.scorer, turn.as_of, memory, left)
    problems: list[str] = []
    try:
        found, problems = aside(judge, left() + GRACE, "second stage")
    except Overdue:
        found, problems = {}, ["it did not answer in time"]
    except (InputError, SourceUnavailable) as error:
        found, problems = {}, [str(error)]
    for finding in asked:
        says = found.get(finding.anomaly.metric, UNKNOWN)
        turn.report.describe(finding.anomaly.metric, second_stage=says)
        if says == NOT_CONFIRMED:
            handoffs.withheld.add(finding.identity)
    counts = Counter(found.get(finding.anomaly.metric, UNKNOWN) for finding in asked)
    handoffs.counts.update({f"second_stage_{says}": count for says, count in counts.items()})
    if problems:
        turn.find(
            PARTIAL,
            f"[second_stage] {stage.path} could not be read whole, so what it may have held back was alerted on: {problems[0]}",
        )
