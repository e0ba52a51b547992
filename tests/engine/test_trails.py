"""What a part keeps for the policy replay: the range that a run would have told of each anomaly, and its patience."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ridgeline.engine.backtest.expected import expected_at
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.trails import judged_steps
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.replay.matrix import replay_rows
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.expected import expected
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

START, N = 1_700_006_400, 400
TEXT = """
[source]
kind = "redis"
url = "unix:///none"
[analysis]
second_order = true
consensus = 4
full_duration = {window}
{more}
[[override]]
match = "web"
stale_period = 77
[[alert]]
match = ""
strategy = "console"
"""


def judged(window=7200, more="", counter=False):
    """A metric with a spike in every fifty points, and its steps as delivery is given them."""
    random = np.random.default_rng(4)
    x = random.normal(10, 1, N)
    x[150::50] += 40
    x = np.cumsum(np.abs(x)) if counter else x
    t = START + 60 * np.arange(N)
    matrix = MetricMatrix.from_columns(pa.array(["web"]), np.array([0, N]), t, x)
    config = parse_config(TEXT.format(window=window, more=more).encode(), Path("ridgeline.toml"))
    job = Job.of(config, Path("out"))
    overrides = Overrides(job.policy, job.overrides)
    steps = replay_rows(matrix, job.plan, overrides).steps
    (found,) = judged_steps(matrix, steps, job, overrides)
    return config, matrix, steps, found


@pytest.mark.parametrize(
    ("counter", "more"), [(False, ""), (False, "min_window_points = 150"), (True, '[preparation]\ncounters = ["web"]')]
)
def test_the_range_of_an_anomaly_is_what_a_run_would_have_told(counter, more):
    config, matrix, steps, found = judged(more=more, counter=counter)
    scorer = Scorer.of(config.analysis, config.overrides, preparation=config.preparation, threads=1)
    hits = np.flatnonzero(steps.anomalous)
    assert len(hits)
    for at in hits.tolist():
        as_of = np.array([found.timestamps[at]])
        then = MetricMatrix.from_columns(matrix.metrics, matrix.offsets, matrix.timestamps, matrix.values, as_of=as_of)
        prepared = scorer.judge(then).prepared
        assert tuple(found.expected[at]) == expected(considered(prepared, 0, scorer)[1])
    assert np.isnan(found.expected[~steps.anomalous]).all()
    assert found.stale_after == 77


def test_windows_side_by_side_are_cut_to_what_memory_takes(monkeypatch):
    config, matrix, steps, found = judged()
    scorer = Scorer.of(config.analysis, config.overrides, threads=1)
    stamps = found.timestamps[steps.anomalous]
    monkeypatch.setattr("ridgeline.engine.backtest.expected.MOST_POINTS", 150)
    np.testing.assert_array_equal(expected_at(matrix, 0, stamps, scorer), found.expected[steps.anomalous])


def test_under_a_rule_with_walks_the_range_is_that_of_its_walk():
    t = START + 900 * np.arange(96 * 9)
    x = np.random.default_rng(1).poisson(200 * (1 - 0.6 * np.cos(2 * np.pi * (t % 86400) / 86400))).astype(float)
    x[-40:-20] = 0.0
    matrix = MetricMatrix.from_columns(pa.array(["web"]), np.array([0, len(t)]), t, x)
    job = Job.of(
        parse_config(TEXT.format(window=86400, more='rule = "pages"').encode(), Path("ridgeline.toml")), Path("out")
    )
    overrides = Overrides(job.policy, job.overrides)
    steps = replay_rows(matrix, job.plan, overrides).steps
    (found,) = judged_steps(matrix, steps, job, overrides)
    assert steps.anomalous.any()
    np.testing.assert_array_equal(found.expected[steps.anomalous].T, steps.ruled.expected[:, steps.anomalous])


def test_nobody_asks_for_ranges_without_second_order():
    config, matrix, steps, _ = judged()
    quiet = dataclasses.replace(config, analysis=dataclasses.replace(config.analysis, second_order=False))
    job = Job.of(quiet, Path("out"))
    (found,) = judged_steps(matrix, steps, job, Overrides(job.policy, job.overrides))
    assert found.expected is None
