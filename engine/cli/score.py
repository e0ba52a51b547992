"""`ridgeline score`: the bare engine offline, a table in and Parquet out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

from ridgeline.engine.cli.common import add_json, add_quiet
from ridgeline.engine.cli.options import add_analysis, configuration
from ridgeline.engine.cli.parser import option
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of
from ridgeline.engine.cli.telling import tell_problems, tell_warnings
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.units import parse_duration, parse_instant, parse_size

if TYPE_CHECKING:
    import pyarrow as pa

    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.score.scorer import Scorer
    from ridgeline.io.parquet.source import ParquetSource

NAME: Final = "score"
SUMMARY: Final = "score a fleet in files once: no state, no alerts"
GROUP: Final = "Score a fleet"
EPILOG: Final = """\
examples:
  ridgeline score fleet.parquet verdicts.parquet
  ridgeline score fleet.parquet verdicts.parquet --as-of last --scores
  ridgeline score 'days/*.parquet' verdicts.parquet --match stats.timers. --consensus 7 --json
  ridgeline score history.csv.gz verdicts.parquet --columns metric=unique_id,timestamp=ds,value=y
IN has the columns metric, timestamp, value (one point a row, or lists), and may have as_of; docs/data.md has all the
shapes. OUT gets one row per metric. Without --as-of and without that column, "now" is the newest timestamp of IN.
With --memory, a configuration's `rule = "pages"` judges by what runs learned, and by what IN holds that is newer
(docs/rules.md); `ridgeline memory show` says where the memory lies.
"""
STALE_SHARE: Final = 0.5
PARTIAL: Final = 70
OTHER_FORMATS: Final = frozenset(
    {".arrow", ".avro", ".csv", ".db", ".feather", ".gz", ".htm", ".html", ".ipc", ".json", ".jsonl", ".md", ".ndjson",
     ".orc", ".sqlite", ".toml", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml", ".yml", ".zip", ".zst"}
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", metavar="IN", help=f"the fleet: {READS}")
    add("target", type=Path, metavar="OUT.parquet", help="the verdicts")
    add(
        "--as-of",
        type=_as_of,
        metavar="INSTANT",
        help="judge as of this instant, or each metric as of its own newest point",
    )
    add(
        "--all-votes", action="store_true", help="vote with every algorithm, also where consensus has become impossible"
    )
    add(
        "--scores",
        action="store_true",
        help="add each algorithm's score (above 1: its vote is True); implies --all-votes",
    )
    add(
        "--stale-period",
        type=option(parse_duration),
        metavar="DURATION",
        help="older metrics are stale (default: 500 s)",
    )
    add(
        "--match",
        type=option(parse_pattern),
        metavar="PATTERN",
        help="only metrics that match (part of a name, or an expression)",
    )
    add(
        "--max-memory",
        type=option(parse_size),
        metavar="SIZE",
        help="for IN that is not grouped by metric (default: 2GiB)",
    )
    add(
        "--memory",
        type=Path,
        metavar="FILE",
        help='a memory of runs, only read: what rules by walks (`rule = "pages"`) know of each metric',
    )
    add_shape(parser)
    add_json(parser)
    add_quiet(parser)
    add_analysis(parser, window="--full-duration")


def run(args: argparse.Namespace) -> int:
    """Score IN into OUT; 0, 66 for a file without rows, 70 where files or row groups could not be read."""
    from ridgeline.engine.memory.recalled import recalling
    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.rules.overrides import check_judgement
    from ridgeline.engine.rules.selection import Selection
    from ridgeline.engine.score.scorer import Scorer
    from ridgeline.io.disk.target import check_target
    from ridgeline.io.errors import NoData
    from ridgeline.io.tables.dataset import open_dataset

    began = time.monotonic()
    config = configuration(args)
    check_judgement("score" if args.memory is None else "score --memory", config.analysis.rule, config.overrides)
    files = config.source.each["parquet"]
    memory = config.run.max_memory if args.max_memory is None else args.max_memory
    _check_format(args.target)
    check_target(args.target)
    selection = Selection.of(args.match, config.analysis.skip)
    source = open_dataset(
        args.source,
        shape_of(args, files.labels_from),
        select=selection,
        max_memory=memory,
        max_points=files.max_points,
    )
    source.keep_apart(args.target)
    if not source.rows:
        raise NoData(f"{args.source} has no rows: nothing can be scored")
    newest = source.newest() if args.as_of is None else None
    scorer = Scorer.of(
        config.analysis,
        config.overrides,
        preparation=config.preparation,
        as_of=args.as_of,
        default_as_of=newest,
        scores=args.scores,
        resolution=True,
        threads=config.run.threads,
    )
    report = Report(scorer.overrides.policies[0].algorithms, as_of=newest if args.as_of is None else args.as_of)
    with recalling(scorer, args.memory) as (judge, recalled):
        report.seconds["compile"] = _compile(judge)
        _score(source, judge, args.target, report, None if args.json or args.quiet else sys.stderr)
    if recalled is not None:
        report.walks = recalled.counts
    if selection is not None:
        report.add_unscored(len(selection.skipped), "skipped", "skip")
    report.failures.update(scorer.plan.complaints)
    tell_warnings(scorer.overrides.remarks)
    report.seconds.update(source.seconds)
    report.seconds["total"] = time.monotonic() - began
    report.problems += [f"left out, unreadable: {sentence}" for _, sentence in source.unreadable]
    report.exit = PARTIAL if source.unreadable else 0
    _print(report, args)
    return report.exit


def _compile(scorer: Scorer) -> float:
    """Have the kernels ready, users' included; return the seconds that took."""
    from ridgeline.engine.rules.compilation import remark
    from ridgeline.kernels.native import loader

    began = time.monotonic()
    loader.prepare(*scorer.entries)
    remark(scorer.plan.user)
    return time.monotonic() - began


def _score(source: ParquetSource, scorer: Scorer, target: Path, report: Report, terminal: TextIO | None) -> None:
    """Stream the source through the scorer into the file, which appears when it is whole."""
    from ridgeline.engine.report.progress import Progress
    from ridgeline.engine.score.verdicts import verdict_schema
    from ridgeline.io.parquet.write import write_parquet

    def verdicts() -> Iterator[pa.RecordBatch]:
        with Progress("metrics", terminal) as progress:
            for matrix in source.chunks():
                began = time.monotonic()
                scored = scorer.judge(matrix)
                report.seconds["score"] += time.monotonic() - began
                report.add(scored.verdicts, {**matrix.repairs, **scored.repairs})
                report.prepared.update(scored.tally)
                report.sparse.update(scored.sparse)
                if scored.judged is not None and (said := scored.judged.said) is not None:
                    report.learning = (report.learning or 0) + said.unripe(scored.judged.outcomes)
                progress.add(len(matrix))
                yield scored.verdicts

    plan = scorer.plan
    write_parquet(verdicts(), target, schema=verdict_schema(plan.names, scores=plan.scores, walks=plan.walks))


def _print(report: Report, args: argparse.Namespace) -> None:
    tell_problems(report.problems)
    metrics = report.metrics
    stale = report.outcomes["stale"]
    if metrics and stale > STALE_SHARE * metrics:
        hint = "" if args.as_of == "last" else ": --as-of last judges each metric as of its own newest point"
        tell_warnings([f"{stale:,} of {metrics:,} metrics are stale{hint}"])
    if args.json:
        from ridgeline.engine.report.files import dumps

        print(dumps(report.as_json()))
    elif not args.quiet:
        print(report.as_text(), file=sys.stderr)


def _check_format(target: Path) -> None:
    """Refuse names that promise something else than Parquet."""
    from ridgeline.io.errors import InputError

    if target.suffix.lower() in OTHER_FORMATS:
        raise InputError(f"{target}: the verdicts are written as Parquet; give a name that ends in .parquet")


def _as_of(text: str) -> int | Literal["last"]:
    return "last" if text == "last" else option(parse_instant)(text)
