"""`ridgeline backtest`: replays a dataset through the algorithms that page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.common import add_quiet
from ridgeline.engine.cli.options import add_analysis, configuration
from ridgeline.engine.cli.parser import at_least, named, names, option
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of
from ridgeline.engine.units import parse_duration, parse_instant, parse_size
from ridgeline.io.text import escape

NAME: Final = "backtest"
SUMMARY: Final = "replay months of history in files, every step judged as `run` would have"
GROUP: Final = "Replay history"
EPILOG: Final = """\
examples:
  ridgeline backtest history.parquet --output out/
  ridgeline backtest 'history/*.parquet' --output out/ --from 2024-01-01 --every 5m --plot web.requests
  ridgeline backtest s3-mirror/ --output out/ --workers 8 --resume
DIR gets scores/*.parquet (a row per step), anomalies.parquet (incidents) and manifest.json.
Score it against labels with `ridgeline evaluate DIR --labels LABELS`.
"""
PARTIAL: Final = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("dataset", metavar="DATASET", help=f"the history: {READS}")
    add("--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    add(
        "--from",
        dest="start",
        type=option(parse_instant),
        metavar="INSTANT",
        help="first step written, ISO 8601 or epoch; earlier points warm the window",
    )
    add("--to", dest="end", type=option(parse_instant), metavar="INSTANT", help="steps before this are written")
    add(
        "--every",
        type=option(parse_duration),
        metavar="DURATION",
        help="write only the last step of each bucket of this length",
    )
    add("--no-scores", action="store_true", help="write incidents and manifest only")
    add("--max-memory", type=option(parse_size), metavar="SIZE", help="for grouping data by metric (default: 2GiB)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=at_least(1), default=0, metavar="N", help="local Dask cluster of N processes")
    where.add_argument("--scheduler", metavar="URL", help="Dask scheduler, tcp://HOST:8786")
    add(
        "--rules",
        type=names,
        default=(),
        metavar="NAMES",
        help="also store what these rules make of every step: pages, ridgeline (docs/rules.md)",
    )
    add("--resume", action="store_true", help="continue a backtest that was stopped")
    add(
        "--plot",
        type=named,
        metavar="METRIC",
        help="also draw this metric into DIR; the file's name is printed. With --resume a finished backtest is only drawn",
    )
    add("--labels", type=Path, metavar="FILE", help="labelled windows to shade in the picture")
    add_shape(parser)
    add("--json", action="store_true", help="print the manifest, and nothing else, on standard output")
    add_quiet(parser)
    add_analysis(parser, window="--window")


def run(args: argparse.Namespace) -> int:
    """Replay, write, summarise: 0; 70 when parts of the dataset could not be read."""
    from ridgeline.engine.backtest.driver import Backtest, Where
    from ridgeline.engine.backtest.job import Job, Steps
    from ridgeline.engine.backtest.result import summary
    from ridgeline.engine.rules.judgement import rule_named
    from ridgeline.engine.score.scorer import available_threads

    def warn(sentence: str) -> None:
        print(escape(sentence), file=sys.stderr)

    def say(sentence: str) -> None:
        if not args.quiet:
            warn(sentence)

    draw = _picture(args) if args.plot else None
    config = configuration(args)
    backtest = Backtest(
        dataset=args.dataset,
        job=Job.of(
            config,
            args.output,
            Steps(args.start, args.end, args.every),
            keep_scores=not args.no_scores,
            rules=tuple(map(rule_named, args.rules)),
        ),
        where=Where(config.run.threads or available_threads(), args.workers, args.scheduler),
        max_memory=config.run.max_memory if args.max_memory is None else args.max_memory,
        shape=shape_of(args, config.source.each["parquet"].labels_from),
        resume=args.resume,
        wanted=args.plot,
        say=say,
        warn=lambda remark: warn(f"ridgeline: warning: {remark}"),
        terminal=None if args.quiet else sys.stderr,
    )
    manifest = backtest.run()
    if draw is not None:
        say(f"drawn: {draw()}")
    if args.json or not args.quiet:
        print(json.dumps(manifest) if args.json else summary(manifest))
    return PARTIAL if manifest["unreadable"] else 0


def _picture(args: argparse.Namespace) -> Callable[[], Path]:
    """Give what draws one metric from the written scores. Refuse before the replay what would fail after it."""
    from ridgeline.engine.backtest.plot import draw_backtest
    from ridgeline.engine.backtest.stored import read_metric
    from ridgeline.engine.evaluate.labels import read_labels
    from ridgeline.engine.report.plot import figure_class
    from ridgeline.io.errors import InputError
    from ridgeline.io.text import file_name

    if args.no_scores:
        raise InputError("--plot draws from the scores that --no-scores leaves out: give one of the two")
    figure_class()
    labels = read_labels(args.labels, args.labels_from or ()).windows.get(args.plot, ()) if args.labels else ()
    target: Path = args.output / file_name(args.plot, ".png")

    def draw() -> Path:
        steps, names = read_metric(args.output, args.plot)
        draw_backtest(steps, names, labels, target)
        return target

    return draw
