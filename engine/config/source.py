"""Reads `[source]`: where the metrics come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ridgeline.engine.config.model import Source
from ridgeline.engine.config.reader import Table
from ridgeline.io.errors import InputError

KINDS: Final = ("redis", "parquet")


def read_source(top: Table, environ: Mapping[str, str]) -> Source:
    """Read and check `[source]`; Redis needs `url`, Parquet needs `path`."""
    table, usual = top.table("source"), Source()
    if "source" not in top:
        top.refuse(
            "source", 'is missing: a [source] table says where the metrics come from (kind = "redis" or "parquet")'
        )
    source = Source(
        kind=table.choice("kind", KINDS, usual.kind, "kind of source"),
        url=table.string("url", usual.url),
        path=table.string("path", usual.path),
        namespace=table.string("namespace", usual.namespace, empty=True),
        username=table.string("username", usual.username),
        password=table.secret("password", environ=environ),
        ca_file=table.file("ca_file", usual.ca_file),
        cert_file=table.file("cert_file", usual.cert_file),
        key_file=table.file("key_file", usual.key_file),
        connect_budget=table.seconds("connect_budget", usual.connect_budget),
        timeout=table.seconds("timeout", usual.timeout),
        max_points=table.integer("max_points", usual.max_points, low=1),
        chunk_keys=table.integer("chunk_keys", usual.chunk_keys, low=1, high=100_000),
        labels_from=table.strings("labels_from", usual.labels_from, empty=True),
        chunk_metrics=table.integer("chunk_metrics", usual.chunk_metrics, low=1, high=10_000_000),
    )
    if "url" in table:
        _check_url(table, source.url)
    needed = "url" if source.kind == "redis" else "path"
    if isinstance(top.values.get("source"), dict) and needed not in table:
        table.refuse(needed, f'is missing: kind = "{source.kind}" needs it')
    table.finish()
    return source


def _check_url(table: Table, url: str) -> None:
    """Refuse addresses of other kinds, and passwords inside an address. The address itself is not repeated."""
    from ridgeline.io.redis.address import parse_address

    try:
        place = parse_address(url)
    except InputError as error:
        table.refuse("url", str(error))
        return
    if place.password is not None:
        table.refuse("url", "secrets do not belong in this file: use password_env or password_file (and username)")
