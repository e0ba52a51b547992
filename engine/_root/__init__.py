"""Ridgeline: vectorized batch anomaly detection over whole fleets of metric time series.

    import ridgeline

    verdicts = ridgeline.score("fleet.parquet", profile="native")      # pyarrow.Table in, pyarrow.Table out
    matrix = ridgeline.MetricMatrix.from_table(table)                   # prepare once, score many times

Everything is imported on first use, so that `import ridgeline` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ridgeline import algorithms
    from ridgeline.engine.api import replay, score
    from ridgeline.engine.rules.user_algorithms import algorithm
    from ridgeline.io.errors import RidgelineError
    from ridgeline.io.matrix import MetricMatrix

__version__ = "0.1.0"
__all__ = ["MetricMatrix", "RidgelineError", "__version__", "algorithm", "algorithms", "replay", "score"]

_HOMES = {
    "MetricMatrix": "ridgeline.io.matrix",
    "RidgelineError": "ridgeline.io.errors",
    "algorithm": "ridgeline.engine.rules.user_algorithms",
    "replay": "ridgeline.engine.api",
    "score": "ridgeline.engine.api",
}


def __getattr__(name: str) -> Any:
    if name == "algorithms":
        return import_module("ridgeline.algorithms")
    if name not in _HOMES:
        raise AttributeError(f"module 'ridgeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
