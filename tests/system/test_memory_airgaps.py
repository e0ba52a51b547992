"""Airgaps and disorder that runs tell which remember, against runs without memory: all keys, minute by minute, on real servers."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from rigs.hostile.fleet import Fleet
from rigs.hostile.stored import packed
from rigs.remembering import both_sides

from ridgeline.engine.run.airgap_members import metric_of

GAPS, FILLED, UNORDERED = (
    b"analyzer.airgapped_metrics",
    b"analyzer.airgapped_metrics.filled",
    b"analyzer.unordered_timeseries",
)
NAMESPACE = "metrics."


class Hand:
    """What happens to the fleet beside what `Fleet` has happen: senders that lose points, gaps that are filled, names that vanish."""

    def __init__(self, fleet, seed, *, gaps):
        self.fleet, self.gaps = fleet, gaps
        self.rng = np.random.default_rng(seed)
        self.unlisted = set()

    def act(self):
        for name, metric in self.fleet.metrics.items():
            choice = self.rng.random() / self.gaps
            if choice < 0.3:
                metric.next += int(self.rng.integers(1, 12)) * self.fleet.step
            elif choice < 0.4:
                metric.next += int(self.rng.integers(0, 3 * self.fleet.step))
            elif choice < 0.5:
                metric.silent = not metric.silent
            elif choice < 0.8:
                self.fill(metric.stored, part=self.rng.random())
            elif choice < 0.83:
                self.unlisted ^= {name}

    def fill(self, stored, part):
        """The newest gap of a series is filled, a part of it or all."""
        step = self.fleet.step
        for back in range(1, min(len(stored.items), 30)):
            before, after = int(stored.items[-back - 1].t), int(stored.items[-back].t)
            if after - before > 2 * step:
                missing = [packed(t, 1.0, stored.layout) for t in range(before + step, after, step)]
                stored.items[-back:-back] = missing[: max(int(part * 2 * len(missing)), 1)]
                return

    def siblings(self, sides):
        """A sibling fills gaps and says so, or takes members away, on both servers alike."""
        members = sorted(sides[0].server.client.smembers(GAPS) & sides[1].server.client.smembers(GAPS))
        for member in members:
            choice = self.rng.random()
            for side in sides:
                if choice < 0.03:
                    side.server.client.sadd(FILLED, member)
                if choice < 0.05:
                    side.server.client.srem(GAPS, member)


def compare(folder, runs, *, seed, extra="", gaps=0.2, **options):
    """The counts of what was told, and of what was read in full and why."""
    fleet = Fleet(seed=seed, deep=0, **options)
    hand, told, why = Hand(fleet, seed, gaps=gaps), Counter(), Counter()
    with both_sides(folder, extra=extra) as sides:
        remembers, reads = sides
        reads.config = replace(reads.config, analysis=replace(reads.config.analysis, memory=False))
        for _ in range(runs):
            hand.act()
            minute = fleet.minute()
            for side in sides:
                side.store(minute.values)
                side.list(set(minute.values) - hand.unlisted)
            report, _ = remembers.run(minute.now)
            whole, _ = reads.run(minute.now)
            one, other = (side.keys() for side in sides)
            for key in (GAPS, FILLED, UNORDERED):
                differ = one.get(key, set()) ^ other.get(key, set())
                wrong = {member for member in differ if not fleet.excused(_metric(key, member))}
                assert wrong == set(), (minute.now, key)
                told[key] += len(other.get(key, ()))
            if not any(map(fleet.excused, fleet.metrics)):
                assert report.airgaps == whole.airgaps, minute.now
                told.update(whole.airgaps)
            why.update(report.read_for)
            hand.siblings(sides)
        return told, why


def _metric(key, member):
    return member.decode().removeprefix(NAMESPACE) if key == UNORDERED else metric_of(member.decode())


def test_airgaps_of_runs_that_remember_are_those_of_runs_without_memory(tmp_path):
    """Two thirds of an hour back, so that gaps come and go."""
    extra = '[airgaps]\nidentify = true\nmax_period = "40m"\n'
    told, why = compare(
        tmp_path, 25, seed=1, extra=extra, gaps=0.15, hostility=0.01, kinds=("gauge", "counter", "errors"), copies=2
    )
    assert min(told[GAPS], told["open"], told["closed"]) > 20
    assert why["settled"] > 0.3 * sum(why.values())
    assert why["gaps"] > 0


def test_a_fleet_that_nobody_touches_is_not_read_for_its_airgaps(tmp_path):
    fleet = {"hostility": 0, "gaps": 1e-9, "kinds": ("gauge", "season")}
    extra = "[airgaps]\nidentify = true\n"
    _, why = compare(tmp_path, 6, seed=2, extra=extra, **fleet)
    assert why["settled"] > 0.7 * (sum(why.values()) - why["new"])
    assert why["gaps"] == 0


SCOPED = '[airgaps]\nidentify = true\nmax_period = "{}"\ncheck = ["gauge", "counter"]\nskip = ["float"]\n'
EVERY = '[airgaps]\nidentify = true\nmax_period = "{}"\n'


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("step", "period", "extra"),
    [
        (10, 60, EVERY.format("20m")),
        (60, 60, EVERY.format("1h")),
        (60, 300, SCOPED.format("6h")),
        (300, 300, EVERY.format("4h")),
        (3600, 600, EVERY.format("12h")),
    ],
)
def test_they_are_for_100_runs(tmp_path, step, period, extra, seed):
    kinds = ("gauge", "counter", "slow_counter", "errors", "turning")
    told, why = compare(tmp_path, 100, seed=seed, extra=extra, step=step, period=period, gaps=0.1, kinds=kinds)
    assert sum(told.values()) > 20
    assert why["settled"] > 0.3 * sum(why.values())
