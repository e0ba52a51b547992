"""`ridgeline backtest`: replays a dataset through the algorithms that page."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.cli.options import add_analysis, configuration
from ridgeline.engine.cli.parser import at_least, option
from ridgeline.engine.units import parse_duration, parse_instant, parse_size
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.backtest.part import Job
    from ridgeline.engine.config.model import Config

NAME: Final = "backtest"
SUMMARY: Final = "replay months of Parquet history, every step judged as `run` would have"
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
    add("dataset", metavar="DATASET", help="Parquet file, folder or glob with metric, timestamp, value")
    add("--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    add(
        "--from",
        dest="start",
        type=option(parse_instant),
        metavar="T",
        help="first step written, ISO 8601 or epoch; earlier points warm the window",
    )
    add("--to", dest="end", type=option(parse_instant), metavar="T", help="steps before this are written")
    add(
        "--every",
        type=option(parse_duration),
        metavar="5m",
        help="write only the last step of each bucket of this length",
    )
    add("--no-scores", action="store_true", help="write incidents and manifest only")
    add("--max-memory", type=option(parse_size), metavar="SIZE", help="for grouping data by metric (default: 2GiB)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=at_least(1), default=0, metavar="N", help="local Dask cluster of N processes")
    where.add_argument("--scheduler", metavar="URL", help="Dask scheduler, tcp://HOST:8786")
    add("--resume", action="store_true", help="continue a backtest that was stopped")
    add("--plot", metavar="METRIC", help="also draw this metric to DIR/METRIC.png")
    add("--labels", type=Path, metavar="L", help="labelled windows to shade in the picture")
    add("--json", action="store_true", help="print the manifest, and nothing else, on standard output")
    add_analysis(parser, window="--window")


def run(args: argparse.Namespace) -> int:
    """Replay, write, summarise: 0; 70 when parts of the dataset could not be read."""
    from ridgeline.engine.backtest.driver import Backtest, Where
    from ridgeline.engine.score.scorer import available_threads

    def say(sentence: str) -> None:
        print(escape(sentence), file=sys.stderr)

    config = configuration(args)
    backtest = Backtest(
        dataset=args.dataset,
        job=_job(args, config),
        where=Where(config.run.threads or available_threads(), args.workers, args.scheduler),
        max_memory=config.run.max_memory if args.max_memory is None else args.max_memory,
        resume=args.resume,
        say=say,
        terminal=sys.stderr,
    )
    manifest = backtest.run()
    if args.plot:
        say(f"drawn: {_plot(args)}")
    print(json.dumps(manifest) if args.json else _summary(manifest))
    return PARTIAL if manifest["unreadable"] else 0


def _job(args: argparse.Namespace, config: Config) -> Job:
    """The job that options and configuration describe."""
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.backtest.part import Job
    from ridgeline.engine.replay.matrix import ReplayPlan
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.engine.rules.user_algorithms import load_user_algorithms
    from ridgeline.engine.score.plan import algorithm_names
    from ridgeline.engine.score.scorer import base_policy
    from ridgeline.io.errors import InputError

    if args.start is not None and args.end is not None and args.start >= args.end:
        raise InputError("--from must be before --to")
    analysis = config.analysis
    user = load_user_algorithms(analysis.modules, algorithm_names())
    everything = (AlertRow(".", ("console",)),)
    return Job(
        output=str(args.output),
        plan=ReplayPlan(
            profile_named(analysis.profile), analysis.full_duration, args.start, args.end, args.every, user
        ),
        policy=base_policy(analysis, (*algorithm_names(), *(found.name for found in user))),
        overrides=config.overrides,
        alerts=config.alerts or everything,
        keep_scores=not args.no_scores,
    )


def _plot(args: argparse.Namespace) -> Path:
    """Draw one metric from the written scores."""
    from ridgeline.engine.backtest.plot import draw
    from ridgeline.engine.backtest.stored import read_metric
    from ridgeline.engine.evaluate.labels import read_labels
    from ridgeline.io.text import file_name

    labels = read_labels(args.labels).windows.get(args.plot, ()) if args.labels else ()
    steps, names = read_metric(args.output, args.plot)
    target: Path = args.output / file_name(args.plot, ".png")
    draw(steps, names, labels, target)
    return target


def _summary(manifest: dict[str, Any]) -> str:
    rate = manifest["steps"] / manifest["seconds"] if manifest["seconds"] else 0.0
    per_week = manifest["pages_per_week"]
    lines = [
        f"{manifest['steps']:,} steps of {manifest['metrics']:,} metrics in {manifest['seconds']:.1f} s ({rate:,.0f} steps/s)",
        "outcomes   " + ", ".join(f"{name} {count:,}" for name, count in manifest["outcomes"].items()),
        f"anomalies  {manifest['anomalous']:,} steps in {manifest['incidents']:,} incidents",
        f"pages      {manifest['pages']:,}" + (f", {per_week:,.1f} a week" if per_week is not None else ""),
    ]
    for title, key in (("reasons", "reasons"), ("repairs", "repairs")):
        if manifest[key]:
            lines.append(f"{title:<10} " + ", ".join(f"{name} {count:,}" for name, count in manifest[key].items()))
    if manifest["noisiest"]:
        lines.append("noisiest metrics")
        lines += [
            f"  {row['pages']:>5} pages  {row['anomalous']:>7} anomalous steps  {row['metric']}"
            for row in manifest["noisiest"]
        ]
    lines += [f"unreadable: {problem}" for problem in manifest["unreadable"]]
    return "\n".join(lines)
