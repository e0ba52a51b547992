"""Three hosts over one real Redis do what one host does: every verdict once, the same books, each alert once."""

import ast
import json
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
import pytest
from rigs.books import MINUTE, START, flat, spike, steady
from rigs.carbon import carbon
from rigs.http import Answer, http_server
from rigs.redis import redis_server
from rigs.runs import TABLE, received, run_json, start, write_config
from rigs.shards import HOSTS, Side, differences, table

from ridgeline.engine.batch import once as batch_job
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.run.shadow.compare import run_shadow
from ridgeline.engine.run.turn import Request as RunRequest
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import InputError

EXTRA = """
[airgaps]
identify = true
[preparation]
counters = "auto"
[analysis]
profile = "{profile}"
[[override]]
match = "slow"
stale_period = 2000
[stale_digest]
strategy = "http"
[batch]
match = ["slow", "spike4"]
[handoff]
mirage_checks = "{folder}/mirage"
panorama_checks = "{folder}/panorama"
[[alert]]
match = "app.spike[1-3]"
strategy = "http"
expiration = 600
second_order_hours = 168
[[alert]]
match = "spike"
strategy = "http"
expiration = 600
group = false
[alerters.http]
url = "{url}"
"""


WAIT = 240  # seconds that processes of their own may take on a busy machine
PARKED = "analyzer.waterfall_alerts.sent_to_mirage"
# What `batch` wants alerted on, and what makes no sense.
LATE = {
    f"{START - 900}.app.spike{number}": repr(
        {
            "metric": f"app.spike{number}",
            "timestamp": START - 900,
            "value": 7.5,
            "algorithms_run": ["grubbs"],
            "triggered_algorithms": [1],
        }
    )
    for number in (2, 4, 5, 6)
} | {"1.nonsense": "{"}


def owner(metric, hosts=HOSTS):
    return hosts[zlib.adler32(metric.encode()) % len(hosts)]


def fleet(at):
    """The fleet in round `at`: metrics come, go and change their ways."""
    metrics = {f"app.steady{number}": (steady(number), 20) for number in range(24)}
    metrics |= {f"app.flat{number}": (flat(), 20) for number in range(9) if at < 3 or number % 2}
    metrics |= {f"app.short{number}": (steady(number, points=20), 20) for number in range(6) if at != 2}
    metrics |= {f"app.old{number}": (steady(number), 501 + 60 * at) for number in range(6)}
    metrics |= {f"app.slow{number}": (steady(number), 600) for number in range(6) if at < 4}
    metrics |= {f"app.late{number}": (steady(number), 360) for number in range(6) if at > 1}
    metrics |= {f"app.counter{number}": (np.cumsum(steady(number)), 20) for number in range(6)}
    metrics |= {
        f"app.spike{number}": (spike(number) if (at + number) % 3 else steady(number), 20) for number in range(9)
    }
    odd = (
        "a.b'c",
        'q"uote',
        'it\'s "both"',
        "back\\slash",
        "new\nline",
        "über.metric",
        "[1, 'x', 2]",
        "\\xff5",
        "tilde~",
    )
    return metrics | {name: (spike(3) if at % 2 else steady(7), 20) for name in odd}


RAW = {b"metrics.\xff5": 5, b"metrics.\xfe\xff": 6, b"bare.key": 7, b"app.steady1": 8}


def raw_series(at):
    values = {key: spike(seed) if at == 1 else steady(seed) for key, seed in RAW.items()}
    found = {}
    for key, numbers in values.items():
        ages = [20 + MINUTE * back for back in range(len(numbers) - 1, -1, -1)]
        found[key] = list(zip(ages, numbers.tolist(), strict=True))
    gap = found[b"bare.key"]
    found[b"metrics.app.gap"] = gap[:100] + gap[110:]
    found[b"metrics.app.unordered"] = [gap[1], gap[0], *gap[2:]]
    return found


@pytest.fixture
def sides(tmp_path):
    """(one host, three hosts, posts of either) once a profile is named."""
    with redis_server() as alone, redis_server() as shared, http_server() as one, http_server() as three:

        def made(profile="native"):
            made = []
            for redis, name, hosts, http in ((alone, "alone", [""], one), (shared, "shared", HOSTS, three)):
                folder = tmp_path / name
                for place in ("mirage", "panorama"):
                    (folder / place).mkdir(parents=True)
                extra = EXTRA.format(profile=profile, url=f"{http.url}alert", folder=folder)
                made.append(Side(redis, folder, hosts, extra))
            return *made, one, three

        yield made


def alerts(server):
    """How often which metric was told of as what, the digests and the host in names of ourselves apart."""
    told = Counter()
    for request in server.requests:
        for alert in json.loads(request.body)["alerts"]:
            told[alert["metric"], alert["timestamp"]] += not alert["metric"].startswith("ridgeline.")
    return +told


# What is told of every series at once twice an hour, and in between of those alone that changed: what has gone stays until then.
TOLD = (
    "analyzer.metrics_manager.hash_key.metrics_data_sparsity",
    "analyzer.metrics_manager.metrics_fully_populated",
    "derivative_metrics",
    "non_derivative_metrics",
)


def comparable(keys, *, in_between):
    """Without what is said of hosts, and, in between, of metrics that have gone."""
    left_out = ("last_alert.http.ridgeline.", "ridgeline.breaker", "analyzer.derivative_metrics_expiry")
    if PARKED in keys:  # each item says which host parked it
        kind, life, members = keys[PARKED]
        keys = {**keys, PARKED: (kind, life, {tuple(ast.literal_eval(member)[:4]) for member in members})}
    return {
        key: found for key, found in keys.items() if not key.startswith(left_out) and not (in_between and key in TOLD)
    }


@pytest.mark.parametrize("profile", ["native", pytest.param("earthgecko", marks=pytest.mark.long)])
def test_three_hosts_leave_what_one_leaves(sides, profile):
    left, right, one, three = sides(profile)
    now, seen = START, set()
    for at, pause in enumerate((0, MINUTE, MINUTE, 5 * MINUTE + 10, MINUTE, 31 * MINUTE)):
        for side in (left, right):
            if pause:
                side.later(pause)
            side.metrics, side.raw = fleet(at), raw_series(at)
            side.store(now + pause)
            if at == 1:
                side.client.hset("analyzer_batch.alerts", mapping=LATE)
        now += pause
        report, verdicts = left.run("")
        found = {host: right.run(host) for host in HOSTS}
        assert report.exit == 0
        assert [answer.exit for answer, _ in found.values()] == [0, 0, 0]
        assert all(share for _, share in found.values())
        told = [verdict for _, share in found.values() for verdict in share]
        assert sorted(map(repr, told)) == sorted(map(repr, verdicts)), "each verdict, and none twice"
        for name in ("sent", "suppressed", "unmatched", "queued"):
            assert sum(answer.alerts[name] for answer, _ in found.values()) >= report.alerts[name]
        ours, theirs = (comparable(side.keys(), in_between=at in {3, 4}) for side in (left, right))
        assert not differences(ours, theirs), f"round {at}"
        seen |= theirs.keys()
        for place in ("mirage", "panorama"):
            left_there, right_there = (
                sorted(path.name for path in (side.folder / place).iterdir()) for side in (left, right)
            )
            assert left_there == right_there
        assert alerts(three) == alerts(one)
        assert max(alerts(one).values(), default=1) == 1
    assert alerts(one)
    assert {PARKED, "mirage.sent_to_panorama", "analyzer.airgapped_metrics", "analyzer.unordered_timeseries"} <= seen
    assert {"aet.analyzer.batch_processing_metrics", "analyzer.alert_on_stale_metrics", "ridgeline.anomalies"} <= seen
    assert ("ridgeline.counters" in seen) == (profile == "earthgecko")
    assert {key.decode() for key in right.client.keys("ridgeline.host.*")} >= {
        f"ridgeline.host.{host}.sign" for host in HOSTS
    }
    totals = [right.client.hget(f"analyzer.total_metrics.{host}", "value") for host in HOSTS]
    assert sum(map(int, totals)) == int(left.client.hget("analyzer.total_metrics", "value"))
    assert not right.client.exists("analyzer.total_metrics", "ridgeline.books", "ridgeline.series")


# What happens to hosts -------------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    with redis_server() as running:
        yield running


def alerting(url):
    return f'[[alert]]\nmatch = "spike"\nstrategy = "http"\ngroup = false\n[alerters.http]\nurl = "{url}alert"\ntimeout = 20'


def spikes(side, count=12):
    side.metrics = {f"app.spike{number}": (spike(number), 20) for number in range(count)}
    side.store(START)
    return set(side.metrics)


def started(side, host, as_of):
    """A run of one host in a process of its own."""
    desk = side.desks[host]
    where = f'[source]\nkind = "redis"\nurl = "{desk.url}"\n[run]\ndeadline = {WAIT}\n[output]\ndirectory = "{desk.folder}"\n'
    config = desk.folder / "ridgeline.toml"
    config.write_text(f"{where}{desk.extra}")
    return start(config, as_of=as_of)


def test_hosts_that_start_at_the_same_moment_leave_what_one_leaves(tmp_path):
    with redis_server() as alone, redis_server() as shared:
        (tmp_path / "alone").mkdir()
        (tmp_path / "shared").mkdir()
        left, right = Side(alone, tmp_path / "alone", [""], ""), Side(shared, tmp_path / "shared", HOSTS, "")
        for at, now in enumerate((START, START + MINUTE)):
            for side in (left, right):
                side.metrics = fleet(2 * at)
                side.store(now)
            left.run("", as_of=now)
            if at == 0:
                assert {right.run(host, as_of=now)[0].exit for host in HOSTS} == {0}
        with ThreadPoolExecutor(len(HOSTS)) as together:
            reports = list(together.map(lambda host: right.desks[host].run(store=False, as_of=now), HOSTS))
        assert [report.exit for report in reports] == [0] * 3
        # What was before is copied by the first host when it comes to it: others may have gone on by then.
        ours, theirs = (
            {
                name: found
                for name, found in comparable(side.keys(), in_between=True).items()
                if not name.startswith("aet.")
            }
            for side in (left, right)
        )
        assert not differences(ours, theirs)


def test_a_killed_host_is_taken_over_and_none_of_its_alerts_is_lost(server, tmp_path):
    with http_server(Answer(silent=True)) as dead, http_server() as well:
        side = Side(server, tmp_path, HOSTS, "")
        for host in HOSTS:
            place = dead if host == "gamma" else well
            side.extra = alerting(place.url)
            side.configure(host, table(host))
        everything = spikes(side)
        process = started(side, "gamma", START)
        end = time.monotonic() + WAIT
        while not dead.requests and time.monotonic() < end:
            time.sleep(0.02)
        process.kill()
        process.communicate(timeout=30)
        assert process.returncode == -9
        assert dead.requests, "it died while it sent"
        judged = [metric for host in ("alpha", "beta.example") for metric, *_ in side.run(host)[1]]
        lost = {metric for metric in everything if owner(metric) == "gamma"}
        assert sorted(judged) == sorted(everything - lost)
        assert set(received(well)) == everything - lost
        side.extra = alerting(well.url)
        side.configure("alpha", table("alpha", take_over=("gamma",)))
        side.later(MINUTE)
        side.store(START + MINUTE)
        report, verdicts = side.run("alpha")
        assert report.exit == 0
        assert {metric for metric, *_ in verdicts} == lost | {
            metric for metric in everything if owner(metric) == "alpha"
        }
        assert side.run("beta.example")[0].exit == 0
        assert Counter(received(well)) == Counter(everything), "each once, by whoever judges it now"
        assert not server.client.exists("ridgeline.outbox")
        side.configure("alpha", table("alpha"))  # gamma is back
        assert {metric for metric, *_ in side.run("gamma")[1]} == lost
        assert Counter(received(well)) == Counter(everything)


def test_what_waits_is_sent_by_its_owner_alone(server, tmp_path):
    with http_server(Answer(status=500)) as http:
        side = Side(server, tmp_path, HOSTS, alerting(http.url))
        everything = spikes(side)
        for host in HOSTS:
            side.run(host)
        waiting = {json.loads(name)[1] for name in side.desks["alpha"].hash("ridgeline.outbox")}
        assert waiting == everything
        server.client.delete("ridgeline.breaker.http")
        http.answers[:], http.requests[:] = [Answer()], []
        side.later(3600)
        side.metrics = {name: (steady(), 20) for name in everything}
        side.store(START + 3600)
        side.run("beta.example")
        assert set(received(http)) == {metric for metric in everything if owner(metric) == "beta.example"}
        waiting = {json.loads(name)[1] for name in side.desks["alpha"].hash("ridgeline.outbox")}
        assert waiting == {metric for metric in everything if owner(metric) != "beta.example"}


def test_no_data_is_each_host_s_own_news(server, tmp_path):
    with http_server() as http:
        side = Side(server, tmp_path, HOSTS, alerting(http.url))
        side.metrics = {f"app.m{number}": (steady(), 20) for number in range(30)}
        side.metrics |= {name: (steady(), 9000) for name in side.metrics if owner(name) != "gamma"}
        side.store(START)
        exits = {host: side.run(host)[0].exit for host in HOSTS}
        assert exits == {"alpha": 66, "beta.example": 66, "gamma": 0}
        assert sorted(received(http)) == ["ridgeline.no_data.alpha", "ridgeline.no_data.beta.example"]
        assert [side.run(host)[0].exit for host in HOSTS] == [66, 66, 0]
        assert len(http.requests) == 2, "each is told once an hour"
        for key in server.client.keys("metrics.*"):
            server.client.delete(key)
        assert [side.run(host)[0].exit for host in HOSTS] == [66] * 3
        assert sorted(received(http))[2:] == ["ridgeline.no_data.gamma"]


def test_a_host_without_a_metric_of_its_own_has_nothing_to_complain_of(server, tmp_path):
    side = Side(server, tmp_path, HOSTS, "")
    side.metrics = {"app.steady0": (steady(), 20)}
    side.store(START)
    found = {host: side.run(host) for host in HOSTS}
    assert {host: report.exit for host, (report, _) in found.items()} == dict.fromkeys(HOSTS, 0)
    assert {host: report.metrics for host, (report, _) in found.items() if report.metrics} == {owner("app.steady0"): 1}


def test_a_machine_that_is_none_of_the_hosts_judges_nothing(server, tmp_path):
    side = Side(server, tmp_path, ["alpha"], "")
    spikes(side)
    side.configure("alpha", '[shards]\nhosts = ["x", "y"]\n')
    with pytest.raises(InputError, match="none of `\\[shards\\] hosts`"):
        side.run("alpha")
    assert not server.client.exists("analyzer")


def test_a_run_that_was_cut_short_leaves_what_it_did_not_see_and_what_is_others(server, tmp_path):
    side = Side(server, tmp_path, HOSTS, "")
    side.metrics = {f"app.flat{number}": (flat(), 20) for number in range(30)}
    side.store(START)
    for host in HOSTS:
        side.run(host)
    everything = side.desks["alpha"].exceptions("analyzer.boring")[0]
    assert everything == set(side.metrics)
    side.later(MINUTE)
    with mock.patch.object(Turn, "whole", False):
        side.run("alpha")
    assert side.desks["alpha"].exceptions("analyzer.boring")[0] == everything


def test_locks_are_one_a_host(server, tmp_path):
    side = Side(server, tmp_path, HOSTS, "")
    spikes(side)
    for desk in side.desks.values():
        desk.folder = tmp_path / "together"
    for host in HOSTS:
        assert side.run(host)[0].exit == 0
    assert len(list((tmp_path / "together").glob("run-*.lock"))) == 3


def test_figures_say_whose_they_are(server, tmp_path):
    with carbon() as lines:
        extra = f'[statistics]\ngraphite = "{lines.setting}"\nprometheus_textfile = "{tmp_path}/{{}}.prom"'
        side = Side(server, tmp_path, [], "")
        for host in HOSTS[:2]:
            side.extra = extra.format(host)
            side.configure(host, table(host))
        spikes(side)
        for host in HOSTS[:2]:
            side.run(host)
        end = time.monotonic() + 20
        while len(lines.batches) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        told = {*lines.numbers(0), *lines.numbers(1)}
    assert {"skyline.analyzer.alpha.total_metrics", "skyline.analyzer.beta_example.total_metrics"} <= told
    for host in HOSTS[:2]:
        assert f'ridgeline_anomalies{{host="{host}"}}' in (tmp_path / f"{host}.prom").read_text()


def test_a_run_warns_of_a_host_that_is_back_and_of_one_that_is_called_alike(server, tmp_path):
    side = Side(server, tmp_path, HOSTS, "")
    spikes(side)

    def problems():
        return side.run("alpha", as_of=START)[0].problems

    side.run("gamma")
    side.configure("alpha", table("alpha", take_over=("gamma",)))
    (problem,) = problems()
    assert "gamma, which is taken over here, was at work 0 s ago: its metrics are judged twice" in problem
    side.configure("alpha", table("alpha"))
    sign = json.loads(server.client.get("ridgeline.host.alpha.sign"))
    server.client.set("ridgeline.host.alpha.sign", json.dumps({**sign, "machine": "another"}))
    (problem,) = problems()
    assert "another machine calls itself alpha too" in problem
    assert problems() == []
    for damaged in ("", "[]", "{}", '{"at": "x"}', "[" * 10_000):
        server.client.set("ridgeline.host.alpha.sign", damaged)
        assert problems() == []


def test_a_long_queue_of_others_hides_none_of_ours_from_batch(server, tmp_path):
    side = Side(server, tmp_path, HOSTS, "")
    side.metrics = {f"jobs.m{number}": (steady(number), 0) for number in range(60)}
    side.store(START)
    server.client.sadd("analyzer.batch", *(str([f"metrics.{name}", START - 300, None]) for name in side.metrics))
    with mock.patch.object(batch_job, "SLICE", 3):
        done = {
            host: batch_job.batch_once(Request(side.desks[host].config()), now=lambda: START).metrics for host in HOSTS
        }
    assert done == dict(Counter(map(owner, side.metrics)))
    assert not server.client.exists("analyzer.batch")


def test_a_shadow_run_compares_what_is_its_own(server, tmp_path):
    side = Side(server, tmp_path, ["", *HOSTS], '[analysis]\nprofile = "earthgecko"')
    everything = spikes(side)
    side.run("")
    for host in HOSTS:
        found = run_shadow(RunRequest(side.desks[host].config()), now=lambda: float(START)).shadow
        mine = {metric for metric in everything if owner(metric) == host}
        assert (found.anomalous.both, found.anomalous.only_ours, found.anomalous.only_theirs) == (len(mine), [], [])


def test_hosts_share_files_too_where_a_run_reads_them(tmp_path, capsys):
    pq.write_table(TABLE, tmp_path / "fleet.parquet")
    found = Counter()
    for host in HOSTS:
        config = write_config(tmp_path, tmp_path / "fleet.parquet", alerts=(), extra=table(host))
        code, told, _ = run_json(capsys, config)
        assert code == 0
        found.update(one["metric"] for one in told["anomalies"])
        assert {owner(one["metric"]) for one in told["anomalies"]} == {host}
    whole = run_json(capsys, write_config(tmp_path, tmp_path / "fleet.parquet", alerts=()))[1]
    assert found == Counter(one["metric"] for one in whole["anomalies"])


def test_a_host_with_a_redis_of_its_own_does_what_is_nobody_s(server, tmp_path):
    side = Side(server, tmp_path, ["gamma"], "")
    side.metrics = {name: (flat(), 20) for name in (f"m{at}" for at in range(40)) if owner(name) == "gamma"}
    side.store(START)
    side.run("gamma")
    assert side.desks["gamma"].exceptions("analyzer.boring") == (set(side.metrics), {"_updated_at_20231114221320"})
    assert side.desks["gamma"].text("analyzer.last_all_alerts") == "[]"


def test_another_host_s_batch_takes_none_of_ours(server, tmp_path):
    side = Side(server, tmp_path, HOSTS, '[batch]\nmatch = ["jobs."]')
    side.metrics = {f"jobs.m{number}": (steady(number), 20) for number in range(30)}
    side.store(START)
    for host in HOSTS:
        side.run(host)  # what was never judged is judged by a run, whoever else is there
    batch_job.batch_once(Request(side.desks["alpha"].config()), now=lambda: float(START))
    side.later(MINUTE)
    side.store(START + MINUTE)
    outcomes = {host: {outcome for _, outcome, *_ in side.run(host)[1]} for host in HOSTS}
    assert outcomes == {"alpha": {"skipped"}, "beta.example": {"analysed"}, "gamma": {"analysed"}}
    queued = {name.decode() for name in server.client.smembers("analyzer.batch")}
    assert queued == {str([f"metrics.{name}", START - 20, None]) for name in side.metrics if owner(name) == "alpha"}


def test_from_one_host_to_three_and_back(sides):
    left, right, one, three = sides("native")
    right.configure("", "")
    now = START
    for at, hosts in enumerate(([""], HOSTS, HOSTS, [""], [""])):
        for side in (left, right):
            if at:
                side.later(MINUTE)
            side.metrics, side.raw = fleet(at), raw_series(at)
            side.store(now)
        _, verdicts = left.run("")
        told = [verdict for host in hosts for verdict in right.run(host)[1]]
        assert sorted(map(repr, told)) == sorted(map(repr, verdicts))
        ours, theirs = (comparable(side.keys(), in_between=True) for side in (left, right))
        assert not differences(ours, theirs), f"round {at}"
        assert alerts(three) == alerts(one)
        now += MINUTE
