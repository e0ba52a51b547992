"""`ridgeline shard`: which of several hosts a metric belongs to."""

from __future__ import annotations

import argparse
from typing import Final

from ridgeline.engine.cli.actions import add_common, configuration
from ridgeline.io.text import escape

NAME: Final = "shard"
SUMMARY: Final = "which of several hosts a metric belongs to"
GROUP: Final = "Look closer"
EPILOG: Final = """\
examples:
  ridgeline shard stats.web01.load
  ridgeline shard stats.web01.load --json
The hosts are those of `[shards]` (docs/shards.md); nothing is connected to. Exit codes: 0; 2 configuration.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("metric", metavar="METRIC", help="its name")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Tell the owner; 0."""
    from ridgeline.engine.report.files import dumps

    shards = configuration(args).shards
    owner = shards.owner(args.metric)
    if args.json:
        print(dumps({"metric": args.metric, "owner": owner, "hosts": list(shards.hosts)}))
        return 0
    if not shards.hosts:
        print(f"{escape(args.metric)} belongs to this host, {owner}: there are no `[shards]`")
        return 0
    place = shards.hosts.index(owner) + 1
    taken = f", and is judged by {shards.host} while that is lost" if owner in shards.take_over else ""
    print(f"{escape(args.metric)} belongs to {owner}, number {place} of {len(shards.hosts)} hosts{taken}")
    return 0
