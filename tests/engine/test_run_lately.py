"""A run looks back: since when an anomaly lasts, m of n, and what is normal again, told to those who were told."""

import dataclasses
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rigs.delivery import NINE, START, Direct, Scripted, World, anomaly
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, TABLE, load, run_json, write_config

from ridgeline.alerters import SENT, Outcome
from ridgeline.engine.alerts import lately_table
from ridgeline.engine.alerts.lately import Incident, Lately
from ridgeline.engine.alerts.lately_table import decode, read_lately, read_watched, unwatch, write_lately
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.second_order import worth_another
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.policy.lookback import longest, looked_at, often
from ridgeline.engine.run.lately import LatelySink
from ridgeline.io.state.in_redis import RedisState

BEGAN = int(START)


def verdicts(*rows):
    names = ["metric", "outcome", "anomalous", "timestamp", "datapoint"]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.record_batch(dict(zip(names, columns, strict=True)) | {"grubbs": [None] * len(rows)})


def test_what_is_normal_now_is_what_was_analysed_and_found_so():
    sink = LatelySink()
    sink.take(None, verdicts(("a", "analysed", False, 10, 1.0), ("b", "analysed", True, 10, 2.0)))
    sink.take(None, verdicts(("c", "stale", None, 5, 3.0), ("d", "analysed", False, 11, 4.0)))
    record = Lately((Incident(3, 4, 1.0, 1.0, 6, ()),), 4)
    found = sink.normal(dict.fromkeys("abc", record))
    assert [(one.metric, one.timestamp, one.value, one.first_seen) for one in found] == [("a", 10, 1.0, 3)]
    assert sink.normal({}) == []


def test_an_incident_from_its_first_alert_to_its_end():
    """Minute by minute: new, ongoing, three normal runs, resolved once, and new again."""
    world = World()
    knowing = {"http": Strategy("http", world.http, resolves=True)}
    said = []
    for minute, anomalous in enumerate([True, True, False, False, False, False, True]):
        at = BEGAN + 60 * minute
        world.clock.now = float(at)
        before = read_lately(world.state)
        now = dataclasses.replace(anomaly("m", timestamp=at), ongoing="m" in before and before["m"].ongoing())
        fires, normal = ([now], []) if anomalous else ([], [now])
        lately = looked_at(before, fires, normal, keep=1)
        world.http.messages.clear()
        world.run(fires, [AlertRow("", ("http",), 1)], strategies=knowing, normal=normal, before=before, lately=lately)
        with world.state.batch() as batch:
            write_lately(batch, lately)
        said.append([(message.status, message.first.ongoing) for message in world.http.messages])
    firing, again = [("firing", False)], [("firing", True)]
    assert said == [firing, again, [], [], [("resolved", True)], [], firing]


def test_m_of_n_counts_runs_that_saw_something_new():
    world = World()
    rows = [AlertRow("", ("http",), 1, m_of_n=(2, 3))]
    sent = []
    for minute, at in enumerate([0, 0, 60, 120]):
        world.clock.now = START + 60.0 * minute
        before = read_lately(world.state)
        fires = [anomaly("m", timestamp=BEGAN + at)]
        lately = looked_at(before, fires, [], keep=3)
        sent.append(world.run(fires, rows, before=before, lately=lately).sent)
        Direct(world.state).put(batch_of(lately))
    assert sent == [0, 0, 1, 1], "the second run saw no newer point"


def batch_of(lately):
    from ridgeline.engine.alerts.lately_table import write_lately
    from ridgeline.io.state.batch import Batch

    batch = Batch()
    write_lately(batch, lately)
    return batch


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        load(running.client)
        yield running


def test_the_second_run_says_since_when(server, tmp_path, capsys):
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http, alerts=[("", "http", 1)])
        _, first, _ = run_json(capsys, config)
        for key in server.client.scan_iter("last_alert.*"):
            server.client.delete(key)
        _, second, _ = run_json(capsys, config)
    assert {(row["first_seen"], row["ongoing"]) for row in first["anomalies"]} == {(END, False)}
    assert {(row["first_seen"], row["ongoing"]) for row in second["anomalies"]} == {(END, True)}
    assert [alert["since"] for alert in http.requests[0].json["alerts"]] == ["new"] * len(first["anomalies"])
    assert {alert["since"] for alert in http.requests[1].json["alerts"]} == {"for 0 s"}
    records = server.client.hlen("ridgeline.anomalies")
    assert records == len(first["anomalies"])
    assert set(NINE) & set(first["breakdown"])


def test_a_run_looks_at_the_records_of_its_own_anomalies_and_of_the_watched_alone(
    server, tmp_path, capsys, monkeypatch
):
    config = write_config(tmp_path, server.url, alerts=())
    names = [row["metric"] for row in run_json(capsys, config)[1]["anomalies"]]
    state = RedisState(server.client)
    past = Lately((Incident(END - 600, END - 600, 1.0, 1.0, 6, ()),), END - 600, normal=9)
    quiet = next(name for name in TABLE["metric"].to_pylist() if name not in names)
    with state.batch() as batch:
        write_lately(batch, {f"over.{number}": past for number in range(200)} | {quiet: replace(past, normal=1)})
        unwatch(batch, [f"over.{number}" for number in range(200)])
    looked = []
    monkeypatch.setattr(lately_table, "decode", lambda value: (looked.append(value), decode(value))[1])
    _, found, _ = run_json(capsys, config)
    assert len(looked) == len(names) + 1
    assert {(row["first_seen"], row["ongoing"]) for row in found["anomalies"]} == {(END, True)}
    records = read_lately(state)
    assert (records[quiet].normal, records["over.7"]) == (2, past)
    for expected in (3, 3):  # three normal runs end it, and then it stays as it is
        with state.batch() as batch:  # a newer point each time
            write_lately(batch, {quiet: replace(read_lately(state)[quiet], seen=END - 600)})
        run_json(capsys, config)
        assert read_lately(state)[quiet].normal == expected
        assert quiet not in read_watched(state)
    server.client.delete("ridgeline.anomalies", "ridgeline.anomalies.watched")


def test_an_m_of_n_that_is_not_reached_keeps_a_run_quiet(server, tmp_path, capsys):
    for key in [*server.client.scan_iter("last_alert.*"), *server.client.scan_iter("ridgeline.*")]:
        server.client.delete(key)
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http)
        config.write_text(config.read_text().replace("expiration = 3600", "expiration = 3600\nm_of_n = [2, 3]"))
        code, found, _ = run_json(capsys, config)
        assert (code, found["alerts"]["suppressed"], http.requests) == (0, len(found["anomalies"]), [])


def test_the_last_override_that_has_an_m_of_n_decides_and_the_longest_n_of_all_is_kept():
    source = '[source]\nkind = "redis"\nurl = "redis://h"\n'
    text = """
        [analysis]
        m_of_n = [2, 3]
        [[override]]
        match = "db."
        m_of_n = [4, 9]
        [[override]]
        match = "slow"
        m_of_n = [1, 1]
        [[override]]
        match = ".*"
        consensus = 5
        [[alert]]
        match = ".*"
        strategy = "console"
        m_of_n = [1, 20]
    """
    config = parse_config((source + text).encode(), Path("r.toml"), {})
    assert often(config, ["web", "db.a", "db.slow"]) == {"web": (2, 3), "db.a": (4, 9), "db.slow": (1, 1)}
    assert longest(config) == 20
    without = parse_config(f'{source}[[override]]\nmatch = "db."\nm_of_n = [4, 9]'.encode(), Path("r.toml"), {})
    assert often(without, ["web", "db.a"]) == {"db.a": (4, 9)}
    assert (longest(without), longest(parse_config(source.encode(), Path("r.toml"), {}))) == (9, 1)


@pytest.mark.parametrize("place", ["analysis", "override"])
def test_an_m_of_n_of_all_metrics_or_of_some_keeps_a_run_quiet_until_it_is_reached(tmp_path, capsys, place):
    table = {"analysis": "[analysis]", "override": '[[override]]\nmatch = ".*"'}[place]
    path = tmp_path / "fleet.parquet"
    with http_server() as http:
        config = write_config(tmp_path, path, http=http, extra=f"{table}\nm_of_n = [2, 2]")
        told = []
        for minute in range(3):
            later = pc.add(TABLE["timestamp"], 60 * minute)
            pq.write_table(TABLE.set_column(1, "timestamp", later), path)
            told.append(run_json(capsys, config, as_of=END + 60 * minute)[1])
            told.append(run_json(capsys, config, as_of=END + 60 * minute)[1])
    sent = [found["alerts"]["sent"] for found in told]
    anomalies = len(told[0]["anomalies"])
    assert sent == [0, 0, anomalies, 0, 0, 0], "runs that see no newer point do not count"
    assert [found["alerts"]["suppressed"] for found in told] == [anomalies, anomalies, 0, *[anomalies] * 3]


def test_second_order_tells_again_only_of_what_was_over_or_has_grown_by_half():
    """Minute by minute: the size of the anomaly (None: the metric is normal), and whether it is told."""
    world, rows, told = World(), [AlertRow("", ("http",), 1)], []
    minutes = [2.0, 2.0, 2.9, 3.1, 3.1, None, None, 3.1, None, None, None, 0.5, 0.5]
    for size in minutes:
        world.clock.now += 60
        found = anomaly("m", value=10 + (size or 0), timestamp=int(world.clock.now), expected=(9.0, 11.0))
        fires, normal = ([found], []) if size is not None else ([], [found])
        told.append(world.judged(fires, normal, rows=rows, second_order=worth_another).sent)
    assert told == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_second_order_asks_each_strategy_for_itself_and_lets_what_failed_be_told():
    world = World(http=Scripted(Outcome("rejected", "no")), console=Scripted())
    rows = [AlertRow("", ("http", "console"), 1)]
    sent = []
    for minute in range(3):
        if minute == 1:
            world.http.outcomes = [SENT]
        summary = world.judged(["m"], rows=rows, after=60, second_order=worth_another)
        sent.append((world.http.metrics.count("m"), world.console.metrics.count("m"), summary.suppressed))
    assert sent == [(1, 1, 0), (2, 1, 1), (2, 1, 2)]


@pytest.mark.parametrize(("profile", "told"), [("native", [True, False, True]), ("earthgecko", [True, False, False])])
def test_second_order_goes_by_the_rule_of_the_profile(server, tmp_path, capsys, profile, told):
    """A storm in three runs: the first sees it, the second sees it again, the third sees it twice as large."""
    for key in [*server.client.scan_iter("last_alert.*"), *server.client.scan_iter("ridgeline.*")]:
        server.client.delete(key)
    found = []
    with http_server() as http:
        config = write_config(
            tmp_path, server.url, http=http, extra=f'[analysis]\nprofile = "{profile}"\nsecond_order = true'
        )
        for minute in range(3):
            later = pc.add(TABLE["timestamp"], 60 * minute)
            table = TABLE.set_column(1, "timestamp", later)
            if minute == 2:
                table = with_larger_ends(table)
            load(server.client, table)
            for key in server.client.scan_iter("last_alert.*"):
                server.client.delete(key)
            found.append(run_json(capsys, config, as_of=END + 60 * minute)[1])
        load(server.client)
    anomalies = set.intersection(*({row["metric"] for row in run["anomalies"]} for run in found))
    assert len(anomalies) > 2
    sent = [[alert["metric"] for alert in request.json["alerts"]] for request in http.requests]
    for metric in anomalies:
        assert sum(metric in names for names in sent) == sum(told)
    assert [run["alerts"]["sent"] > 0 for run in found][:2] == told[:2]


def with_larger_ends(table):
    """The same with each metric's last value twice as far from its mean."""
    frame = table.to_pandas()
    means = frame.groupby("metric", observed=True)["value"].transform("mean")
    last = frame.groupby("metric", observed=True)["timestamp"].transform("max") == frame["timestamp"]
    frame.loc[last, "value"] = means[last] + 4 * (frame["value"][last] - means[last])
    return pa.Table.from_pandas(frame, preserve_index=False)
