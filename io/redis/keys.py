"""The catalogue of Redis keys: every key that Ridgeline reads or writes, its type, who else does, and how long it lives.

The rights that a user needs in Redis, `doctor`'s checks and docs/keys.md are derived from it; a test holds a traced run
against it. What siblings of Skyline read keeps Skyline's names and types.
"""

from __future__ import annotations

from typing import Final

from ridgeline.io.redis.key import NAMESPACE, SIBLINGS, Key
from ridgeline.io.redis.skyline_keys import SKYLINE

OURS: Final = "ridgeline."
SOURCE: Final = (
    Key(
        "<namespace>unique_metrics",
        "set",
        "the keys of all series",
        "",
        (SIBLINGS, "load"),
        ("run", "batch", "manage"),
        "source",
        (("run", ("SSCAN", "SCARD")), ("load", ("SADD",))),
    ),
    Key(
        "<namespace><metric>",
        "string",
        "msgpack pairs [timestamp, value], one after the other",
        "",
        (SIBLINGS, "load"),
        ("run", "batch"),
        "source",
        (("run", ("MGET", "TYPE", "GETRANGE")), ("batch", ("MGET", "TYPE")), ("load", ("SET", "APPEND", "EXISTS"))),
    ),
)
STATE: Final = (
    Key(
        "last_alert.<strategy>.<metric>",
        "string",
        "timestamp of the anomaly last alerted, written after the alert was sent",
        "the alert's expiration",
        ("run", SIBLINGS),
        ("run", SIBLINGS),
        "alerts",
        (("run", ("MGET", "PTTL", "SET")),),
    ),
    Key(f"{OURS}outbox", "hash", "what waits to be sent: [strategy, metric] -> JSON", "", ("run",), ("run",), "alerts"),
    Key(f"{OURS}anomalies", "hash", "lately anomalous metrics: metric -> JSON", "", ("run",), ("run",), "alerts"),
    Key(f"{OURS}anomalies.watched", "set", "those whose record the next run looks at", "", ("run",), ("run",), "alerts"),
    Key(f"{OURS}anomalies.pruned", "string", "that outdated records were forgotten lately", "86400", ("run",), ("run",), "alerts"),
    Key(f"{OURS}silences", "hash", "operators' mutes: id -> JSON", "", ("run",), ("run",), "alerts"),
    Key(f"{OURS}reading.<source>", "string", "where reading goes on after a run that had not time for all: JSON", "3600", ("run",), ("run",), "alerts"),
    Key(f"{OURS}triggers.<metric>", "string", "when a metric triggered, for `ridgeline.skyline`'s second order: JSON", "604800", ("run",), ("run",), "alerts"),
    Key(f"{OURS}series", "string", "digests of what siblings were told of each series", "1800", ("run",), ("run",), "preparation"),
    Key(f"{OURS}counters", "hash", "metrics found to be counters: metric -> JSON", "", ("run",), ("run",), "preparation"),
    Key(f"{OURS}breaker.<strategy>", "string", "an endpoint left alone for a while: JSON", "its pause", ("run",), ("run",), "alerts"),
    Key(f"{OURS}remote", "hash", "what failed of remote instances, and until when it is left alone: JSON", "", ("manage",), ("manage",), "remote"),
    Key(f"{OURS}external.<name>", "string", "external alert configurations, as last fetched: JSON", "2592000", ("run",), ("run",), "alerts"),
)  # fmt: skip
BATCH: Final = (
    Key(f"{OURS}batch_census", "hash", "how many points each metric had when batch judged it: metric -> JSON", "", ("batch",), ("batch",), "batch"),
    Key(f"{OURS}batch_files", "hash", "files of verdicts that are being written: name -> where", "", ("batch",), ("batch",), "batch"),
    Key(f"{OURS}batch_files_before", "hash", "files of verdicts older than all watermarks: name -> where", "", ("batch",), ("batch",), "batch"),
    Key(f"{OURS}batch_parked", "hash", "metrics whose batch fails: metric -> JSON", "", ("batch",), ("run", "batch"), "batch"),
)  # fmt: skip
BOOKS: Final = (
    Key(
        f"{OURS}books",
        "string",
        "notes of the last run for the next one's books: JSON",
        "86400",
        ("run",),
        ("run",),
        "bookkeeping",
        (("run", ("MGET", "SET")),),
    ),
    Key(
        f"{OURS}books.<key>.<mark>",
        "set",  # or a hash, where the key is one
        "what is about to be put in the place of a key that siblings read",
        "3600, or the key's",
        ("run",),
        ("run",),
        "bookkeeping",
        (("run", ("UNLINK", "SADD", "HSET", "EXPIRE", "RENAME")),),
    ),
)


HOSTS: Final = tuple(
    Key(f"{OURS}host.<host>.{name}", "string", value, ttl, ("run",), ("run",), "shards", (("run", sends),))
    for name, value, ttl, sends in (
        ("sign", "of life, of one of several hosts: its last run, what it goes by: JSON", "604800", ("MGET", "SET")),
        ("books", "its notes of the last run for the next one's books: JSON", "86400", ("MGET", "SET")),
        ("series", "its digests of what siblings were told of each series", "1800", ("MGET", "SET", "UNLINK")),
    )
)

HOSTS_BATCH: Final = Key(
    f"{OURS}host.<host>.analyzer_batch",
    "string",
    "epoch: `batch` of one of several hosts is alive",
    "3 x its period, or 900",
    ("batch",),
    ("run",),
    "shards",
)

CATALOGUE: Final = (*SOURCE, *STATE, *SKYLINE, *BATCH, *BOOKS, *HOSTS, HOSTS_BATCH)


def find(key: str, namespace: str = NAMESPACE) -> Key | None:
    """The row that describes a key: the one with its very name, else that of the longest form; None without one."""
    rows = [row for row in CATALOGUE if row.describes(key, namespace)]
    return max(rows, key=lambda row: (row.glob(namespace) == key, len(row.glob(namespace))), default=None)
