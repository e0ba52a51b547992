"""What tests of the parts of a run share: verdicts, matrices, a clock and a source made by hand. No kernel is needed."""

import numpy as np
import pyarrow as pa

from ridgeline.engine.score.verdicts import verdict_schema
from ridgeline.io.matrix import MetricMatrix

NAMES = ("grubbs", "ks_test")


def verdicts(rows):
    """A verdict batch of (metric, outcome, reason, anomalous, votes of the two algorithms)."""
    return pa.RecordBatch.from_pylist(
        [
            {
                "metric": metric,
                "outcome": outcome,
                "reason": reason,
                "anomalous": anomalous,
                "datapoint": 1.5,
                "timestamp": 1_700_000_000,
                "votes": None if votes is None else sum(map(bool, votes)),
                **dict(zip(NAMES, votes or (None, None), strict=True)),
                "failed": [],
            }
            for metric, outcome, reason, anomalous, votes in rows
        ],
        verdict_schema(NAMES),
    )


def matrix(names):
    offsets = np.arange(len(names) + 1)
    stamps = np.full(len(names), 1_700_000_000)
    return MetricMatrix.from_columns(pa.array(names), offsets, stamps, np.ones(len(names)), repairs={"null": 1})


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


class Source:
    """Chunks of the given names; `then` is raised or called after them; `known` tells how many there are."""

    def __init__(self, chunks, then=None, known=lambda read: None):
        self.seconds = {"load": 0.5, "decode": 0.25}
        self.bytes_read, self.clock_skew, self.unreadable = 7, None, ()
        self._chunks, self._then, self.known = chunks, then, known

    def list(self):
        return None

    def keep_apart(self, target):
        pass

    def close(self):
        pass

    def chunks(self):
        for names in self._chunks:
            yield matrix(names)
        if isinstance(self._then, Exception):
            raise self._then
        if self._then is not None:
            self._then()
