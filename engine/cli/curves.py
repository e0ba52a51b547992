"""`ridgeline evaluate --metric ranges|vus`: their options, and what is told of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.parser import at_least, finite
from ridgeline.engine.evaluate.choices import BIASES, BUFFER, CARDINALITIES, Weighing
from ridgeline.io.errors import InputError

if TYPE_CHECKING:
    from ridgeline.engine.evaluate.detections import Detections
    from ridgeline.engine.evaluate.labels import Labels

ALL: Final = ("nab", "events", "fleet", "ranges")
USED_BY: Final = {
    "threshold": ALL,
    "expiry": ALL,
    "alpha": ("ranges",),
    "cardinality": ("ranges",),
    "bias": ("ranges",),
    "buffer": ("vus",),
}
SHOWN: Final = 5


def add_curves(parser: argparse.ArgumentParser) -> None:
    """Declare the options of both metrics."""
    parser.add_argument(
        "--alpha",
        type=finite,
        metavar="NUMBER",
        help="ranges: what finding a window at all is worth (0 to 1; default: 0.2)",
    )
    parser.add_argument(
        "--cardinality",
        choices=CARDINALITIES,
        help="ranges: whether a window found in pieces is worth less (default: reciprocal)",
    )
    parser.add_argument(
        "--bias",
        choices=BIASES,
        help="ranges: where in a window being found is worth most (default: flat)",
    )
    parser.add_argument(
        "--buffer",
        type=at_least(0),
        metavar="N",
        help="vus: longest buffer around windows, in median steps (default: 100)",
    )


def refuse_strangers(args: argparse.Namespace) -> None:
    """Raise InputError where an option was given that the metric has no use for."""
    for name, metrics in USED_BY.items():
        if getattr(args, name) is not None and args.metric not in metrics:
            raise InputError(f"--{name} says nothing to --metric {args.metric}: it is for {', '.join(metrics)}")


def some(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")


def print_ranges(args: argparse.Namespace, detections: list[Detections], labels: Labels) -> None:
    """Score ranges and print them."""
    from ridgeline.engine.evaluate.ranges import score_ranges

    chosen = {name: getattr(args, name) for name in ("alpha", "cardinality", "bias") if getattr(args, name) is not None}
    weighing = Weighing(**chosen)
    scored = score_ranges(detections, labels, args.threshold, weighing)
    if args.json:
        print(json.dumps({"metric": "ranges", "threshold": args.threshold, **asdict(weighing), **asdict(scored)}))
        return
    near = scored.affiliation
    print(f"ranges      {scored.alarms:,} of alarms, {scored.ranges:,} labelled" + _unseen(scored.unseen))
    print(f"precision   {_shown(scored.precision)}   recall {_shown(scored.recall)}   F1 {_shown(scored.f1)}")
    print(f"affiliation precision {_shown(near.precision)}   recall {_shown(near.recall)}")


def print_vus(args: argparse.Namespace, detections: list[Detections], labels: Labels) -> None:
    """Score the volumes under the surfaces and print them."""
    from ridgeline.engine.evaluate.vus import score_vus

    buffer = BUFFER if args.buffer is None else args.buffer
    scored = score_vus(detections, labels, buffer)
    if scored.unlabelled:
        print(
            f"ridgeline: {len(scored.unlabelled)} metrics have no labelled row, and no part in the means: {some(scored.unlabelled)}",
            file=sys.stderr,
        )
    if args.json:
        print(json.dumps({"metric": "vus", "buffer": buffer, **asdict(scored)}))
        return
    print(f"VUS-PR      {_shown(scored.vus_pr)}   VUS-ROC {_shown(scored.vus_roc)}   buffers up to {buffer} steps")
    print(f"metrics     {len(scored.metrics):,} with labels" + _unseen(scored.unseen))
    lowest = sorted(scored.metrics.items(), key=lambda one: one[1].vus_pr)
    for metric, one in lowest[:SHOWN]:
        print(f"            {_shown(one.vus_pr)}   {_shown(one.vus_roc)}   {metric}")


def _unseen(windows: int) -> str:
    return f" ({windows:,} windows hold no row)" if windows else ""


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
