"""A card says what the verdict says, and its bounds hold to the last bit."""

import json
import math
import subprocess
import sys

import msgpack
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rigs.examples import examples
from rigs.redis import redis_server

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.explain.bounds import Trial, _rank, _values, bounds
from ridgeline.engine.explain.card import explain
from ridgeline.engine.explain.text import as_lines
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

NINE = [
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "ks_test", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
]  # fmt: skip
NOW = 1_700_000_000


def table(values, *, step=60, name="m"):
    stamps = np.arange(NOW - step * (len(values) - 1), NOW + 1, step)
    return pa.table({"metric": [name] * len(values), "timestamp": stamps, "value": np.asarray(values, np.float64)})


def noise(seed=1, points=400, scale=1.0, offset=0.0):
    return offset + scale * np.random.default_rng(seed).normal(size=points)


def card_of(values, *, profile="native", overrides=(), as_of=None, step=60, **analysis):
    matrix = MetricMatrix.from_table(table(values, step=step))
    scorer = Scorer.of(
        Analysis(profile=profile, **analysis), overrides, as_of=as_of, default_as_of=NOW, scores=True, threads=1
    )
    return explain(matrix, scorer)


def votes(values, *, profile="native", step=60):
    return ridgeline.score(table(values, step=step), profile=profile, as_of=NOW, all_votes=True).to_pylist()[0]


SERIES = {
    "quiet": noise(),
    "anomalous": np.append(noise(), [9.0, 9.5, 10.0]),
    "far": np.append(noise(), 1e6),
    "large offset": noise(scale=10.0, offset=1e15),
    "tiny": noise(scale=1e-12),
    "steps": np.tile([1.0, 1.0, 2.0], 140),
    "one outlier": np.concatenate([noise(points=200), [500.0], noise(seed=2, points=199)]),
    "ramp": np.arange(400.0),
    "daily": np.sin(np.arange(1440) / 229) + 0.1 * noise(points=1440),
    "negative": -np.abs(noise(offset=50)),
}


# Each series under two of the three in the ordinary suite.
@pytest.mark.parametrize(
    ("name", "profile"),
    [
        pytest.param(name, profile, marks=[pytest.mark.long] * ((at + of) % 3 == 0))
        for at, name in enumerate(SERIES)
        for of, profile in enumerate(("native", "earthgecko", "earthgecko_batch"))
    ],
)
def test_a_value_just_inside_is_no_vote_and_one_just_outside_is(name, profile):
    values = SERIES[name]
    found = {one.name: one for one in card_of(values, profile=profile).algorithms}
    assert list(found) == NINE
    checked = 0
    for algorithm, one in found.items():
        for bound, outward in ((one.low, -math.inf), (one.high, math.inf)):
            if bound is None:
                continue
            assert votes(np.append(values[:-1], bound), profile=profile)[algorithm] is False
            assert votes(np.append(values[:-1], math.nextafter(bound, outward)), profile=profile)[algorithm] is True
            checked += 1
        if one.unit is None:
            assert (one.low, one.high) == (None, None)
    assert checked >= 6


def test_ten_second_data_has_bounds_for_ks_test():
    values = np.append(noise(points=720), noise(seed=3, points=60) + 5)
    card = card_of(values, step=10)
    ks = next(one for one in card.algorithms if one.name == "ks_test")
    assert ks.vote is votes(values, step=10)["ks_test"]


@given(
    st.integers(0, 2**32), st.floats(-1e6, 1e6), st.sampled_from([1e-6, 1.0, 1e9]), st.sampled_from([0.0, 1e6, 1e15])
)
@example(0, 0.0, 1.0, 0.0)
@examples(10)
def test_what_lies_between_the_bounds_is_no_vote(seed, newest, scale, offset):
    random = np.random.default_rng(seed)
    values = np.append(offset + scale * random.standard_t(3, size=300), offset + newest)
    matrix = MetricMatrix.from_table(table(values))
    scorer = Scorer.of(Analysis(), as_of=NOW, scores=True, threads=1)
    trial = Trial.of(matrix, scorer, tuple(NINE))
    for place, (name, found) in enumerate(bounds(trial).items()):
        if found is None or name == "histogram_bins":
            continue
        low = found[0] if found[0] is not None else -1e300
        high = found[1] if found[1] is not None else 1e300
        # Within some last bits of a bound the statistic itself is rounded one way or the other.
        between = np.linspace(1e-6, 1 - 1e-6, 20) * (high - low) + low
        assert not trial.votes(between, np.full(len(between), place)).any(), name


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.0)
@example(-0.0)
@example(5e-324)
@example(-1.7976931348623157e308)
def test_ranks_grow_with_the_numbers_one_by_one(value):
    assert _values([_rank(value)])[0] == value
    above = math.nextafter(value, math.inf)
    if math.isfinite(above) and above != 0 and value != 0:
        assert _rank(above) == _rank(value) + 1


# The card -------------------------------------------------------------------------------------------------------------


def test_the_card_is_the_verdict_and_more():
    values = SERIES["anomalous"]
    card, verdict = card_of(values), votes(values)
    assert (card.outcome, card.anomalous, card.votes) == ("analysed", True, verdict["votes"])
    assert {one.name: one.vote for one in card.algorithms} == {name: verdict[name] for name in NINE}
    assert card.expected == pytest.approx(
        (values[:-3].mean() - 3 * values[:-3].std(ddof=1), values[:-3].mean() + 3 * values[:-3].std(ddof=1))
    )
    assert card.negatives is True
    assert card.would == {least: least <= verdict["votes"] for least in range(1, 10)}
    by_name = {one.name: one for one in card.algorithms}
    tail = values[-3:].mean()
    assert by_name["stddev_from_average"].statistic == pytest.approx(abs(tail - values.mean()) / values.std(ddof=1))
    assert by_name["stddev_from_average"].threshold == 3
    deviations = np.abs(values - np.median(values))
    assert by_name["median_absolute_deviation"].statistic == pytest.approx(deviations[-1] / np.median(deviations))
    counts, edges = np.histogram(values, 15)
    assert by_name["histogram_bins"].statistic == counts[np.searchsorted(edges, tail, "right") - 1]
    assert by_name["histogram_bins"].threshold == 20
    assert by_name["grubbs"].statistic / by_name["grubbs"].threshold == pytest.approx(by_name["grubbs"].score)


@pytest.mark.parametrize(
    ("cutoff", "most"), [(1.0, 20), (2.0, 10), (0.7, 29), (0.5, 41), (21.0, 0), (41.9, 0), (42.0, -1), (1e300, -1)]
)
def test_thresholds_and_bounds_are_those_of_the_cutoffs(cutoff, most):
    values = SERIES["anomalous"]
    plain = {one.name: one for one in card_of(values).algorithms}
    card = card_of(values, cutoffs=tuple((name, cutoff / 2) for name in NINE), rule_threshold=2.0)
    for one in card.algorithms:
        before = plain[one.name]
        assert one.statistic == pytest.approx(before.statistic, rel=1e-12)
        assert one.vote is (before.score > cutoff)
        if one.name == "histogram_bins":
            assert one.threshold == most
        else:
            assert one.threshold == pytest.approx(before.threshold * cutoff, rel=1e-12)
        for bound, outward in ((one.low, -math.inf), (one.high, math.inf)):
            for value, fires in ((bound, False), (None if bound is None else math.nextafter(bound, outward), True)):
                if value is not None:
                    other = card_of(
                        np.append(values[:-1], value),
                        cutoffs=((one.name, cutoff),),
                        algorithms=(one.name,),
                        consensus=1,
                    )
                    assert other.anomalous is fires


def test_what_keeps_a_metric_from_being_anomalous_is_said():
    quiet = "\n".join(as_lines(card_of(SERIES["quiet"])))
    assert "not anomalous: " in quiet
    assert "nearest to voting: " in quiet
    gated = card_of(SERIES["anomalous"], overrides=[Override("m", direction="down")])
    assert (gated.anomalous, gated.reason) == (False, "direction")
    assert not any(gated.would.values())
    assert "the way that the configuration does not ask for" in "\n".join(as_lines(gated))


@pytest.mark.parametrize(
    ("values", "as_of", "said"),
    [
        (noise(points=50), None, "not judged: too_short, it has 50 points, and 100 are needed"),
        (noise(), NOW + 3600, "not judged: stale, its newest point is 1 h older"),
        (np.ones(200), None, "not judged: boring, its newest 100 values are all the same"),
        (noise(), 1_600_000_000, "not judged: empty"),
    ],
)
def test_what_was_not_judged_says_why(values, as_of, said):
    card = card_of(values, as_of=as_of)
    assert card.algorithms == []
    assert card.would == {}
    assert said in "\n".join(as_lines(card))


def test_points_after_the_instant_are_not_looked_at():
    values = np.append(SERIES["quiet"], [1e9] * 5)
    card = card_of(values, as_of=NOW - 5 * 60)
    assert card.datapoint == values[-6]
    assert [one.low for one in card.algorithms] == [one.low for one in card_of(values[:-5], as_of=NOW).algorithms]


def airgapped(stamps, as_of=NOW, **options):
    columns = {"metric": ["m"] * len(stamps), "timestamp": stamps, "value": noise(points=len(stamps))}
    scorer = Scorer.of(Analysis(), as_of=as_of, scores=True, threads=1)
    return explain(MetricMatrix.from_table(pa.table(columns)), scorer, **options)


def test_airgaps_and_disorder_are_told():
    whole = [NOW - 60 * age for age in range(299, -1, -1)]
    card = airgapped(whole)
    assert card.as_json()["airgaps"] == {"open": None, "closed": [], "unordered": False}
    assert "airgap" not in "\n".join(as_lines(card))
    holes = [*whole[:100], *whole[110:200], *whole[220:290], whole[5]]
    card = airgapped(holes)
    assert card.as_json()["airgaps"] == {
        "open": whole[289] + 1,
        "closed": [[whole[99] + 1, whole[110] - 1], [whole[199] + 1, whole[220] - 1]],
        "unordered": True,
    }
    told = "\n".join(as_lines(card)) + "\n"
    assert "  2 airgaps, the last from 2023-11-14 20:33:21 to 2023-11-14 20:54:19\n" in told
    assert "  an airgap since 2023-11-14 22:03:21\n" in told
    assert "  its points are stored out of order\n" in told
    assert airgapped(holes, period=2 * 3600).airgaps["closed"] == [[whole[199] + 1, whole[220] - 1]]
    assert airgapped(holes, as_of=whole[150]).airgaps["open"] is None


# The command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "fleet.parquet"
    pq.write_table(
        pa.concat_tables([table(SERIES["anomalous"], name="a.b"), table(SERIES["quiet"], name="a.b.c")]), path
    )
    return path


def test_a_metric_of_a_file_is_explained(fleet, tmp_path, capsys):
    assert main(["explain", "a.b", "--input", str(fleet), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert set(card) == {
        "metric", "as_of", "outcome", "reason", "anomalous", "datapoint", "timestamp", "votes", "expected", "negatives", "algorithms",
        "would", "channels", "prepared", "airgaps", "alerts",
    }  # fmt: skip
    assert (card["metric"], card["as_of"], card["anomalous"]) == ("a.b", NOW, True)
    assert {frozenset(one) for one in card["algorithms"]} == {
        frozenset({"name", "statistic", "threshold", "unit", "score", "vote", "low", "high"})
    }
    assert card["would"][5] == {"consensus": 6, "anomalous": True}
    assert main(["explain", "a.b.c", "--input", str(fleet)]) == 0
    assert "not anomalous" in capsys.readouterr().out


def test_a_card_is_drawn(fleet, tmp_path):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    for name, kind in (("why.png", b"\x89PNG"), ("why.svg", b"<svg")):
        assert main(["explain", "a.b", "--input", str(fleet), "--plot", str(tmp_path / name)]) == 0
        assert kind in (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "there is no metric nope in parquet"),
        (["a.b", "--plot", "why.gif"], "why.gif: give a name that ends in .png or .svg"),
        (["a.b", "--plot", "/dev/null"], "/dev/null"),
        (["a"], "there is no metric a in"),
        (["x\ny"], r"there is no metric x\ny in"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(fleet, capsys, arguments, said):
    assert main(["explain", *arguments, "--input", str(fleet)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert len(shown.err.splitlines()) == 1


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_values_near_the_largest_are_explained_and_drawn(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    values = np.append(noise(scale=3e307), [1.2e308, 1.3e308, -1.4e308])
    pq.write_table(table(values), tmp_path / "huge.parquet")
    assert main(["explain", "m", "--input", str(tmp_path / "huge.parquet"), "--plot", str(tmp_path / "huge.png")]) == 0
    assert "▁" in capsys.readouterr().out


def test_a_name_that_is_no_text_is_given_as_its_bytes_or_as_it_is_shown(tmp_path, capsys):
    with redis_server() as server:
        points = zip(range(NOW - 60 * 299, NOW + 1, 60), noise(points=300).tolist(), strict=True)
        server.client.set(b"metrics.a\xff", b"".join(map(msgpack.packb, points)))
        server.client.sadd("metrics.unique_metrics", b"metrics.a\xff")
        server.client.lpush("metrics.list", "x")
        config = tmp_path / "ridgeline.toml"
        config.write_text(f'[source]\nkind = "redis"\nurl = "{server.url}"\n')
        command = [sys.executable, "-m", "ridgeline", "explain", "-c", str(config), "--as-of", str(NOW)]
        for name in (b"a\xff", rb"a\xff"):
            done = subprocess.run([*command, name], capture_output=True, text=True, check=False, timeout=120)
            assert done.stdout.startswith("a\\xff\n"), done.stderr
        assert main([*command[3:], "list"]) == 2
        assert "list in redis" in (said := capsys.readouterr().err)
        assert "its key is of another type" in said


def test_a_metric_of_redis_is_explained_without_listing_any(tmp_path, capsys):
    with redis_server() as server:
        write = ["load", "--redis", server.url]
        path = tmp_path / "in.parquet"
        pq.write_table(
            pa.concat_tables([table(SERIES["anomalous"], name="a.b"), table(SERIES["quiet"], name="a.b~")]), path
        )
        assert main([*write, str(path)]) == 0
        config = tmp_path / "ridgeline.toml"
        config.write_text(
            f'[source]\nkind = "redis"\nurl = "{server.url}"\n[[alert]]\nmatch = "a."\nstrategy = "console"\nexpiration = 600\n'
        )
        capsys.readouterr()
        server.client.set("last_alert.console.a.b", "5", ex=300)
        server.client.config_resetstat()
        assert main(["explain", "a.b", "-c", str(config), "--as-of", str(NOW), "--json"]) == 0
        card = json.loads(capsys.readouterr().out)
        assert "cmdstat_sscan" not in server.client.info("commandstats")
        assert [(one["rule"], one["strategy"]) for one in card["alerts"]] == [("a.", "console")]
        assert card["alerts"][0]["suppressed_until"] is not None
        assert card["anomalous"] is True
        assert main(["explain", "a.b~", "-c", str(config), "--as-of", str(NOW)]) == 0
        assert "suppressed" not in capsys.readouterr().out
        assert main(["explain", "a", "-c", str(config)]) == 2
        assert not [key for key in server.client.scan_iter() if key.startswith(b"ridgeline.")]
