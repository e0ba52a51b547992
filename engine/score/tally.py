"""How many metrics were judged by another series than their own, and how many perhaps should have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    raw = (judged.results.facts[:, COUNTER] > 0) & (judged.outcomes == ANALYSED)
    found = {}
    if prepared.done is not None:
        found = {kind: int(np.count_nonzero(prepared.done & bit)) for kind, bit in KINDS.items()}
        raw &= (prepared.done & DERIVED) == 0
    found[RAW] = int(np.count_nonzero(raw))
    return {kind: count for kind, count in found.items() if count}
