"""`ridgeline tune`: chooses settings from a backtest's stored scores, and says what holds on data they were not chosen on."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.parser import at_least, finite
from ridgeline.engine.cli.parser import labels as label_names
from ridgeline.io.text import escape

NAME: Final = "tune"
SUMMARY: Final = "choose settings from a backtest's scores, and see what holds on data they were not chosen on"
GROUP: Final = "Replay history"
EPILOG: Final = """\
examples:
  ridgeline tune out/ --labels labels.csv --output tuned.toml
  ridgeline tune day/ week/ month/ --labels labels.csv --max-pages-per-day 20
  ridgeline tune out/ --max-pages-per-day 20
DIR is the output of `ridgeline backtest`; of several, which differ by their window for one, the first is today's.
Everything is picked on one half of the history and told of the other, many times over. FILE is a configuration that
`config check`, `backtest` and `run` take as it is: today's settings where no gain is proven. docs/tuning.md tells how.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="output folders of backtests of the same steps")
    add("--labels", type=Path, metavar="FILE", help="labelled windows or points, as `evaluate` takes them")
    add("--max-pages-per-day", type=_above_zero, metavar="NUMBER", help="a budget: pages a day, of the whole history")
    add("--max-false-alarms", type=_above_zero, metavar="NUMBER", help="a budget: false alarms per metric and week")
    add(
        "--metric",
        choices=("events", "nab"),
        default="events",
        help="what is to be large: F1 of `evaluate --metric events`, or NAB's score (default: %(default)s)",
    )
    add(
        "--for",
        dest="purpose",
        choices=("run", "backtest"),
        default="run",
        help="whose rules may be chosen (default: %(default)s)",
    )
    add("--folds", type=at_least(1), default=50, metavar="N", help="halves that are held out (default: %(default)s)")
    add("--seed", type=int, default=0, metavar="N", help="deals other halves (default: %(default)s)")
    add("--threads", type=at_least(1), metavar="N", help="default: as many as there are CPUs")
    add(
        "--labels-from", type=label_names, metavar="NAMES", help="columns of FILE that are part of the names of metrics"
    )
    add("--output", type=Path, metavar="FILE", help="write a configuration with the settings to use")
    add("--json", action="store_true", help="print one JSON object, and nothing else, on standard output")


def _above_zero(text: str) -> float:
    number = finite(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return number


def run(args: argparse.Namespace) -> int:
    """Choose, write, print: 0; InputError (2) where nothing could be chosen by."""
    from ridgeline.engine.evaluate.labels import read_labels
    from ridgeline.engine.report.files import dumps
    from ridgeline.engine.tune.job import TUNE_JSON, tune_backtests
    from ridgeline.engine.tune.nested import Aim
    from ridgeline.engine.tune.render import render
    from ridgeline.engine.tune.tuning import Tuning

    labelled = args.labels is not None
    aim = Aim.asked(args.metric, args.max_pages_per_day, args.max_false_alarms, labelled=labelled)
    tuning = Tuning(
        folders=args.folders,
        labels=read_labels(args.labels, args.labels_from or ()) if labelled else None,
        aim=aim,
        folds=args.folds,
        seed=args.seed,
        purpose=args.purpose,
        threads=args.threads or len(os.sched_getaffinity(0)),
        say=lambda sentence: print(f"ridgeline: {escape(sentence)}", file=sys.stderr),
        terminal=sys.stderr,
    )
    tuned = tune_backtests(tuning, args.output, args.labels)
    if args.json:
        print(dumps(tuned.as_json()))
        return 0
    for line in render(tuned):
        print(escape(line))
    written = [args.folders[0] / TUNE_JSON, *([args.output] if args.output else [])]
    print(f"\nwrote {' and '.join(escape(str(path)) for path in written)}")
    return 0
