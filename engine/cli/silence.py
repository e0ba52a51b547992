"""`ridgeline silence`: mute metrics for a while, list and end such silences."""

from __future__ import annotations

import argparse
import getpass
import math
import os
import time
from typing import Final

from ridgeline.engine.cli.actions import add_common, configuration, show
from ridgeline.engine.cli.parser import option
from ridgeline.engine.units import parse_duration
from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

NAME: Final = "silence"
SUMMARY: Final = "mute metrics for a while, list and end such silences"
GROUP: Final = "Alerts"
USAGE: Final = """\
ridgeline silence PATTERN --for DURATION [--strategy NAME] [--why TEXT]
       ridgeline silence list [--strategy NAME]
       ridgeline silence end PATTERN|ID [--strategy NAME]"""
EPILOG: Final = """\
examples:
  ridgeline silence stats.web01. --for 2h --why 'kernel upgrade'
  ridgeline silence 'stats\\..*\\.queue' --for 1d --strategy pagerduty
  ridgeline silence list
  ridgeline silence end stats.web01.
  ridgeline silence --for 2h -- -odd.name      a pattern that begins with - comes after --
PATTERN means what `match` means in the configuration; '' is every metric, Ridgeline's own alerts included. Alerts that a
silence holds are not sent; what already waits in the outbox is held until it ends. The same pattern and strategy again set
another end. Exit codes: 0; 2 usage, or nothing to end; 70 the state could not be read or written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.usage = USAGE
    parser.add_argument("words", nargs="+", metavar="PATTERN | list | end", help="what to mute, or what to do")
    parser.add_argument(
        "--for",
        dest="length",
        type=option(parse_duration),
        metavar="DURATION",
        help="for how long, such as 30m, 2h, 1d",
    )
    parser.add_argument("--strategy", metavar="NAME", help="only this strategy (default: all)")
    parser.add_argument("--why", metavar="TEXT", help="for whoever asks later")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Begin, list or end silences; 0, or InputError, StateError."""
    match args.words:
        case [pattern] if args.length is not None:
            return _begin(args, pattern)
        case ["list"] if args.why is None:
            return _list(args)
        case ["end", which] if args.length is None and args.why is None:
            return _end(args, which)
        case [pattern] if pattern not in {"list", "end"}:
            raise InputError(f"say for how long {escape(pattern)} is to be silent, such as --for 2h")
    raise InputError("write `silence PATTERN --for 2h`, `silence list` or `silence end PATTERN`; --help has examples")


def _begin(args: argparse.Namespace, pattern: str) -> int:
    from ridgeline.engine.alerts.silence import Silence, begin_silence
    from ridgeline.engine.alerts.strategy import check_known
    from ridgeline.engine.report.alerting import silence_lines
    from ridgeline.engine.run.state import open_run_state

    config, now = configuration(args), time.time()
    if args.strategy is not None:
        check_known(args.strategy, [name for name, _, _ in config.alerters.settings])
    until = math.ceil(now) + args.length
    silence = Silence(pattern, until, args.strategy or "", args.why or "", user())
    with open_run_state(config) as state:
        before = begin_silence(state, silence, now)
    replaced = [] if before is None else [f"in the place of {line}" for line in silence_lines([before])]
    show(args, [silence], [*silence_lines([silence]), *replaced], "")
    return 0


def _list(args: argparse.Namespace) -> int:
    from ridgeline.engine.alerts.silence import read_silences, silenced
    from ridgeline.engine.report.alerting import silence_lines
    from ridgeline.engine.run.state import open_run_state

    with open_run_state(configuration(args)) as state:
        found = read_silences(state, time.time())
    if args.strategy is not None:
        found = silenced(found, args.strategy)
    show(args, found, silence_lines(found), "nothing is silent")
    return 0


def _end(args: argparse.Namespace, which: str) -> int:
    from ridgeline.engine.alerts.silence import end_silence
    from ridgeline.engine.report.alerting import silence_lines
    from ridgeline.engine.run.state import open_run_state

    with open_run_state(configuration(args)) as state:
        ended = end_silence(state, which, time.time(), args.strategy)
    if not ended:
        raise InputError(f"there is no silence {escape(which)} to end; `ridgeline silence list` shows those in force")
    show(args, ended, (f"ended: {line}" for line in silence_lines(ended)), "")
    return 0


def user() -> str:
    """Who asks: the person behind sudo, the name of the session, or the number of a user without a name."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user number {os.getuid()}"
