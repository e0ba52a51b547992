"""What rules with walks made of steps: their scores, which of their channels spoke, what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.rules.judgement import EXPECTED_HIGH, EXPECTED_LOW, RULE_SCORE, SCORE_OF_RULE, SPOKEN
from ridgeline.engine.score.verdicts import named
from ridgeline.io.arrow.buffers import arrow


@dataclass(frozen=True, slots=True, eq=False)
class Ruled:
    """What rules make of n steps.

    scores    of each rule that is stored beside the algorithms' consensus: float32[n], NaN of metrics it does not judge
    score     float32[n]: that of the metric's own rule, divided by its threshold; NaN where that has none
    channels  uint8[n]: bit k = `SPOKEN[k]` is above the threshold, of the metric's own rule
    expected  float32[2, n]: least and most that the outage walk expects, NaN where it does not know
    learning  bool[n]: whether some channel of the metric's own rule has not learned enough to speak
    """

    scores: Mapping[str, NDArray[np.float32]]
    score: NDArray[np.float32]
    channels: NDArray[np.uint8]
    expected: NDArray[np.float32]
    learning: NDArray[np.bool_]

    @classmethod
    def nothing(cls, rules: Sequence[str], steps: int) -> Self:
        """Return room for so many steps, of which nothing is known."""
        return cls(
            {rule: np.full(steps, np.nan, np.float32) for rule in rules},
            np.full(steps, np.nan, np.float32),
            np.zeros(steps, np.uint8),
            np.full((2, steps), np.nan, np.float32),
            np.zeros(steps, np.bool_),
        )

    def columns(self, here: slice) -> list[pa.Array]:
        """The steps of a slice in the columns of `fields_of`."""
        lanes = [*(score[here] for score in self.scores.values()), self.score[here], *self.expected[:, here]]
        *scores, low, high = [arrow(lane, np.isnan(lane)) for lane in lanes]
        bits = self.channels[here]
        some = np.flatnonzero(bits)
        rows, codes = np.nonzero(bits[some, np.newaxis] >> np.arange(len(SPOKEN), dtype=np.uint8) & 1)
        offsets = np.searchsorted(some[rows], np.arange(len(bits) + 1)).astype(np.int32)
        spoken = pa.ListArray.from_arrays(arrow(offsets), named(codes.astype(np.uint8), SPOKEN))
        return [*scores, spoken, low, high]


def fields_of(rules: Sequence[str]) -> list[pa.Field]:
    """Columns that a replay has where these rules are stored; none where none is."""
    if not rules:
        return []
    scores = [pa.field(name, pa.float32()) for name in (*(SCORE_OF_RULE[rule] for rule in rules), RULE_SCORE)]
    expected = [pa.field(name, pa.float32()) for name in (EXPECTED_LOW, EXPECTED_HIGH)]
    return [*scores, pa.field("channels", pa.list_(pa.string())), *expected]
