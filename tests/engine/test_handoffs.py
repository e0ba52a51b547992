"""What a run hands to Mirage and takes back, and what it takes from `batch`, on a turn made by hand."""

import ast
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.ledger import Books
from rigs.parts import Clock

from ridgeline.engine.alerts.match import deciding
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import BatchWork, Config, HandOff
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.handoffs import folder as watched
from ridgeline.engine.run.handoffs.arrived import BatchAlerts, Unanswered
from ridgeline.engine.run.handoffs.batch_alerts import ALERTS, find_batch_alerts
from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.mirage import mirage_hours
from ridgeline.engine.run.handoffs.parked import PARKED, Parked
from ridgeline.engine.run.stages import handoff
from ridgeline.engine.run.stages.handoff import hand_over, take_in
from ridgeline.engine.run.turn import Request, Turn
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.shard import Share

NOW = 1_700_000_180
STAMP = 1_700_000_160
MIRAGES = AlertRow("mirage.", ("smtp",), second_order_hours=168)
ROWS = (MIRAGES, AlertRow("", ("syslog",), 600))


def anomaly(metric, stamp=STAMP, **more):
    return Anomaly(metric, 400.0, stamp, 1, ("grubbs",), ("grubbs", "ks_test"), **more)


def finding(metric, stamp=STAMP, integers=0):
    return Finding(anomaly(metric, stamp), stamp - 60, integers)


def turn_of(tmp_path, books, *findings, rows=ROWS, match=None, now=NOW):
    """A turn after its scan; its checks go to `tmp_path / "mirage"`."""
    config = Config(
        alerts=rows,
        handoff=HandOff(mirage_checks=tmp_path / "mirage", panorama_checks=tmp_path / "panorama"),
        batch=BatchWork(("batch.",)),
    )
    for folder in ("mirage", "panorama"):
        (tmp_path / folder).mkdir(exist_ok=True)
    turn = Turn.begin(Request(config, match=match), Budget.begin(60.0, Clock()), lambda: now)
    turn.ledger = books
    turn.handoffs.host = "host"
    turn.handoffs.findings.by_metric = {one.anomaly.metric: one for one in findings}
    return turn


def nothing_before(pairs):
    return [None] * len(pairs)


def alerted(turn):
    """(metric, timestamp) of what is alerted on, in order."""
    own = [one.anomaly for one in turn.handoffs.anomalous]
    return sorted(
        (one.metric, one.timestamp) for one in turn.handoffs.to_alert(own, turn.request.config.alerts, nothing_before)
    )


def settle(turn, books):
    """What a run does once its alerts are out."""
    hand_over(turn)
    books.write(turn.entries)


def files(tmp_path, folder="mirage"):
    return sorted(path.name for path in (tmp_path / folder).iterdir())


def test_mirage_s_metrics_are_those_whose_deciding_rules_ask_for_more_than_a_day():
    rows = (
        AlertRow("a.b", ("smtp",)),
        AlertRow("a", ("smtp",), second_order_hours=168),
        AlertRow("c", ("smtp",), second_order_hours=24),
        AlertRow("d", ("syslog",)),
        AlertRow("d", ("smtp", "slack"), second_order_hours=25),
        AlertRow("d", ("slack",), second_order_hours=50),
    )
    assert mirage_hours(rows, ["a.b", "a", "c", "d", "e"]) == {"a": 168, "d": 25}
    assert list(deciding(rows, ["d"])) == [{"syslog": rows[3], "smtp": rows[4], "slack": rows[4]}]


def test_an_anomaly_of_mirage_s_is_parked_checked_and_withheld(tmp_path):
    books = Books()
    turn = turn_of(tmp_path, books, finding("mirage.x"), finding("cpu"))
    take_in(turn)
    assert alerted(turn) == [("cpu", STAMP)]
    assert files(tmp_path) == [f"{STAMP}.mirage.x.txt"]
    assert (tmp_path / "mirage" / f"{STAMP}.mirage.x.txt").read_text() == (
        'metric = "mirage.x"\nvalue = "400.0"\nhours_to_resolve = "168"\n'
        f'metric_timestamp = "{STAMP}.0"\ncustom_algorithm_only = "None"\n'
    )
    (parked,) = books.keys[PARKED]
    assert parked == (
        f"['mirage.x', {STAMP}, 400.0, {NOW}, ['mirage.x', 400.0, {STAMP - 60}, {STAMP}, ['grubbs', 'ks_test'], "
        f"['grubbs'], 'analyzer', 'graphite', 'host', {NOW}]]"
    )
    assert str(ast.literal_eval(parked)) == parked  # Mirage removes what it reads by its own text of it
    assert books.keys[f"analyzer.mirage_check_sent.{STAMP}.mirage.x"] == str(STAMP)
    assert books.ttls[f"analyzer.mirage_check_sent.{STAMP}.mirage.x"] == 300
    assert books.keys["analyzer.sent_to_mirage"] == {"mirage.x"}
    assert turn.report.described("mirage.x") == {"handed_to": "mirage"}
    settle(turn, books)
    assert "analyzer.sent_to_mirage" not in books.keys
    assert books.keys[PARKED] == {parked}
    assert files(tmp_path, "panorama") == [f"{NOW}.cpu.txt"]
    assert turn.exit_code() == 0


def test_it_is_parked_before_its_check_is_written(tmp_path):
    seen = []

    class Watching(Books):
        def write(self, entries):
            super().write(entries)
            seen.append((bool(self.keys.get(PARKED)), files(tmp_path)))

    take_in(turn_of(tmp_path, Watching(), finding("mirage.x")))
    assert seen == [(True, []), (True, [f"{STAMP}.mirage.x.txt"])]


@pytest.mark.parametrize("form", ["analyzer.mirage_check_sent", "analyzer.waterfall.alert"])
def test_mirage_is_asked_once_about_a_point_and_nobody_else_is_told(tmp_path, form):
    books = Books({f"{form}.{STAMP}.mirage.x": "1"})
    turn = turn_of(tmp_path, books, finding("mirage.x"))
    take_in(turn)
    assert (alerted(turn), files(tmp_path), books.keys.get(PARKED, set())) == ([], [], set())
    newer = turn_of(tmp_path, books, finding("mirage.x", STAMP + 60), now=NOW + 60)
    take_in(newer)
    assert files(tmp_path) == [f"{STAMP + 60}.mirage.x.txt"]


def test_an_unwritable_check_alerts_at_once_and_is_not_waited_for(tmp_path):
    books = Books()
    turn = turn_of(tmp_path, books, finding("mirage.x"), finding("mirage.y"))
    (tmp_path / "mirage").rmdir()
    take_in(turn)
    assert alerted(turn) == [("mirage.x", STAMP), ("mirage.y", STAMP)]
    assert (turn.exit_code(), books.keys[PARKED]) == (74, set())
    (problem,) = turn.report.problems
    assert "2 anomalies of Mirage's metrics alerted on at once" in problem
    settle(turn, books)
    assert files(tmp_path, "panorama") == [f"{NOW}.mirage.x.txt", f"{NOW}.mirage.y.txt"]
    assert f"analyzer.mirage_check_sent.{STAMP}.mirage.x" not in books.keys


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_without_redis_mirage_s_anomalies_alert_at_once(tmp_path, first):
    """Reading what is parked, asking what was sent, and parking each fail in their turn."""
    turn = turn_of(tmp_path, Books(fails=lambda turn: turn >= first), finding("mirage.x"), finding("cpu"))
    take_in(turn)
    assert alerted(turn) == [("cpu", STAMP), ("mirage.x", STAMP)]
    assert (files(tmp_path), len(turn.unkept)) == ([], max(4 - first, 1))


def test_what_cannot_be_recorded_is_not_alerted_on_twice(tmp_path):
    turn = turn_of(tmp_path, Books(fails=lambda turn: turn == 5), finding("mirage.x"))
    take_in(turn)
    assert (alerted(turn), len(turn.unkept)) == ([], 1)


def parked_at(metric, stamp, added, host="host"):
    return Parked.of(finding(metric, stamp), added, host).text


def test_what_mirage_does_not_answer_for_300_seconds_is_alerted_on_in_our_name(tmp_path):
    early, late = parked_at("mirage.x", STAMP, NOW - 300), parked_at("mirage.y", STAMP, NOW - 299)
    books = Books({PARKED: {early, late}})
    turn = turn_of(tmp_path, books)
    (tmp_path / "mirage" / f"{STAMP}.mirage.x.txt").write_text('metric = "mirage.x"\n')
    (tmp_path / "mirage" / f"{STAMP}.mirage.y.txt").write_text('metric = "mirage.y"\n')
    take_in(turn)
    (told,) = turn.handoffs.to_alert([], ROWS, nothing_before)
    assert (told.metric, told.timestamp, told.value, told.algorithms) == ("mirage.x", STAMP, 400.0, ("grubbs",))
    assert told.note == "waterfall alert: Mirage was asked at 2023-11-14 22:11:20 UTC and has not answered"
    assert books.keys[PARKED] == {early, late}  # until the alert is safe
    settle(turn, books)
    assert books.keys[PARKED] == {late}
    assert books.keys[f"analyzer.waterfall.alert.{STAMP}.mirage.x"] == str(NOW)
    assert books.ttls[f"analyzer.waterfall.alert.{STAMP}.mirage.x"] == 300
    assert books.keys["mirage.sent_to_panorama"] == {"mirage.x"}
    assert files(tmp_path) == [f"{STAMP}.mirage.y.txt"]
    text = (tmp_path / "panorama" / f"{NOW}.mirage.x.txt").read_text()
    assert f"from_timestamp = '{STAMP - 60}'\nmetric_timestamp = '{STAMP}'\n" in text
    assert f"added_at = '{NOW}'" in text


def test_of_several_unanswered_the_first_is_alerted_on_and_all_are_told_to_panorama(tmp_path):
    items = {parked_at("mirage.x", STAMP + 60 * step, NOW - 400) for step in range(3)}
    books = Books({PARKED: set(items)})
    turn = turn_of(tmp_path, books)
    take_in(turn)
    assert alerted(turn) == [("mirage.x", STAMP)]
    settle(turn, books)
    assert books.keys[PARKED] == set()
    assert len(files(tmp_path, "panorama")) == 3
    assert f"{NOW}.mirage.x.txt" in files(tmp_path, "panorama")
    assert turn.handoffs.counts["unanswered"] == 3


def test_what_is_not_safe_stays_parked(tmp_path):
    item = parked_at("mirage.x", STAMP, NOW - 400)
    books = Books({PARKED: {item, "garbage"}, ALERTS: {f"{STAMP}.batch.x": batch_entry("batch.x")}})
    turn = turn_of(tmp_path, books)
    take_in(turn)
    assert alerted(turn) == [("batch.x", STAMP), ("mirage.x", STAMP)]
    turn.handoffs.safe = False
    settle(turn, books)
    assert (books.keys[PARKED], len(books.keys[ALERTS]), files(tmp_path, "panorama")) == ({item}, 1, [])


def test_what_a_metric_s_own_anomaly_says_comes_before_what_is_unanswered(tmp_path):
    rows = (AlertRow("", ("syslog",)),)
    turn = turn_of(
        tmp_path, Books({PARKED: {parked_at("mirage.x", STAMP - 600, NOW - 400)}}), finding("mirage.x"), rows=rows
    )
    take_in(turn)
    assert alerted(turn) == [("mirage.x", STAMP)]


def test_a_run_that_looks_at_some_metrics_takes_nothing_in(tmp_path):
    books = Books({PARKED: {parked_at("mirage.x", STAMP, NOW - 400)}, ALERTS: {"1.batch.x": batch_entry("batch.x")}})
    turn = turn_of(tmp_path, books, match="cpu")
    take_in(turn)
    assert alerted(turn) == []


def test_skyline_s_own_items_are_read():
    text = (
        "['mirage.anom.known', 1700000160, 350, 1700000180, ['mirage.anom.known', 350, 1699913880, 1700000160, "
        "['histogram_bins', 'grubbs'], ['grubbs'], 'analyzer', 'graphite', 'golden-host', 1700000180]]"
    )
    item = Parked.read(text)
    assert (item.anomaly.metric, item.anomaly.timestamp, str(item.value), item.added) == (
        "mirage.anom.known", 1700000160, "350", 1700000180,
    )  # fmt: skip
    assert (item.start, item.anomaly.algorithms, item.anomaly.algorithms_run) == (
        1699913880, ("grubbs",), ("histogram_bins", "grubbs"),
    )  # fmt: skip
    assert Parked.read("['m', 1700000160.0, 1.5, 1700000180.5]").start == 1700000160


@given(st.text() | st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists).map(repr))
def test_no_item_breaks_the_reading(text):
    try:
        item = Parked.read(text)
    except ValueError:
        return
    assert item.text == text


@pytest.mark.parametrize(
    "text",
    ["", "garbage", "[]", "['m']", "['m', 1, nan, 2]", "['m', 1, 1e999, 2]", "['m', -1, 1.0, 2]", "[1, 2, 3, 4]",
     "['m', '1', 2, 3]", "['m', 1, True, 2]", "('m', 1, 2, 3)", "[" * 9999, "['m', 10**99, 1, 2]", "__import__('os')"],
)  # fmt: skip
def test_members_that_make_no_sense_are_told_of_and_removed(tmp_path, text):
    books = Books({PARKED: {text}})
    turn = turn_of(tmp_path, books)
    take_in(turn)
    assert alerted(turn) == []
    assert "1 members that make no sense" in turn.report.problems[0]
    settle(turn, books)
    assert (books.keys[PARKED], turn.exit_code()) == (set(), 0)


def batch_entry(metric, stamp=STAMP, **changes):
    entry = {
        "value": 400.0, "metric": metric, "timestamp": stamp, "triggered_algorithms": [2],
        "algorithms_run": ["histogram_bins", "grubbs"], "custom_algorithm_only": None,
    }  # fmt: skip
    return str(entry | changes)


def test_what_batch_found_is_alerted_on_once_and_dropped_when_safe(tmp_path):
    books = Books({ALERTS: {f"{STAMP}.batch.x": batch_entry("batch.x")}})
    turn = turn_of(tmp_path, books)
    take_in(turn)
    (told,) = turn.handoffs.to_alert([], ROWS, nothing_before)
    assert (told.metric, told.timestamp, told.algorithms, told.backdated) == ("batch.x", STAMP, ("grubbs",), True)
    settle(turn, books)
    assert books.keys[ALERTS] == {}


def test_of_one_metric_what_is_an_expiration_later_waits_for_the_next_run(tmp_path):
    stamps = (0, 60, 599, 600, 660)
    books = Books({ALERTS: {f"{STAMP + at}.batch.x": batch_entry("batch.x", STAMP + at) for at in stamps}})
    rows = (AlertRow("batch", ("syslog",), 600), AlertRow("", ("smtp",), 3600))
    turn = turn_of(tmp_path, books, rows=rows)
    take_in(turn)
    assert [one.timestamp for one in turn.handoffs.to_alert([], rows, nothing_before)] == [STAMP]
    settle(turn, books)
    assert sorted(books.keys[ALERTS]) == [f"{STAMP + at}.batch.x" for at in (600, 660)]
    later = turn_of(tmp_path, books, rows=rows, now=NOW + 60)
    take_in(later)
    assert [one.timestamp for one in later.handoffs.to_alert([], rows, lambda pairs: [STAMP] * len(pairs))] == [
        STAMP + 600
    ]
    settle(later, books)
    assert books.keys[ALERTS] == {}


def stepped(timestamps, expirations, last):
    """One anomaly after the other, as runs that see one each would alert: the timestamps that each strategy is told of."""
    told = {strategy: [] for strategy in expirations}
    last = dict(last)
    for stamp in sorted(timestamps):
        for strategy, expiration in expirations.items():
            if last[strategy] is None or stamp >= last[strategy] + expiration:
                told[strategy].append(stamp)
                last[strategy] = stamp
    return told


STAMPS = st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=12)
LAST = st.none() | st.integers(-10, 40)


@given(STAMPS, st.tuples(st.integers(1, 20), st.integers(1, 20)), st.tuples(LAST, LAST))
def test_run_after_run_each_strategy_is_told_what_it_would_be_told_one_by_one(timestamps, lengths, before):
    expirations = dict(zip(("a", "b"), lengths, strict=True))
    rows = [AlertRow("", (strategy,), expiration) for strategy, expiration in expirations.items()]
    waiting = {str(stamp): Finding(anomaly("x", stamp), stamp, from_batch=True) for stamp in timestamps}
    last = dict(zip(("a", "b"), before, strict=True))
    expected, told, runs = stepped(timestamps, expirations, last), {"a": [], "b": []}, 0
    while waiting:
        runs += 1
        now, settled = BatchAlerts(dict(waiting)).due(
            rows, set(), lambda pairs: [last[strategy] for strategy, _ in pairs]
        )
        for one in now:  # what suppression lets through
            for strategy, length in expirations.items():
                if last[strategy] is None or one.timestamp >= last[strategy] + length:
                    told[strategy].append(one.timestamp)
                    last[strategy] = one.timestamp
        assert len(now) <= 1
        assert settled
        for name in settled:
            del waiting[name]
    assert told == expected
    assert runs <= len(timestamps)


def test_where_no_alerts_are_sent_what_batch_found_does_not_pile_up(tmp_path):
    books = Books({ALERTS: {f"{STAMP}.batch.x": batch_entry("batch.x"), "1.y": "garbage"}})
    turn = turn_of(tmp_path, books, rows=())
    take_in(turn)
    settle(turn, books)
    assert books.keys[ALERTS] == {}


def test_what_no_rule_is_for_is_settled_at_once():
    alerts = BatchAlerts({str(at): Finding(anomaly("x", STAMP + at), STAMP, from_batch=True) for at in (0, 9999)})
    now, settled = alerts.due((), set(), nothing_before)
    assert ([one.timestamp for one in now], sorted(settled)) == ([STAMP], ["0", "9999"])


def test_what_batch_found_of_mirage_s_metrics_is_mirage_s(tmp_path):
    fields = {f"{at}.mirage.b": batch_entry("mirage.b", at) for at in (STAMP, STAMP + 60)}
    books = Books({ALERTS: fields})
    turn = turn_of(tmp_path, books)
    take_in(turn)
    assert alerted(turn) == []
    assert files(tmp_path) == [f"{NOW}.{at}.mirage.b.txt" for at in (STAMP, STAMP + 60)]
    assert f'metric_timestamp = "{STAMP}"\n' in (tmp_path / "mirage" / f"{NOW}.{STAMP}.mirage.b.txt").read_text()
    settle(turn, books)
    assert (books.keys[ALERTS], len(books.keys[PARKED])) == ({}, 2)
    later = turn_of(tmp_path, books, now=NOW + 300)
    take_in(later)
    assert alerted(later) == [("mirage.b", STAMP)]
    settle(later, books)
    assert (files(tmp_path), books.keys[PARKED]) == ([], set())


@given(
    st.text()
    | st.dictionaries(
        st.sampled_from(["metric", "value", "timestamp", "algorithms_run"]),
        st.none() | st.integers() | st.text() | st.lists(st.integers()),
    ).map(repr)
)
def test_no_entry_of_batch_breaks_the_reading(text):
    class Turning:
        as_of, share = NOW, Share()

        def warn(self, problem):
            pass

    found = find_batch_alerts(Turning(), Books({ALERTS: {"1.x": text}}))
    assert len(found.alerts) + len(found.damaged) == 1


def test_arrivals_are_one_a_metric_oldest_first():
    items = [Parked.read(parked_at("m", STAMP + at, NOW)) for at in (0, 60)]
    assert [one.timestamp for one in Unanswered(items).arrivals()] == [STAMP]


def test_a_storm_of_mirage_s_is_a_handful_of_round_trips(tmp_path):
    books = Books()
    turn = turn_of(tmp_path, books, *(finding(f"mirage.{number}") for number in range(2000)))
    take_in(turn)
    assert (len(files(tmp_path)), len(books.keys[PARKED]), books.turns) == (2000, 2000, 5)
    assert alerted(turn) == []


def test_values_of_integer_series_are_integers_everywhere(tmp_path):
    books = Books()
    turn = turn_of(tmp_path, books, finding("mirage.x", integers=3))
    take_in(turn)
    text = (tmp_path / "mirage" / f"{STAMP}.mirage.x.txt").read_text()
    assert 'value = "400"\n' in text
    assert f'metric_timestamp = "{STAMP}"\n' in text
    assert np.all([f"['mirage.x', {STAMP}, 400, {NOW}, ['mirage.x', 400, " in item for item in books.keys[PARKED]])


def test_external_rules_make_metrics_mirage_s_too(tmp_path):
    turn = turn_of(tmp_path, Books(), finding("cpu"), finding("mirage.x"))
    turn.external = SimpleNamespace(
        result=lambda: SimpleNamespace(rows=(AlertRow("cpu", ("smtp",), second_order_hours=48),))
    )
    take_in(turn)
    assert files(tmp_path) == [f"{STAMP}.cpu.txt", f"{STAMP}.mirage.x.txt"]


def test_a_disk_that_hangs_costs_its_share_of_the_time_and_no_alert(tmp_path, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(watched, "publish", lambda *_: released.wait(30))
    monkeypatch.setattr(handoff, "BEFORE_ALERTS", 0.2)
    turn = turn_of(tmp_path, Books(), finding("mirage.x"), finding("cpu"))
    began = time.monotonic()
    take_in(turn)
    assert time.monotonic() - began < 10
    assert alerted(turn) == [("cpu", STAMP), ("mirage.x", STAMP)]
    assert turn.exit_code() == 70
    released.set()
