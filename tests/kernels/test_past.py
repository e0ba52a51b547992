"""Late and rewritten points are told by a few numbers of each metric, against a source that remembers what happened to it."""

import random

import numpy as np
import pytest

from ridgeline.kernels.native import loader
from ridgeline.kernels.paging.layout import HOT_CHANGED, ROW
from ridgeline.kernels.past.layout import EARLIER, FACTS, LATE, MARK, REWRITTEN, WORDS
from ridgeline.kernels.walks.layout import POINTS, WATERMARK


class Walked:
    """What a memory knows of the metrics of some sources."""

    def __init__(self, rows):
        self.hot, self.past = np.zeros((rows, ROW)), np.zeros((rows, WORDS), np.int64)

    def take(self, series, as_of, whole, rows=None):
        """(late, rewritten) of each [(t, x), ...]; then they are walked."""
        rows = np.arange(len(series)) if rows is None else np.array(rows)
        offsets = np.cumsum([0, *map(len, series)])
        points = [point for one in series for point in one]
        t, x = (np.array([point[at] for point in points], dtype) for at, dtype in ((0, np.int64), (1, np.float64)))
        facts, changed = np.full((len(series), FACTS), -1), np.zeros(len(self.hot), np.uint8)
        loader.entry("past")(offsets, t, x.view(np.int64), rows, as_of, int(whole), self.hot, self.past, changed, facts)
        for row, one in zip(rows.tolist(), series, strict=True):
            new = [stamp for stamp, _ in one if stamp <= as_of]
            if row >= 0 and new and new[-1] >= self.hot[row, WATERMARK]:
                self.hot[row, WATERMARK] = new[-1]
                self.hot.view(np.float32)[row, POINTS] = 1.0
        self.changed = changed
        return facts.tolist()


class Source:
    """One series, and what has happened to it since it was last read whole."""

    def __init__(self, chance, now):
        self.chance, self.now = chance, now
        self.points = [(now + 60 * at, chance.random()) for at in range(-400, 1)]
        self.mark, self.late, self.other, self.walked = None, 0, 0, None

    def live(self):
        """Points come, and a few of the oldest go."""
        self.points += [(self.now + 60 * at, self.chance.random()) for at in range(1, 4)]
        self.now += 180
        del self.points[: self.chance.randrange(5)]
        if self.walked is None:
            return
        what = self.chance.random()
        told = [at for at, (t, _) in enumerate(self.points) if self.mark < t <= self.walked]
        if what < 0.2:
            stamps = [self.points[at][0] - self.chance.choice([0, 7]) for at in self.chance.sample(told, 3)]
            self.points = sorted([*self.points, *((t, 9.0) for t in stamps)])
            self.late += sum(t > self.mark for t in stamps)
        elif what < 0.4:
            at = self.chance.choice(told)
            self.points[at] = (self.points[at][0], self.chance.random())
            self.other += 1
        elif what < 0.5:
            at = self.chance.randrange(len(self.points) // 5)
            self.points[at] = (self.points[at][0], -1.0)  # too long ago: nobody looks there

    def read(self):
        told = [self.late, int(self.other > 0 and not self.late)]
        self.mark = self.points[len(self.points) // EARLIER][0]
        self.late = self.other = 0
        return told


def test_what_happened_to_points_that_were_walked_is_told_once():
    chance = random.Random(11)
    now = 1_700_000_000
    sources = [Source(chance, now) for _ in range(12)]
    walked = Walked(len(sources))
    seen = [0, 0]
    for turn in range(60):
        whole = turn % 5 == 0
        series = []
        for one in sources:
            one.live()
            series.append([point for point in one.points if whole or point[0] > one.walked])
        found = walked.take(series, sources[0].now, whole)
        assert found == ([one.read() for one in sources] if whole else [[0, 0]] * 12), turn
        assert (walked.changed == HOT_CHANGED).all()
        for one in sources:
            one.walked = one.now
        seen = [count + sum(facts[at] for facts in found) for at, count in enumerate(seen)]
    assert seen[LATE] > 50
    assert seen[REWRITTEN] > 20


def test_nothing_is_told_of_what_is_not_known():
    t = [(60 * at, float(at)) for at in range(100)]
    walked = Walked(1)
    assert walked.take([t], 10**9, whole=True) == [[0, 0]]
    other = [(stamp, -1.0) for stamp, _ in t]
    before = walked.past.copy()
    for series, as_of, rows in (
        (other, 10**9, [-1]),
        (other[:50], 10**9, [0]),
        (other, 40 * 60, [0]),
        ([], 10**9, [0]),
    ):
        assert walked.take([series], as_of, whole=True, rows=rows) == [[0, 0]]
        assert (walked.past == before).all()
        assert not walked.changed.any()
    assert walked.take([other[30:]], 10**9, whole=True) == [[0, 0]]  # the mark is gone
    assert walked.past[0, MARK] == (30 + 70 // EARLIER) * 60
    walked.past[0, 1] += 1  # damaged, or of walks that began anew
    assert walked.take([t], 10**9, whole=True) == [[0, 0]]
    walked.hot[0, WATERMARK] -= 60
    before = walked.past.copy()
    assert walked.take([t[-1:]], 10**9, whole=False) == [[0, 0]]
    assert (walked.past == before).all()


@pytest.mark.parametrize(("gone", "told"), [(0, [0, 0]), (1, [0, 1])])
def test_points_that_are_gone_are_rewritten_ones(gone, told):
    t = [(60 * at, float(at)) for at in range(100)]
    walked = Walked(1)
    walked.take([t], 10**9, whole=True)
    assert walked.take([t[:60] + t[60 + gone :]], 10**9, whole=True) == [told]
