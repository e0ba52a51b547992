"""Options of nearly every command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

USUAL: Final = Path("ridgeline.toml")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare which configuration a command goes by."""
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        default=USUAL,
        metavar="FILE",
        help="configuration (default: %(default)s)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare that the outcome may be had as JSON."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, and nothing else, on standard output"
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Declare that only what goes wrong is to be said."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary, only what goes wrong")
