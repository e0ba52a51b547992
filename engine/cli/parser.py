"""The argument parser of every command, whose errors take one line, and the types of their options."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """argparse, with one line per error, no abbreviated options, and texts shown as they are written."""

    def __init__(self, prog: str, description: str | None = None, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the options are explained; exit 2."""
        print(f"{self.prog}: {escape(message)} ({self.prog} --help explains the options)", file=sys.stderr)
        raise SystemExit(2)


def named(text: str) -> str:
    r"""Return a name as it is shown, for use as an argparse type: bytes that are no UTF-8 become `\xff`."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def option(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a parser of texts (`parse_duration`, ...) an argparse type: its InputError becomes a usage error."""

    def convert(text: str) -> T:
        try:
            return parse(named(text))
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def at_least(lowest: int) -> Callable[[str], int]:
    """Return an argparse type: a whole number not below `lowest`."""

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = lowest - 1
        if number < lowest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {lowest}")
        return number

    return convert


def finite(text: str) -> float:
    """Return a number that is neither NaN nor infinite; for use as an argparse type."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return number


def labels(text: str) -> tuple[str, ...]:
    """Return the labels of a comma-separated list, which may be empty; for use as an argparse type."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def names(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list; for use as an argparse type."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names nothing: write names separated by commas")
    return found
