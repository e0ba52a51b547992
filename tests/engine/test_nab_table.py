"""False alarms of the table of `make nab`: counted where NAB judges, by the weeks that files last."""

import numpy as np

from ridgeline.bench.nab import false_alarms
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels

HOUR = 3600
WEEK = 168


def heard(metric, hours, alarms):
    scores = np.full(hours, -np.inf)
    scores[alarms] = 1.5
    return Detections(metric, HOUR * np.arange(hours), scores)


def test_alarms_outside_windows_and_after_the_probation_count():
    two_weeks = heard("a", 2 * WEEK + 1, [0, 49, 50, 100, 110, 120, 300])  # the first 50 rows are nobody's
    silent = heard("b", WEEK + 1, [])
    exactly_one = heard("c", WEEK + 1, [160])
    exactly_one.scores[160] = 1.0  # a score must be above 1
    labels = Labels({"a": ((100 * HOUR, 110 * HOUR), (105 * HOUR, 115 * HOUR))})
    assert false_alarms([two_weeks], labels) == 3 / 2
    assert false_alarms([two_weeks, silent, exactly_one], labels) == 3 / 4
