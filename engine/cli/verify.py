"""`ridgeline verify`: compares verdicts with Skyline's own answers, and counts where `native` differs on purpose."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

NAME: Final = "verify"
SUMMARY: Final = "compare the votes with Skyline's own answers, and print the parity ledger"
GROUP: Final = "Look closer"
EPILOG: Final = """\
DIR holds sets: SET.parquet (metric, timestamp, value, as_of) beside SET.expected_analyzer.parquet and
SET.expected_batch.parquet (metric, outcome, nine votes, anomalous, datapoint, fragile).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder of parity sets")


def run(args: argparse.Namespace) -> int:
    """Print the report; 0 when nothing differs, else 1."""
    from ridgeline.engine.verify import verify

    report = verify(args.directory)
    print(report.render())
    return 0 if report.ok else 1
