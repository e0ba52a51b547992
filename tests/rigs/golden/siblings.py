"""Horizon and Skyline's other programs, and its operators, as they acted on Redis before each recorded run."""

import io

import msgpack
from rigs.golden.series import NAMESPACE
from rigs.golden.trace import Trace

UNIQUE = f"{NAMESPACE}unique_metrics"
WATERMARKS = "analyzer.last_timestamp.base_names"
BATCH = "batch.job.rows"
FIRST = (  # what stood there before the first run, and that no analyzer writes
    "aet.metrics_manager.metric_names_with_ids",
    "metrics_manager.algorithms.ids",
    "mirage.unique_metrics",
    "mirage.hash_key.metrics_resolutions",
    "mirage.hash_key.metrics_expiration_times",
    "aet.analyzer.smtp_alerter_metrics",
    "aet.analyzer.non_smtp_alerter_metrics",
    "analyzer.metrics_manager",
    "analyzer.metrics_manager.custom_stale_periods",
    "metrics_manager.zero_fill_metrics",
    "metrics_manager.last_known_value_metrics",
    "alert.paused.http_alerter-golden.app.anom.paused",
    "alert.paused.syslog.app.anom.paused",
)


def write_series(client, series):
    """Horizon: every series as it is now, and all names listed."""
    pipeline = client.pipeline(transaction=False)
    for key in client.scan_iter(f"{NAMESPACE}*"):
        if key.decode() != UNIQUE and key.decode().removeprefix(NAMESPACE) not in series:
            pipeline.delete(key)
    for name, stored in series.items():
        pipeline.set(NAMESPACE + name, stored)
    pipeline.execute()


def list_metrics(client, trace, run):
    """Horizon lists every name, those whose key is missing included; one of them exists from the third run on."""
    names = [metric["metric"] for metric in trace.scenario["metrics"]]
    client.sadd(UNIQUE, *(NAMESPACE + name for name in names if run >= 3 or name != "app.counter.late"))


def act(client, frozen, trace, run, series):
    """What the others wrote before a run of `trace`; `series` are the stored series of all runs."""
    now, main = trace.clock(run), Trace(trace.golden)
    if run == 1:
        for key in FIRST:
            _put(client, key, main.keys(1)[key])
    _alive(client, frozen, "panorama", now)
    if run >= 2:
        _alive(client, frozen, "analyzer_batch", now)
    if trace.name == "ionosphere":
        _alive(client, frozen, "ionosphere", now)
        client.sadd("ionosphere.unique_metrics", f"{NAMESPACE}app.anom.twice")
    if run == 2:
        client.hset(WATERMARKS, BATCH, 1699999920)
        for key, recorded in main.keys(2).items():
            if key.startswith("panorama.anomaly_id."):
                _put(client, key, recorded)
                frozen.expire(key, recorded["ttl"])
    if run >= 3 and client.delete("analyzer.batch"):
        client.hset(WATERMARKS, BATCH, newest(series[run - 1][BATCH]))
    _once(client, frozen, trace, run)


def newest(stored):
    """The newest timestamp of a stored series."""
    return int(max(point[0] for point in msgpack.Unpacker(io.BytesIO(stored))))


def _once(client, frozen, trace, run):
    """What happened before one run only; what some analyzers took away is read from a recording of one that did not."""
    main, lean = Trace(trace.golden), Trace(trace.golden, "lean")
    if run == 3:
        client.sadd("flux.sort_and_dedup.metrics", "app.order.flagged")
    if run == 4:
        for key in ("metrics_manager.api_skip_analysis", "analyzer.metrics_manager.analyzer_skip"):
            _put(client, key, main.keys(4)[key])
    if run == 5:
        key = f"analyzer_batch.anomaly.1700000280.{BATCH}"
        _put(client, key, main.keys(5)[key])
        frozen.expire(key, main.keys(5)[key]["ttl"])
        _put(client, "analyzer_batch.alerts", lean.keys(5)["analyzer_batch.alerts"])
    if run == 6:
        _put(client, "flux.filled_metrics", lean.keys(6)["flux.filled_metrics"])


def _alive(client, frozen, name, now):
    client.set(name, now)
    frozen.expire(name, 120)


def _put(client, key, recorded):
    value = recorded["value"]
    match recorded["type"]:
        case "string":
            client.set(key, value)
        case "set":
            client.sadd(key, *value)
        case "hash":
            client.hset(key, mapping=value)
