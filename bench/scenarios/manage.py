"""Lists of a fleet: the first pass, which writes all of them, and one that finds little changed, against plain loops."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest import mock

import numpy as np

from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import repeat
from ridgeline.bench.patterns import metric_name, one_at_a_time, pattern_text
from ridgeline.bench.row import Row
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.once import Request, manage_once
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.connection import BoundedConnection
from ridgeline.io.redis.embedded import embedded_redis

SUMMARY: Final = "lists of 100,000 names by 200 rules: a first pass, and one after 1,000 names came or went"
SMALL: Final = 1000  # metrics below which a hundredth is measured
NAMES: Final = 100_000
RULES: Final = 200
MOVED: Final = 100  # every so many names come or go between two passes
UNIQUE: Final = "metrics.unique_metrics"
HEAD: Final = """\
[source]
url = '{url}'
[handoff]
mirage_checks = '{folder}/mirage'
[output]
directory = '{folder}'
[alerters.smtp]
host = "127.0.0.1"
sender = "ridgeline@example.com"
default_recipients = ["ops@example.com"]
"""


@dataclass(slots=True)
class _Conversation:
    """How often something was sent to Redis."""

    trips: int = 0


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per kind of pass; a hundredth of the names where the axes ask for a tiny fleet."""
    random = np.random.default_rng(axes.seed)
    names = [metric_name(random, at) for at in range(NAMES if axes.metrics >= SMALL else NAMES // 100)]
    rules = [pattern_text(random, at) for at in range(RULES)]
    alone = one_at_a_time(rules, names)
    with ExitStack() as stack:
        url = axes.redis or stack.enter_context(embedded_redis()).url
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        client = stack.enter_context(connect(url))
        config = _config(rules, url, folder)
        _list(client, names)
        _tell_densities(client, names)
        for work, before in (
            ("every list is written", partial(_forget, client)),
            ("1 of 100 names is another", partial(_move, client, names)),
        ):
            talk = _Conversation()
            timing = repeat(partial(_pass, config, before, talk), runs=axes.runs)
            each = talk.trips / (axes.runs + 1)
            yield Row(
                "manage", f"{work}, {RULES} rules", timing, len(names),
                size=sum(map(len, names)), against=("one pattern at a time", alone),
                parameters={"rules": RULES, "names": len(names)},
                notes=(f"{each:.0f} round trips to Redis a pass; setting up is timed with it",),
            )  # fmt: skip


def _config(rules: Sequence[str], url: str, folder: str) -> Config:
    """A quarter of the rules each for mail, stale periods, fills, and what is skipped."""
    mail, stale, fill, skip = (rules[at::4] for at in range(4))
    hours = (48, 0)
    text = HEAD.format(url=url, folder=folder)
    text += f"[analysis]\nskip = {list(skip)!r}\n[preparation]\nzero_fill = {list(fill)!r}\n"
    for at, match in enumerate(mail):
        text += f"[[alert]]\nmatch = {match!r}\nstrategy = 'smtp'\nsecond_order_hours = {hours[at % 2]}\n"
    text += "".join(f"[[override]]\nmatch = {match!r}\nstale_period = 700\n" for match in stale)
    return parse_config(text.replace("\\\\", "\\").encode(), Path("bench.toml"))


def _pass(config: Config, before: Any, talk: _Conversation) -> None:
    before()
    with _counted(talk):
        manage_once(Request(config))


@contextmanager
def _counted(talk: _Conversation) -> Iterator[None]:
    """Count what is sent while the block lasts."""
    send: Any = BoundedConnection.send_packed_command

    def counting(connection: BoundedConnection, *arguments: Any, **options: Any) -> None:
        talk.trips += 1
        send(connection, *arguments, **options)

    with mock.patch.object(BoundedConnection, "send_packed_command", counting):
        yield


def _list(client: Any, names: Sequence[str]) -> None:
    for at in range(0, len(names), 1000):
        client.sadd(UNIQUE, *(f"metrics.{name}" for name in names[at : at + 1000]))


def _tell_densities(client: Any, names: Sequence[str]) -> None:
    """What runs tell of every series."""
    for at in range(0, len(names), 1000):
        some = names[at : at + 1000]
        client.hset("analyzer.metrics_manager.resolutions", mapping=dict.fromkeys(some, 60))
        told = {f"metrics.{name}": 100.0 for name in some}
        client.hset("analyzer.metrics_manager.hash_key.metrics_data_sparsity", mapping=told)
        for key in ("last_timeseries_timestamp", "last_analyzed_timestamp"):
            client.hset(f"analyzer.metrics.{key}", mapping=dict.fromkeys(some, 4_000_000_000))


def _forget(client: Any) -> None:
    """Drop every list."""
    for key in client.scan_iter(count=10_000):
        if (
            b"unique_metrics" not in key
            and b"hash_key" not in key
            and b"resolutions" not in key
            and b"_timestamp" not in key
        ):
            client.unlink(key)


def _move(client: Any, names: Sequence[str]) -> None:
    """Let one of so many names go if it is there, and come if it is not."""
    some = [f"metrics.{name}" for name in names[::MOVED]]
    if not client.srem(UNIQUE, *some):
        client.sadd(UNIQUE, *some)
