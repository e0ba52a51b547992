"""`ridgeline export`: all that the source holds into an archive, in order of metrics."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.common import add_config, add_json, add_quiet
from ridgeline.engine.cli.parser import option
from ridgeline.engine.cli.telling import tell_problems
from ridgeline.engine.units import parse_duration, parse_instant

if TYPE_CHECKING:
    from ridgeline.engine.archive.export import Exported
    from ridgeline.engine.config.model import Config

NAME: Final = "export"
SUMMARY: Final = "add what the source holds to a Parquet archive, and put the archive in order"
GROUP: Final = "Replay history"
EPILOG: Final = """\
examples:
  ridgeline export                            into [archive] directory of ridgeline.toml
  ridgeline export history/ --since 2024-03-01
from cron, every night, where `ridgeline run --archive` runs each minute:
  30 0 * * *  /path/to/.venv/bin/ridgeline export -q -c /etc/ridgeline/ridgeline.toml
What is archived already is not added again; late points are. Days before `[archive] keep` are removed. `backtest`, `score`
and `explain --input` read the folder. Exit codes: 0 ok; 2 configuration; 69 source unavailable; 70 a day could not be put
in order; 74 not written; 75 another process writes there; 77 authentication.
"""
PARTIAL: Final = 70
LONGEST: Final = 86400.0  # seconds for reading
PATIENCE: Final = 120.0  # seconds for a run that archives: longer than its deadline, as a rule


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config(parser)
    parser.add_argument(
        "directory", nargs="?", type=Path, metavar="DIR", help="the archive (default: [archive] directory)"
    )
    parser.add_argument(
        "--since",
        type=option(_instant),
        metavar="INSTANT",
        help="only points since then: an instant, or a time ago (24h)",
    )
    add_json(parser)
    add_quiet(parser)


def run(args: argparse.Namespace) -> int:
    """Export and say what came of it: 0; 70 where a day could not be put in order."""
    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.report.text import number
    from ridgeline.io.errors import InputError

    config = load_config(args.config)
    directory = config.archive.directory if args.directory is None else args.directory
    if directory is None:
        raise InputError("name a folder for the archive, or `[archive] directory` in the configuration")
    began = time.perf_counter()
    done = _export(args, config, directory)
    seconds = time.perf_counter() - began
    tell_problems(done.problems)
    if args.json:
        shown = {name: getattr(done, name) for name in ("metrics", "points", "late", "days", "pruned")}
        print(json.dumps({**shown, "seconds": round(seconds, 3)}))
    elif not args.quiet:
        print(
            f"{number(done.points, 'point')} added, {done.late:,} of them late, of {number(done.metrics, 'metric')}; "
            f"{number(done.days, 'day')} put in order, {done.pruned:,} removed; {seconds:.1f} s"
        )
    return PARTIAL if done.problems else 0


def _export(args: argparse.Namespace, config: Config, directory: Path) -> Exported:
    from ridgeline.engine.archive.archive import opened
    from ridgeline.engine.archive.export import export
    from ridgeline.engine.archive.folder import Folder
    from ridgeline.engine.report.progress import Progress
    from ridgeline.engine.run.sources import open_source
    from ridgeline.kernels.native import loader

    as_of, terminal, share = int(time.time()), None if args.quiet or args.json else sys.stderr, config.shards.share()
    folder, keep, window = Folder(directory), config.archive.keep, config.analysis.full_duration
    end = time.monotonic() + LONGEST

    def left() -> float:
        return end - time.monotonic()

    loader.prepare("decode")
    with (
        contextlib.closing(open_source(config, None, left, share=share)) as source,
        Progress("metrics", terminal) as progress,
    ):
        source.keep_apart(directory / "day=1970-01-01" / "any.parquet")
        with opened(folder, keep, window, as_of, patience=PATIENCE, max_memory=config.run.max_memory) as archive:
            done = export(archive, source.chunks(), as_of, args.since, progress.add)
    done.problems += [f"left out, unreadable: {sentence}" for _, sentence in source.unreadable]
    return done


def _instant(text: str) -> int:
    """An instant, or how long ago it was."""
    from ridgeline.io.errors import InputError

    try:
        return int(time.time()) - parse_duration(text) if text[-1:] in "smhdw" else parse_instant(text)
    except InputError:
        return parse_instant(text)
