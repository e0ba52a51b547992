"""Reads one metric back from a backtest's scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ridgeline.engine.backtest.incidents import Steps
from ridgeline.engine.rules.user_algorithms import SCORE
from ridgeline.engine.score.graded import algorithms_among
from ridgeline.io.errors import InputError


def read_metric(folder: Path, metric: str) -> tuple[Steps, list[str]]:
    """The written steps of `metric` and the names of the algorithms. Raises InputError where there are none."""
    for path in sorted((folder / "scores").glob("*.parquet")):
        table = pq.read_table(path, filters=[("metric", "=", metric)])
        if table.num_rows:
            names = algorithms_among(table.column_names)
            scores = [pc.fill_null(table[name + SCORE], 0.0).to_numpy() for name in names]
            steps = Steps(
                metric,
                table["timestamp"].to_numpy(),
                table["value"].to_numpy(),
                pc.fill_null(table["anomalous"], False).to_numpy(),
                pc.fill_null(table["votes"], 0).to_numpy(),
                np.stack([score > 1 for score in scores], axis=1),
            )
            return steps, names
    raise InputError(f"{folder}/scores hold no step of {metric!r}: check the name, and that --no-scores was not given")
