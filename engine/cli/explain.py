"""`ridgeline explain`: why one metric is anomalous, or what keeps it from being so."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ridgeline.engine.cli.common import add_json
from ridgeline.engine.cli.parser import named, option
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of
from ridgeline.engine.units import parse_instant

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.explain.card import Card
    from ridgeline.io.matrix import MetricMatrix

NAME: Final = "explain"
SUMMARY: Final = "why one metric is anomalous, or what keeps it from being so"
GROUP: Final = "Look closer"
EPILOG: Final = """\
examples:
  ridgeline explain stats.web01.requests
  ridgeline explain stats.web01.requests --as-of 2026-01-01T12:00:00Z --plot why.png
  ridgeline explain stats.web01.requests --input fleet.parquet --as-of last --json
The metric is read from the source of the configuration, or from files with --input; nothing is written but --plot's
file. For each algorithm: its statistic and limit, its score (above 1: it votes), and between which newest values it would
not have voted. A name that begins with - comes after --. Exit codes: 0; 2 no such metric, configuration; 69, 77 source;
70 the state or the memory could not be read, so that what was alerted lately, that a counter was confirmed, or what walks
learned is not known.
"""
PARTIAL: Final = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("metric", type=named, metavar="METRIC", help="its name, as alerts show it")
    add("-c", "--config", type=Path, metavar="FILE", help="configuration (default: ridgeline.toml; with --input none)")
    add("--input", metavar="FILE", help=f"read it from {READS}")
    add("--as-of", type=_as_of, metavar="INSTANT", help="judge as of this instant, or of its newest point (last)")
    add("--plot", type=Path, metavar="FILE", help="draw it into FILE, .png or .svg")
    add_json(parser)
    add_shape(parser)


def run(args: argparse.Namespace) -> int:
    """Explain, and draw if asked; the exit code."""
    from dataclasses import replace

    from ridgeline.engine.explain.card import explain
    from ridgeline.engine.explain.counters import confirmed
    from ridgeline.engine.explain.series import find_series
    from ridgeline.engine.explain.text import as_lines
    from ridgeline.engine.explain.walks import ruled
    from ridgeline.engine.report.colour import Paint
    from ridgeline.engine.report.files import dumps
    from ridgeline.engine.rules.overrides import check_judgement
    from ridgeline.engine.score.scorer import Scorer

    kind = _kind(args.plot)
    config = _configuration(args)
    check_judgement("explain", config.analysis.rule, config.overrides)
    matrix, newest = find_series(config, args.metric)
    scorer = Scorer.of(
        config.analysis,
        config.overrides,
        preparation=config.preparation,
        as_of=args.as_of,
        default_as_of=int(time.time()) if newest is None else newest,
        scores=True,
        threads=1,
    )
    scorer, unconfirmed = (scorer, "") if args.input else confirmed(scorer, config, args.metric, int(time.time()))
    with ruled(scorer, config, _instant_of(args.as_of, matrix, int(time.time()))) as (scorer, unknown):
        card, problem = _with_alerts(explain(matrix, scorer, config.airgaps.max_period), config)
    problem = problem or unconfirmed or unknown
    if args.input is None and config.shards.hosts:
        card = replace(card, owner=config.shards.owner(card.metric))
    if args.plot is not None and kind is not None:
        _draw(card, args.plot, kind)
    print(dumps(card.as_json()) if args.json else "\n".join(as_lines(card, Paint.of(sys.stdout))))
    if problem:
        print(f"ridgeline: {problem}", file=sys.stderr)
    return PARTIAL if problem else 0


def _instant_of(as_of: int | Literal["last"] | None, matrix: MetricMatrix, now: int) -> int:
    """The instant that a metric is judged as of, epoch seconds."""
    if as_of != "last":
        return now if as_of is None else as_of
    return int(matrix.timestamps[-1]) if len(matrix.timestamps) else now


def _configuration(args: argparse.Namespace) -> Config:
    from dataclasses import replace

    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.explain.series import from_files

    path = args.config
    config = Config() if path is None and args.input is not None else load_config(path or Path("ridgeline.toml"))
    files = config.source.each["parquet"]
    files = replace(files, shape=shape_of(args, files.labels_from))
    config = replace(config, source=replace(config.source, each={**config.source.each, "parquet": files}))
    return config if args.input is None else from_files(config, args.input)


def _with_alerts(card: Card, config: Config) -> tuple[Card, str]:
    """The card with the routes of its alerts; and why the state does not say what was alerted lately, if it does not."""
    if not config.alerts:
        return card, ""
    from dataclasses import replace

    from ridgeline.engine.alerts.route import route
    from ridgeline.engine.run.plan import delivery_plan
    from ridgeline.engine.run.state import open_run_state
    from ridgeline.io.state.interface import StateError
    from ridgeline.io.text import escape

    plan, now, problem = delivery_plan(config, json=True), time.time(), ""
    with open_run_state(config) as state:
        try:
            routes = route(card.metric, plan, state, now)
        except StateError as error:
            problem = f"{escape(error)}; what was alerted lately is not known"
            routes = route(card.metric, plan, None, now)
    keys = ("rule", "strategy", "suppressed_until")
    return replace(card, alerts=[{key: one.as_json()[key] for key in keys} for one in routes]), problem


def _kind(path: Path | None) -> Literal["png", "svg"] | None:
    """What to draw; refused before the work where it cannot be done."""
    from ridgeline.io.errors import InputError

    if path is None:
        return None
    from ridgeline.engine.report.plot import figure_class
    from ridgeline.io.disk.target import check_target

    check_target(path)
    kinds: dict[str, Literal["png", "svg"]] = {".png": "png", ".svg": "svg"}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path}: give a name that ends in .png or .svg")
    figure_class()
    return kind


def _draw(card: Card, path: Path, kind: Literal["png", "svg"]) -> None:
    import io

    from ridgeline.engine.explain.drawing import picture
    from ridgeline.engine.report.plot import draw
    from ridgeline.io.disk.atomic import write_atomic

    file = io.BytesIO()
    draw(picture(card), file, kind)
    write_atomic(path, file.getvalue())


def _as_of(text: str) -> int | Literal["last"]:
    return "last" if text == "last" else option(parse_instant)(text)
