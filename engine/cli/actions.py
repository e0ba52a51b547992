"""What commands about alerts share: actions of their own (`ridgeline alert route`), a configuration, JSON or lines."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ridgeline.engine.cli.common import add_config
from ridgeline.engine.cli.parser import Parser

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config

Action = Callable[[argparse.Namespace], int]


def add_actions(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[Parser]:
    """Declare that the command has actions."""
    actions: argparse._SubParsersAction[Parser] = parser.add_subparsers(
        title="actions", metavar="ACTION", required=True, parser_class=Parser
    )
    return actions


def add_action(
    actions: argparse._SubParsersAction[Parser], name: str, summary: str, act: Action, epilog: str = ""
) -> Parser:
    """Declare an action; `act` is what it does."""
    sentence = f"{summary[0].upper()}{summary[1:]}."
    action = actions.add_parser(name, help=summary, description=sentence, epilog=epilog)
    add_common(action)
    action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    action.set_defaults(act=act)
    return action


def add_common(parser: argparse.ArgumentParser) -> None:
    """Declare the options of every command about alerts."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, and nothing else, on standard output")


def configuration(args: argparse.Namespace) -> Config:
    """The configuration asked for. Raises InputError."""
    from ridgeline.engine.config.load import load_config

    return load_config(args.config)


def show(args: argparse.Namespace, found: Sequence[Any], lines: Iterable[str], nothing: str) -> None:
    """Print what was found: as JSON where that was asked for, else as `lines`, or `nothing` where there is none."""
    if args.json:
        from ridgeline.engine.report.files import dumps

        print(dumps([one.as_json() for one in found]))
        return
    for line in lines if found else [nothing]:
        print(line)
