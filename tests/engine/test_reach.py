"""`min_window_points`: windows by points as well as by hours, alike in every evaluator."""

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import reach as twin

import ridgeline
from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.problems import ConfigError
from ridgeline.engine.prepare.plan import Preparation
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.reach import newest_steps, steps_at, stretched, windows_at
from ridgeline.engine.score.scorer import Scorer, base_policy
from ridgeline.engine.score.sparse import lines
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix

START = 1_700_000_000
HOUR, DAY = 3600, 86400


def matrix_of(*rows):
    offsets = np.concatenate([[0], np.cumsum([len(t) for t, _ in rows])]).astype(np.int64)
    names = pa.array([f"m{k}" for k in range(len(rows))])
    return MetricMatrix.from_columns(names, offsets, *(np.concatenate([row[k] for row in rows]) for k in (0, 1)))


def asking_for(points):
    return Overrides(base_policy(Analysis(min_window_points=points)))


def hourly(points, seed=1):
    return START + HOUR * np.arange(points), np.random.default_rng(seed).normal(100, 5, points)


@st.composite
def timelines(draw, *, equal=False):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = np.concatenate(
        [
            np.full(draw(st.integers(1, 60)), draw(st.sampled_from([1, 7, 10, 60, 300, 3600, 86400, 604800])))
            for _ in range(draw(st.integers(1, 4)))
        ]
    )
    steps = steps + np.where(rng.random(len(steps)) < 0.3, rng.integers(0, 2000, len(steps)), 0)
    if equal:
        steps[rng.random(len(steps)) < 0.2] = 0
    return START + np.cumsum(steps)


@examples(25)
@given(t=timelines(), points=st.sampled_from([0, 1, 100, 1000]))
def test_the_window_as_of_each_point_is_the_twins(t, points):
    assert steps_at(t).tolist() == [twin.step_of(t[: at + 1].tolist()) for at in range(len(t))]
    assert windows_at(t, DAY, points).tolist() == [
        twin.window_of(t[: at + 1].tolist(), DAY, points) for at in range(len(t))
    ]


@examples(25)
@given(
    rows=st.lists(timelines(equal=True), min_size=1, max_size=5), cut=st.floats(0, 1), points=st.sampled_from([1, 500])
)
def test_rows_of_a_matrix_have_the_window_of_their_points_up_to_the_instant(rows, cut, points):
    matrix = matrix_of(*((t, np.arange(len(t), dtype=float)) for t in rows))
    as_of = np.array([int(t[0] + cut * (t[-1] - t[0])) for t in rows])
    for asked, stamps in (
        (as_of, [t[t <= end] for t, end in zip(rows, as_of, strict=True)]),
        (NO_AS_OF + 0 * as_of, rows),
    ):
        assert newest_steps(matrix, np.arange(len(rows)), asked).tolist() == [twin.step_of(t.tolist()) for t in stamps]
        plan = ScorePlan(policies=(Policy(min_window_points=points),))
        found = stretched(Policies.encode(plan, None, len(rows)), matrix, asked)
        assert found.windows.tolist() == [twin.window_of(t.tolist(), DAY, points) for t in stamps]


def test_an_hourly_metric_is_judged_and_every_step_of_a_replay_as_score_does():
    t, x = hourly(400)
    x[350] += 200
    rows = ((t, x), (START + 60 * np.arange(2000), np.random.default_rng(2).normal(size=2000)), hourly(40, 3))
    matrix = matrix_of(*rows)
    given_ = [{"match": ".*", "min_window_points": 150}]
    plain = ridgeline.score(matrix, as_of="last")["outcome"].to_pylist()
    assert plain == ["too_short", "analysed", "too_short"]
    found = ridgeline.score(matrix, as_of="last", overrides=given_)
    assert found["outcome"].to_pylist() == ["analysed", "analysed", "too_short"]
    assert found["reason"].to_pylist() == [None, None, "short_history"], "150 points a window, and only 40 are held"
    replayed = replay_matrix(matrix, ReplayPlan(), asking_for(150))
    names = [name for name in replayed.column_names if name.endswith("_score")]
    for at in (99, 100, 120, 350, 351, 399):
        one = matrix_of((t[: at + 1], x[: at + 1]))
        (score,) = ridgeline.score(one, as_of="last", scores=True, overrides=given_).to_pylist()
        step = replayed.slice(at, 1).to_pylist()[0]
        assert (step["outcome"], step["anomalous"]) == (score["outcome"], score["anomalous"])
        for name in names:
            assert step[name] == pytest.approx(score[name], rel=1e-5, nan_ok=True), (at, name)
    assert replayed.slice(350, 1)["anomalous"].to_pylist() == [True]
    assert len(replayed) == len(matrix.values)


def test_a_metric_that_becomes_slower_has_each_step_written_once_and_by_its_own_window():
    t = np.concatenate([START + 60 * np.arange(3000), START + 180_000 + HOUR * np.arange(300)])
    x = np.random.default_rng(4).normal(50, 3, len(t))
    matrix = matrix_of((t, x))
    overrides = asking_for(120)
    replayed = replay_matrix(matrix, ReplayPlan(), overrides)
    assert replayed["timestamp"].to_pylist() == t.tolist()
    given_ = [{"match": ".*", "min_window_points": 120}]
    for at in (2999, 3005, 3015, 3016, 3017, 3100, 3299):
        one = matrix_of((t[: at + 1], x[: at + 1]))
        (score,) = ridgeline.score(one, as_of="last", scores=True, overrides=given_).to_pylist()
        step = replayed.slice(at, 1).to_pylist()[0]
        assert (step["outcome"], step["votes"]) == (score["outcome"], score["votes"]), at
        if score["grubbs_score"] is not None:
            assert step["grubbs_score"] == pytest.approx(score["grubbs_score"], rel=1e-5)


def test_what_people_are_shown_of_a_window_is_what_was_judged():
    matrix = matrix_of(hourly(400))
    scorer = Scorer.of(Analysis(min_window_points=150), as_of="last")
    stamps, _ = considered(matrix, 0, scorer)
    assert len(stamps) == 150


def test_derivatives_and_fills_take_the_same_window():
    t = START + HOUR * np.arange(300)
    rises = np.cumsum(np.random.default_rng(6).uniform(1, 2, 300))
    scorer = Scorer.of(Analysis(min_window_points=150), preparation=Preparation(counters=(".*",)), as_of="last")
    (found,) = scorer.score(matrix_of((t, rises))).to_pylist()
    assert (found["outcome"], found["prepared"]) == ("analysed", "derivative")
    replayed = replay_matrix(
        matrix_of((t, rises)),
        ReplayPlan(preparation=Preparation(counters=(".*",))),
        asking_for(150),
    )
    assert replayed["outcome"].to_pylist()[-1] == "analysed"
    assert replayed["value"].to_pylist()[-1] == pytest.approx(rises[-1] - rises[-2])


def test_the_key_is_read_checked_and_may_be_overridden(tmp_path):
    path = tmp_path / "c.toml"
    source = '[source]\nkind = "parquet"\npath = "x"\n'
    path.write_text(
        f'{source}[analysis]\nmin_window_points = 200\n[[override]]\nmatch = "fast."\nmin_window_points = 0\n'
    )
    config = load_config(path)
    scorer = Scorer.of(config.analysis, config.overrides)
    assert scorer.overrides.policy("slow").min_window_points == 200
    assert scorer.overrides.policy("fast.a").min_window_points == 0
    for key, value in (("min_window_points", "-1"), ("min_window_points", "1.5"), ("min_window_points", "2000000")):
        path.write_text(f"{source}[analysis]\n{key} = {value}\n")
        with pytest.raises(ConfigError, match=key):
            load_config(path)
    path.write_text(f'{source}[analysis]\nprofile = "earthgecko"\nmin_window_points = 200\n')
    with pytest.raises(ConfigError, match="native"):
        load_config(path)
    path.write_text(f'{source}[analysis]\nprofile = "etsy"\n[[override]]\nmatch = "a"\nmin_window_points = 200\n')
    with pytest.raises(ConfigError, match="native"):
        load_config(path)
    with pytest.raises(InputError, match="native"):
        ridgeline.score(matrix_of(hourly(9)), profile="etsy", overrides=[{"match": "m", "min_window_points": 5}])


def test_summaries_name_what_can_never_be_judged_and_what_would_do(tmp_path):
    from ridgeline.engine.cli.main import main

    matrix = matrix_of(hourly(300), hourly(300, 2), (START + 60 * np.arange(2000), np.arange(2000.0)), hourly(1, 3))
    scorer = Scorer.of(Analysis(), as_of="last")
    scored = scorer.judge(matrix)
    assert scored.verdicts["outcome"].to_pylist() == ["too_short", "too_short", "analysed", "too_short"]
    assert scored.sparse.counts == {(HOUR, DAY, 100): 2}, "of a single point nothing is known"
    data = tmp_path / "data.parquet"
    rows = [
        (f"m{at}", matrix.timestamps[a:b], matrix.values[a:b]) for at, (a, b) in enumerate(pairwise(matrix.offsets))
    ]
    columns = {
        "metric": np.concatenate([np.repeat(name, len(t)) for name, t, _ in rows]),
        "timestamp": matrix.timestamps,
        "value": matrix.values,
    }
    pq.write_table(pa.table(columns), data)
    assert main(["backtest", str(data), "--output", str(tmp_path / "out"), "--quiet"]) == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    (told,) = manifest["never_judged"]
    assert told == {
        "metrics": 2, "resolution": HOUR, "window": DAY, "needed_window": 100 * HOUR, "min_window_points": 100,
        "names": ["m0", "m1"],
    }  # fmt: skip
    (sentence,) = lines([told])
    assert "2 metrics can never be judged (m0, m1): a point every 1 h" in sentence
    config = tmp_path / "pages.toml"
    config.write_text(f'[source]\nkind = "parquet"\npath = "{data}"\n[analysis]\nrule = "pages"\n')
    assert main(["backtest", str(data), "--output", str(tmp_path / "walked"), "-q", "-c", str(config)]) == 0
    assert json.loads((tmp_path / "walked" / "manifest.json").read_text())["never_judged"] == []
    assert "24 of the 100 points" in sentence
    for remedy in (
        Analysis(full_duration=told["needed_window"]),
        Analysis(min_window_points=told["min_window_points"]),
    ):
        again = Scorer.of(remedy, as_of="last").judge(matrix)
        assert again.verdicts["outcome"].to_pylist()[:2] == ["analysed"] * 2
        assert not again.sparse
    aware = Scorer.of(Analysis(resolution_aware=True), as_of="last").judge(matrix)
    assert aware.verdicts["outcome"].to_pylist()[:2] == ["analysed"] * 2
    assert not aware.sparse
