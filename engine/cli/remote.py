"""`ridgeline remote`: what other hosts' Skyline has, fetched to where this one's siblings look for it."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from ridgeline.engine.cli.actions import add_action, add_actions, configuration
from ridgeline.engine.cli.common import add_quiet
from ridgeline.engine.cli.parser import option
from ridgeline.engine.cli.telling import tell
from ridgeline.engine.units import parse_duration
from ridgeline.io.text import escape

NAME: Final = "remote"
SUMMARY: Final = "fetch training data and features profiles from other hosts"
GROUP: Final = "Operate"
EPILOG: Final = """\
examples:
  ridgeline remote sync                   what is missing here, from every [[remote]]
  ridgeline remote sync skyline-2         from that one, also what failed a moment ago
  * * * * *  /path/to/.venv/bin/ridgeline remote sync -q -c /etc/ridgeline/ridgeline.toml     from cron
What is here already is not fetched again, so a sync goes on where the last one ended. Exit codes: 0 all is here; 2
configuration; 69 no peer answers; 70 something was refused, failed or left for the next time; 74 not written; 75 another sync
is at work; 77 every peer refuses the credentials.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's actions."""
    sync = add_action(add_actions(parser), "sync", SUMMARY, _sync, EPILOG)
    sync.add_argument("name", nargs="?", metavar="NAME", help="only from this [[remote]]")
    sync.add_argument(
        "--for",
        dest="length",
        type=option(parse_duration),
        default=60,
        metavar="DURATION",
        help="how long it may take (default: 60s)",
    )
    add_quiet(sync)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    return int(args.act(args))


def _sync(args: argparse.Namespace) -> int:
    from ridgeline.engine.remote.sync import sync_remotes
    from ridgeline.engine.report.progress import Progress

    config = configuration(args)
    terminal = None if args.quiet or args.json else sys.stderr
    with Progress("files", terminal) as progress:
        found = sync_remotes(config, args.name, seconds=args.length, told=lambda: progress.add(1))
    return tell(args, found, lambda: [escape(tally.line()) for tally in found.peers])
