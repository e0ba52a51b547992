"""`ridgeline agent`: one warm process that runs every minute, for systemd or a container."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.common import add_config, add_quiet
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.cli.watchdog import Guard

NAME: Final = "agent"
SUMMARY: Final = "run every minute in one warm process, for systemd or a container"
GROUP: Final = "Operate"
UNWELL: Final = 70
EPILOG: Final = """\
examples:
  ridgeline agent -c /etc/ridgeline/ridgeline.toml
  ridgeline agent -c /etc/ridgeline/ridgeline.toml --check       for a health probe
[agent] run_every says how often; batch_every and manage_every, how often it also does what `ridgeline batch` and `ridgeline
manage` do. No two of them overlap, runs come first, and none is made up for. A configuration that has changed is in force
with the next run; a broken one is told of and not taken over. SIGTERM ends it within five seconds, with its state saved.
What runs do and say is what `ridgeline run` does and says. Exit codes: 143 ended by SIGTERM; --check: 0 well, 70 not.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config(parser)
    parser.add_argument("--check", action="store_true", help="only say whether the agent of this configuration is well")
    add_quiet(parser)


def run(args: argparse.Namespace) -> int:
    """Live until told to end; or check another."""
    from ridgeline.engine.agent.health import ailment
    from ridgeline.engine.config.load import load_config

    if args.check:
        wrong = ailment(load_config(args.config), time.time())
        if wrong:
            print(f"ridgeline: {escape(wrong)}", file=sys.stderr)
        return UNWELL if wrong else 0
    return _live(args)


@contextlib.contextmanager
def guard(deadline: float) -> Iterator[Guard]:
    """What bounds a run: its deadline, and signals that end what is within; one that has come is not spent for later ones."""
    from ridgeline.engine.cli.signals import exit_on_signals
    from ridgeline.engine.cli.watchdog import Guard

    came: list[int] = []
    try:
        with exit_on_signals(came), Guard(deadline) as guarding:
            yield guarding
    finally:
        if came:  # also where its exception was lost: libraries in C drop what is raised while they import
            raise SystemExit(128 + came[0])


def _live(args: argparse.Namespace) -> int:
    from ridgeline.engine.agent.loop import Agent
    from ridgeline.engine.agent.watched import Watched

    def say(sentence: str) -> None:
        print(f"ridgeline: {escape(sentence)}", file=sys.stderr, flush=True)

    watched = Watched(args.config, say)
    for warning in watched.current.warnings:
        say(f"warning: {warning}")
    Agent(watched, guard, say, quiet=args.quiet).live()
    return 0
