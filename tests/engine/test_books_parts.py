"""The families of the books each by itself: large fleets, runs that saw only a part, pasts that cannot be read."""

import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config
from ridgeline.engine.run.books import timestamps
from ridgeline.engine.run.books.events import write_events
from ridgeline.engine.run.books.exceptions import write_exceptions
from ridgeline.engine.run.books.judged import CODES, Judged
from ridgeline.engine.run.books.named import Named
from ridgeline.engine.run.books.past import Notes, Past
from ridgeline.engine.run.books.rules import as_tuples
from ridgeline.engine.run.books.timestamps import ANALYSED, SEEN, write_timestamps
from ridgeline.engine.run.books.totals import write_totals
from ridgeline.io.redis.entries import Count, Entries, Expire, Replace, Stream
from ridgeline.io.shard import Share
from ridgeline.io.state.batch import SetText

NOW = 1_700_000_000
FLEET = [f"stats.host{at}.cpu" for at in range(12_000)]


def judged(metrics, outcomes="analysed", ages=0):
    count = len(metrics)
    named = [outcomes] * count if isinstance(outcomes, str) else outcomes
    normal = np.array([outcome == "analysed" for outcome in named])
    return fleet_of(metrics, named, normal, np.broadcast_to(NOW - np.asarray(ages), count).astype(np.int64))


def fleet_of(metrics, outcomes, normal, stamps):
    codes = np.array([CODES[outcome] for outcome in outcomes], np.uint8)
    return Judged(codes, normal, stamps, Named(list(metrics)))


def turn(*, whole=True, as_of=NOW):
    request = SimpleNamespace(config=Config())
    return SimpleNamespace(entries=Entries(), as_of=as_of, whole=whole, share=Share(), request=request)


def put(given_turn):
    """The fields that each hash is given."""
    found = {}
    for entry in given_turn.entries.entries:
        if isinstance(entry, Stream) and (words := list(entry.words)):
            found[entry.key] = dict(zip(words[::2], words[1::2], strict=True))
    return found


def replaced(given_turn):
    """(what a set is to hold, what it is called that it held) by key."""
    return {
        entry.key: (set(entry.words), entry.previous)
        for entry in given_turn.entries.entries
        if isinstance(entry, Replace)
    }


def written(fleet, *, runs=1, since=60, as_of=NOW):
    """The names whose last timestamp a run writes."""
    made = turn(as_of=as_of)
    write_timestamps(made, fleet, Past(known=True, notes=Notes(runs, as_of - since)))
    found = put(made)
    assert found.get(SEEN) == found.get(ANALYSED)
    return set(found.get(SEEN, {}))


def test_of_a_large_fleet_each_timestamp_is_written_in_one_of_five_runs():
    parts = [written(judged(FLEET), runs=run) for run in range(7, 12)]
    assert set.union(*parts) == set(FLEET)
    assert sum(map(len, parts)) == len(FLEET)
    assert all(0.15 < len(part) / len(FLEET) < 0.25 for part in parts)
    grown = ["a.new.one", *FLEET]
    assert written(judged(grown), runs=7) - {"a.new.one"} == parts[0], "a name stays in its part"


def test_of_few_metrics_all_are_written():
    assert written(judged(FLEET[: timestamps.FEW])) == set(FLEET[: timestamps.FEW])
    assert len(written(judged(FLEET[: timestamps.FEW + 1]))) < timestamps.FEW / 2


@pytest.mark.parametrize("since", [301, 86400, NOW, -1])
def test_after_a_pause_all_are_written(since):
    assert len(written(judged(FLEET), since=300)) < len(FLEET) / 2
    assert written(judged(FLEET), since=since) == set(FLEET)


def test_a_metric_that_falls_silent_is_written_once_with_its_last_timestamp():
    """Whatever part it is in, and however the minutes fall."""
    for lag in (0, 1, 59, 60):
        times = 0
        for minute in range(2, 8):
            as_of = NOW + 60 * minute
            ages = np.full(len(FLEET), lag)
            ages[5] = 60 * minute + lag
            fleet = fleet_of(FLEET, ["analysed"] * len(FLEET), np.ones(len(FLEET), np.bool_), as_of - ages)
            quiet = next(run for run in range(5) if FLEET[5] not in written(judged(FLEET), runs=run))
            made = turn(as_of=as_of)
            write_timestamps(made, fleet, Past(known=True, notes=Notes(quiet, as_of - 60)))
            found = put(made)[SEEN]
            if FLEET[5] in found:
                times += 1
                assert found[FLEET[5]] == str(NOW - lag)
        assert times == 1, lag


def test_only_what_has_points_is_heard_of_and_only_what_was_voted_on_is_analysed():
    fleet = fleet_of(["a", "b", "c"], ["analysed", "stale", "missing"], np.zeros(3, np.bool_), np.array([NOW, 5, 0]))
    made = turn()
    write_timestamps(made, fleet, Past())
    assert put(made) == {SEEN: {"a": str(NOW), "b": "5"}, ANALYSED: {"a": str(NOW)}}


def test_columns_are_gathered_as_the_verdicts_have_them():
    rows = [
        ("a", "analysed", False, 7),
        ("b", "analysed", True, 8),
        ("c", "empty", None, None),
        ("d", "stale", None, 9),
    ]
    kinds = {"metric": pa.string(), "outcome": pa.string(), "anomalous": pa.bool_(), "timestamp": pa.int64()}
    batches = [
        pa.record_batch(list(map(list, zip(*some, strict=True))), pa.schema(kinds.items()))
        for some in (rows[:2], rows[2:])
    ]
    found = Judged.of([batches[0], batches[1].slice(1), batches[1].slice(0, 1)])
    assert found.metrics == ["a", "b", "d", "c"]
    assert found.normal.tolist() == [True, False, False, False]
    assert found.timestamps.tolist() == [7, 8, 9, 0]
    assert found.with_outcome("stale") == ["d"]
    assert list(found.where(found.timestamps > 7)) == [("b", 8), ("d", 9)]
    assert Judged.of([]).metrics == []


# A run that saw only a part of the fleet ---------------------------------------------------------------------------------


def test_what_was_not_looked_at_stays_where_it_was():
    made = turn(whole=False)
    before = {
        "analyzer.boring": {"_updated_at_1", "unseen", "was", "is"},
        "analyzer.stale": {"unseen.too"},
        "analyzer.too_short": set(),
    }
    fleet = judged(["was", "is", "new"], ["analysed", "boring", "boring"])
    write_exceptions(made, fleet, Past(known=True, members=before))
    mark = "_updated_at_20231114221320"
    assert replaced(made) == {
        "analyzer.boring": ({mark, "unseen", "is", "new"}, None),
        "analyzer.too_short": ({mark}, None),
        "analyzer.stale": ({mark, "unseen.too"}, "aet.analyzer.stale"),
    }


def test_what_is_not_known_is_not_changed():
    made = turn(whole=False)
    write_exceptions(made, judged(["a"], "stale"), Past(known=False))
    assert made.entries.entries == []
    made = turn()
    write_exceptions(made, judged(["a"], "stale"), Past(known=False))
    assert replaced(made)["analyzer.boring"] == ({"_updated_at_20231114221320"}, None), "no period is known to be over"


def test_when_a_period_is_over_the_next_one_begins():
    made = turn()
    write_exceptions(made, judged(["a"], "boring"), Past(known=True, rotates=True))
    assert {key: previous for key, (_, previous) in replaced(made).items()} == {
        key: f"aet.{key}" for key in ("analyzer.boring", "analyzer.too_short", "analyzer.stale")
    }
    assert made.entries.entries[-1] == SetText("analyzer.algorithm.exception.metric.sets", str(NOW), 300)


@pytest.mark.parametrize(("scan", "unkept", "keys"), [
    (None, [], ["redis", "analyzer"]),
    (True, [], ["analyzer.run_time", "analyzer.total_metrics", "analyzer.total_analyzed", "redis", "analyzer"]),
    (None, ["refused"], ["analyzer.log.errors.per_minute", "redis", "analyzer"]),
])  # fmt: skip
def test_a_run_that_could_read_nothing_is_alive_and_counts_nothing(scan, unkept, keys):
    made = turn()
    report = SimpleNamespace(metrics=3, outcomes={"analysed": 2})
    vars(made).update(scan=scan, unkept=unkept, faults=0, report=report, budget=SimpleNamespace(spent=lambda: 1.5))
    write_totals(made)
    assert [entry.key for entry in made.entries.entries] == keys


# Notes and rules -----------------------------------------------------------------------------------------------------


@given(
    st.one_of(
        st.none(), st.text(), st.builds(json.dumps, st.recursive(st.none() | st.integers() | st.text(), st.lists))
    )
)
def test_notes_that_make_no_sense_are_those_of_a_first_run(text):
    assert Notes.read(text) == Notes()


def test_notes_are_read_as_they_were_written():
    assert Notes.read(Notes(3, NOW, stale_periods=True).text()) == Notes(3, NOW, stale_periods=True)
    assert Notes.read('{"runs": 1e999, "as_of": 0, "stale_periods": false}') == Notes()


def test_rules_are_told_by_pattern_and_else_in_their_order():
    rows = [AlertRow("b", ("syslog", "smtp"), 60), AlertRow("a", ("http_alerter-x",), 300, second_order_hours=168)]
    assert as_tuples(rows) == [["a", "http_alerter-x", 300, 168], ["b", "syslog", 60], ["b", "smtp", 60]]


def test_what_was_analysed_is_counted_by_the_first_element_of_names():
    made = turn(as_of=1_699_999_999)
    write_events(made, judged(["a.x", "a.y", "b", "", "c.z", "a.w"], [*["analysed"] * 4, "boring", "stale"]), Past())
    key = "namespace.analysed_events.analyzer.2023-11-14"
    assert made.entries.entries == [Count(key, {"a": 2, "b": 1, "": 1}), Expire(key, 1_296_000)]
    quiet = turn()
    write_events(quiet, judged(["a"], "too_short"), Past())
    assert quiet.entries.entries == []
