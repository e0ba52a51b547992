"""What each rule makes of histories: its alarms, metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.rules.judgement import CONSENSUS, RULES, SCORE_OF_RULE

ALARM: Final = 2.0  # any score above 1


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric's steps, in order of time.

    timestamps int64[n]; alarms bool[n] of each rule: where it finds an anomaly; rows: where the steps stand in the replay
    """

    metric: str
    timestamps: NDArray[np.int64]
    alarms: Mapping[str, NDArray[np.bool_]]
    rows: slice

    def detections(self, rule: str, expiry: int) -> Detections:
        """A score above 1 at an alarm at least `expiry` seconds after the last one that has such a score, else 0."""
        through = let_through(self.timestamps, self.alarms[rule], expiry)
        return Detections(self.metric, self.timestamps, np.where(through, ALARM, 0.0))

    def sparse(self) -> Judged:
        """The steps that alarm by some rule, the first and the last: all that pages are counted by."""
        kept = np.any(list(self.alarms.values()), axis=0)
        kept[[0, -1]] = True
        alarms = {rule: hot[kept] for rule, hot in self.alarms.items()}
        return replace(self, timestamps=self.timestamps[kept], alarms=alarms)


def judged_among(steps: pa.Table) -> Iterator[Judged]:
    """Yield each metric of a replay that was judged by the consensus, with the alarms of every rule that has scores in it.

    steps: as `engine.replay.matrix.replay_matrix` gives them, a metric's together and in order of time.
    """
    if not steps.num_rows:
        return
    names = steps["metric"].combine_chunks().dictionary_encode()
    codes = names.indices.to_numpy()
    begins = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    stamps = steps["timestamp"].to_numpy()
    scores = {
        rule: steps[SCORE_OF_RULE[rule]].to_numpy() for rule in RULES[1:] if SCORE_OF_RULE[rule] in steps.column_names
    }
    alarms = {CONSENSUS: steps["anomalous"].fill_null(False).to_numpy()}
    alarms |= {rule: score > 1 for rule, score in scores.items()}
    for begin, end in zip(begins, [*begins[1:], len(codes)], strict=True):
        here = slice(begin, end)
        metric = names.dictionary[codes[begin]].as_py()
        yield Judged(metric, stamps[here], {rule: hot[here] for rule, hot in alarms.items()}, here)
