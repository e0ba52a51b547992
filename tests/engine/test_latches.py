"""Skyline's confirmation of counters: three runs in a row, and then for as long as its latch holds."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from rigs.runs import run_json

from ridgeline.engine.cli.main import main
from ridgeline.engine.config.model import Config, Output
from ridgeline.engine.prepare.plan import Preparation
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.latches import CONFIRMED, MEMORY, Latch, LatchSink
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.run.state import open_run_state
from ridgeline.engine.run.turn import Request, Turn
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.state.names import COUNTERS

START = 1_700_000_000
KEEP = 86400
GROWING = np.cumsum(np.random.default_rng(0).poisson(30, 400).astype(float))
NOISE = np.random.default_rng(1).normal(50, 1, 400)


def matrix(now, *series):
    """Series of 400 minutes that end at `now`."""
    count = len(series)
    stamps = np.tile(now - 60 * np.arange(399, -1, -1), count)
    names = pa.array([f"m{at}" for at in range(count)])
    return MetricMatrix.from_columns(names, 400 * np.arange(count + 1), stamps, np.concatenate(series))


class World:
    """Runs one after the other over one state file."""

    def __init__(self, folder):
        self.config = Config(
            analysis=Analysis(profile="earthgecko", full_duration=KEEP),
            preparation=Preparation("auto", non_derivative=("never",)),
            output=Output(state=folder / "state.db"),
        )

    def run(self, now, *series, ending=None, **request):
        """What each series was judged after, in a run at `now`."""
        turn = Turn.begin(Request(self.config, **request), Budget.begin(60), lambda: float(now))
        turn.sink(LatchSink).recall(turn)
        block = matrix(now if ending is None else ending, *series)
        scored = turn.scorer.judge(block, turn.scorer.assign(block))
        turn.sink(LatchSink).take(Series(block, scored.prepared), scored.verdicts)
        turn.sink(LatchSink).finish(turn)
        return scored.verdicts.column("prepared").to_pylist()

    @property
    def stored(self):
        with open_run_state(self.config) as state:
            return state.fields(COUNTERS)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_three_runs_with_new_points_make_a_counter(world):
    assert world.run(START, GROWING, NOISE) == [None, None]
    assert world.stored == {"m0": [1, START, START + MEMORY]}
    assert world.run(START + 60, GROWING, NOISE) == [None, None]
    assert world.run(START + 90, GROWING, NOISE, ending=START + 60) == [None, None], "no new point"
    assert world.run(START + 120, GROWING, NOISE) == ["derivative", None]
    assert world.stored == {"m0": [CONFIRMED, START + 120, START + 120 + KEEP]}
    assert world.run(START + 180, NOISE, NOISE) == ["derivative", None], "whatever its window is like later"


def test_a_run_that_finds_none_begins_anew(world):
    for at, series in enumerate([GROWING, GROWING, NOISE, GROWING, GROWING]):
        assert world.run(START + 60 * at, series) == [None]
    assert world.run(START + 300, GROWING) == ["derivative"]


def test_what_is_not_confirmed_in_time_is_forgotten(world):
    world.run(START, GROWING)
    world.run(START + 60, GROWING)
    assert world.run(START + 60 + MEMORY, GROWING) == [None]
    assert world.stored["m0"][0] == 1


def test_a_latch_is_renewed_before_it_ends_and_ends_if_nothing_renews_it(world):
    for at in range(CONFIRMED):
        world.run(START + 60 * at, GROWING)
    until = world.stored["m0"][2]
    world.run(START + 240, GROWING)
    assert world.stored["m0"][2] == until, "not at every run"
    world.run(START + 120 + KEEP // 2 + 1, GROWING)
    renewed = world.stored["m0"][2]
    assert renewed == START + 120 + KEEP // 2 + 1 + KEEP
    assert world.run(renewed - 1, NOISE) == ["derivative"]
    assert world.run(renewed, NOISE) == [None]
    assert world.stored == {}


def test_other_metrics_of_the_state_stay(world):
    world.run(START, GROWING, GROWING)
    world.run(START + 60, GROWING)
    assert {name: stored[0] for name, stored in world.stored.items()} == {"m0": 2, "m1": 1}


def test_a_dry_run_remembers_nothing_and_a_damaged_state_is_forgotten(world):
    world.run(START, GROWING, dry_run=True)
    assert world.stored == {}
    with open_run_state(world.config) as state, state.batch() as batch:
        batch.put(COUNTERS, {"m0": "nonsense", "m1": [1, 2], "m2": [1.5, 2, 3], "m3": [3, START, START + 500]})
    world.run(START, NOISE)
    assert set(world.stored) == {"m3"}


def test_without_a_state_each_counter_is_one_at_once(world, tmp_path):
    (tmp_path / "state.db").mkdir()
    turn = Turn.begin(Request(world.config), Budget.begin(60), lambda: float(START))
    turn.sink(LatchSink).recall(turn)
    assert "counters are not confirmed" in turn.report.problems[0]
    block = matrix(START, GROWING)
    assert turn.scorer.judge(block, turn.scorer.assign(block)).verdicts.column("prepared").to_pylist() == ["derivative"]


def test_only_skylines_profiles_confirm(world):
    for analysis in (Analysis(), Analysis(profile="etsy")):
        turn = Turn.begin(Request(replace(world.config, analysis=analysis)), Budget.begin(60), lambda: float(START))
        assert (turn.sink(LatchSink), turn.scorer.confirm) == (None, None)
    declared = replace(world.config, preparation=Preparation(("m",)))
    assert Turn.begin(Request(declared), Budget.begin(60), lambda: float(START)).sink(LatchSink) is None


def test_what_is_no_counter_by_name_is_never_asked():
    given = Preparation("auto", ("m1",), (), ("m0",))
    sink = LatchSink(START, KEEP, known={"m0": Latch(3, 1, START + 9), "m1": Latch(3, 1, START + 9)})
    scorer = Scorer.of(Analysis(profile="earthgecko"), preparation=given, as_of="last")
    block = matrix(START, GROWING, GROWING)
    asks = scorer.assign(block).asks
    found = replace(scorer, confirm=sink.confirm).judge(block)
    assert found.verdicts.column("prepared").to_pylist() == ["derivative", None]
    assert asks[1] == sink.confirm(block, asks)[1] == 0


def test_a_whole_run_confirms(tmp_path, capsys):
    import pyarrow.parquet as pq

    config = tmp_path / "ridgeline.toml"
    config.write_text(
        f'[source]\nkind = "parquet"\npath = "{tmp_path}/in.parquet"\n[analysis]\nprofile = "earthgecko"\n'
        f'[preparation]\ncounters = "auto"\n[output]\nstate = "{tmp_path}/state.db"\n'
    )
    found, explained = [], []
    for at in range(CONFIRMED):
        now = START + 60 * at
        block = matrix(now, GROWING, NOISE)
        columns = {"metric": np.repeat(["m0", "m1"], 400), "timestamp": block.timestamps, "value": block.values}
        pq.write_table(pa.table(columns), tmp_path / "in.parquet")
        found.append(run_json(capsys, config, as_of=now)[1]["preparation"])
        assert main(["explain", "m0", "--config", str(config), "--json"]) == 0
        explained.append(json.loads(capsys.readouterr().out)["prepared"])
    assert found == [{"raw_counter": 1}, {"raw_counter": 1}, {"counter": 1}]
    assert explained == [None, None, "derivative"]
    (tmp_path / "state.db").unlink()
    (tmp_path / "state.db").mkdir()
    assert main(["explain", "m0", "--config", str(config), "--json"]) == 70
    told = capsys.readouterr()
    assert "whether earlier runs confirmed a counter is not known" in told.err
    assert json.loads(told.out)["prepared"] == "derivative", "as a run without a state takes it"
