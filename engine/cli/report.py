"""`ridgeline report`: one page of HTML about a backtest."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.common import add_quiet
from ridgeline.engine.cli.parser import at_least, labels

NAME: Final = "report"
SUMMARY: Final = "one page of HTML about a backtest: fleet, algorithms, labels, pages, and every metric up close"
GROUP: Final = "Replay history"
EPILOG: Final = """\
examples:
  ridgeline report out/
  ridgeline report out/ --labels labels.csv --output monday.html
DIR is a folder of `ridgeline backtest` with scores; nothing is replayed. With --labels the page has precision and recall
over all thresholds and shades labelled windows; where DIR holds tune.json of `ridgeline tune`, its frontier. The page is one
file and opens without a network. Needs plotly: pip install 'ridgeline[report]'. Exit codes: 0; 2 no backtest with scores,
labels that cannot be read, a page that would replace what is no file; 74 where it cannot be written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="a backtest's output folder")
    add("--labels", type=Path, metavar="FILE", help="labelled windows or points, as `ridgeline evaluate` reads them")
    add("--output", type=Path, metavar="FILE", help="the page (default: report.html in DIR)")
    add(
        "--metrics",
        type=at_least(1),
        default=200,
        metavar="N",
        help="hold at most so many metrics in full, the noisiest and the labelled first (default: %(default)s)",
    )
    add("--labels-from", type=labels, default=(), metavar="NAMES", help="columns of the labels that are part of names")
    add_quiet(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page and say where it is; 0."""
    from ridgeline.engine.page.write import write_page

    written = write_page(args.folder, args.labels, args.output, metrics=args.metrics, labels_from=args.labels_from)
    if not args.quiet:
        print(
            f"wrote {written.path}: {written.size / 1e6:.1f} MB, {written.shown:,} of {written.metrics:,} metrics in full"
        )
    return 0
