"""The commands that read or write more than tables, one call each: `run`, `backtest`, `evaluate`, `tune`, `report`."""

from __future__ import annotations

import io as text_io
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ridgeline.engine.config.model import Config
from ridgeline.engine.evaluate.choices import ABOVE_ONE, BUFFER, EXPIRES, GRADED, THRESHOLD, Weighing
from ridgeline.engine.units import parse_duration
from ridgeline.io.errors import InputError
from ridgeline.io.tables.shape import Shape

if TYPE_CHECKING:
    from ridgeline.engine.backtest.result import BacktestResult
    from ridgeline.engine.evaluate.events import EventScore
    from ridgeline.engine.evaluate.fleet import FleetScore
    from ridgeline.engine.evaluate.nab import Scored
    from ridgeline.engine.evaluate.ranges import RangeScore
    from ridgeline.engine.evaluate.vus import VusScore
    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.rules.user_algorithms import UserAlgorithm
    from ridgeline.engine.tune.tuned import Tuned


def run(
    config: str | Path | Config,
    *,
    as_of: int | None = None,
    match: str | None = None,
    dry_run: bool = False,
    check_airgaps_only: bool = False,
) -> Report:
    """One bulk run as `ridgeline run` does it: read the source, judge, alert, write the outputs.

    config     path of a ridgeline.toml, or a Config
    as_of      epoch seconds; None: now
    match      only metrics that this pattern means
    dry_run    send no alert and write nothing
    check_airgaps_only   look for airgaps and unordered series, judge nothing, alert nobody

    The report shows itself as the command's summary; `as_json()` is its JSON object, `anomalies` lists what was found,
    `exit` is the command's exit code and `problems` say why it is not 0. Raises a RidgelineError with one sentence where
    nothing could be read at all, the configuration is wrong, or another run holds the lock.
    """
    from ridgeline.engine.run.once import run_once
    from ridgeline.engine.run.turn import Request

    return run_once(Request(_config(config), as_of, match, dry_run, json=True, check_airgaps_only=check_airgaps_only))


def backtest(  # noqa: PLR0913 - every option a keyword of its own, as users call it
    dataset: str | Path,
    output: str | Path,
    *,
    config: str | Path | Config | None = None,
    profile: str | None = None,
    window: int | str | None = None,
    start: int | None = None,
    end: int | None = None,
    every: int | str | None = None,
    consensus: int | None = None,
    algorithms: Sequence[str | UserAlgorithm] | None = None,
    overrides: Sequence[Mapping[str, Any]] | None = None,
    labels_from: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    wide: bool = False,
    metric: str | None = None,
    rule: str | None = None,
    rules: Sequence[str] = (),
    keep_scores: bool = True,
    resume: bool = False,
    threads: int | None = None,
    workers: int = 0,
    scheduler: str | None = None,
) -> BacktestResult:
    """Replay a dataset of any size into the folder `output`, as `ridgeline backtest` does.

    dataset              path of a file, a folder or a glob, or a URI
    output               folder for scores/*.parquet, anomalies.parquet and manifest.json
    config               a ridgeline.toml (or a Config) for all that is not given here, its `[[alert]]` rows included
    window               the series at step t is the points in (t - window, t]: seconds or "24h"
    start, end, every    which steps are written, as for `ridgeline.replay`
    rule                 by which metrics are judged: "consensus", "ridgeline" or "pages"
    rules                of which the scores of every metric are stored, beside those that metrics are judged by
    keep_scores          False: incidents and manifest only
    resume               continue a backtest that was stopped
    threads              of this process; or `workers` processes of a local Dask cluster, or a Dask `scheduler`'s address
    others               as for `ridgeline.score`; None: the configuration's

    Raises a RidgelineError with one sentence for what cannot be used, read or written.
    """
    from ridgeline.engine.api.judge import algorithms_asked
    from ridgeline.engine.backtest.driver import Backtest, Where
    from ridgeline.engine.backtest.job import Job, Steps
    from ridgeline.engine.backtest.result import BacktestResult
    from ridgeline.engine.config.override import read_overrides
    from ridgeline.engine.rules.judgement import rule_named
    from ridgeline.engine.score.scorer import available_threads, base_policy

    chosen = Config() if config is None else _config(config)
    user, known, asked = algorithms_asked(algorithms, chosen.analysis.modules)
    changes: dict[str, Any] = {
        "profile": profile,
        "consensus": consensus,
        "rule": None if rule is None else rule_named(rule),
        "full_duration": None if window is None else parse_duration(window),
        "algorithms": tuple(asked) or None,
    }
    analysis = replace(chosen.analysis, **{key: value for key, value in changes.items() if value is not None})
    found = chosen.overrides
    if overrides is not None:
        found = read_overrides(overrides, known, base_policy(analysis, known))
    steps = Steps(start, end, None if every is None else parse_duration(every))
    settings = replace(chosen, analysis=analysis, overrides=found)
    stored = tuple(map(rule_named, rules))
    job = Job.of(settings, Path(output), steps, keep_scores=keep_scores, user=user, rules=stored)
    manifest = Backtest(
        dataset=str(dataset),
        job=job,
        where=Where(threads or chosen.run.threads or available_threads(), workers, scheduler),
        max_memory=chosen.run.max_memory,
        shape=Shape.of(columns, wide, labels_from, metric).labelled(chosen.source.each["parquet"].labels_from),
        resume=resume,
        say=lambda _: None,
        warn=lambda sentence: warnings.warn(sentence, stacklevel=5),
        terminal=text_io.StringIO(),
    ).run()
    return BacktestResult(Path(output), manifest)


def evaluate(  # noqa: PLR0913 - every option a keyword of its own, as users call it
    detections: Any,
    labels: Any,
    *,
    metric: Literal["nab", "events", "fleet", "ranges", "vus"] = "nab",
    threshold: float | None = None,
    consensus: int | None = None,
    expiry: int | str | None = None,
    score: str | None = None,
    alpha: float = 0.2,
    cardinality: Literal["reciprocal", "one"] = "reciprocal",
    bias: Literal["flat", "front", "middle", "back"] = "flat",
    buffer: int = BUFFER,
    columns: Mapping[str, str] | None = None,
    wide: bool = False,
    labels_from: Sequence[str] | None = None,
    series: str | None = None,
) -> dict[str, Scored] | EventScore | FleetScore | RangeScore | VusScore:
    """Score detections against labels, as `ridgeline evaluate` does.

    detections   a backtest's folder or BacktestResult; or path (of any format) or Arrow table with metric, timestamp, score
    labels       path of NAB's JSON, or of any table; Arrow table with metric, start, end or metric, timestamp; or a
                 mapping of metric to [[start, end], ...]. Times in any unit that `ridgeline evaluate` reads
    metric       "nab": the three profiles of NAB by name; "events": event-wise precision, recall, delay; "fleet": pages a day of
                 metrics without a label, and the share of windows found; "ranges": range-based and
                 affiliation precision and recall; "vus": volumes under the surfaces, whatever the threshold
    threshold    a score at or above it detects; None: 0.5, with `score` above 1
    consensus    re-decide a backtest's anomalies from its stored votes
    expiry       a backtest's metric detects, in "fleet" every metric pages, at most once in this time: seconds or "12h";
                 None: 12 h in "nab", 1 h in "events" and "fleet", 0 in "ranges" and "vus"
    score        a column of a backtest's scores to be judged; None: its anomalies, in "vus" rule_score or else consensus_score
    alpha, cardinality, bias   of "ranges": what finding a window at all is worth (0..1), whether one found in pieces is worth
                 less, and where in it being found is worth most
    buffer       of "vus": the longest around windows, in median steps of the metric
    columns, wide, labels_from, series   the shape of `detections` as for `ridgeline.score`, but for `score` instead of
                 `value`; `series` names the only one

    Raises InputError with one sentence for what cannot be read.
    """
    from ridgeline.engine.backtest.result import BacktestResult
    from ridgeline.engine.evaluate.detections import read_detections
    from ridgeline.engine.evaluate.events import score_events
    from ridgeline.engine.evaluate.fleet import score_fleet
    from ridgeline.engine.evaluate.labels import read_labels
    from ridgeline.engine.evaluate.nab import score_corpus
    from ridgeline.engine.evaluate.ranges import score_ranges
    from ridgeline.engine.evaluate.vus import score_vus

    if metric not in EXPIRES:
        raise InputError(f"metric is {metric!r}: choose {', '.join(EXPIRES)}")
    if buffer < 0:
        raise InputError(f"buffer is {buffer!r}: give a whole number of steps, at least 0")
    least = threshold if threshold is not None else THRESHOLD if score is None else ABOVE_ONE
    if not math.isfinite(least):
        raise InputError(f"threshold is {threshold!r}: give a finite number")
    weighing = Weighing(alpha, cardinality, bias)
    expires = EXPIRES[metric] if expiry is None else parse_duration(expiry)
    source = detections.output if isinstance(detections, BacktestResult) else detections
    called = {"value" if role == "score" else role: name for role, name in (columns or {}).items()}
    shape = Shape.of(called if wide else {"value": "score", **called}, wide, labels_from, series)
    found = read_detections(
        source,
        consensus=consensus,
        expiry=0 if metric == "fleet" else expires,
        shape=shape,
        score=score or (GRADED if metric == "vus" else None),
        threshold=least,
    )
    known = read_labels(labels, shape.labels_from or ())
    if metric == "vus":
        return score_vus(found, known, buffer)
    if metric == "ranges":
        return score_ranges(found, known, least, weighing)
    if metric == "fleet":
        return score_fleet(found, known, least, expires)
    return score_corpus(found, known, least) if metric == "nab" else score_events(found, known, least)


def tune(  # noqa: PLR0913 - every option a keyword of its own, as users call it
    backtests: str | Path | BacktestResult | Sequence[str | Path | BacktestResult],
    labels: Any = None,
    *,
    max_pages_per_day: float | None = None,
    max_false_alarms: float | None = None,
    metric: Literal["events", "nab"] = "events",
    purpose: Literal["run", "backtest"] = "run",
    folds: int = 50,
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    labels_from: Sequence[str] | None = None,
) -> Tuned:
    """Choose settings from stored scores, as `ridgeline tune` does, and say what holds on data they were not chosen on.

    backtests           a backtest's folder or BacktestResult; or several of the same steps, the first of them today's
    labels              as for `ridgeline.evaluate`; None: by pages alone, within `max_pages_per_day`
    max_pages_per_day   a budget, of the whole history; `max_false_alarms`: another, per metric and week
    metric              what is to be large: F1 of "events", or "nab"
    purpose             whose rules may be chosen
    folds, seed         how many halves are held out, and how they are dealt; `threads`: None: as many as there are CPUs
    output              where a configuration with the settings to use is written
    labels_from         columns of `labels` that are part of names

    `Tuned` has `.recommended`, `.setting`, `.chosen`, `.today`, `.frontier`, `.as_json()` and `.toml()`. `tune.json` is
    written into the first folder. Raises InputError with one sentence where nothing could be chosen by.
    """
    from ridgeline.engine.backtest.result import BacktestResult
    from ridgeline.engine.evaluate.labels import read_labels
    from ridgeline.engine.tune.job import tune_backtests
    from ridgeline.engine.tune.nested import Aim
    from ridgeline.engine.tune.tuning import Tuning

    given = [backtests] if isinstance(backtests, (str, Path, BacktestResult)) else list(backtests)
    if not given:
        raise InputError("tune: give at least one backtest")
    labelled = labels is not None
    tuning = Tuning(
        folders=[one.output if isinstance(one, BacktestResult) else Path(one) for one in given],
        labels=read_labels(labels, labels_from or ()) if labelled else None,
        aim=Aim.asked(metric, max_pages_per_day, max_false_alarms, labelled=labelled),
        folds=folds,
        seed=seed,
        purpose=purpose,
        threads=threads or len(os.sched_getaffinity(0)),
        say=partial(warnings.warn, stacklevel=3),
    )
    return tune_backtests(tuning, None if output is None else Path(output), labels)


def report(
    backtest: str | Path | BacktestResult,
    labels: Any = None,
    *,
    output: str | Path | None = None,
    metrics: int = 200,
    labels_from: Sequence[str] | None = None,
) -> Path:
    """Write one page of HTML about a backtest, as `ridgeline report` does, and give its path.

    backtest      a backtest's folder or BacktestResult
    labels        as for `ridgeline.evaluate`; None: without
    output        the page; None: `report.html` in the folder
    metrics       how many metrics it holds in full, the noisiest and the labelled first
    labels_from   columns of `labels` that are part of names

    Raises a RidgelineError with one sentence where plotly or scores are missing, and for what cannot be read or written.
    """
    from ridgeline.engine.backtest.result import BacktestResult
    from ridgeline.engine.page.write import write_page

    folder = backtest.output if isinstance(backtest, BacktestResult) else Path(backtest)
    target = None if output is None else Path(output)
    return write_page(folder, labels, target, metrics=metrics, labels_from=tuple(labels_from or ())).path


def _config(config: str | Path | Config) -> Config:
    if isinstance(config, Config):
        return config
    from ridgeline.engine.config.load import load_config

    return load_config(Path(config))
