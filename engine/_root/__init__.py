"""Ridgeline: vectorized batch anomaly detection over whole fleets of metric time series.

    import ridgeline

    verdicts = ridgeline.score("fleet.parquet")                # a verdict row per metric: pyarrow.Table
    steps = ridgeline.replay(table, every="5m")                # a row per step of every history: pyarrow.Table
    result = ridgeline.backtest("history/", "out/")            # the same, streamed into a folder
    scored = ridgeline.evaluate(result, "labels.csv", metric="events")
    tuned = ridgeline.tune(result, "labels.csv")               # settings, and what holds where they were not chosen
    page = ridgeline.report(result, "labels.csv")              # one page of HTML about it
    report = ridgeline.run("ridgeline.toml", dry_run=True)     # what cron does each minute
    matrix = ridgeline.MetricMatrix.from_table(table)          # prepare once, score many times

`ridgeline.algorithms` holds each algorithm as a function of one series; `ridgeline.algorithm` marks one of your own.
Everything is imported on first use, so that `import ridgeline` costs nothing. Whatever cannot be used ends in a
RidgelineError of one sentence.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ridgeline import algorithms
    from ridgeline.engine.api.jobs import backtest, evaluate, report, run, tune
    from ridgeline.engine.api.judge import replay, score
    from ridgeline.engine.rules.user_algorithms import algorithm
    from ridgeline.io.errors import (
        AuthenticationFailed,
        InputError,
        LockHeld,
        NoData,
        OutputError,
        RidgelineError,
        SourceUnavailable,
        UnsafeTarget,
    )
    from ridgeline.io.matrix import MetricMatrix

__version__ = "0.1.0"
__all__ = [
    "AuthenticationFailed",
    "InputError",
    "LockHeld",
    "MetricMatrix",
    "NoData",
    "OutputError",
    "RidgelineError",
    "SourceUnavailable",
    "UnsafeTarget",
    "__version__",
    "algorithm",
    "algorithms",
    "backtest",
    "evaluate",
    "replay",
    "report",
    "run",
    "score",
    "tune",
]

_ERRORS = (
    "AuthenticationFailed", "InputError", "LockHeld", "NoData", "OutputError", "RidgelineError", "SourceUnavailable",
    "UnsafeTarget",
)  # fmt: skip
_HOMES = {
    **dict.fromkeys(_ERRORS, "ridgeline.io.errors"),
    **dict.fromkeys(("backtest", "evaluate", "report", "run", "tune"), "ridgeline.engine.api.jobs"),
    **dict.fromkeys(("replay", "score"), "ridgeline.engine.api.judge"),
    "MetricMatrix": "ridgeline.io.matrix",
    "algorithm": "ridgeline.engine.rules.user_algorithms",
}


def __getattr__(name: str) -> Any:
    if name == "algorithms":
        return import_module("ridgeline.algorithms")
    if name not in _HOMES:
        raise AttributeError(f"module 'ridgeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
