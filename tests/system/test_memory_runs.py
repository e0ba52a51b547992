"""Runs that remember against runs that read everything, minute by minute, over fleets under a hostile hand."""

import pytest
from rigs.hostile.fleet import Fleet
from rigs.hostile.kinds import KINDS
from rigs.remembering import both_sides, differences

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
