"""Runs that remember against runs that read everything, minute by minute, over fleets under a hostile hand."""

from unittest import mock

import numpy as np
import pytest
from rigs.hostile.fleet import Fleet
from rigs.hostile.kinds import KINDS
from rigs.remembering import both_sides, differences

from ridgeline.engine.run.shedding import Places
from ridgeline.io.redis.tails import Ranges
from ridgeline.io.redis.waiting_line import WaitingLine
from ridgeline.io.redis.write import encode_points

END = 1_700_000_040
# What siblings are told of single series may be as old as what it tells of: a change that need not be seen at once.
TOLD = {b"analyzer.metrics_manager.resolutions", b"analyzer.metrics_manager.hash_key.metrics_data_sparsity"}


def minutes(sides, fleet, count):
    """(minute, how the runs differ where they may not, the two recorders, the report that remembers) of each minute."""
    remembers, reads = sides
    for _ in range(count):
        minute = fleet.minute()
        for side in sides:
            side.store(minute.values)
            side.list(minute.values)
        report, one = remembers.run(minute.now)
        whole, other = reads.run(minute.now, full=True)
        if not any(map(fleet.excused, fleet.metrics)):
            assert report.prepared == whole.prepared
        found = differences(one, other)
        yield minute, {name: what for name, what in found.items() if not fleet.excused(name)}, one, other, report


def compare(folder, count, extra="", **fleet):
    with both_sides(folder, extra=extra) as sides:
        settled = judged = 0
        for minute, wrong, one, other, report in minutes(sides, Fleet(**fleet), count):
            assert wrong == {}, minute.now
            assert len(one.verdicts) == len(other.verdicts) == sum(report.read_for.values())
            assert report.read_for["settled"] == one.settled
            assert "damaged" not in report.read_for
            settled, judged = settled + one.settled, judged + len(one.verdicts)
        return settled / judged


@pytest.mark.parametrize(("step", "period"), [(10, 60), (60, 60), (300, 60), (3600, 600)])
def test_runs_that_remember_find_what_runs_find_that_read_everything(tmp_path, step, period):
    assert compare(tmp_path, 8, seed=step, step=step, period=period) > 0.4


COUNTERS = tuple(kind for kind in KINDS if "counter" in kind or kind == "turning")
PREPARED = [
    'counters = "auto"',
    'counters = ["counter"]',
    'counters = "auto"\nnon_derivative = ["float"]\nzero_fill = ["slow"]',
]


@pytest.mark.parametrize("preparation", PREPARED)
def test_so_they_do_of_counters(tmp_path, preparation):
    """And hardly any of them is read whole."""
    extra = f"[preparation]\n{preparation}"
    assert compare(tmp_path, 8, extra, seed=3, deep=0, kinds=(*COUNTERS, "gauge")) > 0.4


@pytest.mark.long
@pytest.mark.parametrize("preparation", PREPARED)
@pytest.mark.parametrize(("step", "period"), [(10, 60), (60, 60), (300, 60)])
def test_so_they_do_of_counters_for_200_minutes(tmp_path, step, period, preparation):
    extra = f"[preparation]\n{preparation}"
    assert compare(tmp_path, 200, extra, seed=7, step=step, period=period, kinds=COUNTERS) > 0.4


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("step", "period"), [(10, 60), (60, 60), (300, 60), (3600, 600)])
def test_they_do_so_for_200_minutes(tmp_path, step, period, seed):
    assert compare(tmp_path, 200, seed=1000 + seed, step=step, period=period, copies=2) > 0.4


def test_books_and_alerts_are_those_of_runs_that_read_everything(tmp_path):
    """Of a fleet that nobody touches but its senders, and a trimmer."""
    with both_sides(tmp_path) as sides:
        fleet = Fleet(seed=5, step=60, hostility=0)
        for minute, wrong, _, _, _ in minutes(sides, fleet, 10):
            assert wrong == {}
            one, other = (side.keys() for side in sides)
            assert one.keys() == other.keys()
            assert {key for key in one if one[key] != other[key]} - TOLD == set(), minute.now


def steady(minutes, spikes=()):
    """200 metrics, each with more than a day of noise up to a minute; those of `spikes` have just risen high above it."""
    found = {}
    for number in range(200):
        noise = np.random.default_rng(number).normal(100.0, 5.0, 1500 + minutes)
        noise[-1] += 200.0 * (number in spikes)
        stamps = END + 60 * np.arange(-1499, minutes + 1)
        found[f"m{number:03d}"] = encode_points(stamps, noise, float_timestamps=False).tobytes()
    return found


def test_few_that_must_be_read_in_full_are_read_while_the_others_are_asked(tmp_path):
    order = []

    def adding(line, names, keys, add=WaitingLine.add):
        order.append(("add", set(names)))
        add(line, names, keys)

    def asking(ranges, rows, size, consume, tails=Ranges.tails):
        order.append(("tails", len(rows)))
        return tails(ranges, rows, size, consume)

    with both_sides(tmp_path) as (remembers, reads):
        for minute in range(4):
            spikes = {7 + minute, 150 - minute} if minute else set()
            values = steady(minute, spikes)
            for side in (remembers, reads):
                side.store(values)
                side.list(values)
            order.clear()
            with mock.patch.object(WaitingLine, "add", adding), mock.patch.object(Ranges, "tails", asking):
                report, one = remembers.run(END + 60 * minute)
            whole, other = reads.run(END + 60 * minute, full=True)
            assert differences(one, other) == {}
            assert "damaged" not in report.read_for
            assert {one.metric for one in report.anomalies} == {one.metric for one in whole.anomalies}
            if minute:
                early = set().union(*(names for what, names in order[:-1] if what == "add"))
                assert {f"m{number:03d}" for number in spikes} <= early
                assert len(early) + len(order[-1][1]) == report.reads["full_reads"]


def test_where_the_last_run_stopped_outweighs_that(tmp_path):
    order = []

    def adding(line, names, keys, add=WaitingLine.add):
        order.append(list(names))
        add(line, names, keys)

    with both_sides(tmp_path) as (remembers, _):
        for minute in range(3):
            values = steady(minute, {3, 5, 8} if minute else ())
            remembers.store(values)
            remembers.list(values)
            places = Places(others="m004") if minute else None
            with (
                mock.patch.object(WaitingLine, "add", adding),
                mock.patch("ridgeline.engine.run.stages.shedding._look_back", lambda turn, places=places: (places, ())),
            ):
                order.clear()
                report, _ = remembers.run(END + 60 * minute)
            assert "damaged" not in report.read_for
        assert len(order) == 1
        assert {"m003", "m005", "m008"} <= set(order[0])
