"""When each metric was last heard of, and last analysed: two hashes as large as the fleet, written a part at a time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.run.books.judged import CODES, Judged
from ridgeline.engine.run.books.past import Notes, Past
from ridgeline.engine.run.turn import Turn

SEEN: Final = "analyzer.metrics.last_timeseries_timestamp"
ANALYSED: Final = "analyzer.metrics.last_analyzed_timestamp"
FEW: Final = 10_000  # metrics; of so many, all are written in every run,
PARTS: Final = 5  # else each of them in one of so many runs,
QUIET: Final = 120  # and besides when its newest point becomes older than this, seconds: it may be the last
PAUSE: Final = 300  # seconds without a run, after which all are written


def write_timestamps(turn: Turn, judged: Judged, past: Past) -> None:
    """Write the newest timestamp of metrics that have points, and that of those that were analysed."""
    due = _due(judged, past.notes, turn.as_of)
    heard = due & (judged.timestamps > 0)
    analysed = due & (judged.outcomes == CODES["analysed"])
    for key, chosen in ((SEEN, heard), (ANALYSED, analysed)):
        turn.entries.put_pairs(key, ((metric, str(timestamp)) for metric, timestamp in judged.where(chosen)))


def _due(judged: Judged, notes: Notes, as_of: int) -> NDArray[np.bool_]:
    """bool[n]: which metrics are written by this run."""
    pause = as_of - notes.as_of
    if len(judged) <= FEW or not 0 <= pause <= PAUSE:
        return np.ones(len(judged), np.bool_)
    parts = judged.named.hashes() % np.uint64(PARTS)
    age = as_of - judged.timestamps
    chosen: NDArray[np.bool_] = (parts == np.uint64(notes.runs % PARTS)) | ((age > QUIET) & (age <= QUIET + pause))
    return chosen
