"""Rules with walks in replays and backtests: what they store, whole history or resumed, and that bytes depend on data alone."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from twins.walks import Walker

import ridgeline
from ridgeline.engine.backtest import plan as parts
from ridgeline.engine.backtest.stored import read_metric
from ridgeline.engine.cli.main import main
from ridgeline.engine.replay.judging import divided, judge_by_rules
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.series import replay_points, replay_series
from ridgeline.engine.rules.judgement import SPOKEN
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.walks.state import State
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import ANALYSED
from ridgeline.kernels.walks import layout

DAY = 86400
BEGIN = 1_700_000_000 // DAY * DAY
STEP = 900
N = 96 * 9
RULED = ["ridgeline_score", "pages_score", "rule_score", "channels", "expected_low", "expected_high"]


def backtest(dataset, output, *options):
    return main(["backtest", str(dataset), "--output", str(output), "--quiet", *map(str, options)])


def files(output):
    written = [*sorted(output.glob("scores/*.parquet")), output / "anomalies.parquet"]
    return {str(path.relative_to(output)): path.read_bytes() for path in written}


def steps(output):
    return pa.concat_tables([pq.read_table(path) for path in sorted(output.glob("scores/*.parquet"))])


def series(name, n=N, seed=1):
    """A request rate that falls to zero for five hours on its last day; a counter; noise with spikes; what hardly changes."""
    random = np.random.default_rng(seed)
    t = BEGIN + STEP * np.arange(n)
    shape = 200 * (1 - 0.6 * np.cos(2 * np.pi * (t % DAY) / DAY))
    x = random.poisson(shape).astype(float)
    if name == "rate":
        x[-40:-20] = 0.0
    elif name == "counter":
        x = np.cumsum(x)
    elif name == "noise":
        x = random.normal(10, 1, n)
        x[[n // 2, n - 30]] += 60
    elif name == "flat":
        x = np.full(n, 3.0)
        x[-20] = 4.0
    return t, x


METRICS = ("rate", "counter", "noise", "flat", "short")


@pytest.fixture(scope="module")
def history():
    columns = [series(name, 60 if name == "short" else N) for name in METRICS]
    names = np.repeat(METRICS, [len(t) for t, _ in columns])
    t, x = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return pa.table({"metric": names, "timestamp": t, "value": x})


@pytest.fixture(scope="module")
def dataset(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    pq.write_table(history, path, row_group_size=1000)
    return path


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(parts.scan, "__defaults__", (900,))


def config(folder, text):
    path = folder / "ridgeline.toml"
    path.write_text('[source]\nkind = "parquet"\npath = "history.parquet"\n' + text)
    return path


def of(table, metric):
    return table.filter(pc.equal(table["metric"], metric))


def column(table, metric, name):
    return of(table, metric)[name].to_numpy()


def test_pages_is_the_walk_over_the_whole_history(history):
    found = ridgeline.replay(history, rule="pages")
    assert found.column_names[-5:] == [name for name in RULED if name != "ridgeline_score"]
    for metric in METRICS:
        t, x = series(metric, 60 if metric == "short" else N)
        walker = Walker()
        expected = [walker.step(when, value) for when, value in zip(t.tolist(), x.tolist(), strict=True)]
        scores = np.array([scores[5] for scores, _ in expected], np.float32)
        np.testing.assert_array_equal(column(found, metric, "pages_score"), scores)
        np.testing.assert_array_equal(column(found, metric, "rule_score"), scores)
        assert of(found, metric)["expected_low"].to_pylist() == [
            None if traces[0] is None else float(np.float32(traces[0])) for _, traces in expected
        ]
        assert of(found, metric)["channels"].to_pylist() == [
            [*(["outage"] if (one[0] or 0) > 1 else []), *(["pattern"] if one[6] > 1 else [])] for one, _ in expected
        ]
        assert column(found, metric, "anomalous").tolist() == (scores > 1).tolist()
        assert set(of(found, metric)["outcome"].to_pylist()) == {"analysed"}
    assert column(found, "rate", "anomalous")[-40:-30].any()
    low, high = column(found, "rate", "expected_low"), column(found, "rate", "expected_high")
    assert (low[-38:-32] > 10).all()
    assert (high[-38:-32] < 500).all()
    assert of(found, "counter")["expected_low"].null_count == N


def test_ridgeline_is_what_its_parts_come_to(history):
    """C or W, from the same walk: S by a replay of the residuals, P over S."""
    from twins.walks import Tail

    found = ridgeline.replay(history, rule="ridgeline")
    for metric in ("rate", "noise"):
        t, x = series(metric)
        walked, _ = State.fresh(1).walk(np.zeros(1, np.int64), np.array([0, N]), t, x)
        residuals = walked[:, layout.RESIDUAL].astype(float)
        nine = replay_series(t, residuals, ReplayPlan(window=28 * DAY), Policy(min_window_points=500))
        tail, expected = Tail(), []
        for i, (outcome, loudness) in enumerate(zip(nine.outcomes.tolist(), nine.grades[1].tolist(), strict=True)):
            p = (tail.step(loudness, STEP) or 0.0) if outcome == ANALYSED else 0.0
            w, n, spike = (float(walked[i, c]) for c in (layout.OUTAGE, layout.NOVELTY, layout.EXTRAPOLATION))
            expected.append(max((p + n) / 2, spike / 3, w))
        np.testing.assert_allclose(column(found, metric, "ridgeline_score"), expected, rtol=1e-5, atol=1e-6)
    spikes = [N // 2, N - 30]
    assert (column(found, "noise", "ridgeline_score")[spikes] > 1).all()
    assert "spike" in of(found, "noise")["channels"].to_pylist()[-30]


def test_rules_that_are_stored_beside_judge_nothing(history, tmp_path, dataset):
    plain, stored = ridgeline.replay(history), ridgeline.replay(history, rules=["ridgeline", "pages"])
    assert stored.column_names == [*plain.column_names, *RULED]
    assert stored.select(plain.column_names).equals(plain)
    analysed = pc.equal(plain["outcome"], "analysed")
    expected = pc.if_else(analysed, plain["consensus_score"], None)
    assert stored["rule_score"].to_pylist() == expected.to_pylist()
    assert not any(stored["channels"].to_pylist())
    assert stored["pages_score"].equals(ridgeline.replay(history, rule="pages")["pages_score"])
    assert stored["expected_high"].null_count < len(stored)
    assert backtest(dataset, tmp_path / "out", "--rules", "pages,ridgeline") == 0
    assert steps(tmp_path / "out").equals(stored)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["rules"] == ["consensus", "ridgeline", "pages"]
    assert manifest["learning"] == 0, "nothing is judged by a walk"


def test_each_metric_is_judged_by_its_own_rule(dataset, history, tmp_path):
    text = '[[override]]\nmatch = "rate"\nrule = "pages"\n[[override]]\nmatch = "noise"\nrule = "ridgeline"\n'
    out = tmp_path / "out"
    assert backtest(dataset, out, "-c", config(tmp_path, text)) == 0
    found, plain = steps(out), ridgeline.replay(history)
    pages = ridgeline.replay(history, rule="pages")
    for metric in ("counter", "flat", "short"):
        assert of(found, metric).select(plain.column_names).equals(of(plain, metric))
        assert of(found, metric)["pages_score"].null_count == len(of(found, metric))
    score = column(pages, "rate", "pages_score")
    np.testing.assert_array_equal(column(found, "rate", "rule_score"), score)
    assert [bool(spoken) for spoken in of(found, "rate")["channels"].to_pylist()] == (score > 1).tolist()
    assert of(found, "rate")["ridgeline_score"].null_count == N
    incidents = pq.read_table(out / "anomalies.parquet").to_pylist()
    outage = next(one for one in incidents if one["metric"] == "rate" and "outage" in one["channels"])
    times = column(found, "rate", "timestamp")
    lasted = (times >= outage["start"]) & (times <= outage["end"])
    assert outage["peak_timestamp"] == times[lasted][score[lasted].argmax()]
    drawn, names = read_metric(out, "rate")
    spoken = [{name for name, hit in zip(names, row, strict=True) if hit and name in SPOKEN} for row in drawn.fired]
    assert spoken == [set(channels) for channels in of(found, "rate")["channels"].to_pylist()]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rules"] == ["consensus", "ridgeline", "pages"]
    assert 0 < manifest["learning"] < 2 * N


def test_a_threshold_divides_the_score_and_decides_who_spoke():
    points, plan = [series("rate")], ReplayPlan(rules=("pages",))
    steps = replay_points(points, plan, (Policy(rule="pages"),), None, None, None, 1).steps
    ruled = judge_by_rules(points, steps, plan, (Policy(rule="pages", rule_threshold=2.0),), None, 1)
    score = ruled.scores["pages"]
    assert ((score > 1) & (score < 2)).any()
    np.testing.assert_array_equal(ruled.score, score / 2)
    np.testing.assert_array_equal(steps.anomalous, score > 2)
    np.testing.assert_array_equal(ruled.channels > 0, score > 2)


def test_steps_that_are_not_written_are_walked_all_the_same(history):
    whole = ridgeline.replay(history, rule="pages", rules=["ridgeline"])
    start = BEGIN + 8 * DAY
    some = ridgeline.replay(history, rule="pages", rules=["ridgeline"], start=start, end=start + DAY // 2, every="1h")
    times = set(some["timestamp"].to_pylist())
    assert len(some) == 4 * 12
    kept = whole.filter(pa.array([t in times for t in whole["timestamp"].to_pylist()]))
    assert some.select(["metric", "timestamp", *RULED]).equals(kept.select(["metric", "timestamp", *RULED]))


def test_of_equal_times_the_first_point_is_walked_and_is_the_step_s():
    t, x = series("rate")
    twice = np.sort(np.append(np.arange(N), [300, 500, 700]))
    again = x[twice].copy()
    again[np.flatnonzero(np.diff(twice) == 0) + 1] = 1e6
    name = pa.array(["rate"])
    clean = MetricMatrix.from_columns(name, np.array([0, N]), t, x)
    doubled = MetricMatrix.from_columns(name, np.array([0, len(twice)]), t[twice], again)
    rules = {"rules": ("pages",), "throughout": ("pages",)}
    columns = ["timestamp", "pages_score", "expected_low", "expected_high"]
    assert (
        replay_matrix(doubled, ReplayPlan(**rules))
        .select(columns)
        .equals(replay_matrix(clean, ReplayPlan(**rules)).select(columns))
    )


@pytest.mark.usefixtures("small_parts")
def test_bytes_depend_neither_on_threads_nor_on_parts_nor_on_a_stop(dataset, tmp_path, monkeypatch):
    from ridgeline.engine.backtest import runners

    text = config(tmp_path, '[analysis]\nrule = "pages"\n[[override]]\nmatch = "noise"\nrule = "ridgeline"\n')
    options = ["-c", text, "--rules", "ridgeline"]
    assert backtest(dataset, tmp_path / "one", *options, "--threads", 1) == 0
    assert backtest(dataset, tmp_path / "three", *options, "--threads", 3) == 0
    assert files(tmp_path / "three") == files(tmp_path / "one")
    whole, computed = runners.run_part, []

    def stops(job, part, threads=1):
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(part.number)
        return whole(job, part, threads)

    monkeypatch.setattr(runners, "run_part", stops)
    assert backtest(dataset, tmp_path / "stopped", *options, "--threads", 1) == 130
    monkeypatch.setattr(runners, "run_part", whole)
    assert backtest(dataset, tmp_path / "stopped", *options[:2], "--threads", 1, "--resume") == 2, "other rules"
    assert backtest(dataset, tmp_path / "stopped", *options, "--threads", 1, "--resume") == 0
    assert files(tmp_path / "stopped") == files(tmp_path / "one")
    monkeypatch.setattr(parts.scan, "__defaults__", (10**9,))
    assert backtest(dataset, tmp_path / "together", *options, "--threads", 1) == 0
    assert steps(tmp_path / "together").equals(steps(tmp_path / "one"))


def test_an_unknown_rule_is_one_sentence(dataset, tmp_path, capsys):
    assert backtest(dataset, tmp_path / "out", "--rules", "pages,no") == 2
    assert "there is no rule 'no': the rules are consensus, ridgeline, pages" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("threshold", [0.3, 1.0, 1.1, 3.0])
def test_a_divided_score_keeps_its_side_of_the_threshold(threshold):
    near = np.float32(threshold) * (1 + np.arange(-4, 5, dtype=np.float32) * np.finfo(np.float32).eps)
    assert (divided(near, threshold) > 1).tolist() == (near.astype(float) > threshold).tolist()
