"""`ridgeline completion`: a script that completes commands and options, made from the parsers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.parser import Parser

NAME: Final = "completion"
SUMMARY: Final = "print a script with which a shell completes commands and options"
GROUP: Final = "Operate"
SHELLS: Final = ("bash", "zsh", "fish")
EPILOG: Final = """\
  bash:  ridgeline completion bash > ~/.local/share/bash-completion/completions/ridgeline
  zsh:   ridgeline completion zsh  > ~/.zfunc/_ridgeline      with fpath+=~/.zfunc before compinit
  fish:  ridgeline completion fish > ~/.config/fish/completions/ridgeline.fish
A new shell has it. Options of a newer version want the script anew.
"""
# What an argument of this name is completed to, where its type does not say.
FILES: Final = frozenset(
    {"FILE", "PATH", "IN.parquet", "OUT.parquet", "DATASET", "SCORES", "LABELS", "SETTINGS", "PATTERN_FILE"}
)
FOLDERS: Final = frozenset({"DIR"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    print(shtab.complete(every_parser(), args.shell))
    return 0


def every_parser() -> Parser:
    """One parser with all commands below it, files and folders marked for completion."""
    from ridgeline.engine.cli.commands import every
    from ridgeline.engine.cli.main import fill

    whole = Parser("ridgeline", "Vectorized batch anomaly detection over whole fleets of metric time series.")
    whole.add_argument("-V", "--version", action="store_true", help="print the version")
    commands = whole.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for command in every():
        parser = commands.add_parser(command.NAME, help=command.SUMMARY, description=command.SUMMARY)
        fill(parser, command)
    _mark(whole)
    return whole


def _mark(parser: argparse.ArgumentParser) -> None:
    import shtab

    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to its arguments
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in dict.fromkeys(action.choices.values()):
                _mark(below)
        elif action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.type is Path or action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
