"""`ridgeline manage`: one pass over the lists and classes that Skyline's siblings read."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.common import add_config, add_json, add_quiet
from ridgeline.engine.cli.telling import tell, tell_warnings

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
    add_json(parser)
    add_quiet(parser)


def run(args: argparse.Namespace) -> int:
    """Do one pass and say what changed; its exit code."""
    from ridgeline.engine.cli.watchdog import in_time
    from ridgeline.engine.config.load import load_config

    config = load_config(args.config)
    tell_warnings(config.warnings)
    return in_time(args, config.run.deadline, partial(_manage, args, config), "pass")


def _manage(args: argparse.Namespace, config: Config) -> int:
    from ridgeline.engine.manage.once import Request, manage_once

    report = manage_once(Request(config, dry_run=args.dry_run))
    remark = ["dry run: nothing was written"] if args.dry_run else []
    return tell(args, report, lambda: [report.as_text(names=args.dry_run), *remark])
