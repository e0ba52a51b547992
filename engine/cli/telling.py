"""What commands tell of: warnings of the configuration and problems on standard error, a report on standard output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ridgeline.io.text import escape


class Report(Protocol):
    """What came of a pass: `problems` are sentences, `exit` is the exit code."""

    @property
    def problems(self) -> Iterable[str]:
        """What went wrong."""

    @property
    def exit(self) -> int:
        """The exit code."""

    def as_json(self) -> Mapping[str, Any]:
        """The report as one JSON object."""


def tell_warnings(warnings: Iterable[str]) -> None:
    """Say what works but should be changed."""
    for warning in warnings:
        print(f"ridgeline: warning: {escape(warning)}", file=sys.stderr)


def tell_problems(problems: Iterable[str]) -> None:
    """Say what went wrong."""
    for problem in problems:
        print(f"ridgeline: {escape(problem)}", file=sys.stderr)


def tell(args: argparse.Namespace, report: Report, lines: Callable[[], Iterable[str]]) -> int:
    """Say what went wrong, then what came of it: as JSON, as lines, or with --quiet not at all. The exit code."""
    tell_problems(report.problems)
    if args.json:
        from ridgeline.engine.report.files import dumps

        print(dumps(report.as_json()))
    elif not args.quiet:
        for line in lines():
            print(line)
    sys.stdout.flush()
    return report.exit
