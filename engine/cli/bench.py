"""`ridgeline bench`: how fast this machine is, what limits it, which settings to use."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.cli.parser import at_least
from ridgeline.engine.rules.judgement import CONSENSUS, PAGES

if TYPE_CHECKING:
    from ridgeline.bench.axes import Axes
    from ridgeline.bench.row import Row

NAME: Final = "bench"
SUMMARY: Final = "measure this machine: every stage, against its own limits and other tools"
GROUP: Final = "Measure"
EPILOG: Final = """\
scenarios: kernels, decode, load, run, memory, rules, alerts, cold-start, replay, operate, manage
(default: all)
examples:
  ridgeline bench kernels run
  ridgeline bench --json now.json && ridgeline bench --compare now.json
  ridgeline bench --tune --metrics 20000
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("scenarios", nargs="*", metavar="SCENARIO", help="what to measure")
    add("--metrics", type=at_least(10), metavar="N", default=4000, help="size of the fleet (default: %(default)s)")
    add("--points", type=at_least(10), metavar="N", default=1440, help="points per series (default: %(default)s)")
    add(
        "--resolution",
        type=at_least(1),
        default=60,
        metavar="SECONDS",
        help="seconds between points (default: %(default)s)",
    )
    add("--threads", type=_integers, default=(1, 2), metavar="NUMBERS", help="thread counts (default: 1,2)")
    add("--chunk", type=_integers, default=(100,), metavar="NUMBERS", help="keys per call to Redis (default: 100)")
    add("--block", type=_integers, default=(1024,), metavar="NUMBERS", help="rows per kernel call (default: 1024)")
    add("--mix", default="mix", metavar="NAME", help="mix, noise, walk or integers (default: %(default)s)")
    add(
        "--steps",
        type=at_least(2000),
        metavar="N",
        default=525_600,
        help="steps that replay takes (default: a year of minutes)",
    )
    add(
        "--runs", type=at_least(1), metavar="N", default=7, help="repetitions; the median counts (default: %(default)s)"
    )
    add(
        "--delta",
        type=at_least(1),
        metavar="N",
        default=1,
        help="new points from one warm run to the next (default: 1)",
    )
    add(
        "--spikes",
        type=_share,
        metavar="NUMBER",
        default=0.01,
        help="points that stand out, in warm runs (default: 0.01)",
    )
    add(
        "--counters", type=_share, metavar="NUMBER", default=0.3, help="metrics that count, in warm runs (default: 0.3)"
    )
    add(
        "--rule",
        choices=[CONSENSUS, PAGES],
        default=CONSENSUS,
        help="measure warm runs by this rule too (default: %(default)s alone)",
    )
    add(
        "--warm-only", action="store_true", help="of `run`, measure warm runs only, also of fleets too large for memory"
    )
    add("--redis", metavar="URL", help="an empty Redis to use instead of one of its own")
    add("--no-yardsticks", action="store_true", help="leave out polars, bottleneck + numbagg and pandas")
    add("--oracle", metavar="DIR", help="tests/ of a checkout: adds the readable twins as a yardstick")
    add("--json", type=Path, metavar="FILE", help="write all rows to a file")
    add("--compare", type=Path, metavar="FILE", help="compare with an older run; exit 1 if something got slower")
    add("--plot", type=Path, metavar="DIR", help="draw scaling by threads, points and chunk into DIR instead")
    add("--tune", action="store_true", help="sweep threads and chunk size, print the lines for ridgeline.toml")


def run(args: argparse.Namespace) -> int:
    """Measure and print; 1 when --compare finds something slower."""
    from ridgeline.io.disk.target import check_target

    axes = _axes(args)
    if args.plot:
        from ridgeline.bench.plot import draw
        from ridgeline.engine.backtest.manifest import cpu

        for path in draw(axes, args.plot, cpu()):
            print(path)
        return 0
    if args.tune:
        from ridgeline.bench import tune

        swept = list(tune.sweep(axes))
        _show(swept)
        print(tune.lines(swept))
        return 0
    if args.json:
        check_target(args.json)  # before minutes of measuring
    if args.compare:
        from ridgeline.bench.compare import read_rows

        read_rows(args.compare)
    rows = _measure(args.scenarios, axes)
    _show(rows)
    if args.json:
        _write(args.json, rows)
    return _compare(rows, args.compare) if args.compare else 0


def _axes(args: argparse.Namespace) -> Axes:
    from ridgeline.bench.axes import Axes

    return Axes(
        metrics=args.metrics,
        points=args.points,
        step=args.resolution,
        threads=args.threads,
        chunk=args.chunk,
        block=args.block,
        mix=args.mix,
        runs=args.runs,
        redis=args.redis,
        oracle=args.oracle,
        yardsticks=not args.no_yardsticks,
        delta=args.delta,
        spikes=args.spikes,
        counters=args.counters,
        rule=args.rule,
        warm_only=args.warm_only,
        extra={"steps": str(args.steps)},
    )


def _measure(asked: list[str], axes: Axes) -> list[Row]:
    from ridgeline.bench.scenarios import every
    from ridgeline.io.errors import InputError

    known = every()
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise InputError(f"unknown scenario {unknown[0]!r}: choose from {', '.join(known)}")
    rows: list[Row] = []
    for name in asked or known:
        if sys.stderr.isatty():
            print(f"measuring {name}: {known[name].SUMMARY}", file=sys.stderr)
        rows += known[name].measure(axes)
    return rows


def _show(rows: list[Row]) -> None:
    from ridgeline.bench.table import render
    from ridgeline.engine.backtest.manifest import cpu

    print(f"{cpu()}\n")
    print(render(rows))


def _write(target: Path, rows: list[Row]) -> None:
    from ridgeline.engine.backtest.manifest import cpu, versions
    from ridgeline.io.disk.atomic import write_atomic

    document: dict[str, Any] = {"cpu": cpu(), "versions": versions(), "rows": [row.as_json() for row in rows]}
    write_atomic(target, json.dumps(document, indent=2).encode())


def _compare(rows: list[Row], old: Path) -> int:
    from ridgeline.bench.compare import compare, render

    changes = compare(rows, old)
    print(f"\nagainst {old}\n{render(changes)}")
    return 1 if any(change.verdict == "slower" for change in changes) else 0


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("a share lies between 0 and 1")
    return share


def _integers(text: str) -> tuple[int, ...]:
    return tuple(at_least(1)(part) for part in text.split(","))
