"""Preparation of series: what it makes of a window, and that whatever judges a matrix judges the same."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins.preparation import prepared as twin

import ridgeline
from ridgeline.engine.prepare.asks import Asking
from ridgeline.engine.prepare.plan import UNPREPARED, Preparation
from ridgeline.engine.prepare.series import LABELS, Prepared, prepare
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.errors import RidgelineError
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix

START = 1_700_000_000
AUTO = Preparation(counters="auto")
KINDS = ("counter", "resets", "noise", "sparse", "flat", "mixed")
FILLS = {None: (), "zeros": ("zero_fill",), "last": ("last_known_value",)}


def matrix_of(*rows, as_of=None):
    offsets = np.concatenate([[0], np.cumsum([len(t) for t, _ in rows])]).astype(np.int64)
    t = np.concatenate([t for t, _ in rows]).astype(np.int64)
    x = np.concatenate([x for _, x in rows]).astype(np.float64)
    return MetricMatrix.from_columns(pa.array([f"m{at}" for at in range(len(rows))]), offsets, t, x, as_of=as_of)


def preparation(counter, fill):
    counters = {None: "off", "auto": "auto", "declared": ("m",)}[counter]
    return Preparation(counters, **dict.fromkeys(FILLS[fill], ("m",)))


@st.composite
def histories(draw, least=2, most=420):
    """(t, x): counters that reset, series that are counters for a while, gaps, jitter, equal timestamps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(least, most))
    kind = draw(st.sampled_from(KINDS))
    rises = rng.poisson(draw(st.sampled_from([0.05, 2.0, 40.0])), n).astype(float)
    if kind in {"counter", "resets", "mixed"}:
        x = draw(st.sampled_from([0.0, 1e6])) + np.cumsum(rises)
        for _ in range(draw(st.integers(1, 4)) if kind == "resets" else 0):
            at = int(rng.integers(1, n))
            x[at:] -= x[at] - draw(st.sampled_from([0.0, 1.0, 400.0]))
        if kind == "mixed":
            half = slice(n // 2, None)
            x[half] = rng.normal(1000, 5, n)[half]
    elif kind == "flat":
        x = np.full(n, 3.0)
    else:
        x = rng.normal(50, 1, n)
    x = np.maximum(x, 0.0)
    step = draw(st.sampled_from([60, 60, 10, 7, 300]))
    kept = rng.random(n) < draw(st.sampled_from([1.0, 0.97, 0.4])) if kind != "sparse" else rng.random(n) < 0.1
    kept[0] = True
    t = START + step * np.arange(n)
    t = t + (rng.integers(0, step, n) if draw(st.booleans()) and step > 7 else 0)
    t, x = np.sort(t)[kept], x[kept]
    again = rng.random(len(t)) < draw(st.sampled_from([0.0, 0.0, 0.05]))
    order = np.sort(np.concatenate([np.arange(len(t)), np.flatnonzero(again)]))
    t, x = t[order], x[order]
    return t.astype(np.int64), x + np.where(np.append(False, t[1:] == t[:-1]), 0.25, 0.0)


ASKED = st.tuples(st.sampled_from([None, "auto", "auto", "declared"]), st.sampled_from([None, None, "zeros", "last"]))
WINDOWS = st.sampled_from([3600, 7200, 12000, 86400])


@examples(80)
@given(
    rows=st.lists(histories(), min_size=1, max_size=3),
    asked=ASKED,
    window=WINDOWS,
    rule=st.sampled_from(["native", "earthgecko"]),
    early=st.sampled_from([0, 0, 90, 3000]),
)
def test_the_kernel_prepares_what_its_twin_does(rows, asked, window, rule, early):
    matrix = matrix_of(*rows)
    as_of = np.array([int(t[-1]) - early for t, _ in rows])
    asks = Asking(preparation(*asked)).of(matrix.metrics.to_pylist(), len(matrix))
    found = prepare(matrix, asks, as_of, np.full(len(rows), window), PROFILES[rule].encode())
    for at, (t, x) in enumerate(rows):
        expected, label = twin(
            list(zip(t.tolist(), x.tolist(), strict=True)),
            as_of=int(as_of[at]), window=window, rule=rule, counter=asked[0], fill_with=asked[1],
        )  # fmt: skip
        assert LABELS[found.labels()[at]] == label
        if label is not None:
            one = found.judged(at)
            begin, end = one.offsets.tolist()
            assert one.timestamps[begin:end].tolist() == [when for when, _ in expected]
            assert one.values[begin:end].tolist() == [value for _, value in expected]
            assert one.metrics.to_pylist() == [f"m{at}"]


@examples(25)
@given(row=histories(least=150), asked=ASKED, window=WINDOWS, every=st.sampled_from([None, None, 900]))
def test_a_backtest_judges_each_step_as_score_would_have(row, asked, window, every):
    t, x = row
    given = preparation(*asked)
    steps = replay_matrix(matrix_of(row), ReplayPlan(window=window, preparation=given, every=every)).to_pylist()
    picks = steps[:: max(len(steps) // 12, 1)]
    if not picks:
        return
    rows, when = [], []
    for step in picks:
        until = np.searchsorted(t, step["timestamp"], "right")
        rows.append((t[:until], x[:until]))
        when.append(step["timestamp"])
    scorer = Scorer.of(Analysis(full_duration=window), preparation=given, scores=True)
    judged = scorer.score(matrix_of(*rows, as_of=np.array(when))).to_pylist()
    for step, verdict in zip(picks, judged, strict=True):
        assert (step["timestamp"], step["value"], step["outcome"], step["anomalous"]) == (
            verdict["timestamp"], verdict["datapoint"], verdict["outcome"], verdict["anomalous"],
        )  # fmt: skip
        for name in (key for key in step if key.endswith("_score")):
            ours, theirs = step[name], verdict[name]
            assert (ours is None) == (theirs is None), name
            if ours is not None:
                assert (ours > 1) == (theirs > 1), name
                assert ours == pytest.approx(theirs, rel=2e-6, abs=1e-6), name


def counter(n=600, reset=None, seed=0):
    x = np.cumsum(np.random.default_rng(seed).poisson(30, n).astype(float))
    if reset is not None:
        x[reset:] -= x[reset]
    return START + 60 * np.arange(n), x


@pytest.mark.parametrize("profile", ["native", "earthgecko"])
def test_steps_of_a_counter_and_those_that_a_reset_leaves_out(profile):
    t, x = counter(reset=400)
    plan = ReplayPlan(PROFILES[profile], window=7200, preparation=AUTO)
    steps = replay_matrix(matrix_of((t, x)), plan).to_pylist()
    stamps = [step["timestamp"] for step in steps]
    assert sorted(set(stamps)) == stamps
    assert set(t.tolist()) - set(stamps) == {int(t[400])}, "nothing is known of the rise at a reset"
    by_time = {step["timestamp"]: step for step in steps}
    assert by_time[t[50]]["value"] == x[50], "too few points to tell"
    assert by_time[t[300]]["value"] == x[300] - x[299]
    assert by_time[t[401]]["value"] == x[401] - x[400]
    assert by_time[t[599]]["outcome"] == "analysed"


def test_replay_gives_the_same_bytes_for_any_threads_and_beside_other_metrics():
    rows = [
        counter(reset=400),
        counter(seed=1),
        (START + 60 * np.arange(500), np.random.default_rng(0).normal(size=500)),
    ]
    plan = ReplayPlan(window=7200, preparation=AUTO)
    whole = replay_matrix(matrix_of(*rows), plan)
    assert whole.equals(replay_matrix(matrix_of(*rows), plan, threads=3))
    alone = pa.concat_tables([replay_matrix(matrix_of(*rows).slice(at, at + 1), plan) for at in range(3)])
    assert alone.combine_chunks().equals(whole.combine_chunks())
    plain = replay_matrix(matrix_of(rows[2]), ReplayPlan(window=7200))
    assert replay_matrix(matrix_of(rows[2]), plan).equals(plain)


def test_nothing_asked_for_is_nothing_done():
    matrix = matrix_of(counter())
    assert Asking(UNPREPARED).of(["m0"], 1) is None
    found = prepare(matrix, None, np.array([NO_AS_OF]), np.array([86400]), PROFILES["native"].encode())
    assert (found.cleaned, found.changed) == (matrix, None)
    assert Asking(Preparation(non_derivative=("m",))).of(["m0"], 1) is None


def test_a_counter_is_judged_by_its_rises():
    t, x = counter()
    spike = x.copy()
    spike[-1] += 5000
    matrix = matrix_of((t, x), (t, spike), (t, np.random.default_rng(1).normal(50, 1, len(t))))
    raw = Scorer.of(Analysis(), as_of="last").judge(matrix)
    assert raw.verdicts.column("anomalous").to_pylist() == [False, False, False]
    assert raw.tally == {"raw_counter": 2}
    found = Scorer.of(Analysis(), preparation=AUTO, as_of="last").judge(matrix)
    assert found.verdicts.column("anomalous").to_pylist() == [False, True, False]
    assert found.verdicts.column("prepared").to_pylist() == ["derivative", "derivative", None]
    assert found.verdicts.column("datapoint").to_pylist()[:2] == [x[-1] - x[-2], spike[-1] - spike[-2]]
    assert found.tally == {"counter": 2}
    never = Preparation(counters="auto", non_derivative=("m1",))
    found = Scorer.of(Analysis(), preparation=never, as_of="last").judge(matrix)
    assert found.verdicts.column("prepared").to_pylist() == ["derivative", None, None]
    assert found.tally == {"counter": 1, "raw_counter": 1}


@ridgeline.algorithm(summary="x", min_points=1)
def loud(t, x, as_of, scratch):
    return x[-1]


@pytest.mark.parametrize("options", [{}, {"scores": True}, {"all_votes": True}])
def test_what_is_prepared_changes_no_other_row(options):
    rows = [counter(), (START + 60 * np.arange(600), np.random.default_rng(1).normal(50, 1, 600)), counter(seed=3)]
    matrix = matrix_of(*rows)

    user = (loud,)
    analysis = Analysis(all_votes=options.pop("all_votes", False))
    policies = [Override("m2", consensus=5)]
    prepared = (
        Scorer.of(analysis, policies, preparation=AUTO, as_of="last", user=user, **options).score(matrix).to_pylist()
    )
    raw = Scorer.of(analysis, policies, as_of="last", user=user, **options).score(matrix).to_pylist()
    assert prepared[1] == raw[1]
    rises = [(t[1:], np.diff(x)) for t, x in rows]
    expected = Scorer.of(analysis, policies, as_of="last", user=user, **options).score(matrix_of(*rises)).to_pylist()
    for at in (0, 2):
        assert prepared[at] == expected[at] | {"prepared": "derivative"}


def test_points_after_as_of_are_not_looked_at():
    t, x = counter()
    x[500:] = np.random.default_rng(2).normal(50, 1, 100)
    verdict = Scorer.of(Analysis(), preparation=AUTO, as_of=int(t[480])).score(matrix_of((t, x))).to_pylist()[0]
    assert (verdict["prepared"], verdict["timestamp"]) == ("derivative", t[480])
    assert verdict["datapoint"] == x[480] - x[479]


def test_the_windows_first_rise_is_from_the_point_before_it():
    t, x = counter()
    scorer = Scorer.of(Analysis(full_duration=7200), preparation=AUTO, as_of="last")
    stamps, values = considered(scorer.judge(matrix_of((t, x))).prepared, 0, scorer)
    assert len(stamps) == 120
    assert (stamps[0], values[0]) == (t[480], x[480] - x[479])


def test_missing_points_are_zero_or_what_was_last_there():
    t = START + 60 * np.array([0, 1, 2, 3, 10, 11, 12])
    x = np.arange(7.0) + 1
    told = {}
    for key in ("zero_fill", "last_known_value"):
        scorer = Scorer.of(Analysis(full_duration=1200), preparation=Preparation(**{key: ("m",)}), as_of="last")
        found = scorer.judge(matrix_of((t, x)))
        told[key] = considered(found.prepared, 0, scorer)[1].tolist()
        assert found.verdicts.column("prepared").to_pylist() == [key]
        assert found.verdicts.column("timestamp").to_pylist() == [t[-1]], "nothing is added after the newest point"
    assert told["zero_fill"] == [0.0] * 7 + [1, 2, 3, 4] + [0.0] * 6 + [5, 6, 7]
    assert told["last_known_value"] == [1, 2, 3, 4] + [4.0] * 6 + [5, 6, 7]


def test_one_event_a_day_is_judged_against_all_the_silence():
    t, x = np.array([START]), np.array([3.0])
    raw = ridgeline.score(matrix_of((t, x)), as_of="last").to_pylist()[0]
    filled = ridgeline.score(matrix_of((t, x)), as_of="last", preparation={"zero_fill": ["m"]}).to_pylist()[0]
    assert raw["outcome"] == "too_short"
    assert (filled["outcome"], filled["anomalous"], filled["prepared"]) == ("analysed", True, "zero_fill")


def test_fills_are_bounded():
    t = np.sort(np.concatenate([START + 3600 * np.arange(200), START + 3600 * np.arange(200) + 1]))
    row = ridgeline.score(matrix_of((t, np.ones(400))), as_of="last", preparation={"zero_fill": ["m"]}).to_pylist()[0]
    assert row["prepared"] is None, "by the second, a day would be 86,400 points"


def test_the_api_takes_the_tables_keys():
    matrix = matrix_of(counter())
    found = ridgeline.score(matrix, preparation={"counters": ("m",)}, as_of="last")
    assert found.column("prepared").to_pylist() == ["derivative"]
    steps = ridgeline.replay(matrix, preparation={"counters": "auto"})
    assert steps.column("value").to_pylist()[-1] == found.column("datapoint").to_pylist()[0]
    for wrong in ({"counters": "on"}, {"counter": "auto"}, {"zero_fill": ["*x"]}, {"counters": 1}):
        with pytest.raises(RidgelineError):
            ridgeline.score(matrix, preparation=wrong)


def test_foreseen_names_are_asked_alike():
    given = Preparation(("cnt",), ("cnt.no",), ("zero",), ("last", "zero.last"))
    names = ["cnt.a", "cnt.no", "zero.b", "last.c", "zero.last", "other"]
    one, other = Asking(given), Asking(given)
    other.foresee(names[:4])
    assert one.of(names, 6).tolist() == other.of(names, 6).tolist()
    assert [bool(ask) for ask in one.of(names, 6)] == [True, False, True, True, True, False]


def test_a_row_as_it_is_judged():
    t, x = counter()
    matrix = matrix_of((t, x), (t, np.ones(600)))
    found = Scorer.of(Analysis(), preparation=AUTO, as_of="last").judge(matrix).prepared
    first = found.judged(0)
    assert first.values[first.offsets[0]] == x[1] - x[0]
    for one in (found.judged(1), Prepared(matrix).judged(1)):
        assert (one.metrics.to_pylist(), one.offsets.tolist()) == (["m1"], [600, 1200])
        assert one.values[one.offsets[0]] == 1.0


def test_what_is_declared_a_counter_may_hold_anything():
    t = START + 60 * np.arange(300)
    rows = [
        (t, np.tile([-1.7e308, 1.7e308, 1.7e308], 100)),
        (t, -np.arange(300.0)),
        (t[:3], np.arange(3.0)),
        (t, np.full(300, -0.0)),
        (t, np.tile([5e-324, 0.0, -5e-324], 100)),
    ]
    given = preparation("declared", None)
    found = ridgeline.score(matrix_of(*rows), as_of="last", preparation=given.describe()).to_pylist()
    assert [row["prepared"] for row in found] == ["derivative", None, None, "derivative", "derivative"], (
        "where nothing rises, or too few points are, the values are judged"
    )
    assert all(np.isfinite(row["datapoint"]) for row in found)
    for (rt, rx), row in zip(rows, found, strict=True):
        step = ridgeline.replay(matrix_of((rt, rx)), preparation=given.describe()).to_pylist()[-1]
        assert (step["timestamp"], step["value"], step["outcome"]) == (
            row["timestamp"],
            row["datapoint"],
            row["outcome"],
        )


def test_a_file_is_scored_backtested_and_explained_alike(tmp_path, capsys):
    import json

    import pyarrow.parquet as pq

    from ridgeline.engine.cli.main import main

    t, x = counter()
    x[-1] += 5000
    columns = {"metric": ["requests"] * 600, "timestamp": t, "value": x}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    config = tmp_path / "ridgeline.toml"
    config.write_text('[source]\nkind = "parquet"\npath = "x"\n[preparation]\ncounters = "auto"\n')
    source, chosen = str(tmp_path / "in.parquet"), ["--config", str(config)]
    assert main(["score", source, str(tmp_path / "out.parquet"), *chosen, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (verdict,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (told["preparation"], verdict["prepared"], verdict["anomalous"]) == ({"counter": 1}, "derivative", True)
    assert verdict["datapoint"] == told["anomalies"][0]["value"] == x[-1] - x[-2]
    assert main(["explain", "requests", "--input", source, *chosen, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["prepared"], card["anomalous"]) == ("derivative", True)
    bounds = {row["name"]: (row["low"], row["high"]) for row in card["algorithms"]}
    assert bounds["stddev_from_average"][1] < 1000, "in what is judged: the rises"
    assert main(["backtest", source, "--output", str(tmp_path / "bt"), "--quiet", *chosen]) == 0
    manifest = json.loads((tmp_path / "bt" / "manifest.json").read_text())
    assert manifest["configuration"]["plan"]["preparation"]["counters"] == "auto"
    steps = pq.read_table(next((tmp_path / "bt" / "scores").glob("*.parquet"))).to_pylist()
    assert (steps[-1]["value"], steps[-1]["anomalous"]) == (verdict["datapoint"], True)
