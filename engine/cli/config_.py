"""`ridgeline config`: an example, every problem at once, what is in force, help for editors, Skyline's settings."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.parser import Parser

NAME: Final = "config"
SUMMARY: Final = "write an example configuration, check one, show what is in force, import Skyline's"
GROUP: Final = "Get started"
EPILOG: Final = """\
examples:
  ridgeline config init                 write ridgeline.toml; an existing file is never overwritten
  ridgeline config init - | less        read the example
  ridgeline config check ridgeline.toml
  ridgeline config show                 every key, its value, and where that comes from
  ridgeline config schema > ridgeline.schema.json     for editors: docs/operations.md says how
  ridgeline config import settings.py                 Skyline's settings, read without executing them
"""
IMPORT_EPILOG: Final = """\
Every line of the result says which setting it comes from; what has no place in it is listed with its line and why.
Secrets go to files of their own beside FILE, in FILE.secrets, readable by you alone; on the terminal (-), the result
names environment variables instead.
"""
DEFAULT: Final = "ridgeline.toml"
STANDARD_INPUT: Final = Path("<stdin>")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(
        dest="action", title="actions", metavar="ACTION", required=True, parser_class=Parser
    )
    for name, summary in (
        ("init", "write an example file"),
        ("check", "report every problem of a file at once"),
        ("show", "print every key with the value in force and where it comes from; secrets are masked"),
    ):
        action = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        action.add_argument(
            "path",
            nargs="?",
            default=DEFAULT,
            metavar="FILE",
            help="the file (default: %(default)s; - is the terminal)",
        )
        if name == "show":
            action.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    summary = "translate a Skyline settings file, which is read and never executed"
    action = actions.add_parser(
        "import", help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=IMPORT_EPILOG
    )
    action.add_argument("settings", type=Path, metavar="SETTINGS", help="Skyline's settings.py")
    action.add_argument(
        "path",
        nargs="?",
        default=DEFAULT,
        metavar="FILE",
        help="the file to write (default: %(default)s; - is the terminal); none is ever overwritten",
    )
    summary = "print a JSON schema of the file, for editors"
    actions.add_parser("schema", help=summary, description=f"{summary[0].upper()}{summary[1:]}.")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; 0, or 2 with every problem on a line of its own."""
    match args.action:
        case "init":
            return _init(args.path)
        case "check":
            return _check(args.path)
        case "show":
            return _show(args.path, json=args.json)
        case "import":
            return _import(args.settings, args.path)
        case _:
            return _schema()


def _init(path: str) -> int:
    from ridgeline.engine.config.template import TEMPLATE
    from ridgeline.io.disk.atomic import write_atomic

    if path == "-":
        print(TEMPLATE, end="")
        return 0
    _refuse_existing(path)
    write_atomic(Path(path), TEMPLATE.encode())
    print(f"wrote {path}; change what you need, then: ridgeline config check {path}")
    return 0


def _import(settings: Path, path: str) -> int:
    from ridgeline.engine.config.skyline.importing import import_settings
    from ridgeline.io.text import escape

    if path != "-":
        _refuse_existing(path)
    imported = import_settings(settings, None if path == "-" else Path(path))
    if path == "-":
        print(imported.text, end="")
    said = sys.stderr if path == "-" else sys.stdout
    for line in imported.left_out:
        print(f"left out: {escape(line)}", file=said)
    for line in imported.remarks:
        print(f"to look at: {escape(line)}", file=said)
    if path != "-":
        secrets = f" and {len(imported.secrets)} secrets in {imported.folder}" if imported.secrets else ""
        print(f"wrote {path}{secrets}; now: ridgeline config check {path}")
    return 0


def _refuse_existing(path: str) -> None:
    from ridgeline.io.errors import InputError

    if os.path.lexists(path):
        raise InputError(f"{path} exists already and is left as it is; give another path, or - for the terminal")


def _raw(path: str) -> tuple[bytes, Path]:
    """The bytes of a file, or of standard input, and what it is called."""
    from ridgeline.engine.config.load import LARGEST, read_file

    if path == "-":
        return sys.stdin.buffer.read(LARGEST + 1), STANDARD_INPUT
    return read_file(Path(path)), Path(path)


def _check(path: str) -> int:
    from ridgeline.engine.alerts.idle import idle_rules
    from ridgeline.engine.cli.telling import tell_warnings
    from ridgeline.engine.config.load import parse_config
    from ridgeline.engine.rules.trial import try_out
    from ridgeline.engine.run.plan import lacking_pictures

    config = parse_config(*_raw(path), trial=try_out)
    tell_warnings((*config.warnings, *idle_rules(config.alerts, config.analysis.skip), *lacking_pictures(config)))
    counts = f"{len(config.overrides)} overrides, {len(config.alerts)} alerts"
    print(f"{path}: ok ({config.source.kind} source, {counts}, profile {config.analysis.profile})")
    return 0


def _show(path: str, *, json: bool) -> int:
    from ridgeline.engine.config.effective import as_text, settings
    from ridgeline.engine.config.load import examine
    from ridgeline.engine.report.files import dumps
    from ridgeline.io.text import escape

    raw, name = _raw(path)
    found = settings(examine(raw, name)[1], str(name))
    if json:
        print(dumps([one.as_json() for one in found]))
    else:
        for line in as_text(found):
            print(escape(line))
    return 0


def _schema() -> int:
    from ridgeline.engine.config.schema import schema
    from ridgeline.engine.report.files import dumps

    print(dumps(schema()))
    return 0
