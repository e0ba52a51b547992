"""`ridgeline load`: writes a fleet of files into Redis in Skyline's format. The one command that writes series."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from ridgeline.engine.cli.common import add_quiet
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of

if TYPE_CHECKING:
    from ridgeline.io.parquet.source import ParquetSource
    from ridgeline.io.redis.settings import RedisSettings
    from ridgeline.io.redis.write import Mode, Written

NAME: Final = "load"
SUMMARY: Final = "write a fleet of files into Redis in Skyline's format"
GROUP: Final = "Get started"
PASSWORD: Final = "RIDGELINE_REDIS_PASSWORD"  # noqa: S105 - the variable's name
EPILOG: Final = f"""\
examples:
  ridgeline load fleet.parquet --redis unix:///run/redis/redis.sock
  ridgeline load today.csv.gz --redis redis://127.0.0.1:6379/0 --append
  ridgeline load render.json --redis unix:///run/redis/redis.sock
IN may also be what Graphite renders (format=json, format=msgpack) or VictoriaMetrics exports; docs/data.md has all shapes.
Metrics that Redis holds already are an error, and nothing is written, unless --replace or --append is given.
Points become msgpack pairs of 15 bytes (timestamps as integers), or of 19 with --float-timestamps, as carbon sends them.
A password is read from the environment variable {PASSWORD}; one inside URL would be visible to others.
"""
CHUNK: Final = 512  # metrics per matrix
PARTIAL: Final = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", metavar="IN", help=f"the fleet: {READS}")
    add_shape(parser)
    add("--redis", required=True, metavar="URL", help="redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix:///PATH")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--replace", action="store_true", help="put the metrics of IN in the place of existing ones")
    mode.add_argument("--append", action="store_true", help="add the points of IN to existing metrics")
    add_quiet(parser)
    add(
        "--float-timestamps",
        action="store_true",
        help="store timestamps as floats, as Skyline's Graphite listener does",
    )
    add(
        "--namespace",
        metavar="TEXT",
        default="metrics.",
        help="what stands before every metric's name (default: %(default)s)",
    )
    add("--user", metavar="NAME", help="the ACL user")
    add("--ca-file", type=Path, metavar="FILE", help="trusted certificates beside the system's, for rediss://")


def run(args: argparse.Namespace) -> int:
    """Load the fleet; 0, 70 where files or row groups could not be read, or InputError, SourceUnavailable, AuthenticationFailed."""
    from ridgeline.io.errors import InputError
    from ridgeline.io.redis.settings import RedisSettings
    from ridgeline.io.secret import Secret
    from ridgeline.io.tables.dataset import open_dataset

    password = os.environ.get(PASSWORD)
    settings = RedisSettings(
        args.redis,
        namespace=args.namespace,
        username=args.user,
        password=Secret(password) if password else None,
        ca_file=args.ca_file,
        retries=0,  # what was sent and not answered may have been done; a second time it would be added twice
    )
    settings.place()  # a wrong address is said before anything is read
    source = open_dataset(args.source, shape_of(args), chunk_metrics=CHUNK)
    mode: Mode = "replace" if args.replace else "append" if args.append else "new"
    began = time.perf_counter()
    terminal = None if args.quiet else sys.stderr
    written = _load(source, settings, mode, terminal, float_timestamps=args.float_timestamps)
    if not written.metrics:
        raise InputError(f"{args.source} holds no points")
    seconds = max(time.perf_counter() - began, 1e-9)
    if not args.quiet:
        print(
            f"loaded {written.metrics:,} metrics, {written.points:,} points ({written.size / 1e6:,.1f} MB) into {settings} "
            f"in {seconds:.1f} s ({written.metrics / seconds:,.0f} metrics/s)",
            file=sys.stderr,
        )
    for _, sentence in source.unreadable:
        print(f"ridgeline: left out, unreadable: {sentence}", file=sys.stderr)
    return PARTIAL if source.unreadable else 0


def _load(
    source: ParquetSource, settings: RedisSettings, mode: Mode, terminal: TextIO | None, *, float_timestamps: bool
) -> Written:
    """Check all names, then write chunk after chunk; progress on a terminal."""
    from ridgeline.engine.report.progress import Progress
    from ridgeline.io.redis.client import connect
    from ridgeline.io.redis.explain import explained
    from ridgeline.io.redis.names import refuse_names
    from ridgeline.io.redis.write import Written, refuse_existing, write_matrix

    names = source.catalog().names.to_pylist()
    refuse_names(names, settings.namespace)
    written = Written()
    with contextlib.closing(connect(settings)) as client, Progress("metrics", terminal, total=len(names)) as progress:
        if mode == "new":
            with explained(settings):
                refuse_existing(client, names, settings.namespace)
        for matrix in source.chunks():
            with _told_how_far(written, len(names)), explained(settings):
                written += write_matrix(
                    client, matrix, namespace=settings.namespace, mode=mode, float_timestamps=float_timestamps
                )
            progress.add(len(matrix))
    return written


@contextlib.contextmanager
def _told_how_far(written: Written, metrics: int) -> Iterator[None]:
    """Add to what goes wrong within the block how much had been written by then."""
    from ridgeline.io.errors import RidgelineError

    try:
        yield
    except RidgelineError as error:
        if not written.metrics:
            raise
        raise type(error)(f"{error}; {written.metrics:,} of {metrics:,} metrics had been written before") from error
