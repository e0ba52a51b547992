"""`ridgeline batch`: judge every point that came since a metric was last judged, each as of itself, once."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.actions import show
from ridgeline.engine.cli.common import USUAL, add_config, add_quiet
from ridgeline.engine.cli.parser import Parser, option
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of
from ridgeline.engine.cli.telling import tell, tell_warnings
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.units import parse_duration, parse_instant

if TYPE_CHECKING:
    from ridgeline.engine.batch.summary import Summary
    from ridgeline.engine.batch.turn import Request
    from ridgeline.engine.config.model import Config

NAME: Final = "batch"
SUMMARY: Final = "judge every point that came late or in bursts, each as of itself, once"
GROUP: Final = "Score a fleet"
DEADLINE: Final = 290.0  # seconds, Skyline's own
GRACE: Final = 10.0  # seconds beyond it for recording what was judged; what takes longer hangs
EPILOG: Final = """\
examples:
  ridgeline batch -q                            from cron: what `run` queued of the metrics of [batch] match
  ridgeline batch --match jobs.                 what is new of these metrics, queued or not
  ridgeline batch --all --reprocess 2026-11-01  judge once more from there on; nobody is alerted
  ridgeline batch list                          metrics that fail, and why
  ridgeline batch --input data/ --state batch.db   without Redis: what is new in files that grow, and alerts on it
How far each metric was judged moves only past what is recorded: a pass that is killed loses nothing and repeats nothing that
it had done. What it finds is alerted on by the next `ridgeline run`. Exit codes: 0 ok; 2 configuration; 69 source unavailable; 70 partial;
74 files not written; 75 another pass is at work; 77 authentication; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", parser_class=Parser)
    listing = actions.add_parser(
        "list", help="metrics that fail and when", description="Metrics whose batch fails, and why."
    )
    for one in (parser, listing):
        add_config(one)
        one.add_argument("--json", action="store_true", help="print JSON, and nothing else, on standard output")
    listing.set_defaults(act=_list)
    _add_files(parser, listing)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every metric of the source, queued or not")
    which.add_argument(
        "--match",
        type=option(parse_pattern),
        metavar="PATTERN",
        help="every metric that matches (part of a name, or an expression), queued or not",
    )
    parser.add_argument(
        "--reprocess",
        type=option(parse_instant),
        metavar="INSTANT",
        help="judge points from this instant on, judged before or not; nobody is alerted",
    )
    parser.add_argument(
        "--deadline",
        type=option(parse_duration),
        default=DEADLINE,
        metavar="DURATION",
        help="stop after so long; what is left is done next time (default: 290 s)",
    )
    parser.add_argument("--dry-run", action="store_true", help="judge, and write nothing")
    add_quiet(parser)


def _add_files(parser: argparse.ArgumentParser, listing: argparse.ArgumentParser) -> None:
    """Declare what a pass without Redis works on."""
    parser.add_argument("--input", metavar="DIR", help=f"without Redis: what is new in files that grow, {READS}")
    for one in (parser, listing):
        one.add_argument(
            "--state",
            type=Path,
            metavar="FILE",
            help="without Redis: the file that remembers how far each metric was judged (default: [output] state)",
        )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="with --input: the folder for verdicts, as Parquet (default: `batch` in [output] directory, if there is one)",
    )
    add_shape(parser)


def run(args: argparse.Namespace) -> int:
    """Work off what is due, or do what the action says; the exit code."""
    if "act" in args:
        return int(args.act(args))
    from ridgeline.engine.cli.watchdog import in_time

    return in_time(args, float(args.deadline) + GRACE, partial(_work, args), "pass")


def _work(args: argparse.Namespace) -> int:
    from ridgeline.engine.batch.turn import Request
    from ridgeline.engine.report.progress import Progress
    from ridgeline.io.errors import InputError

    if args.reprocess is not None and args.input is None and not args.all and args.match is None:
        raise InputError("--reprocess judges metrics once more: say which, with --match PATTERN or --all")
    if args.input is None and (args.output is not None or args.state is not None):
        raise InputError("--state and --output are for a pass without Redis: say over which files, with --input")
    config = _configuration(args)
    tell_warnings(config.warnings)
    with Progress("metrics", None if args.json or args.quiet else sys.stderr) as progress:
        request = Request(
            config,
            everything=args.all,
            match=args.match,
            reprocess=args.reprocess,
            deadline=float(args.deadline),
            dry_run=args.dry_run,
            progress=progress.add,
        )
        summary = _pass(args, request)
    remark = ["dry run: nothing was written"] if args.dry_run else []
    return tell(args, summary, lambda: [summary.as_text(), *remark])


def _configuration(args: argparse.Namespace) -> Config:
    """The configuration; over files the defaults, where none is there and none was named."""
    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.config.model import Config

    if args.state is not None and args.config == USUAL and not USUAL.exists():
        return Config()
    return load_config(args.config)


def _pass(args: argparse.Namespace, request: Request) -> Summary:
    from ridgeline.engine.batch.once import batch_once

    if args.input is None:
        return batch_once(request)
    from ridgeline.engine.batch.growing import Growing, batch_files
    from ridgeline.engine.batch.results import FOLDER

    config = request.config
    folder = config.output.directory
    output = args.output or (None if folder is None else folder / FOLDER)
    shape = shape_of(args, config.source.each["parquet"].labels_from)
    return batch_files(request, Growing(args.input, _state(args, config), output, shape, args.json))


def _state(args: argparse.Namespace, config: Config) -> Path:
    from ridgeline.io.errors import InputError

    state: Path | None = args.state or config.output.state
    if state is None:
        raise InputError("how far each metric was judged must be kept somewhere: name a file with --state")
    return state


def _list(args: argparse.Namespace) -> int:
    from ridgeline.engine.batch.listing import list_parked, list_parked_of

    config = _configuration(args)
    found = list_parked(config) if args.state is None else list_parked_of(args.state)
    show(args, found, (one.line() for one in found), "no metric's batch fails")
    return 0
