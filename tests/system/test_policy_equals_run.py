"""A policy replay and `ridgeline run`, minute by minute over a Redis, send the same messages."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import load

import ridgeline
from ridgeline.alerters import SENT
from ridgeline.engine.config.load import load_config
from ridgeline.engine.policy import replay, silent
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request

WINDOW = 7200
START = 1_700_006_400 - 86400 + 13 * 3600  # 2023-11-14 13:00:00 UTC
COUNTED = ("messages", "suppressed", "muted", "unmatched")
RULES = """
[source]
kind = "redis"
url = "{redis}"
[analysis]
full_duration = {window}
consensus = 3
stale_period = 200
memory = false
bookkeeping = false
second_order = {second_order}
[[override]]
match = "db"
m_of_n = [2, 3]
[run]
threads = 1
[delivery]
group_above = 1
[[alert]]
match = "web.a"
strategy = "http|pagerduty"
expiration = 300
schedule = {{ from = "14:10", to = "14:25", timezone = "Europe/Madrid" }}
[[alert]]
match = "web"
strategy = "http"
expiration = 420
m_of_n = [2, 4]
[[alert]]
match = "web|db"
strategy = "pagerduty|hooks"
expiration = 180
[alerters.http]
url = "{http}"
[alerters.pagerduty]
routing_key_file = "{key}"
api_url = "{http}"
[alerters.hooks]
kind = "http"
payload = "skyline"
url = "{http}"
"""
NAMES = ("web.a0", "web.a1", "web.b0", "web.b1", "web.b2", "web.b3", "db.a0", "db.a1", "other.a0")


def fleet(minutes, seed):
    """Metrics of one, two and five minutes, some points missing, with bursts that several share."""
    random = np.random.default_rng(seed)
    columns = {"metric": [], "timestamp": [], "value": []}
    burst = random.random(minutes // 5 + 2) < 0.4
    for at, name in enumerate(NAMES):
        step = (60, 60, 120, 60, 300, 60, 60, 60, 60)[at]
        span = 100 * step if step * 110 > WINDOW else WINDOW
        stamps = np.arange(START - max(span, 0), START + 60 * minutes, step)
        stamps = stamps[(random.random(len(stamps)) > 0.06) | (stamps <= START)]
        values = random.normal(10.0, 1.0, len(stamps))
        late = stamps >= START
        hit = late & burst[np.maximum((stamps - START) // 300, 0)] & (random.random(len(stamps)) < 0.7)
        values[hit] += random.choice([30.0, 60.0, 200.0], hit.sum())
        columns["metric"] += [name] * len(stamps)
        columns["timestamp"].append(stamps)
        columns["value"].append(values)
    return pa.table(columns | {name: np.concatenate(columns[name]) for name in ("timestamp", "value")})


def let_time_pass(client, seconds):
    """Keys expire as if so many seconds had gone by."""
    for key in client.scan_iter("last_alert.*"):
        left = client.pttl(key) - 1000 * seconds
        if left <= 0:
            client.delete(key)
        else:
            client.pexpire(key, left)


def told_of(request):
    """What a message says, whoever sends it: the strategy, whether it fires, what it is about."""
    body = request.json
    if "event_action" in body:
        return "pagerduty", body["event_action"] == "trigger", body["dedup_key"]
    if "alerts" in body:
        metrics = tuple(sorted(alert["metric"] for alert in body["alerts"]))
        return "http", body["status"] == "firing", body["rule"], body["storm"], metrics
    return "hooks", True, body["data"]["alert"]["metric"]


def replayed(message):
    """The same of a message of the policy replay."""
    firing, metrics = not message.resolved, [alert.metric for alert in message.alerts]
    if message.strategy == "pagerduty":
        return [("pagerduty", firing, message.dedup_key)]
    if message.strategy == "http":
        return [("http", firing, message.rule, message.storm, tuple(sorted(metrics)))]
    return [("hooks", firing, metric) for metric in metrics]


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


def by_runs(config, moments, client, http):
    """(moment, what was told) of each message, and what runs counted."""
    sent, counts, before = [], dict.fromkeys(COUNTED, 0), moments[0]
    for moment in moments:
        let_time_pass(client, moment - before)
        http.requests.clear()
        report = run_once(Request(config, as_of=moment, json=True), now=lambda at=moment: float(at))
        assert report.exit == 0, report.problems
        sent += sorted((moment, told_of(request)) for request in http.requests)
        counts = {name: counts[name] + report.alerts[name] for name in COUNTED}
        before = moment
    return sent, counts


def by_policy(dataset, folder, config, monkeypatch):
    """The same by a backtest, and the backtest."""
    sent, now = [], []

    def send(self, message, deadline):
        sent.extend((now[-1], one) for one in replayed(message))
        return SENT

    def deliver(*args, **options):
        now.append(int(args[3].wall()))
        return delivered(*args, **options)

    delivered = replay.deliver
    monkeypatch.setattr(silent.Silent, "send", send)
    monkeypatch.setattr(replay, "deliver", deliver)
    result = ridgeline.backtest(dataset, folder, config=config, start=START)
    return sorted(sent), result


@pytest.mark.parametrize(
    ("minutes", "seed", "second_order"),
    [(25, 2, False), *(pytest.param(90, seed, bool(seed % 2), marks=pytest.mark.long) for seed in range(4))],
)
def test_what_runs_send_is_what_a_backtest_counts(server, tmp_path, monkeypatch, minutes, seed, second_order):
    server.client.flushall()
    table = fleet(minutes, seed)
    load(server.client, table)
    pq.write_table(table, tmp_path / "history.parquet")
    (tmp_path / "key").write_text("secret")
    moments = sorted({at for at in table["timestamp"].to_pylist() if at >= START})
    with http_server() as http:
        path = tmp_path / "ridgeline.toml"
        path.write_text(
            RULES.format(
                redis=server.url,
                http=http.url,
                key=tmp_path / "key",
                window=WINDOW,
                second_order=str(second_order).lower(),
            )
        )
        config = load_config(path)
        sent, counts = by_runs(config, moments, server.client, http)
    replayed, result = by_policy(tmp_path / "history.parquet", tmp_path / "out", config, monkeypatch)
    told = {message for _, message in sent}
    assert {(strategy, fires) for strategy, fires, *_ in told} >= {
        ("http", True),
        ("pagerduty", True),
        ("pagerduty", False),
    }
    assert any(one[0] == "http" and one[3] for one in told), "a storm"
    assert min(counts.values()) > 0, "each stage has something to do"
    assert replayed == sent
    assert {name: result.policy[name] for name in COUNTED} == counts
    assert result.pages.num_rows == result.policy["pages"] == result.manifest["pages"]
