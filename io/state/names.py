"""The names of what state holds beside alerts and single values, each with one owner.

ridgeline.outbox        hash  what could not be sent: JSON [strategy, metric] -> entry    engine/alerts
ridgeline.anomalies     hash  lately anomalous metrics: metric -> record                  engine/alerts/lately
ridgeline.anomalies.watched  set   those whose record the next run must look at          engine/alerts/lately_table
ridgeline.anomalies.pruned   text  that outdated records were forgotten lately            engine/alerts/lately_table
ridgeline.silences      hash  operators' mutes: id -> silence                             engine/alerts
ridgeline.counters      hash  metrics found to be counters, under Skyline's profiles       engine/run/latches
ridgeline.breaker.NAME  text  an endpoint that is left alone for a while                  engine/alerts
ridgeline.external.NAME text  the rules that a service of external alerts last gave       engine/alerts
ridgeline.reading.ID    text  where reading a source goes on after a run without time     engine/run/shedding
ridgeline.triggers.NAME text  when a metric triggered, for Skyline's own names            engine/api/second_order
ridgeline.remote        hash  what failed of remote instances: its name -> record         engine/remote/backoff
ridgeline.remote.NAME   text  a set of files that is here, where no Redis says so         engine/remote/marks
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii
from typing import Final

OUTBOX: Final = "outbox"
ANOMALIES: Final = "anomalies"
WATCHED: Final = "anomalies.watched"
PRUNED: Final = "anomalies.pruned"
SILENCES: Final = "silences"
COUNTERS: Final = "counters"
REMOTE_FAILURES: Final = "remote"


def breaker(strategy: str) -> str:
    """The key of a strategy's breaker. Its name, not its address: addresses hold secrets."""
    return f"breaker.{strategy}"


def external(name: str) -> str:
    """The key of what a service of external alerts last said."""
    return f"external.{name}"


def reading(source: str) -> str:
    """The key of where reading goes on, of a source by its hash."""
    return f"reading.{source}"


def triggers(metric: str) -> str:
    """The key of a metric's triggers."""
    return f"triggers.{metric}"


def remote_here(name: str) -> str:
    """The key of a set of files that is here."""
    return f"remote.{name}"


def outbox_name(strategy: str, metric: str) -> str:
    """The field of a pair: JSON, so text that no other pair has, whatever characters names hold."""
    return f"[{encode_basestring_ascii(strategy)}, {encode_basestring_ascii(metric)}]"


def outbox_pair(name: str) -> tuple[str, str] | None:
    """The pair of a field; None for text that `outbox_name` does not write."""
    try:
        strategy, metric = json.loads(name)
    except (ValueError, TypeError, RecursionError):
        return None
    return (strategy, metric) if isinstance(strategy, str) and isinstance(metric, str) else None
