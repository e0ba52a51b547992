"""Pure functions of the public API, Arrow in and Arrow out: `score` and `replay`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from ridgeline.engine.config.override import read_overrides
from ridgeline.engine.config.preparation import preparation_of
from ridgeline.engine.memory.recalled import recalling
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.judgement import rule_named, with_walks
from ridgeline.engine.rules.overrides import Overrides, check_judgement, rules_of
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import profile_named
from ridgeline.engine.rules.user_algorithms import UserAlgorithm, distinct, load_user_algorithms
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.score.scorer import Scorer, available_threads, base_policy, check_algorithms
from ridgeline.engine.units import parse_duration
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.tables.shape import Shape

if TYPE_CHECKING:
    from ridgeline.io.parquet.source import ParquetSource


def score(  # noqa: PLR0913 - every option a keyword of its own, as users call it
    data: Any,
    *,
    profile: str = "native",
    as_of: int | Literal["last"] | None = None,
    all_votes: bool = False,
    scores: bool = False,
    rule: str = "consensus",
    memory: str | Path | None = None,
    threads: int | None = None,
    consensus: int = 6,
    full_duration: int | str = 86400,
    stale_period: int | str | None = None,
    algorithms: Sequence[str | UserAlgorithm] | None = None,
    overrides: Sequence[Mapping[str, Any]] | None = None,
    preparation: Mapping[str, Any] | None = None,
    labels_from: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    wide: bool = False,
    metric: str | None = None,
) -> pa.Table:
    """Judge the newest window of every metric: one verdict row per metric, in first-seen order.

    data           MetricMatrix (scored as it is: no loading, no cleaning), pyarrow Table or RecordBatch, polars frame,
                   or path of Parquet, Arrow, CSV or JSON lines (file, folder, glob)
    profile        "native", "earthgecko", "earthgecko_batch" or "etsy"
    as_of          epoch seconds; "last": each metric's own newest point; None: the column `as_of` of the data, else the
                   newest sane timestamp of it all. Never the wall clock
    all_votes      vote with every algorithm, also where consensus has become impossible
    scores         add `NAME_score` float64 columns (statistic / threshold, > 1 exactly when the vote is True)
    rule           by which metrics are judged: "consensus", or "pages" with a memory
    memory         path of what runs remember, only read: what the rule "pages" knows of each metric
    threads        default: as many as there are CPUs. Results do not depend on it
    consensus      True votes that make an anomaly
    full_duration  the window: seconds or "24h"
    stale_period   seconds or "10m"; default: the profile's
    algorithms     names, or functions marked with `ridgeline.algorithm`; default: all
    overrides      mappings with the keys of `[[override]]`: match, consensus, algorithms, thresholds, ...
    preparation    a mapping with the keys of `[preparation]`: counters ("auto" or patterns), non_derivative, zero_fill,
                   last_known_value
    labels_from    columns (of files: or key=value folders) that become part of the name, `cpu{host="web1"}`; None:
                   refuse to merge series of one name that they tell apart; (): pass over them
    columns        what columns are called, {"metric": "unique_id", "timestamp": "ds", "value": "y"}
    wide           one column per metric; the first one is the time, or that of `columns`
    metric         the name of the only series, where no column names it

    Columns: metric, outcome, reason, anomalous, datapoint, timestamp (int64 seconds), votes (int8), one bool per
    algorithm, under rules with walks rule_score (float64, > 1 = anomalous), channels (list<string>), expected_low and
    expected_high, then failed (list<string>), negatives (bool), resolution (int32 seconds), prepared (string). Raises
    RidgelineError with one sentence for input that cannot be used.
    """
    user, known, asked = algorithms_asked(algorithms)
    analysis = Analysis(
        full_duration=parse_duration(full_duration),
        consensus=consensus,
        profile=profile,
        stale_period=None if stale_period is None else parse_duration(stale_period),
        algorithms=check_algorithms(asked, known),
        all_votes=all_votes,
        rule=rule_named(rule),
    )
    if not (as_of is None or as_of == "last" or (isinstance(as_of, int))):
        raise InputError(f"as_of is {as_of!r}: give epoch seconds, 'last' or None")
    found = read_overrides(overrides or (), analysis.algorithms, base_policy(analysis, known))
    check_judgement("score" if memory is None else "score --memory", analysis.rule, found)
    matrices, newest = _matrices(data, Shape.of(columns, wide, labels_from, metric), needs_newest=as_of is None)
    scorer = Scorer.of(
        analysis,
        found,
        preparation=preparation_of(preparation or {}),
        as_of=as_of,
        default_as_of=newest,
        scores=scores,
        resolution=True,
        threads=threads or 0,
        user=user,
    )
    with recalling(scorer, None if memory is None else Path(memory)) as (judge, _):
        batches = [judge.score(matrix) for matrix in matrices]
        _warn(scorer.overrides)
        if not batches:
            batches = [judge.score(MetricMatrix.from_table(_nothing()))]
    return pa.Table.from_batches(batches)


def replay(  # noqa: PLR0913 - every option a keyword of its own, as users call it
    data: Any,
    *,
    profile: str = "native",
    window: int | str = 86400,
    start: int | None = None,
    end: int | None = None,
    every: int | str | None = None,
    threads: int | None = None,
    consensus: int = 6,
    algorithms: Sequence[str | UserAlgorithm] | None = None,
    overrides: Sequence[Mapping[str, Any]] | None = None,
    preparation: Mapping[str, Any] | None = None,
    labels_from: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    wide: bool = False,
    metric: str | None = None,
    rule: str = "consensus",
    rules: Sequence[str] = (),
) -> pa.Table:
    """Judge every step of every metric's history: one row per metric and distinct timestamp, metrics in first-seen order.

    data           as for `score`; all of it is held in memory (`ridgeline backtest` streams)
    window         the series at step t is the points in (t - window, t]: seconds or "24h"
    start, end     epoch seconds: steps from `start` on and before `end`; earlier points warm the window
    every          seconds or "5m": of each aligned bucket only the last step
    rule           by which metrics are judged: "consensus", "ridgeline" or "pages"
    rules          of which the scores of every metric are given too
    others         as for `score`

    Columns: metric, timestamp, value, outcome, anomalous, votes, then per algorithm `NAME_score` (float32, vote = score
    > 1), `ks_test_d`, `ks_test_adf`, `consensus_score`, `mean_score`, and under rules with walks
    `pages_score`, `ridgeline_score`, `rule_score`, `channels`, `expected_low`, `expected_high`. Raises RidgelineError with one
    sentence for input that cannot be used.
    """
    from ridgeline.engine.replay.matrix import replay_matrix
    from ridgeline.engine.replay.plan import ReplayPlan

    user, known, asked = algorithms_asked(algorithms)
    policy: Policy = base_policy(
        Analysis(consensus=consensus, profile=profile, algorithms=tuple(asked), rule=rule_named(rule)), known
    )
    found = read_overrides(overrides or (), policy.algorithms, policy)
    plan = ReplayPlan(
        profile=profile_named(profile),
        window=parse_duration(window),
        start=start,
        end=end,
        every=None if every is None else parse_duration(every),
        user=user,
        preparation=preparation_of(preparation or {}),
        rules=with_walks([*map(rule_named, rules), *rules_of(rule, found)]),
        throughout=with_walks(rules),
    )
    rows = Overrides(policy, found)
    matrices, _ = _matrices(data, Shape.of(columns, wide, labels_from, metric), needs_newest=False)
    tables = [replay_matrix(matrix, plan, rows, threads=threads or available_threads()) for matrix in matrices]
    _warn(rows)
    return pa.concat_tables(tables or [replay_matrix(MetricMatrix.from_table(_nothing()), plan, rows)])


def algorithms_asked(
    asked: Sequence[str | UserAlgorithm] | None, modules: Sequence[str] = ()
) -> tuple[tuple[UserAlgorithm, ...], tuple[str, ...], list[str]]:
    """Users' algorithms (of modules and entry points, then those handed over), all known names, and the names asked for."""
    own = [found for found in asked or () if isinstance(found, UserAlgorithm)]
    loaded = load_user_algorithms(modules, algorithm_names())
    user = distinct(
        [*(("a module", found) for found in loaded), *(("algorithms", found) for found in own)], algorithm_names()
    )
    known = (*algorithm_names(), *(found.name for found in user))
    return user, known, [found if isinstance(found, str) else found.name for found in asked or ()]


def _warn(overrides: Overrides) -> None:
    """Say what overrides came to against their words, as Python says such things."""
    for remark in overrides.remarks:
        warnings.warn(remark, stacklevel=3)


def _matrices(data: Any, shape: Shape, *, needs_newest: bool) -> tuple[Iterator[MetricMatrix], int | None]:
    """The data as matrices, and the newest timestamp of all where one will be needed."""
    from ridgeline.io.tables.dataset import matrix_of, open_dataset

    if isinstance(data, (str, Path)):
        source = open_dataset(data, shape)
        return _chunks(source), source.newest() if needs_newest else None
    matrix = data if isinstance(data, MetricMatrix) else matrix_of(data, shape)
    return iter((matrix,)), matrix.newest


def _chunks(source: ParquetSource) -> Iterator[MetricMatrix]:
    """What can be read of it; a warning for each file or row group that cannot."""
    yield from source.chunks()
    for _, sentence in source.unreadable:
        warnings.warn(f"left out, unreadable: {sentence}", stacklevel=3)


def _nothing() -> pa.Table:
    return pa.table(
        {
            "metric": pa.array([], pa.string()),
            "timestamp": pa.array([], pa.int64()),
            "value": pa.array([], pa.float64()),
        }
    )
