"""Reads `[statistics]` and `[log]`: where a run's numbers go, and where it keeps its diary."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from ridgeline.engine.config.model import Log, Statistics
from ridgeline.engine.config.reader import Table
from ridgeline.io.net.address import Endpoint
from ridgeline.io.secret import Secret

CARBON_PORT: Final = 2003  # of carbon's plaintext listener
MOST_KEPT: Final = 100
_ELEMENT: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*", re.ASCII)


def read_statistics(top: Table, environ: Mapping[str, str] = os.environ) -> Statistics:
    """Read `[statistics]`."""
    table = top.table("statistics")
    name = table.string("name", "")
    if name and not _ELEMENT.fullmatch(name):
        table.refuse(
            "name", "must be letters, digits, - and _, dots between them: it becomes a part of Graphite's names"
        )
    statistics = Statistics(
        graphite=_read_graphite(table),
        name=name,
        prometheus_textfile=table.file("prometheus_textfile", None),
        canary=table.string("canary", None),
        heartbeat_url=_read_heartbeat(table, environ),
    )
    table.finish()
    return statistics


def _read_graphite(table: Table) -> tuple[str, int] | None:
    text = table.string("graphite", None)
    if text is None:
        return None
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port == 0 or parts.netloc != text or "@" in text or not text.isprintable() or " " in text:
        table.refuse("graphite", "must be HOST:PORT, as carbon.example.com:2003")
        return None
    return host, port or CARBON_PORT


def _read_heartbeat(table: Table, environ: Mapping[str, str]) -> Secret | None:
    url = table.secret("heartbeat_url", environ=environ)
    if url is None:
        return None
    try:
        Endpoint.parse(url.reveal())
    except ValueError as error:
        by_env = "heartbeat_url_env" in table
        table.refuse("heartbeat_url_env" if by_env else "heartbeat_url_file", f"what it holds is unusable: {error}")
        return None
    return url


def read_log(top: Table) -> Log:
    """Read `[log]`."""
    table, usual = top.table("log"), Log()
    log = Log(
        file=table.file("file", None),
        format=table.choice("format", ("text", "json"), usual.format),
        max_size=table.size("max_size", usual.max_size),
        keep=table.integer("keep", usual.keep, high=MOST_KEPT),
    )
    if "log" in top and "file" not in table:
        table.refuse("file", "is missing: without it there is no log")
    table.finish()
    return log
