"""What runs archive that remember, against runs without memory: points and late ones, minute by minute, on real servers."""

import contextlib
from collections import Counter
from dataclasses import replace

import pytest
from rigs.archives import archived
from rigs.hostile.fleet import Fleet
from rigs.remembering import both_sides

from ridgeline.engine.run.stages import archive as stage


@contextlib.contextmanager
def archiving(folder, extra=""):
    """The side that remembers and the one without memory, each with an archive of its own: `.archive`."""
    with both_sides(folder, extra=extra) as (remembers, reads):
        reads.config = replace(reads.config, analysis=replace(reads.config.analysis, memory=False))
        for side, name in ((remembers, "one"), (reads, "other")):
            side.config = replace(side.config, archive=replace(side.config.archive, directory=folder / name))
        yield remembers, reads


def points_of(side, fleet):
    """The points that are archived, but for those of metrics that changed where it need not be seen yet."""
    directory = side.config.archive.directory
    return [point for point in archived(directory) if not fleet.excused(point[0])]


def compare(folder, runs, *, every=1, **options):
    """Why series were read in full, and what was archived; the archives are compared after `every` so many runs."""
    fleet, why, told = Fleet(**options), Counter(), Counter()
    with archiving(folder) as sides:
        for run in range(runs):
            minute = fleet.minute()
            for side in sides:
                side.store(minute.values)
                side.list(minute.values)
            (report, _), (whole, _) = (side.run(minute.now, archive=True) for side in sides)
            why.update(report.read_for)
            told.update(whole.archive)
            if run % every == every - 1:
                one, other = (points_of(side, fleet) for side in sides)
                assert one == other, minute.now
            if not any(map(fleet.excused, fleet.metrics)):
                assert report.archive == whole.archive, minute.now
    return why, told


def test_runs_that_remember_archive_what_runs_without_memory_do(tmp_path):
    why, told = compare(tmp_path, 12, seed=4, deep=0, hostility=0.2, kinds=("gauge", "counter"), every=3)
    assert told["late"] > 0
    assert why["settled"] > 0.4 * sum(why.values())
    assert why["archive"] < 0.1 * sum(why.values())


def test_what_a_run_could_not_archive_the_next_one_reads(tmp_path, monkeypatch):
    """And what the one after that can tell by ends alone it reads no more."""
    fleet = Fleet(seed=5, hostility=0, kinds=("gauge",))
    with archiving(tmp_path) as sides:
        reasons = []
        for number in range(5):
            minute = fleet.minute()
            for side in sides:
                side.store(minute.values)
                side.list(minute.values)
            with monkeypatch.context() as patched:
                if number == 2:
                    patched.setattr(stage, "KEPT", 1e9)
                (report, _), _ = (side.run(minute.now, archive=True) for side in sides)
            reasons.append(Counter(report.read_for)["archive"])
        assert points_of(sides[0], fleet) == points_of(sides[1], fleet)
    assert reasons[2] == reasons[4] == 0
    assert reasons[3] > 0


@pytest.mark.long
@pytest.mark.parametrize(("step", "period"), [(10, 60), (60, 60), (300, 60)])
def test_they_do_so_for_100_runs(tmp_path, step, period):
    why, told = compare(
        tmp_path, 100, seed=step, step=step, period=period, every=10, kinds=("gauge", "counter", "errors")
    )
    assert told["late"] > 0
    assert why["settled"] > 0.4 * sum(why.values())
