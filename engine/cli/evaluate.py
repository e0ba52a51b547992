"""`ridgeline evaluate`: scores detections against labels."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.curves import add_curves, print_ranges, print_vus, refuse_strangers
from ridgeline.engine.cli.parser import at_least, finite, option
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of
from ridgeline.engine.evaluate.choices import ABOVE_ONE, EXPIRES, GRADED, THRESHOLD
from ridgeline.engine.units import parse_duration

if TYPE_CHECKING:
    from ridgeline.engine.evaluate.detections import Detections
    from ridgeline.engine.evaluate.labels import Labels

NAME: Final = "evaluate"
SUMMARY: Final = "score a backtest, or any detector's scores, against labels"
GROUP: Final = "Replay history"
EPILOG: Final = """\
examples:
  ridgeline evaluate out/ --labels labels.csv --metric events
  ridgeline evaluate scores.parquet --labels nab_labels.json --threshold 1.0
  ridgeline evaluate out/ --labels labels.csv --metric vus --score consensus_score
metrics: nab = NAB's score; events = alarms and windows; fleet = pages a day; ranges = range-based and affiliation precision and
recall; vus = volume under the ROC and precision-recall surfaces, at every threshold.
labels: NAB's JSON, or CSV, JSON lines, Arrow or Parquet with metric,start,end or metric,timestamp. Times are epoch seconds, ms, us or ns,
timestamps, dates, or ISO 8601 (UTC unless it says otherwise); a window without start or end is open on that side, and
an end that is only a date means that whole day. Rows may come in any order. With --labels-from, columns of these labels are
part of the names here too.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "scores", metavar="SCORES", help=f"backtest output folder, or metric,timestamp,score in {READS}"
    )
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE", help="labelled windows or points")
    parser.add_argument(
        "--metric",
        choices=tuple(EXPIRES),
        default="nab",
        help="what to compute (default: %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=finite,
        metavar="NUMBER",
        help=f"a score at or above it detects (default: {THRESHOLD}; with --score: above 1)",
    )
    parser.add_argument(
        "--consensus", type=at_least(1), metavar="N", help="re-decide a backtest's anomalies from its stored votes"
    )
    parser.add_argument(
        "--expiry",
        type=option(parse_duration),
        metavar="DURATION",
        help="a backtest's metric detects, of a fleet every metric pages, at most once in this time (default: nab 12h, events and fleet 1h, ranges 0s)",
    )
    parser.add_argument(
        "--score",
        metavar="NAME",
        help="score a backtest by this column: consensus_score, mean_score, grubbs_score, ...",
    )
    add_curves(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_shape(parser, value="score", series="--series")


def run(args: argparse.Namespace) -> int:
    """Read, score, print; 0, or InputError (2) for input that cannot be read."""
    from ridgeline.engine.evaluate.detections import read_detections
    from ridgeline.engine.evaluate.labels import read_labels

    refuse_strangers(args)
    if args.threshold is None:
        args.threshold = THRESHOLD if args.score is None else ABOVE_ONE
    labels = read_labels(args.labels, args.labels_from or ())
    expiry = args.expiry if args.expiry is not None else EXPIRES[args.metric]
    detections = read_detections(
        args.scores,
        consensus=args.consensus,
        expiry=0 if args.metric == "fleet" else expiry,
        shape=shape_of(args, value="score"),
        score=args.score or (GRADED if args.metric == "vus" else None),
        threshold=args.threshold,
    )
    _warn_unknown(labels, detections, "are left out" if args.metric == "vus" else "their windows count as missed")
    if args.metric == "fleet":
        _print_fleet(args, detections, labels, expiry)
    else:
        show = {"nab": _print_nab, "events": _print_events, "ranges": print_ranges, "vus": print_vus}[args.metric]
        show(args, detections, labels)
    return 0


def _warn_unknown(labels: Labels, detections: list[Detections], so: str) -> None:
    """Say which labelled metrics the scores do not hold, and what becomes of them."""
    from ridgeline.engine.evaluate.labels import unheard

    sentence = unheard(labels, {found.metric for found in detections}, so)
    if sentence is not None:
        print(f"ridgeline: {sentence}", file=sys.stderr)


def _print_nab(args: argparse.Namespace, detections: list[Detections], labels: Labels) -> None:
    from ridgeline.engine.evaluate.nab import score_corpus

    scored = score_corpus(detections, labels, args.threshold)
    if args.json:
        print(
            json.dumps(
                {"metric": "nab", "threshold": args.threshold, **{name: asdict(s) for name, s in scored.items()}}
            )
        )
        return
    print(f"NAB score at threshold {args.threshold:g}: {labels.count} windows, {len(detections)} metrics")
    for name, s in scored.items():
        print(f"  {name:<20} {s.score:8.2f}   raw {s.raw:.2f}")


def _print_events(args: argparse.Namespace, detections: list[Detections], labels: Labels) -> None:
    from ridgeline.engine.evaluate.events import score_events

    scored = score_events(detections, labels, args.threshold)
    if args.json:
        print(json.dumps({"metric": "events", "threshold": args.threshold, **asdict(scored)}))
        return

    def show(value: float | None, form: str = ".3f", unit: str = "") -> str:
        return "n/a" if value is None else f"{value:{form}}{unit}"

    print(f"alarms      {scored.alarms}, of them {scored.true_alarms} inside a labelled window")
    print(f"windows     {scored.windows}, of them {scored.found} found")
    print(f"precision   {show(scored.precision)}   recall {show(scored.recall)}   F1 {show(scored.f1)}")
    print(f"delay       mean {show(scored.mean_delay, '.0f', ' s')}, median {show(scored.median_delay, '.0f', ' s')}")
    print(
        f"false alarms per metric-week   {show(scored.false_alarms_per_metric_week)}   ({scored.metric_weeks:.1f} metric-weeks)"
    )


def _print_fleet(args: argparse.Namespace, detections: list[Detections], labels: Labels, expiry: int) -> None:
    from ridgeline.engine.evaluate.fleet import score_fleet

    scored = score_fleet(detections, labels, args.threshold, expiry)
    if args.json:
        print(json.dumps({"metric": "fleet", "threshold": args.threshold, **asdict(scored)}))
        return
    pages, grouped = scored.pages_per_day_per_2000_metrics, scored.grouped_per_day_per_2000_metrics
    if pages is not None and grouped is not None:
        print(f"pages       {pages:,.1f} a day per 2,000 metrics, grouped by service and 10 minutes {grouped:,.1f}")
    print(f"            of {scored.metrics:,} metrics without a label, {scored.metric_days:,.0f} metric-days")
    recall = "n/a" if scored.recall is None else f"{scored.recall:.3f}"
    print(f"windows     {scored.windows:,}, of them {scored.found:,} found: recall {recall}")
