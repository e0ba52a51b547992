"""NAB's score and event metrics: against plain loops, hand-worked examples and published values."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.evaluate.detections import Detections, read_detections
from ridgeline.engine.evaluate.events import score_events
from ridgeline.engine.evaluate.labels import Labels, read_labels
from ridgeline.engine.evaluate.nab import PROFILES, score_corpus, sigmoid
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.io.errors import InputError

DAY = 86400
T0 = 1_700_000_000


def rows(scores, *, metric="m", step=60):
    scores = np.asarray(scores, float)
    return Detections(metric, T0 + step * np.arange(len(scores)), scores)


def window(first, last, step=60):
    return (T0 + first * step, T0 + last * step)


def nab_oracle(found, windows, threshold, weights):
    """The rules of the NAB paper, one row at a time."""
    n = len(found.scores)
    probation = min(int(0.15 * n), 750)
    raw, best, previous = 0.0, {}, None
    judged = []
    for start, end in windows:
        inside = [i for i in range(n) if start <= found.timestamps[i] <= end]
        if inside and inside[-1] >= probation:
            judged.append((inside[0], inside[-1]))
    for i in range(n):
        home = [w for w in judged if w[0] <= i <= w[1]]
        if i >= probation and found.scores[i] >= threshold:
            if home:
                left, right = home[0]
                value = weights.true_positive * sigmoid(-(right - i + 1) / (right - left + 1)) / sigmoid(-1)
                best[home[0]] = max(value, best.get(home[0], -9.0))
            elif previous is None:
                raw -= weights.false_positive
            else:
                left, right = previous
                gap, width = i - right, right - left + 1
                raw += weights.false_positive * (sigmoid(gap / (width - 1)) if width > 1 else -1)
        for w in judged:
            if w[1] == i:
                previous = w
    return raw + sum(best.values()) - weights.false_negative * (len(judged) - len(best))


@given(
    scores=st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0]), min_size=12, max_size=80),
    cuts=st.lists(st.integers(0, 79), min_size=2, max_size=6, unique=True),
)
def test_nab_agrees_with_the_plain_loop(scores, cuts):
    cuts = sorted(cuts)
    windows = tuple(window(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False))
    found = rows(scores)
    scored = score_corpus([found], Labels({"m": windows}), 0.5)
    for name, weights in PROFILES.items():
        assert scored[name].raw == pytest.approx(nab_oracle(found, windows, 0.5, weights), abs=1e-9)


def test_nab_by_hand():
    # 20 rows: probation is rows 0-2; the window is rows 10-14; hits at rows 5 (before any window), 12, 13 and 16.
    scores = np.zeros(20)
    scores[[1, 5, 12, 13, 16]] = 1
    scored = score_corpus([rows(scores)], Labels({"m": (window(10, 14),)}), 0.5)
    at_1 = 2 / (1 + math.exp(-5)) - 1
    hit = (2 / (1 + math.exp(-3)) - 1) / at_1  # row 12: y = -(14 - 12 + 1) / 5
    after = 2 / (1 + math.exp(5 * 2 / 4)) - 1  # row 16: y = (16 - 14) / (5 - 1)
    assert scored["standard"].raw == pytest.approx(hit + 0.11 * (-1 + after))
    assert scored["standard"].score == pytest.approx(100 * (hit + 0.11 * (-1 + after) + 1) / 2)


def test_nab_silent_and_perfect_detectors_score_0_and_at_most_100():
    labels = Labels({"m": (window(10, 14), window(30, 40))})
    silent = score_corpus([rows(np.zeros(60))], labels, 0.5)
    assert all(s.score == 0 for s in silent.values())
    first_rows = np.zeros(60)
    first_rows[[10, 30]] = 1
    assert score_corpus([rows(first_rows)], labels, 0.5)["standard"].score == pytest.approx(100)


def test_nab_gives_the_published_values(shared):
    detections = read_detections(shared / "data/nab_scores_windowed_gaussian.parquet", consensus=None, expiry=0)
    scored = score_corpus(detections, read_labels(shared / "data/nab_labels.json"), 1.0)
    assert scored["standard"].raw == pytest.approx(-24.013105489139924, abs=1e-9)
    published = (39.649523496060375, 20.867985824760915, 47.410027158293154)
    assert [s.score for s in scored.values()] == pytest.approx(published, abs=1e-9)


def test_a_labelled_metric_without_rows_counts_as_missed():
    labels = Labels({"m": (window(10, 14),), "absent": (window(1, 2),)})
    assert score_corpus([rows(np.zeros(20))], labels, 0.5)["standard"].raw == -2


@pytest.mark.parametrize("labels", [Labels({}), Labels({"m": ()})])
def test_nab_refuses_an_empty_label_set(labels):
    with pytest.raises(InputError, match="no window"):
        score_corpus([rows(np.zeros(5))], labels, 0.5)


def test_events_by_hand():
    # Alarms: rows 2-3 (false), 10-11 (true, touches 11-15), 30 (false). Windows: 11-15 found after 0 s, 40-45 missed.
    scores = np.zeros(7 * 24 * 60 + 1)
    scores[[2, 3, 10, 11, 30]] = 1
    scored = score_events([rows(scores)], Labels({"m": (window(11, 15), window(40, 45))}), 0.5)
    assert (scored.alarms, scored.true_alarms, scored.windows, scored.found) == (3, 1, 2, 1)
    assert (scored.precision, scored.recall, scored.f1) == (1 / 3, 0.5, pytest.approx(0.4))
    assert (scored.mean_delay, scored.metric_weeks, scored.false_alarms_per_metric_week) == (0, 1, 2)


def events_oracle(found, windows, threshold):
    alarms, current = [], None
    for stamp, score in zip(found.timestamps, found.scores, strict=True):
        if score >= threshold:
            current = [*(current or []), stamp]
        elif current:
            alarms.append(current)
            current = None
    alarms += [current] if current else []
    true = [a for a in alarms if any(start <= s <= end for s in a for start, end in windows)]
    hit = [w for w in windows if any(w[0] <= s <= w[1] for a in alarms for s in a)]
    return len(alarms), len(true), len(hit)


@given(
    scores=st.lists(st.sampled_from([0.0, 1.0]), max_size=60),
    cuts=st.lists(st.integers(0, 59), max_size=6, unique=True),
)
def test_events_agree_with_the_plain_loop(scores, cuts):
    cuts = sorted(cuts)
    windows = tuple(window(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False))
    if not windows:
        with pytest.raises(InputError, match="no window at all"):
            score_events([rows(scores)], Labels({"m": windows}), 0.5)
        return
    scored = score_events([rows(scores)], Labels({"m": windows}), 0.5)
    assert (scored.alarms, scored.true_alarms, scored.found) == events_oracle(rows(scores), windows, 0.5)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_labels_from_tables(tmp_path, suffix):
    path = tmp_path / f"labels.{suffix}"
    if suffix == "csv":
        path.write_text(
            "metric,start,end\na,1700000000,1700000600\na,2023-11-15T00:00:00Z,2023-11-15T01:00:00Z\nb,5,5\n"
        )
    else:
        pq.write_table(
            pa.table({"metric": ["a", "a", "b"], "start": [T0, 1700006400, 5], "end": [T0 + 600, 1700010000, 5]}), path
        )
    assert read_labels(path).windows == {"a": ((T0, T0 + 600), (1700006400, 1700010000)), "b": ((5, 5),)}


def test_point_labels_are_windows_of_one_second(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("metric,timestamp\na,7\n")
    assert read_labels(path).windows == {"a": ((7, 7),)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.json", None, "do not exist"),
        ("bad.json", "{", "cannot be read"),
        ("list.json", "[]", "is an object"),
        ("pair.json", json.dumps({"m": [[1]]}), "expected \\[start, end\\]"),
        ("back.json", json.dumps({"m": [[9, 1]]}), "before it starts"),
        ("columns.csv", "a,b\n1,2\n", "expected columns"),
    ],
)
def test_bad_labels_say_what_and_where(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_labels(path)


def test_bad_scores_say_what_and_where(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_detections(tmp_path / "none.parquet", consensus=None, expiry=0)
    with pytest.raises(InputError, match="no files ending in"):
        read_detections(tmp_path, consensus=None, expiry=0)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="holds no scores"):
        read_detections(tmp_path, consensus=None, expiry=0)
    pq.write_table(pa.table({"metric": ["a"], "timestamp": [1]}), tmp_path / "lacks.parquet")
    with pytest.raises(
        InputError, match=r"no column score \(found: metric, timestamp\); needed are metric, timestamp, score"
    ):
        read_detections(tmp_path / "lacks.parquet", consensus=None, expiry=0)
    (tmp_path / "garbage.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(InputError, match="no column metric or timestamp or score"):
        read_detections(tmp_path / "garbage.parquet", consensus=None, expiry=0)


def test_a_backtest_folder_decides_by_consensus_and_expiry(tmp_path):
    (tmp_path / "scores").mkdir()
    pq.write_table(
        pa.table(
            {
                "metric": ["b", "b", "b", "a"],
                "timestamp": [0, 60, DAY, 0],
                "anomalous": [True, True, None, False],
                "votes": pa.array([6, 7, None, 5], pa.int8()),
                **{f"{name}_score": np.ones(4, np.float32) for name in algorithm_names()},
            }
        ),
        tmp_path / "scores/part-00000.parquet",
    )
    found = {d.metric: d.scores.tolist() for d in read_detections(tmp_path, consensus=None, expiry=DAY)}
    assert found == {"b": [1, 0, 0], "a": [0]}
    found = {d.metric: d.scores.tolist() for d in read_detections(tmp_path, consensus=5, expiry=30)}
    assert found == {"b": [1, 1, 0], "a": [1]}
    for consensus, fault in [(10, "cannot be reached by 9"), (0, "without a single vote"), (-3, "without a single")]:
        with pytest.raises(InputError, match=fault):
            read_detections(tmp_path, consensus=consensus, expiry=30)
