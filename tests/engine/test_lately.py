"""The record of a lately anomalous metric says what a list of all its runs would say; the table keeps it, bounded."""

import contextlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twins.lately import Twin

from ridgeline.engine.alerts import lately_table
from ridgeline.engine.alerts.lately import (
    MOST_INCIDENTS,
    RESOLVE_AFTER,
    Incident,
    Lately,
    Seen,
    closed,
    observe,
    opened,
    told,
)
from ridgeline.engine.alerts.lately_table import (
    decode,
    drop_lately,
    encode,
    is_pruning_due,
    outdated,
    prune,
    read_lately,
    read_watched,
    unwatch,
    write_lately,
)
from ridgeline.engine.alerts.second_order import MOST_SIZE, MOST_TRIGGERS, out_of_rhythm, worth_another
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.in_sqlite import SqliteState

SIZES = st.floats(0, 100) | st.just(math.inf)
MINUTES = st.lists(
    st.builds(
        Seen,
        timestamp=st.integers(0, 60).map(lambda n: 1_700_000_000 + 60 * n),
        value=st.floats(-1e9, 1e9),
        anomalous=st.booleans(),
        votes=st.integers(6, 9),
        size=SIZES,
        algorithms=st.sampled_from([("grubbs",), ("ks_test", "grubbs")]),
    ),
    max_size=40,
    unique_by=lambda seen: seen.timestamp,
).map(lambda runs: sorted(runs, key=lambda seen: seen.timestamp))
# Each minute is judged once, or several times by runs that saw nothing newer; some runs do not analyse the metric.
RUNS = st.tuples(MINUTES, st.lists(st.sampled_from(["once", "twice", "stale"]), min_size=40, max_size=40)).map(
    lambda drawn: [
        seen
        for minute, how in zip(drawn[0], drawn[1], strict=False)
        for seen in {"once": [minute], "twice": [minute, minute], "stale": [None, minute]}[how]
    ]
)


@given(runs=RUNS, keep=st.integers(1, 7), resolve_after=st.integers(1, RESOLVE_AFTER))
def test_a_record_says_what_the_whole_history_would(runs, keep, resolve_after):
    twin, record = Twin(), None
    for seen in runs:
        twin.see(seen)
        record = observe(record, seen, keep=keep)
        if record is None:
            assert twin.normal() is None
            continue
        # The twin's history begins with the first anomalous run, as the record's does.
        while not twin.runs[0].anomalous:
            twin.runs.pop(0)
        incidents = twin.incidents(RESOLVE_AFTER)
        newest = incidents[-1]
        assert record.first_seen == newest[0].timestamp
        assert record.incident.last == newest[-1].timestamp
        assert record.incident.runs == len(newest)
        assert record.incident.votes == max(run.votes for run in newest)
        assert record.incident.peak == max(min(run.size, MOST_SIZE) for run in newest)
        worst = next(run for run in newest if min(run.size, MOST_SIZE) == record.incident.peak)
        assert (record.incident.peak_value, record.incident.algorithms) == (worst.value, worst.algorithms)
        assert [i.start for i in record.incidents] == [i[0].timestamp for i in incidents][-MOST_INCIDENTS:]
        assert record.ongoing(resolve_after) == (twin.normal() < resolve_after)
        for n in range(1, keep + 1):
            for m in range(1, n + 1):
                assert record.m_of_n(m, n) == twin.m_of_n(m, n)
        assert decode(json.loads(json.dumps(encode(record), allow_nan=False))) == record
        assert len(record.recent) <= keep


def seen(minute, anomalous=True, **facts):
    return Seen(1_700_000_000 + 60 * minute, 1.0, anomalous, **facts)


def walk(*runs, keep=1):
    record = None
    for run in runs:
        record = observe(record, run, keep=keep)
    return record


def test_a_run_without_a_newer_point_does_not_count():
    record = walk(seen(0))
    assert observe(record, seen(0, anomalous=False)) is record
    assert observe(record, seen(-5, anomalous=False)) is record
    assert observe(record, None) is record, "stale, missing and shed metrics never resolve"


def test_a_normal_metric_has_no_record():
    assert observe(None, None) is None
    assert observe(None, seen(0, anomalous=False)) is None


def test_an_incident_ends_with_the_third_normal_run_and_the_next_is_new():
    record, ongoing = walk(seen(0)), []
    for minute in range(1, 6):
        record = observe(record, seen(minute, anomalous=False))
        ongoing.append(record.ongoing())
    assert ongoing == [True, True, False, False, False]
    again = observe(record, seen(9))
    assert (again.first_seen, again.ongoing(), len(again.incidents)) == (seen(9).timestamp, True, 2)
    assert (
        observe(walk(seen(0), seen(1, anomalous=False), seen(2, anomalous=False)), seen(3)).first_seen
        == seen(0).timestamp
    )


def test_what_is_long_over_is_not_written_again():
    record = walk(*(seen(minute, anomalous=minute == 0) for minute in range(6)), keep=5)
    assert record.recent == (False,) * 5
    assert observe(record, seen(7, anomalous=False), keep=5) is record
    assert observe(record, seen(7, anomalous=False), keep=6) is not record


def test_incidents_are_bounded():
    record = walk(*(seen(minute, anomalous=minute % 4 == 0) for minute in range(400)))
    assert len(record.incidents) == MOST_INCIDENTS
    assert record.first_seen == seen(396).timestamp


# Second order ---------------------------------------------------------------------------------------------------------


def test_second_order_asks_for_growth_by_half_or_a_new_incident():
    record = walk(seen(0, size=2.0))
    assert worth_another(record, "http", 2.0), "it was not told yet"
    record = told(record, "http", 2.0)
    assert record.incident.alerted == ("http",)
    assert not worth_another(record, "http", 2.99)
    assert worth_another(record, "http", 3.0)
    assert worth_another(record, "syslog", 0.1), "one that was not told"
    assert told(record, "syslog", 1.0).incident.alerted_size == 2.0
    record = told(told(record, "syslog", 1.0), "http", 4.0)
    assert (record.incident.alerted, record.incident.alerted_size) == (("http", "syslog"), 4.0)
    assert not worth_another(record, "http", 5.9)
    for minute in range(1, 4):
        record = observe(record, seen(minute, anomalous=False))
    assert not worth_another(record, "http", 5.9), "over, but not back"
    assert worth_another(observe(record, seen(9)), "http", 0.1)
    assert not worth_another(told(record, "http", math.inf), "http", math.inf)


def test_an_anomaly_of_no_known_size_is_told_once():
    record = told(walk(seen(0)), "http", 0.0)
    assert not worth_another(record, "http", 0.0)
    assert worth_another(record, "http", 0.1)


def test_what_receivers_hold_open_is_theirs_until_it_is_closed():
    record = opened(opened(opened(walk(seen(0)), "pd", "web"), "pd", None), "am", None)
    assert opened(record, "pd", "web").open == record.open == (("pd", "web"), ("pd", None), ("am", None))
    for minute in range(1, 5):
        record = observe(record, seen(minute, anomalous=minute == 4))
    assert len(record.incidents) == 2
    assert closed(record, "pd").open == (("am", None),), "whatever incident it was about"


def skylines(history, timestamp, value):
    """`is_anomalously_anomalous`, as spec/analyzer.md 1.7 says it: with all of the history, a list that is changed."""
    if not history:
        history.append((timestamp, value))
        return True
    if value == history[-1][1] and timestamp - history[-1][0] <= 300:
        return False
    history.append((timestamp, value))
    gaps = np.diff([at for at, _ in history]).astype(float)
    if len(gaps) < 2:
        return False
    return bool(abs(gaps[-1] - gaps.mean()) > 3 * gaps.std(ddof=1))


@given(
    runs=st.lists(
        st.tuples(st.sampled_from([60, 60, 60, 300, 301, 3600]), st.sampled_from([1.0, 1.0, 2.0]), st.booleans()), max_size=MOST_TRIGGERS
    )
)  # fmt: skip
@example(runs=[(60, float(n), True) for n in range(12)] + [(3600, 0.5, True)])
@example(runs=[(60, float(n), True) for n in range(11)] + [(3600, 0.5, True)])
def test_under_skylines_profiles_a_trigger_out_of_rhythm_is_news(runs):
    history, record, at = [], None, 1_700_000_000
    for pause, value, anomalous in runs:
        at += pause
        record = observe(record, Seen(at, value, anomalous), triggers=True)
        expected = anomalous and skylines(history, at, value)
        if anomalous:
            assert out_of_rhythm(record, "http", 9.0) == expected
            assert decode(json.loads(json.dumps(encode(record), allow_nan=False))) == record
            assert not out_of_rhythm(observe(record, Seen(at, value, True), triggers=True), "http", 9.0), (
                "seen by a run"
            )


def test_a_dozen_triggers_come_before_the_second_that_passes():
    passed = []
    record = None
    for n in range(20):
        at = 1_700_000_000 + 60 * n + (3600 if n >= 12 else 0)
        record = observe(record, Seen(at, float(n), True), triggers=True)
        passed.append(out_of_rhythm(record, "http", 1.0))
    assert passed == [True, *[False] * 11, True, *[False] * 7]


def test_triggers_are_bounded():
    record = None
    for n in range(500):
        record = observe(record, Seen(60 * n, float(n), True), triggers=True)
    assert record.triggers.times == tuple(60 * n for n in range(500 - MOST_TRIGGERS, 500))
    assert len(json.dumps(encode(record))) < 1000
    assert observe(record, Seen(60 * 500, 1.0, True)).triggers is None, "another profile forgets them"


# The table ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite"])
def state(request, tmp_path):
    opened = MemoryState(lambda: 0.0) if request.param == "memory" else SqliteState(tmp_path / "s.db")
    with contextlib.closing(opened):
        yield opened


def test_the_table_keeps_records(state):
    records = {
        "a": walk(seen(0, size=math.inf, algorithms=("grubbs",))),
        "b\n": opened(opened(told(walk(seen(1), seen(2)), "http", 3.0), "http", None), "http", "rule"),
    }
    with state.batch() as batch:
        write_lately(batch, records)
    assert read_lately(state) == records
    assert read_lately(state, ["b\n", "c"]) == {"b\n": records["b\n"]}
    with state.batch() as batch:
        drop_lately(batch, ["a", "c"])
    assert read_lately(state) == {"b\n": records["b\n"]}


SOUND = encode(walk(seen(0)))
DAMAGED = [
    None, 7, "x", [], {}, SOUND[:5], [*SOUND, 1], [None, *SOUND[1:]], [*SOUND[:3], [], *SOUND[4:]],
    [*SOUND[:3], [[1, 2]], *SOUND[4:]], [*SOUND[:2], 5, *SOUND[3:]],
    [*SOUND[:3], [[0, 0, 1e999, 0, 6, [], 1, [], 0]], *SOUND[4:]], [*SOUND[:3], [[0, 0, 1, "nan", 6, [], 1, [], 0]], *SOUND[4:]],
    [*SOUND[:3], [[1e999, *[0] * 8]], *SOUND[4:]], [*SOUND[:4], [["a"]], None], [*SOUND[:4], 5, None],
    [*SOUND[:5], [[], 1.0, True]], [*SOUND[:5], [[1], 1e999, True]], [*SOUND[:5], [[1], 1.0]], [*SOUND[:5], 7],
]  # fmt: skip


@pytest.mark.parametrize("value", DAMAGED, ids=repr)
def test_a_damaged_record_is_none(state, value):
    assert decode(value) is None
    with state.batch() as batch:
        batch.put("anomalies", {"a": 0})
        write_lately(batch, {"b": walk(seen(0))})
    assert list(read_lately(state)) == ["b"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=30,
)


@given(value=JSON)
@example(value=[1, 0, [1], [[0, 0, 1.0, 1.0, 6, "ab", 1, "c", 0]], ["de"], [[1, 2], 3, 0]])
def test_any_json_is_a_record_that_can_be_used_or_none(value):
    record = decode(value)
    if record is not None:
        json.dumps(encode(observe(record, seen(10_000_000), keep=3)), allow_nan=False)


def test_pruning_is_done_once_a_day_and_watches_what_is_not_over(state, monkeypatch):
    monkeypatch.setattr(lately_table, "MOST_METRICS", 10)
    assert is_pruning_due(state)
    over = replace(walk(seen(0)), normal=RESOLVE_AFTER)
    records = {
        f"m{number:02d}": replace(over, incidents=(replace(over.incident, last=1000 + number),)) for number in range(11)
    }
    records |= {"m09": replace(records["m09"], normal=0), "m10": replace(records["m10"], open=(("http", None),))}
    with state.batch() as batch:
        write_lately(batch, records)
        unwatch(batch, records)
    with state.batch() as batch:
        prune(batch, records, 1010)
    assert sorted(read_lately(state)) == [f"m{number:02d}" for number in range(2, 11)], "a tenth more than too many"
    assert read_watched(state) == {"m09", "m10"}
    assert not is_pruning_due(state)
    with state.batch() as batch:
        write_lately(batch, dict.fromkeys("abc", over))
    assert is_pruning_due(state), "too many again"


def test_the_table_is_pruned_by_age_and_number():
    def last(at):
        return Lately((Incident(0, at, 1.0, 1.0, 6, ()),), at)

    records = {"old": last(99), "edge": last(100), "mid": last(150), "new": last(200)}
    assert outdated(records, 200, kept_for=100) == ["old"]
    assert outdated(records, 200, kept_for=100, most=2) == ["edge", "old"]
    assert outdated(records, 200, kept_for=1000, most=0) == ["edge", "mid", "new", "old"]
    assert outdated({}, 200) == []
    assert outdated({"a": replace(last(500), normal=1)}, 200) == [], "a clock that went back forgets nothing"
