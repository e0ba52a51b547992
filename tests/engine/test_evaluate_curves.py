"""Range-based, affiliation and volume measures: by hand, against plain loops, against the packages of their authors and others."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.evaluate.affiliation import affiliation
from ridgeline.engine.evaluate.choices import Weighing
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.evaluate.overlaps import rewards
from ridgeline.engine.evaluate.ranges import score_ranges
from ridgeline.engine.evaluate.rows import labelled, runs
from ridgeline.engine.evaluate.volume import volume
from ridgeline.engine.evaluate.vus import score_vus
from ridgeline.io.errors import InputError
from ridgeline.io.parquet.write import write_parquet
from tests.twins import curves as twin

T0 = 1_700_000_000
EXAMPLES = json.loads(Path(__file__).with_name("curves.json").read_text())["examples"]

flags = st.lists(st.booleans(), min_size=1, max_size=40)
biases = st.sampled_from(["flat", "front", "middle", "back"])


def rows(scores, *, metric="m", step=60, start=T0):
    scores = np.asarray(scores, float)
    return Detections(metric, start + step * np.arange(len(scores)), scores)


def window(first, last, *, step=60, start=T0):
    return (start + first * step, start + last * step)


def spans(ranges):
    return ranges[0].astype(float), ranges[1].astype(float)


def same(found, expected):
    return found == pytest.approx(expected, abs=1e-9, nan_ok=True)


# The packages


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_packages_say_the_same(number):
    example = EXAMPLES[number]
    truth, scores = np.array(list(example["labels"])) == "1", np.array(example["scores"])
    alarms = scores >= example["threshold"]
    n, first, last = len(truth), runs(truth), runs(alarms)
    expected = example["vus"]

    found = volume(scores, np.arange(n, dtype=float), truth, example["buffer"])
    assert same([found.vus_roc, found.vus_pr], [expected["vus_roc"], expected["vus_pr"]])
    assert same([found.vus_roc, found.vus_pr], [example["tsb_ad"]["vus_roc"], example["tsb_ad"]["vus_pr"]])
    first_form = twin.volumes(scores.tolist(), range(n), truth.tolist(), example["buffer"], first_form=True)
    assert same(first_form, (expected["first_roc"], expected["first_pr"]))

    near, reached = affiliation(spans(last), spans(first), (0.0, float(n)))
    assert same([np.nanmean(near), reached.mean()], [expected["affiliation_precision"], expected["affiliation_recall"]])
    assert expected["affiliation_precision"] == example["tsb_ad"]["affiliation_precision"]

    assert same(rewards(first, last, 0.2, "reciprocal", "flat").mean(), expected["range_recall"])
    assert same(rewards(last, first, 0.0, "reciprocal", "flat").mean(), expected["range_precision"])
    chosen = example["cardinality"], example["bias"]
    assert same(rewards(first, last, example["alpha"], *chosen).mean(), example["prts"]["recall"])
    assert same(rewards(last, first, 0.0, chosen[0], "flat").mean(), example["prts"]["precision"])


# Plain loops


@given(flags, st.data())
def test_runs_and_rewards_are_the_plain_loops(truth, data):
    alarms = data.draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    how = (
        data.draw(st.sampled_from([0.0, 0.2, 1.0])),
        data.draw(st.sampled_from(["one", "reciprocal"])),
        data.draw(biases),
    )
    mine, theirs = runs(truth), runs(alarms)
    assert [[a, b - 1] for a, b in zip(*mine, strict=True)] == twin.runs(truth)
    assert same(rewards(mine, theirs, *how).tolist(), twin.rewards(twin.runs(truth), twin.runs(alarms), *how))


@given(flags.filter(any), st.data())
def test_affiliation_is_the_plain_loop(truth, data):
    alarms = data.draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    whole = (0.0, float(len(truth)))
    precision, recall = affiliation(spans(runs(alarms)), spans(runs(truth)), whole)
    as_pairs = [[(a, b + 1) for a, b in twin.runs(side)] for side in (alarms, truth)]
    expected = twin.affiliation(*as_pairs, whole)
    assert [None if math.isnan(one) else one for one in precision] == same_or_none(expected[0])
    assert same(recall.tolist(), expected[1])


def same_or_none(values):
    return [None if value is None else pytest.approx(value, abs=1e-9) for value in values]


@given(flags.filter(any), st.integers(0, 9), st.data())
def test_volumes_are_the_plain_loop_on_uneven_steps_too(truth, longest, data):
    n = len(truth)
    scores = data.draw(st.lists(st.sampled_from([-math.inf, 0.0, 0.5, 1.0, 2.0, math.inf]), min_size=n, max_size=n))
    steps = data.draw(st.lists(st.sampled_from([1.0, 1.0, 0.5, 2.0, 30.0]), min_size=n, max_size=n))
    positions = np.cumsum(steps) - steps[0]
    found = volume(np.array(scores), positions, np.array(truth), longest)
    expected = twin.volumes(scores, positions.tolist(), truth, longest)
    assert same([found.vus_pr], [expected[1]])
    assert (found.vus_roc is None) == (expected[0] is None)
    assert found.vus_roc is None or same(found.vus_roc, expected[0])
    assert 0 <= found.vus_pr <= 1 + 1e-12


@given(
    st.lists(st.tuples(st.integers(-5, 50), st.integers(0, 20)), max_size=6), st.lists(st.integers(0, 40), unique=True)
)
def test_labelled_rows_are_those_within_a_window(windows, stamps):
    stamps, pairs = sorted(stamps), [(start, start + length) for start, length in windows]
    found, unseen = labelled(np.array(stamps, np.int64), pairs)
    assert found.tolist() == [any(a <= t <= b for a, b in pairs) for t in stamps]
    assert unseen == sum(not any(a <= t <= b for t in stamps) for a, b in pairs)


# By hand


def test_ranges_by_hand():
    # Labelled rows 2-5 and 9; alarms at rows 1-2, 4 and 7.
    scores = np.zeros(12)
    scores[[1, 2, 4, 7]] = 1
    labels = Labels({"m": (window(2, 5), window(9, 9))})
    scored = score_ranges([rows(scores)], labels, 0.5)
    assert (scored.alarms, scored.ranges, scored.unseen) == (3, 2, 0)
    assert scored.precision == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert scored.recall == pytest.approx((0.2 + 0.8 * (2 / 4) / 2) / 2)  # two of four rows, in two pieces
    assert scored.f1 == pytest.approx(2 * scored.precision * scored.recall / (scored.precision + scored.recall))
    front = score_ranges([rows(scores)], labels, 0.5, Weighing(alpha=0, cardinality="one", bias="front"))
    assert front.recall == pytest.approx((4 + 2) / 10 / 2)


def test_affiliation_by_hand():
    # One event (4, 6) in (0, 10), found at (7, 8): of x at distance d, X is at least as far with 1 - (2 + 2 d) / 10.
    precision, recall = affiliation((np.array([7.0]), np.array([8.0])), (np.array([4.0]), np.array([6.0])), (0.0, 10.0))
    assert precision[0] == pytest.approx(1 - (2 + 2 * 1.5) / 10)
    # y in (4, 6) lies 7 - y off; within that of it: 7 - y up, and 7 - y down while y >= 3.5.
    assert recall[0] == pytest.approx(1 - 2 * 2 / 10)


def test_volume_by_hand():
    # Four rows, the second labelled; the scores rank rows 2, 1, 0, 3. l = 0: precision 1/2 at recall 1. l = 1: no row within 1/2.
    # l = 2: rows 0 and 2 weigh w = sqrt(1/2). Recall w / (1 + w/2) at precision w, then (1 + w) / (1 + w/2) -> 1 at (1 + w) / 2.
    found = volume(np.array([1.0, 2.0, 3.0, 0.0]), np.arange(4.0), np.array([False, True, False, False]), 2)
    w = math.sqrt(0.5)
    recall = w / (1 + w / 2)
    assert found.vus_pr == pytest.approx((1 / 2 + 1 / 2 + recall * w + (1 - recall) * (1 + w) / 2) / 3)
    # ROC, l = 0: (1/3, 0), (1/3, 1). l = 2: false alarms 1 - w, 1 - w, 2 - 2 w, 3 - 2 w of 3 - w/2, 3 - w/2, 3 - w, 3 - w.
    fpr = [0, (1 - w) / (3 - w / 2), (1 - w) / (3 - w / 2), (2 - 2 * w) / (3 - w), (3 - 2 * w) / (3 - w), 1]
    tpr = [0, recall, 1, 1, 1, 1]
    area = sum((fpr[k] - fpr[k - 1]) * (tpr[k] + tpr[k - 1]) / 2 for k in range(1, 6))
    assert found.vus_roc == pytest.approx((2 / 3 + 2 / 3 + area) / 3)


def test_the_labels_themselves_score_1():
    scores = np.zeros(200)
    scores[50:60] = scores[90] = 1
    detections, labels = [rows(scores)], Labels({"m": (window(50, 59), window(90, 90))})
    ranges = score_ranges(detections, labels, 0.5)
    assert (ranges.precision, ranges.recall, ranges.f1) == (1, 1, 1)
    assert (ranges.affiliation.precision, ranges.affiliation.recall) == (1, 1)
    vus = score_vus(detections, labels)
    assert (vus.vus_pr, vus.vus_roc) == (pytest.approx(1), pytest.approx(1))


def test_uneven_steps_count_as_long_as_they_last():
    # The alarm is the row after the labelled one: a step later it is in the buffer, a day later it is not.
    stamps = T0 + 60 * np.arange(100)
    scores = np.zeros(100)
    scores[51] = 1
    gapped = np.where(np.arange(100) > 50, stamps + 86_400, stamps)
    near, far = (
        score_vus([Detections("m", times, scores)], Labels({"m": (window(50, 50),)}), 10).vus_pr
        for times in (stamps, gapped)
    )
    assert near > 0.3
    assert far < 0.05
    last = score_ranges([Detections("m", gapped, scores)], Labels({"m": (window(50, 50),)}), 0.5).affiliation
    assert last.precision < 0.1


# Hostile


def both(scores, windows, **options):
    detections = [rows(scores, **options)]
    return score_ranges(detections, Labels({"m": windows}), 0.5), score_vus(detections, Labels({"m": windows}))


@pytest.mark.parametrize("labels", [Labels({}), Labels({"m": ()})])
def test_no_label_at_all_is_one_sentence(labels):
    for judge in (lambda: score_ranges([rows([1, 0])], labels, 0.5), lambda: score_vus([rows([1, 0])], labels)):
        with pytest.raises(InputError, match="no window at all"):
            judge()


def test_all_rows_labelled():
    ranges, vus = both([0, 1, 1, 0], (window(0, 3),))
    assert (ranges.precision, ranges.recall) == (1, pytest.approx(0.2 + 0.8 / 2))
    assert (vus.vus_pr, vus.vus_roc) == (1, None)


def test_windows_outside_the_data_are_missed_or_told():
    ranges, vus = both([0, 1, 0, 0], (window(1, 1), window(100, 110), (T0 + 61, T0 + 62)))
    assert (ranges.recall, ranges.affiliation.recall, ranges.ranges, ranges.unseen) == (1 / 3, 1 / 3, 3, 2)
    assert (vus.vus_pr, vus.unseen) == (pytest.approx(1), 2)
    with pytest.raises(InputError, match="no metric has a row in a labelled window"):
        score_vus([rows([0, 1])], Labels({"m": (window(100, 110),)}))
    assert score_ranges([rows([0, 1])], Labels({"m": (window(100, 110),)}), 0.5).affiliation.precision is None


def test_one_step():
    ranges, vus = both([1.0], (window(0, 0),))
    assert (ranges.f1, ranges.affiliation.precision, vus.vus_pr, vus.vus_roc) == (1, 1, 1, None)


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_constant_scores_are_worth_chance(level):
    ranges, vus = both(np.full(1000, level), (window(500, 599),))
    assert ranges.precision == (pytest.approx(0.1) if level else None)
    assert ranges.recall == (1 if level else 0)
    assert vus.vus_roc == pytest.approx(0.5, abs=0.05)
    assert vus.vus_pr == pytest.approx(0.13, abs=0.05)


def test_scores_that_are_none_rank_last():
    stamps = [T0 + 60 * i for i in range(6)]
    table = pa.table({"metric": ["m"] * 6, "timestamp": stamps, "score": [-3.0, None, float("nan"), -1.0, -2.0, None]})
    found = ridgeline.evaluate(table, {"m": [[stamps[3], stamps[3]]]}, metric="vus", buffer=0)
    assert (found.vus_pr, found.vus_roc) == (1, 1)
    assert ridgeline.evaluate(table, {"m": [[stamps[1], stamps[2]]]}, metric="ranges", threshold=-9).recall == 0


def test_overlapping_windows_are_one_range():
    ranges, _ = both([0, 1, 1, 1, 0], (window(1, 2), window(2, 3), window(1, 3)))
    assert (ranges.ranges, ranges.precision, ranges.recall) == (1, 1, 1)


def test_far_timestamps_lose_nothing():
    scores = np.random.default_rng(5).normal(size=300)
    here = both(scores, (window(100, 120), window(200, 201)))
    there = both(scores, (window(100, 120, start=10**15), window(200, 201, start=10**15)), start=10**15)
    assert here == there


def test_metrics_without_labels_or_scores_are_named_not_averaged():
    detections = [rows([0, 1, 0]), rows([1, 0, 1], metric="quiet")]
    labels = Labels({"m": (window(1, 1),), "gone": (window(1, 1),)})
    vus = score_vus(detections, labels, 0)
    assert (vus.vus_pr, vus.unlabelled, vus.unscored, list(vus.metrics)) == (1, ("quiet",), ("gone",), ["m"])
    ranges = score_ranges(detections, labels, 0.5)
    assert (ranges.precision, ranges.recall, ranges.unseen) == (1 / 3, 0.5, 1)


# The command


@pytest.fixture(scope="module")
def backtested(tmp_path_factory):
    """A backtest of two metrics, and labels of one."""
    folder = tmp_path_factory.mktemp("curves")
    noise = np.random.default_rng(1).normal(10, 1, size=(2, 1800))
    noise[0, 1700:1705] += 40
    table = pa.table(
        {
            "metric": np.repeat(["a", "b"], 1800),
            "timestamp": np.tile(T0 + 60 * np.arange(1800), 2),
            "value": noise.ravel(),
        }
    )
    write_parquet(table, folder / "data.parquet")
    (folder / "labels.json").write_text(json.dumps({"a": [list(window(1700, 1704))]}))
    assert main(["backtest", str(folder / "data.parquet"), "--output", str(folder / "out"), "-q"]) == 0
    return folder


def told(folder, capsys, *options):
    capsys.readouterr()
    status = main(["evaluate", str(folder / "out"), "--labels", str(folder / "labels.json"), *options])
    return status, *capsys.readouterr()


def test_the_command_judges_a_backtest_by_any_score(backtested, capsys):
    status, out, err = told(backtested, capsys, "--metric", "vus", "--json")
    graded = json.loads(out)
    assert (status, "1 metrics have no labelled row" in err, graded["unlabelled"]) == (0, True, ["b"])
    assert graded["vus_pr"] > 0.6
    by_name = json.loads(told(backtested, capsys, "--metric", "vus", "--json", "--score", "consensus_score")[1])
    assert by_name == graded
    other = json.loads(told(backtested, capsys, "--metric", "vus", "--json", "--score", "grubbs_score")[1])
    assert other["vus_pr"] != graded["vus_pr"]
    assert set(graded["metrics"]["a"]) == {"vus_pr", "vus_roc"}


def test_a_score_column_above_1_is_what_the_backtest_calls_anomalous(backtested, capsys):
    for metric in ("ranges", "events", "nab", "fleet"):
        plain, scored = (
            json.loads(told(backtested, capsys, "--metric", metric, "--json", *options)[1])
            for options in ((), ("--score", "consensus_score"))
        )
        assert plain.pop("threshold") != scored.pop("threshold")
        assert plain == scored
    assert json.loads(told(backtested, capsys, "--metric", "ranges", "--json")[1])["affiliation"]["recall"] > 0.5


def test_the_command_prints_both_as_text(backtested, capsys):
    _, out, _ = told(
        backtested, capsys, "--metric", "ranges", "--alpha", "1", "--bias", "front", "--cardinality", "one"
    )
    assert out.splitlines()[1:] == [
        "precision   1.000   recall 1.000   F1 1.000",
        "affiliation precision 1.000   recall 1.000",
    ]
    _, out, _ = told(backtested, capsys, "--metric", "vus", "--buffer", "5")
    assert out.startswith("VUS-PR      ")
    assert "buffers up to 5 steps" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--metric", "vus", "--threshold", "1"], "--threshold says nothing to --metric vus"),
        (["--metric", "events", "--buffer", "3"], "--buffer says nothing to --metric events: it is for vus"),
        (["--metric", "nab", "--alpha", "0"], "--alpha says nothing to --metric nab: it is for ranges"),
        (["--metric", "ranges", "--alpha", "2"], "alpha is 2.0: give a number from 0 to 1"),
        (["--score", "vibes"], "no score called 'vibes'"),
        (["--score", "consensus_score", "--consensus", "5"], "give one of them"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(backtested, capsys, options, sentence):
    status, out, err = told(backtested, capsys, *options)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert sentence in err


def test_a_score_needs_a_backtest(backtested):
    with pytest.raises(InputError, match="--columns score=NAME"):
        ridgeline.evaluate(backtested / "data.parquet", {"a": []}, score="value", columns={"score": "value"})
