"""What the walks say of metrics, by the rule that each of them goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.judgement import CHANNELS, NEEDS_WALKS, PAGES
from ridgeline.kernels.paging.layout import (
    CHECK,
    EXPECTED_HIGH,
    EXPECTED_LOW,
    OUTAGE_SCORE,
    PATTERN_SCORE,
    SAID,
    SCORE,
    UNRIPE,
)
from ridgeline.kernels.score.layout import ANALYSED, BORING, TOO_SHORT
from ridgeline.kernels.walks.layout import POINTS, WATERMARK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ridgeline.engine.rules.policy import Policy

Bools = NDArray[np.bool_]
Numbers = NDArray[np.float64]

# The score, its channels in the order of CHANNELS[PAGES], what is unripe, the band: they lie together in a row.
COLUMNS: Final = (SCORE, OUTAGE_SCORE, PATTERN_SCORE, UNRIPE, EXPECTED_LOW, EXPECTED_HIGH)
assert tuple(range(2 * SAID, 2 * CHECK)) == COLUMNS, "what is said does not fill its place"
NEVER: Final = np.inf  # a threshold of rows that the walks do not judge


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Of n metrics.

    walked    bool[n]: whether the walks judge it; nothing below means anything of another
    scores    float64[n]: the rule's score over its threshold: the largest over the points of the newest run that saw any
    channels  float64[n, 2]: the same of what may speak, in the order of `CHANNELS[PAGES]`
    learning  bool[n]: whether some walk has not learned enough to speak
    bands     float64[n, 2]: where the newest point was expected, in the metric's unit; NaN where that is not known
    """

    walked: Bools
    scores: Numbers
    channels: Numbers
    learning: Bools
    bands: Numbers

    @classmethod
    def by(cls, hot: Numbers, rows: NDArray[np.int64], thresholds: Numbers, as_of: int | NDArray[np.int64]) -> Self:
        """By rows int64[n], below 0: none, of hot float64[m, ROW] of `kernels.paging.layout`.

        thresholds float64[n], NEVER where the walks do not judge; as_of may be int64[n]. What rows say that have walked on beyond `as_of` is of
        another time: nothing is known of those.
        """
        if not len(hot):
            return cls.nothing(thresholds)
        at = np.maximum(rows, 0)
        told = _told(hot, at)
        known = (rows >= 0) & (hot[at, WATERMARK] <= as_of) & (hot.view(np.float32)[at, POINTS] > 0)
        scores = np.where(known[:, None], told[:, :3], 0.0) / thresholds[:, None]
        return cls(
            thresholds < NEVER,
            scores[:, 0],
            scores[:, 1:],
            ~known | (told[:, 3] != 0),
            np.where(known[:, None], told[:, 4:6], np.nan).astype(np.float64),
        )

    @classmethod
    def nothing(cls, thresholds: Numbers) -> Self:
        """Where nothing is known of any metric: all that the walks judge are still being learned."""
        n = len(thresholds)
        return cls(thresholds < NEVER, np.zeros(n), np.zeros((n, 2)), np.ones(n, np.bool_), np.full((n, 2), np.nan))

    def unripe(self, outcomes: NDArray[np.uint8]) -> int:
        """Of how many analysed rows, by outcomes uint8[n], some walk has not learned enough to speak."""
        return int(np.count_nonzero(self.walked & self.learning & (outcomes == ANALYSED)))

    @property
    def anomalous(self) -> Bools:
        """Whether the walks find it anomalous, bool[n]."""
        found: Bools = self.walked & (self.scores > 1.0)
        return found

    def outcomes(self, outcomes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Outcomes uint8[n] under this rule: it analyses what the nine find boring or too short."""
        others = (outcomes == TOO_SHORT) | (outcomes == BORING)
        return np.where(self.walked & others, ANALYSED, outcomes).astype(np.uint8)

    def verdict(self, row: int) -> dict[str, Any]:
        """What an anomaly is told with, fields of `Anomaly`."""
        low, high = self.bands[row].tolist()
        return {
            "channels": tuple(np.compress(self.channels[row] > 1.0, CHANNELS[PAGES]).tolist()),
            "rule_score": float(self.scores[row]),
            "expected": (low, high) if low <= high else None,
        }


def _told(hot: Numbers, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """COLUMNS of rows int64[n] of hot: float32[n, 6]. Taken as one piece of each row, in a sixth of the time of one by one."""
    pieces = hot[:, SAID:CHECK].view(f"V{8 * (CHECK - SAID)}")[:, 0]
    return pieces[rows].view(np.float32).reshape(len(rows), len(COLUMNS))


def thresholds_of(policies: Sequence[Policy], of_row: NDArray[Any] | None, rows: int) -> Numbers:
    """What the scores of rows are divided by, float64[rows], NEVER where the walks do not judge; of_row as `Assigned` has it."""
    each = np.array([policy.rule_threshold if policy.rule in NEEDS_WALKS else NEVER for policy in policies])
    found: Numbers = each[np.zeros(rows, np.int64) if of_row is None else of_row]
    return found
