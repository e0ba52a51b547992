"""Every benchmark scenario, tiny: it runs, its results agree with the oracle, and its shape has not got worse.

Shape is counted, never timed: Python-level calls and allocations per chunk do not grow with the number of metrics.
"""

import json
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ridgeline.bench.axes import Axes
from ridgeline.bench.compare import compare
from ridgeline.bench.data import MIXES, fleet_of, matrix_of
from ridgeline.bench.polars_votes import EIGHT, frame_of, votes
from ridgeline.bench.row import Row
from ridgeline.bench.scenarios import every
from ridgeline.bench.table import render
from ridgeline.bench.yardsticks import oracle_votes
from ridgeline.engine.cli.main import main
from ridgeline.engine.replay.matrix import ReplayPlan, replay_matrix
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.io.errors import InputError
from ridgeline.io.redis.decode import decode_part

TINY = Axes(metrics=40, points=240, threads=(1, 2), runs=1, extra={"steps": "3000", "warm": "yes"})


@pytest.mark.parametrize("name", every())
def test_every_scenario_runs_tiny(name, root):
    oracle = str(root / "tests") if (root / "tests/oracle.py").exists() else None
    rows = list(every()[name].measure(replace(TINY, oracle=oracle)))
    assert rows
    for row in rows:
        assert 0 < row.low <= row.median <= row.high
        assert row.scenario == name
    assert all(row.work in render(rows) for row in rows)
    assert len({row.key for row in rows}) == len(rows)


def test_the_polars_yardstick_does_the_same_work():
    fleet = fleet_of(replace(TINY, metrics=300, points=1440))
    ours = score_matrix(matrix_of(fleet), ScorePlan(profile=PROFILES["earthgecko"], as_of="last", all_votes=True))
    ours = pl.from_arrow(ours)
    analysed = (ours["outcome"] == "analysed").to_numpy()
    theirs = votes(frame_of(fleet)).filter(analysed)
    for name in EIGHT:
        assert (theirs[name] == ours.filter(analysed)[name]).all(), name


def test_the_votes_that_are_measured_are_the_oracles(root):
    fleet = fleet_of(TINY)
    ours = score_matrix(matrix_of(fleet), ScorePlan(as_of="last", all_votes=True)).to_pydict()
    analysed = [outcome == "analysed" for outcome in ours["outcome"]]
    assert sum(analysed) > 30
    for name, votes_of in oracle_votes(fleet, str(root / "tests")).items():
        assert [v for v, a in zip(ours[name], analysed, strict=True) if a] == [
            v for v, a in zip(votes_of, analysed, strict=True) if a
        ], name


@pytest.mark.parametrize("mix", MIXES)
def test_mixes_are_what_they_say(mix):
    fleet = fleet_of(replace(TINY, mix=mix))
    assert fleet.values.shape == (40, 240)
    assert np.isfinite(fleet.values).all()
    assert len(set(fleet.metrics)) == 40


def test_an_unknown_mix_is_refused():
    with pytest.raises(InputError, match="unknown mix"):
        fleet_of(replace(TINY, mix="nope"))


def calls(work):
    """Python-level calls that `work` makes in this thread."""
    count = 0

    def profile(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    work()  # what happens only once is not the shape
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def allocations(work):
    """Blocks of memory alive after `work` that were not before it, its result included."""
    work()
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        kept = work()
        after = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    del kept
    return sum(max(stat.count_diff, 0) for stat in after.compare_to(before, "filename"))


def chunks(kind):
    """The same work on a small and on a ten times larger chunk."""
    for metrics in (50, 500):
        fleet = fleet_of(replace(TINY, metrics=metrics))
        matrix = matrix_of(fleet)
        if kind == "score":
            yield lambda matrix=matrix: score_matrix(matrix, ScorePlan())
            continue
        from ridgeline.bench.scenarios.decode import _part
        from ridgeline.io.redis.write import encode_points

        part = _part([encode_points(fleet.timestamps, x, float_timestamps=False).tobytes() for x in fleet.values])
        yield lambda names=fleet.metrics, part=part: decode_part(names, part, 10**6)


@pytest.mark.parametrize("kind", ["score", "decode"])
def test_python_calls_do_not_grow_with_the_metrics_of_a_chunk(kind):
    small, large = (calls(work) for work in chunks(kind))
    assert large <= small + 5
    assert large < 400


@pytest.mark.parametrize("kind", ["score", "decode"])
def test_allocations_do_not_grow_with_the_metrics_of_a_chunk(kind):
    small, large = (allocations(work) for work in chunks(kind))
    assert large <= small + 20


def test_replay_makes_no_call_per_step():
    def work(points):
        matrix = matrix_of(fleet_of(replace(TINY, metrics=2, points=points)))
        return lambda: replay_matrix(matrix, ReplayPlan())

    assert calls(work(2000)) <= calls(work(400)) + 5


def test_comparison_knows_noise_from_change(tmp_path):
    def row(median, low, high):
        return Row("s", "w", median, low, high, 5)

    old = tmp_path / "old.json"
    old.write_text(json.dumps({"rows": [row(1.0, 0.95, 1.05).as_json()]}))
    verdicts = [compare([row(m, m, m)], old)[0].verdict for m in (1.05, 1.2, 0.8)]
    assert verdicts == ["same", "slower", "faster"]
    with pytest.raises(InputError, match="not a file that"):
        compare([], tmp_path / "absent.json")


def test_the_command_writes_compares_and_refuses(tmp_path, capsys):
    small = ["--metrics", "20", "--points", "200", "--runs", "1", "--no-yardsticks"]
    out = tmp_path / "now.json"
    assert main(["bench", "decode", *small, "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "15-byte layout" in shown
    assert "of limit: one pass from memory" in shown
    assert json.loads(out.read_text())["rows"]
    assert main(["bench", "decode", *small, "--compare", str(out)]) in {0, 1}
    assert "noise band" in capsys.readouterr().out
    assert main(["bench", "nope"]) == 2
    assert "unknown scenario 'nope'" in capsys.readouterr().err


def test_tuning_prints_toml(monkeypatch, capsys):
    import tomllib

    from ridgeline.bench import tune

    monkeypatch.setattr(tune, "CHUNKS", (20, 50))
    assert main(["bench", "--tune", "--metrics", "40", "--points", "200", "--runs", "1"]) == 0
    shown = capsys.readouterr().out
    lines = tomllib.loads(shown[shown.index("# fastest") :])
    assert lines["source"]["chunk_keys"] in {20, 50}
    assert lines["run"]["threads"] >= 1


def test_pictures_are_drawn(tmp_path, monkeypatch):
    from ridgeline.bench import plot

    monkeypatch.setattr(plot, "POINTS", (180, 360))
    monkeypatch.setattr(plot, "CHUNKS", (10, 50))
    drawn = plot.draw(replace(TINY, metrics=30), tmp_path)
    assert [path.name for path in drawn] == ["threads.png", "points.png", "chunk.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
