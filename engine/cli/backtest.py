"""`ridgeline backtest`: replays a dataset through the algorithms that page."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ridgeline.engine.backtest.part import Job

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
    add("--config", type=Path, metavar="C", help="ridgeline.toml: profile, overrides, alert expirations")
    add(
        "--from",
        dest="start",
        metavar="T",
        help="first step written, ISO 8601 or epoch; earlier points warm the window",
    )
    add("--to", dest="end", metavar="T", help="steps before this are written")
    add("--every", metavar="5m", help="of each aligned bucket of this length write only the last step")
    add("--window", metavar="24h", help="length of the window (default: full_duration, 24h)")
    add("--profile", help="native, earthgecko, earthgecko_batch or etsy (default: native)")
    add("--consensus", type=int, metavar="K", help="True votes that make an anomaly (default: 6)")
    add("--algorithms", metavar="A,B", help="only these algorithms")
    add("--no-scores", action="store_true", help="write incidents and manifest only")
    add("--max-memory", default="2GiB", metavar="SIZE", help="for shuffling unclustered data (default: %(default)s)")
    add("--threads", type=int, metavar="N", help="threads of this process (default: all CPUs)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=0, metavar="N", help="local Dask cluster of N processes")
    where.add_argument("--scheduler", metavar="URL", help="Dask scheduler, tcp://HOST:8786")
    add("--resume", action="store_true", help="continue a backtest that was stopped")
    add("--plot", metavar="METRIC", help="also draw this metric to DIR/METRIC.png")
    add("--labels", type=Path, metavar="L", help="labelled windows to shade in the picture")
    add("--json", action="store_true", help="print the manifest as JSON")


def run(args: argparse.Namespace) -> int:
    """Replay, write, summarise: 0; 70 when parts of the dataset could not be read."""
    from ridgeline.engine.backtest.driver import Backtest, Where, default_threads
    from ridgeline.engine.durations import parse_size

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr)

    threads = args.threads or default_threads()
    backtest = Backtest(
        dataset=args.dataset,
        job=_job(args),
        where=Where(threads, args.workers, args.scheduler),
        max_memory=parse_size(args.max_memory),
        resume=args.resume,
        say=say,
        terminal=sys.stderr,
    )
    manifest = backtest.run()
    if args.plot:
        say(f"drawn: {_plot(args)}")
    print(json.dumps(manifest) if args.json else _summary(manifest))
    return PARTIAL if manifest["unreadable"] else 0


def _job(args: argparse.Namespace) -> Job:
    """The job that options and configuration describe; options win."""
    raise NotImplementedError


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
