"""How many metrics were judged by another series than their own, and how many perhaps should have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.prepare.layout import DERIVED, LASTED, ZEROED
from ridgeline.kernels.score.layout import ANALYSED, COUNTER

if TYPE_CHECKING:
    from ridgeline.engine.prepare.series import Prepared
    from ridgeline.engine.score.matrix import Judged

KINDS = {"counter": DERIVED, "zero_filled": ZEROED, "last_known_value": LASTED}
RAW = "raw_counter"


def tally(prepared: Prepared, judged: Judged) -> dict[str, int]:
    """Metrics by what was done: `counter` (turned into rises), `zero_filled`, `last_known_value`; above 0 only.

    And `raw_counter`: those analysed whose window is a counter's and that were judged by their values.
    """
    counters, done = judged.results.facts[:, COUNTER] > 0, prepared.done
    return tally_of(judged.outcomes, counters, np.zeros(len(counters), np.uint8) if done is None else done)


def tally_of(outcomes: NDArray[np.uint8], counters: NDArray[np.bool_], done: NDArray[np.uint8]) -> dict[str, int]:
    """The same, of columns: codes of outcomes; whether the window is a counter's; what was done, bits of `kernels.prepare.layout`."""
    found = {kind: int(np.count_nonzero(done & bit)) for kind, bit in KINDS.items()} if done.any() else {}
    found[RAW] = int(np.count_nonzero(counters & (outcomes == ANALYSED) & ((done & DERIVED) == 0)))
    return {kind: count for kind, count in found.items() if count}
