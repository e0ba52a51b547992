"""`ridgeline doctor`: whether a run would go well here, and what to change before it."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from ridgeline.engine.cli.common import add_config

NAME: Final = "doctor"
SUMMARY: Final = "look at everything that a run rests on, and say what to change"
GROUP: Final = "Operate"
SICK: Final = 2
EPILOG: Final = """\
examples:
  ridgeline doctor
  ridgeline doctor -c /etc/ridgeline/ridgeline.toml --json
Nothing is changed: rights in Redis are tried in ways that leave no trace, alerts are not sent (`ridgeline alert test` does).
Run it as the user that runs have. Exit codes: 0; 2 something is red.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")


def run(args: argparse.Namespace) -> int:
    """Look, tell each finding as it comes; 0, or 2 where one is red."""
    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.doctor.examine import Examination
    from ridgeline.engine.report.colour import Paint
    from ridgeline.engine.report.files import dumps
    from ridgeline.io.text import escape

    examination = Examination(load_config(args.config))
    paint = Paint.of(sys.stdout)
    for check in examination.checks():
        if args.json:
            continue
        remedy = f"\n        {'':<14} -> {escape(check.remedy)}" if check.remedy else ""
        print(
            f"{paint(f'{check.status:<7}', check.status)} {check.name:<14} {escape(check.detail)}{remedy}", flush=True
        )
    if args.json:
        print(dumps(examination.as_json()))
    return SICK if examination.sick else 0
