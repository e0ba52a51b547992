"""`ridgeline run`: one bulk run over a whole fleet, from cron or by hand."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.common import add_config, add_json, add_quiet
from ridgeline.engine.cli.parser import option
from ridgeline.engine.cli.telling import tell, tell_warnings
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.units import parse_instant

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config

NAME: Final = "run"
SUMMARY: Final = "score every metric of the source once, alert, write the anomalies"
GROUP: Final = "Score a fleet"
EPILOG: Final = """\
from cron, each minute:
  * * * * *  /path/to/.venv/bin/ridgeline run -q -c /etc/ridgeline/ridgeline.toml
cron's PATH is short, so write the whole path of the command (`command -v ridgeline` says it).
`ridgeline config init` writes an example configuration. Exit codes: 0 ok; 2 configuration; 66 no data (no metrics,
or fewer than half could be judged); 69 source unavailable; 70 partial; 74 outputs not written; 75 another run is at work;
77 authentication; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config(parser)
    parser.add_argument(
        "--as-of",
        type=option(parse_instant),
        metavar="INSTANT",
        help="judge as of this instant (epoch seconds or ISO 8601; default: now)",
    )
    parser.add_argument(
        "--match",
        type=option(parse_pattern),
        metavar="PATTERN",
        help="only metrics that match (part of a name, or an expression)",
    )
    parser.add_argument(
        "--check-airgaps-only",
        action="store_true",
        help="only look for airgaps and unordered series: judge nothing, alert nobody",
    )
    parser.add_argument(
        "--archive", action="store_true", help="also add new points to the archive ([archive] directory)"
    )
    parser.add_argument(
        "--shadow", action="store_true", help="compare with what a live Skyline found last; alert nobody, write nothing"
    )
    parser.add_argument(
        "--full", action="store_true", help="read every series whole, whatever is remembered of earlier runs"
    )
    parser.add_argument("--dry-run", action="store_true", help="send no alert and write nothing")
    add_json(parser)
    add_quiet(parser)


def run(args: argparse.Namespace) -> int:
    """Run once and print the summary; the exit code of the run."""
    from ridgeline.engine.cli.watchdog import in_time
    from ridgeline.engine.config.load import load_config

    config = load_config(args.config)
    tell_warnings(config.warnings)
    return in_time(args, config.run.deadline, partial(_run, args, config), "run")


def _run(args: argparse.Namespace, config: Config) -> int:
    from ridgeline.engine.report.progress import Progress
    from ridgeline.engine.run.once import run_once
    from ridgeline.engine.run.turn import Request
    from ridgeline.io.errors import InputError

    if args.archive and config.archive.directory is None:
        raise InputError("--archive needs `[archive] directory` in the configuration")
    begin = run_once
    if args.shadow:
        from ridgeline.engine.run.shadow.compare import run_shadow

        begin = run_shadow
    if args.shadow and (args.archive or args.check_airgaps_only):
        raise InputError("--shadow only compares: give neither --archive nor --check-airgaps-only with it")
    if args.archive and args.check_airgaps_only:
        raise InputError("--archive reads and judges, --check-airgaps-only does not: give one of the two")
    with Progress("metrics", None if args.json or args.quiet else sys.stderr) as progress:
        report = begin(
            Request(
                config,
                args.as_of,
                args.match,
                dry_run=args.dry_run,
                json=args.json,
                check_airgaps_only=args.check_airgaps_only,
                progress=progress.add,
                archive=args.archive,
                full=args.full,
            )
        )
    dry = "dry run" if args.dry_run else "shadow run" if args.shadow else ""
    remark = [f"{dry}: nothing was sent or written"] if dry else []
    return tell(args, report, lambda: [report.as_text(), *remark])
