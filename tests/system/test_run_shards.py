"""Three hosts over one real Redis do what one host does: every verdict once, the same books, each alert once."""

import json
import zlib
from collections import Counter

import numpy as np
import pytest
from rigs.books import MINUTE, START, flat, spike, steady
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.shards import HOSTS, Side, differences

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
[[alert]]
match = "spike"
strategy = "http"
expiration = 600
group = false
[alerters.http]
url = "{url}"
"""


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
            (tmp_path / "alone").mkdir()
            (tmp_path / "shared").mkdir()
            left = Side(alone, tmp_path / "alone", [""], EXTRA.format(profile=profile, url=f"{one.url}alert"))
            right = Side(shared, tmp_path / "shared", HOSTS, EXTRA.format(profile=profile, url=f"{three.url}alert"))
            return left, right, one, three

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
    return {
        key: found for key, found in keys.items() if not key.startswith(left_out) and not (in_between and key in TOLD)
    }


@pytest.mark.parametrize("profile", ["native", "earthgecko"])
def test_three_hosts_leave_what_one_leaves(sides, profile):
    left, right, one, three = sides(profile)
    now = START
    for at, pause in enumerate((0, MINUTE, MINUTE, 5 * MINUTE + 10, MINUTE, 31 * MINUTE)):
        for side in (left, right):
            if pause:
                side.later(pause)
            side.metrics, side.raw = fleet(at), raw_series(at)
            side.store(now + pause)
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
        assert alerts(three) == alerts(one)
        assert max(alerts(one).values(), default=1) == 1
    assert alerts(one)
    assert {key.decode() for key in right.client.keys("ridgeline.host.*")} >= {
        f"ridgeline.host.{host}.sign" for host in HOSTS
    }
    totals = [right.client.hget(f"analyzer.total_metrics.{host}", "value") for host in HOSTS]
    assert sum(map(int, totals)) == int(left.client.hget("analyzer.total_metrics", "value"))
    assert not right.client.exists("analyzer.total_metrics", "ridgeline.books", "ridgeline.series")
