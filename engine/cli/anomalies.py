"""`ridgeline anomalies`: what runs have found lately, incident by incident."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

from ridgeline.engine.cli.actions import add_common, configuration, show
from ridgeline.engine.cli.parser import option
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.units import parse_duration
from ridgeline.io.text import escape

NAME: Final = "anomalies"
SUMMARY: Final = "what runs have found lately: incidents, ongoing or over"
GROUP: Final = "Look closer"
EPILOG: Final = """\
examples:
  ridgeline anomalies
  ridgeline anomalies --since 7d --match stats.billing. --json
An incident is ongoing until three runs have found its metric normal. Runs remember a week of them. One of several hosts
(`[shards]`) lists those of its own metrics, any other machine all. Exit codes: 0; 2 configuration; 70 the state could not
be read.
"""
DAY: Final = 86400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--since",
        type=option(parse_duration),
        default=DAY,
        metavar="DURATION",
        help="those of this long ago and later, and all that are ongoing (default: 24h)",
    )
    parser.add_argument("--match", type=option(parse_pattern), metavar="PATTERN", help="only metrics that match")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """List the incidents; 0, or StateError."""
    from ridgeline.engine.alerts.incidents import incidents
    from ridgeline.engine.report.alerting import incident_lines
    from ridgeline.engine.report.colour import Paint
    from ridgeline.engine.run.state import open_run_state
    from ridgeline.engine.units import spoken

    now, config = time.time(), configuration(args)
    with open_run_state(config) as state:
        found = incidents(state, now - args.since, args.match)
    if config.shards.host in config.shards.hosts:
        share = config.shards.share()
        found = [one for one in found if share.holds(one.metric)]
    of = "" if args.match is None else f" of {escape(args.match)}"
    show(
        args,
        found,
        incident_lines(found, Paint.of(sys.stdout)),
        f"no run has found an anomaly{of} within {spoken(args.since)}",
    )
    return 0
