"""Every benchmark scenario, tiny: it runs, its results agree with the oracle, and its shape has not got worse.

Shape is counted, never timed: Python-level calls and allocations per chunk do not grow with the number of metrics.
"""

import gc
import json
import sys
import tomllib
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from ridgeline.bench import tune, warm
from ridgeline.bench.axes import Axes
from ridgeline.bench.compare import compare
from ridgeline.bench.compare import render as render_changes
from ridgeline.bench.data import MIXES, fleet_of, matrix_of
from ridgeline.bench.measure import Timing
from ridgeline.bench.row import Row
from ridgeline.bench.scenarios import every, run
from ridgeline.bench.table import render
from ridgeline.bench.yardsticks import oracle_votes
from ridgeline.engine.cli.main import main
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.io.errors import InputError

TINY = Axes(metrics=40, points=240, threads=(1, 2), runs=1, extra={"steps": "3000", "warm": "yes"})


# What starts processes, several for each of its rows, is for `make bench-smoke`.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in {"cold-start", "operate"})) for name in every()]
)
def test_every_scenario_runs_tiny(name, root):
    oracle = str(root / "tests")
    rows = list(every()[name].measure(replace(TINY, oracle=oracle)))
    assert rows
    for row in rows:
        assert 0 < min(row.timing.seconds) <= row.median
        assert row.scenario == name
    assert all(row.work in render(rows) for row in rows)
    assert len({row.key for row in rows}) == len(rows)


def test_walks_know_enough_before_warm_runs_by_them_are_measured():
    rows = warm.measure(replace(TINY, metrics=20, step=600, rule="pages"))
    notes = [note for row in rows for note in row.notes if "rule pages" in note]
    assert len(notes) == 1
    assert ", 0.0% still learning, " in notes[0]


def test_the_real_analyzers_cycle_is_the_least_that_was_measured(shared):
    timed = json.loads((shared / "golden" / "timing.json").read_text())
    least = {}
    for one in timed["runs"]:
        if "BATCH_PROCESSING" not in one:  # which costs it more
            seconds = min(map(sum, zip(one["child_cpu_s"], one["parent_cpu_s"], strict=True))) / 2000
            in_c = one["decoder"].endswith(" C")
            least[in_c] = min(least.get(in_c, seconds), seconds)
    assert least == pytest.approx({False: run.SKYLINE, True: run.SKYLINE_IN_C}, rel=0.05)


def test_the_polars_yardstick_does_the_same_work():
    pl = pytest.importorskip("polars", reason="needs ridgeline[yardsticks], for the yardstick itself")
    from ridgeline.bench.polars_votes import EIGHT, frame_of, votes

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
    gc.collect()  # nor are the finalizers of what other tests left
    gc.disable()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
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
        from ridgeline.bench.scenarios.decode import decoded, reply_of
        from ridgeline.io.redis.write import encode_points

        wire = reply_of([encode_points(fleet.timestamps, x, float_timestamps=False).tobytes() for x in fleet.values])
        yield lambda names=fleet.metrics, wire=wire: decoded(names, wire)


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


def timed(*seconds, limit=None):
    return Row("s", "w", Timing(seconds), limit=limit)


def against(tmp_path, before, now):
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"rows": [before.as_json()]}))
    return compare([now], old)[0]


STEADY = (0.99, 1.0, 1.0, 1.0, 1.01)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, "same"), (1.04, "same"), (0.96, "same"), (1.2, "slower"), (1.1, "slower"), (0.8, "faster")],
)
def test_comparison_knows_noise_from_change(tmp_path, factor, verdict):
    assert against(tmp_path, timed(*STEADY), timed(*(factor * t for t in STEADY))).verdict == verdict


def test_one_interrupted_repetition_hides_no_change(tmp_path):
    change = against(tmp_path, timed(0.99, 1.0, 1.0, 1.01, 9.8), timed(1.48, 1.5, 1.5, 1.51, 8.0))
    assert (change.verdict, change.ratio) == ("slower", 1.5)
    assert change.band < 0.1


def test_what_is_too_noisy_says_so_and_fails_nobody(tmp_path):
    wild = (0.5, 0.8, 1.0, 1.5, 2.5)
    for before, now in ((timed(*wild), timed(*wild)), (timed(1.0), timed(1.1))):
        change = against(tmp_path, before, now)
        assert change.verdict == "unsure"
        assert "more --runs" in render_changes([change])


def test_a_machine_that_is_slower_as_a_whole_is_no_change(tmp_path):
    before, now = timed(*STEADY, limit=("memory", 0.1)), timed(*(1.5 * t for t in STEADY), limit=("memory", 0.15))
    assert against(tmp_path, before, now).verdict == "same"
    slower = timed(*(1.5 * t for t in STEADY), limit=("memory", 0.1))
    assert against(tmp_path, before, slower).verdict == "slower"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"rows": [{}]}', '{"rows": [{"key": "s/w[]", "seconds": [], "limit": null}]}']
)
def test_a_comparison_with_nonsense_is_refused(tmp_path, text):
    (tmp_path / "old.json").write_text(text)
    for path in (tmp_path / "old.json", tmp_path / "absent.json"):
        with pytest.raises(InputError, match="not a file that"):
            compare([timed(*STEADY)], path)


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (0.5, 0), (2.0, 1)])
def test_the_command_ends_with_1_where_something_got_slower(tmp_path, monkeypatch, capsys, factor, code):
    (tmp_path / "old.json").write_text(json.dumps({"rows": [timed(*STEADY).as_json()]}))
    monkeypatch.setattr("ridgeline.engine.cli.bench._measure", lambda *_: [timed(*(factor * t for t in STEADY))])
    assert main(["bench", "--compare", str(tmp_path / "old.json")]) == code
    assert ("slower" in capsys.readouterr().out) == (code == 1)


def test_tuning_recommends_no_noise():
    def row(chunk, *seconds):
        return Row("run", "w", Timing(seconds), metrics=100, parameters={"chunk": chunk, "threads": 2})

    usual = row(100, 1.0, 1.01, 0.99, 1.0, 1.02)
    shown = tune.lines([usual, row(25, 0.97, 0.99, 0.98, 0.99, 1.0)])
    assert "no significant difference" in shown
    assert "chunk_keys = 100" in shown
    shown = tune.lines([usual, row(25, 0.5, 0.51, 0.5, 0.52, 0.5)])
    assert "100% faster than the defaults" in shown
    assert "chunk_keys = 25" in shown


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
    (tmp_path / "nonsense.json").write_text("[]")
    assert main(["bench", "--compare", str(tmp_path / "nonsense.json")]) == 2, "before anything is measured"
    shown = capsys.readouterr()
    assert "not a file that" in shown.err
    assert shown.out == ""
    assert main(["bench", "nope"]) == 2
    assert "unknown scenario 'nope'" in capsys.readouterr().err


def test_tuning_prints_toml(monkeypatch, capsys):
    monkeypatch.setattr(tune, "CHUNKS", (20, 50))
    monkeypatch.setattr(tune, "LEAST_RUNS", 1)
    assert main(["bench", "--tune", "--metrics", "40", "--points", "200", "--runs", "1"]) == 0
    shown = capsys.readouterr().out
    lines = tomllib.loads(shown[shown.index("settings tried here") - 5 :].partition("#")[2].partition("\n")[2])
    assert lines["source"]["chunk_keys"] in {20, 50}
    assert lines["run"]["threads"] >= 1


def test_pictures_are_drawn(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    from ridgeline.bench import plot

    monkeypatch.setattr(plot, "POINTS", (180, 360))
    monkeypatch.setattr(plot, "CHUNKS", (10, 50))
    drawn = plot.draw(replace(TINY, metrics=30), tmp_path)
    assert [path.name for path in drawn] == ["threads.png", "points.png", "chunk.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_a_fleet_that_this_machine_has_no_room_for_is_refused_before_any_of_it_is_made(capsys):
    assert main(["bench", "run", "--warm-only", "--metrics", "1000000000"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ridgeline: 1,000,000,000 metrics of 1,4")
    assert "GB free: ask for fewer with --metrics" in told
