"""`ridgeline manage`: one pass over the lists and classes that Skyline's siblings read."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.common import add_config, add_quiet
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config

NAME: Final = "manage"
SUMMARY: Final = "keep the lists and classes of metrics true that Skyline's siblings read"
GROUP: Final = "Operate"
EPILOG: Final = """\
examples:
  ridgeline manage -c /etc/ridgeline/ridgeline.toml                what cron or [agent] manage_every does every five minutes
  ridgeline manage -c /etc/ridgeline/ridgeline.toml --dry-run      what it would change, and nothing is written
Lists follow from the configuration, the names in Redis and what `ridgeline run` found; no series is read. Only differences
are written. Exit codes: 0 ok; 2 configuration; 66 no metric is listed; 69 Redis unavailable; 70 partial (a key of another
type, a right that is missing, the deadline); 74 textfile not written; 75 another pass is at work; 77 authentication.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and write nothing")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, and nothing else, on standard output"
    )
    add_quiet(parser)


def run(args: argparse.Namespace) -> int:
    """Do one pass and say what changed; its exit code."""
    from ridgeline.engine.cli.watchdog import in_time
    from ridgeline.engine.config.load import load_config

    config = load_config(args.config)
    for warning in config.warnings:
        print(f"ridgeline: warning: {escape(warning)}", file=sys.stderr)
    if not args.own_process:
        return _manage(args, config)
    return in_time(config.run.deadline, partial(_manage, args, config), "pass")


def _manage(args: argparse.Namespace, config: Config) -> int:
    from ridgeline.engine.manage.once import Request, manage_once
    from ridgeline.engine.report.files import dumps

    report = manage_once(Request(config, dry_run=args.dry_run))
    for problem in report.problems:
        print(f"ridgeline: {escape(problem)}", file=sys.stderr)
    if args.json:
        print(dumps(report.as_json()))
    elif not args.quiet:
        print(report.as_text(names=args.dry_run) + ("\ndry run: nothing was written" if args.dry_run else ""))
    sys.stdout.flush()
    return report.exit
