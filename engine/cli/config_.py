"""`ridgeline config init | check`: write a commented example; report every problem of a file at once."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

NAME: Final = "config"
SUMMARY: Final = "write an example configuration, or check one"
GROUP: Final = "Get started"
EPILOG: Final = """\
examples:
  ridgeline config init                 write ridgeline.toml; an existing file is never overwritten
  ridgeline config init - | less        read the example
  ridgeline config check ridgeline.toml
"""
DEFAULT: Final = Path("ridgeline.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("action", choices=("init", "check"), help="write an example file, or check a file")
    parser.add_argument(
        "path",
        nargs="?",
        default=str(DEFAULT),
        metavar="PATH",
        help="the file (default: %(default)s; - is the terminal)",
    )


def run(args: argparse.Namespace) -> int:
    """Write or check; 0, or 2 with every problem on a line of its own."""
    return _init(args.path) if args.action == "init" else _check(args.path)


def _init(path: str) -> int:
    from ridgeline.engine.config.template import TEMPLATE
    from ridgeline.io.disk.atomic import write_atomic
    from ridgeline.io.errors import InputError

    if path == "-":
        print(TEMPLATE, end="")
        return 0
    if os.path.lexists(path):
        raise InputError(f"{path} exists already and is left as it is; give another path, or - for the terminal")
    write_atomic(Path(path), TEMPLATE.encode())
    print(f"wrote {path}; change what you need, then: ridgeline config check {path}")
    return 0


def _check(path: str) -> int:
    from ridgeline.engine.config.load import LARGEST, load_config, parse_config
    from ridgeline.engine.rules.trial import try_out
    from ridgeline.io.text import escape

    if path == "-":
        config = parse_config(sys.stdin.buffer.read(LARGEST + 1), Path("<stdin>"), trial=try_out)
    else:
        config = load_config(Path(path), trial=try_out)
    for warning in config.warnings:
        print(f"ridgeline: warning: {escape(warning)}", file=sys.stderr)
    counts = f"{len(config.overrides)} overrides, {len(config.alerts)} alerts"
    print(f"{path}: ok ({config.source.kind} source, {counts}, profile {config.analysis.profile})")
    return 0
