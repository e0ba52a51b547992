"""The archive by its own functions: every point once, late ones too, whatever dies; readers see a whole at any time."""

import itertools
import os
import random
import shutil
import threading
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.archive.archive import opened
from ridgeline.engine.archive.compact import compact
from ridgeline.engine.archive.export import export
from ridgeline.engine.archive.folder import GRACE, Folder, day_of
from ridgeline.engine.archive.gathering import Gathering
from ridgeline.engine.archive.select import behind, counts_between, unknown
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.errors import LockHeld, OutputError, UnsafeTarget
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.generations import current, current_paths, retired
from ridgeline.io.parquet.source import ParquetSource

DAY = 86400
MIDNIGHT = 19_700 * DAY
NOON = MIDNIGHT + DAY // 2


def matrix(series):
    """`series`: name -> timestamps; each value tells its point."""
    lengths = [len(stamps) for stamps in series.values()]
    stamps = np.array([at for each in series.values() for at in each], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return MetricMatrix.from_columns(strings(series), offsets, stamps, stamps.astype(float) % 1000)


def held(folder):
    """name -> timestamps, as every reader sees them; each once, in order, with its value."""
    found = {}
    for each in ParquetSource(folder).chunks():
        for row, name in enumerate(each.metrics.to_pylist()):
            begin, end = each.offsets[row : row + 2]
            stamps = each.timestamps[begin:end].tolist()
            assert each.values[begin:end].tolist() == [at % 1000 for at in stamps]
            found[name] = stamps
    return found


def run(folder, series, as_of, *, keep=90 * DAY, memory=2 << 30, left=lambda: 60.0):
    with opened(Folder(folder), keep, DAY, as_of, max_memory=memory) as archive:
        gathering = Gathering(archive, as_of)
        for name, stamps in series.items():
            gathering.take(matrix({name: stamps}))
        return gathering.write(left)


def export_all(folder, series, as_of=NOON, *, since=None, keep=90 * DAY, memory=2 << 30):
    with opened(Folder(folder), keep, DAY, as_of, max_memory=memory) as archive:
        return export(archive, iter([matrix(series)]), as_of, since)


def minutes(first, last, step=60):
    return list(range(first, last + 1, step))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet") if not path.name.startswith("."))


def test_a_run_adds_what_is_new_and_nothing_twice(tmp_path):
    series = {"a": minutes(NOON - 600, NOON), "b": minutes(NOON - 300, NOON)}
    assert run(tmp_path / "x", series, NOON).as_json() == {"points": 17, "late": 0, "waiting": 0}
    assert run(tmp_path / "x", series, NOON).as_json() == {"points": 0, "late": 0, "waiting": 0}
    later = {**series, "a": minutes(NOON - 540, NOON + 120)}  # the oldest point is gone from Redis, two came
    assert run(tmp_path / "x", later, NOON + 120).points == 2
    assert held(tmp_path / "x") == {"a": minutes(NOON - 600, NOON + 120), "b": series["b"]}
    assert len(files(tmp_path / "x")) == 2


def test_points_lie_in_the_folder_of_their_day(tmp_path):
    series = {"a": minutes(MIDNIGHT - 120, MIDNIGHT + 60)}
    run(tmp_path, series, MIDNIGHT + 60)
    by_day = {
        path.parent.name: pq.read_table(path).column("timestamp").to_pylist() for path in tmp_path.rglob("*1.parquet")
    }
    assert by_day == {"day=2023-12-08": series["a"][:2], "day=2023-12-09": series["a"][2:]}
    assert day_of("day=2023-12-09") == 19_700


@pytest.mark.parametrize("hole", [(NOON - 3600, NOON - 1800), (NOON - 20 * 3600, NOON - 19 * 3600), (NOON, NOON)])
def test_late_points_are_found(tmp_path, hole):
    whole = minutes(NOON - DAY + 60, NOON)
    late = [at for at in whole if hole[0] <= at <= hole[1]]
    run(tmp_path, {"a": [at for at in whole if at not in late], "b": whole}, NOON)
    now = NOON + 60
    outcome = run(tmp_path, {"a": [*whole[5:], now], "b": [*whole[5:], now]}, now)  # trimmed at its head meanwhile
    expected = 0 if hole == (NOON, NOON) else len(late)
    assert (outcome.late, outcome.points) == (expected, len(late) + 2)
    assert held(tmp_path) == {"a": [*whole, now], "b": [*whole, now]}
    assert run(tmp_path, {"a": [*whole, now], "b": [*whole, now]}, now).points == 0


def test_points_late_by_almost_the_whole_window_come_with_an_export(tmp_path):
    """As many came late as were trimmed away beside them: their number does not tell."""
    whole = minutes(NOON - DAY + 60, NOON)
    late = whole[100:150]
    run(tmp_path, {"a": [at for at in whole if at not in late]}, NOON)
    trimmed = {"a": [*whole[100:], NOON + 60]}
    assert run(tmp_path, trimmed, NOON + 60).late == 0
    done = export_all(tmp_path, trimmed, NOON + 60)
    assert (done.points, done.late) == (50, 50)
    assert held(tmp_path) == {"a": [*whole, NOON + 60]}


def test_what_lies_ahead_waits_for_its_time(tmp_path):
    ahead = NOON + 365 * DAY
    series = {"a": [NOON - 60, NOON, NOON + 30, ahead]}
    assert run(tmp_path, series, NOON).points == 2
    assert run(tmp_path, {"a": [NOON, NOON + 30, NOON + 60, ahead]}, NOON + 60).points == 2
    assert held(tmp_path)["a"] == [NOON - 60, NOON, NOON + 30, NOON + 60]


@pytest.mark.parametrize("jump", [-40 * DAY, -3 * 3600, 3 * 3600, 400 * DAY])
def test_a_clock_that_jumps_loses_and_doubles_nothing(tmp_path, jump):
    series = {"a": minutes(NOON - 3600, NOON)}
    run(tmp_path, series, NOON, keep=2 * DAY)
    for as_of in (NOON + jump, NOON + 60):
        series["a"] = minutes(NOON - 3600, NOON + 60)
        run(tmp_path, series, as_of, keep=2 * DAY)
    assert held(tmp_path) == series


def test_days_that_are_not_kept_go_and_do_not_come_back(tmp_path):
    series = {"a": minutes(NOON - 5 * DAY, NOON, 3600)}
    outcome = run(tmp_path, series, NOON, keep=2 * DAY)
    first = MIDNIGHT - 2 * DAY
    assert held(tmp_path)["a"] == [at for at in series["a"] if at >= first]
    assert outcome.points == len(held(tmp_path)["a"])
    later = {"a": minutes(NOON + 3600, NOON + 2 * DAY, 3600)}
    run(tmp_path, later, NOON + 2 * DAY, keep=2 * DAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".ridgeline",
        "day=2023-12-09",
        "day=2023-12-10",
        "day=2023-12-11",
    ]
    assert export_all(tmp_path, {"a": minutes(NOON - 5 * DAY, NOON, 3600)}, NOON + 2 * DAY, keep=2 * DAY).points == 0


def test_what_there_is_no_room_for_comes_with_later_runs(tmp_path):
    series = {f"m{at}": minutes(NOON - 599 * 60, NOON) for at in range(8)}
    small = 16 * 64 * 1300  # room for two of them
    first = run(tmp_path, series, NOON, memory=small)
    assert (first.points, first.waiting) == (1200, 6)
    for _ in range(3):
        run(tmp_path, series, NOON, memory=small)
    assert held(tmp_path) == series


def test_what_there_is_no_time_for_comes_with_later_runs(tmp_path):
    series = {"a": minutes(NOON - 600, NOON)}
    assert run(tmp_path, series, NOON, left=lambda: 0.0).as_json() == {"points": 0, "late": 0, "waiting": 1}
    assert run(tmp_path, series, NOON).points == 11


def test_an_export_adds_what_is_missing_and_puts_metrics_together(tmp_path):
    names = [f"m{at:03d}" for at in range(50)]
    for as_of in minutes(NOON - 300, NOON):
        run(tmp_path, {name: minutes(NOON - 3600, as_of) for name in reversed(names)}, as_of)
    full = {name: minutes(NOON - 3630, NOON, 30) for name in names}
    done = export_all(tmp_path, full)
    assert (done.points, done.late, done.days) == (50 * 61, 50 * 61, 1)
    assert held(tmp_path) == full
    (only,) = files(tmp_path)
    assert "-" in only
    assert pq.read_table(tmp_path / only).column("metric").to_pylist() == [name for name in names for _ in full[name]]
    assert export_all(tmp_path, full).points == 0
    assert run(tmp_path, full, NOON).points == 0
    assert files(tmp_path) == [only]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 40))])
def test_any_history_of_runs_and_exports_is_archived_as_it_was(tmp_path, seed):
    """Points that are late by anything, ahead, trimmed; marks that vanish; clocks that are off by an hour."""
    chance = random.Random(seed)
    redis, now = {name: set() for name in "fedcba"}, NOON - DAY // 2
    for _ in range(40):
        now += chance.choice([60, 60, 60, 600, 7200])
        for stamps in redis.values():
            stamps.update([now - chance.choice([0, 30])] if chance.random() < 0.8 else range(now - 1800, now, 300))
            if chance.random() < 0.1:
                stamps.add(now + chance.randrange(-80_000, 80_000))
            stamps.intersection_update({at for at in stamps if at > now - DAY})
        series = {name: sorted(stamps) for name, stamps in redis.items() if stamps}
        as_of, act = now + chance.choice([0, 0, 0, -3600, 3600]), chance.random()
        if act < 0.6:
            run(tmp_path, series, as_of)
        elif act < 0.9:
            export_all(tmp_path, series, as_of)
            seen = held(tmp_path) if files(tmp_path) else {}
            for name, stamps in series.items():
                assert {at for at in stamps if at <= as_of} <= set(seen.get(name, []))
        else:
            Folder(tmp_path).marks.unlink(missing_ok=True)
    assert all(len(set(stamps)) == len(stamps) for stamps in held(tmp_path).values())


def test_since_leaves_older_points_for_another_export(tmp_path):
    series = {"a": minutes(NOON - 3600, NOON)}
    assert export_all(tmp_path, series, since=NOON - 600).points == 11
    assert export_all(tmp_path, series).points == 50
    assert held(tmp_path) == series


def test_marks_that_are_lost_or_damaged_are_made_anew_from_the_dataset(tmp_path):
    series = {"a": minutes(NOON - 600, NOON), "b": minutes(NOON - 900, NOON)}
    run(tmp_path, series, NOON)
    marks = Folder(tmp_path).marks
    for damage in (b"", b"nonsense", marks.read_bytes()[:-40], bytes(marks.stat().st_size)):
        marks.write_bytes(damage)
        assert run(tmp_path, series, NOON).points == 0
    marks.unlink()
    series["a"] = [*series["a"][:3], series["a"][3] + 5, *series["a"][4:], NOON + 60]
    outcome = run(tmp_path, series, NOON + 60)
    assert (outcome.points, outcome.late) == (2, 1)


@pytest.mark.parametrize("dies_at", range(1, 8))
def test_a_write_that_dies_at_any_step_leaves_every_point_once(tmp_path, monkeypatch, dies_at):
    """Every step that changes the file system is the last one of some process."""
    real, steps = os.replace, []

    class Killed(BaseException):
        pass

    series = {"a": minutes(MIDNIGHT - 600, MIDNIGHT + 600), "b": minutes(MIDNIGHT - 600, MIDNIGHT + 600)}
    run(tmp_path, {"a": series["a"][:3]}, MIDNIGHT + 600)

    def step(*arguments, **options):
        steps.append(arguments)
        if len(steps) == dies_at:
            raise Killed
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", step)
        try:
            export_all(tmp_path, series, MIDNIGHT + 600)
        except Killed:
            assert len(steps) == dies_at
    if (tmp_path / "day=2023-12-08").is_dir():
        seen = held(tmp_path)
        assert all(
            len(set(stamps)) == len(stamps) and set(stamps) <= set(series[name]) for name, stamps in seen.items()
        )
    export_all(tmp_path, series, MIDNIGHT + 600)
    assert held(tmp_path) == series


def test_a_reader_sees_each_point_once_while_days_are_put_in_order(tmp_path):
    series = {f"m{at}": minutes(NOON - 1200, NOON) for at in range(5)}
    run(tmp_path, {name: stamps[:1] for name, stamps in series.items()}, NOON)
    over = threading.Event()

    def write():
        for at in range(2, 21):
            now = NOON - 1200 + 60 * at
            if at % 2:
                run(tmp_path, {name: minutes(NOON - 1200, now) for name in series}, now)
            else:
                export_all(tmp_path, {name: minutes(NOON - 1200, now) for name in series}, now)
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while not over.is_set():
        source = ParquetSource(tmp_path)
        time.sleep(0.01)
        found = {
            name: n
            for each in source.chunks()
            for name, n in zip(each.metrics.to_pylist(), np.diff(each.offsets), strict=True)
        }
        assert not source.unreadable
        assert not any(each.duplicates.any() for each in source.chunks())
        assert max(found.values()) >= seen  # never fewer than before
        seen = min(found.values())
    writer.join(120)
    assert not writer.is_alive()


def test_retired_files_go_after_a_while(tmp_path, monkeypatch):
    series = {"a": minutes(NOON - 600, NOON)}
    run(tmp_path, {"a": series["a"][:5]}, NOON)
    source = ParquetSource(tmp_path)  # it listed what is about to be replaced
    export_all(tmp_path, series)
    assert sum(len(each.timestamps) for each in source.chunks()) == 5
    assert not source.unreadable
    assert list(tmp_path.rglob(".0*.parquet"))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + GRACE + 60)
    run(tmp_path, series, NOON)
    assert not list(tmp_path.rglob(".0*.parquet"))
    assert held(tmp_path) == series


def test_one_writer_at_a_time(tmp_path):
    with opened(Folder(tmp_path), DAY, DAY, NOON):
        began = time.monotonic()
        with pytest.raises(LockHeld), opened(Folder(tmp_path), DAY, DAY, NOON, patience=0.3):
            pass
        assert time.monotonic() - began >= 0.3
    with opened(Folder(tmp_path), DAY, DAY, NOON):
        pass


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.parquet").write_bytes(b"dear to somebody")
    with pytest.raises(UnsafeTarget, match="something else than an archive"):
        run(tmp_path, {"a": [NOON]}, NOON)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.parquet"]
    hive = tmp_path / "hive" / "day=2023-12-09"
    hive.mkdir(parents=True)
    (hive / "part-0.parquet").write_bytes(b"dear to somebody")
    with pytest.raises(UnsafeTarget, match="something else than an archive"):
        run(tmp_path / "hive", {"a": [NOON]}, NOON)


def test_an_archive_that_lost_its_hidden_folder_is_one_all_the_same(tmp_path):
    series = {"a": minutes(NOON - 600, NOON)}
    run(tmp_path, {"a": series["a"][:3]}, NOON)
    export_all(tmp_path, {"a": series["a"][:5]})
    shutil.rmtree(tmp_path / ".ridgeline")
    assert run(tmp_path, series, NOON).points == 6
    assert held(tmp_path) == series


def test_a_device_or_a_file_as_folder_is_refused(tmp_path):
    for place in ("/dev/null", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(OutputError):
            run(type(tmp_path)(place), {"a": [NOON]}, NOON)


def test_links_in_the_archive_are_not_followed(tmp_path):
    run(tmp_path / "x", {"a": [NOON - DAY]}, NOON - DAY)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x" / "day=2023-12-09").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeTarget):
        run(tmp_path / "x", {"a": [NOON]}, NOON)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_damaged_day_stays_as_it_is(tmp_path):
    run(tmp_path, {"a": minutes(NOON - 600, NOON - 60)}, NOON)
    run(tmp_path, {"a": minutes(NOON - 600, NOON)}, NOON)
    first = tmp_path / files(tmp_path)[0]
    first.write_bytes(first.read_bytes()[:100])
    before = files(tmp_path)
    with opened(Folder(tmp_path), 90 * DAY, DAY, NOON) as archive:
        done = compact(archive)
    assert done.days == 0
    assert "stays as it is" in done.problems[0]
    assert files(tmp_path) == before


@pytest.mark.parametrize("marked", [True, False])
def test_what_is_damaged_is_archived_anew_while_the_source_has_it(tmp_path, marked):
    series = {"a": minutes(NOON - 600, NOON), "b": minutes(NOON - 600, NOON)}
    run(tmp_path, {"a": series["a"]}, NOON)
    run(tmp_path, series, NOON)
    first = tmp_path / files(tmp_path)[0]
    first.write_bytes(b"no more")
    if not marked:
        Folder(tmp_path).marks.unlink()
        assert run(tmp_path, series, NOON).points == 11
    else:
        assert run(tmp_path, series, NOON).points == 0  # nobody looked
        assert export_all(tmp_path, series).points == 11
    first.unlink()
    assert held(tmp_path) == series


def test_names_of_every_kind(tmp_path):
    series = {name: [NOON] for name in ("a=b/c", "é", "", " ", "x" * 500, "day=2020-01-01", "null", "a\nb")}
    run(tmp_path, series, NOON)
    assert held(tmp_path) == series
    assert export_all(tmp_path, series).points == 0
    assert held(tmp_path) == series


def test_a_file_that_took_the_place_of_others_hides_them():
    names = [
        "000000000001.parquet",
        "000000000002.parquet",
        "000000000001-000000000002.parquet",
        "000000000003.parquet",
        "x.parquet",
    ]
    assert current(names) == names[2:]
    assert current([*names, "000000000001-000000000003.parquet"]) == ["x.parquet", "000000000001-000000000003.parquet"]
    assert current_paths([f"d/day=2024-01-01/{names[0]}", f"d/day=2024-01-02/{names[2]}", f"d/{names[2]}", f"d/{names[0]}"]) == [
        f"d/day=2024-01-01/{names[0]}", f"d/day=2024-01-02/{names[2]}", f"d/{names[2]}", f"d/{names[0]}",
    ]  # fmt: skip
    assert retired("d/x.parquet") is None


@given(st.lists(st.lists(st.integers(0, 60), max_size=12), min_size=1, max_size=6), st.integers(-5, 65))
def test_bisection_of_many_series_is_that_of_each(rows, when):
    rows = [sorted(row) for row in rows]
    stamps = np.array([at for row in rows for at in row], np.int64)
    ends = np.cumsum([len(row) for row in rows]).astype(np.int64)
    begins = ends - np.array([len(row) for row in rows])
    expected = [begin + np.searchsorted(row, when, "right") for begin, row in zip(begins, rows, strict=True)]
    assert behind(stamps, begins, ends, np.full(len(rows), when)).tolist() == expected
    edges = np.array([0, 10, 30, 61])
    counted = [[sum(low <= at < high for at in row) for low, high in itertools.pairwise(edges)] for row in rows]
    assert counts_between(stamps, begins, ends, edges).tolist() == counted


@given(
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 9))), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)))
)
def test_unknown_points_are_those_that_no_known_one_equals(known, asked):
    ours = np.array(sorted(known), np.int64).reshape(-1, 2)
    theirs = np.array(asked, np.int64).reshape(-1, 2)
    found = unknown(theirs[:, 0], theirs[:, 1], ours[:, 0], ours[:, 1])
    assert found.tolist() == [each not in known for each in asked]
