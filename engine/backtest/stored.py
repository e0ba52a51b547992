"""Reads one metric back from a backtest's scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ridgeline.engine.backtest.incidents import Steps
from ridgeline.engine.rules.judgement import SPOKEN
from ridgeline.engine.rules.user_algorithms import SCORE
from ridgeline.engine.score.graded import algorithms_among
from ridgeline.io.errors import InputError


def read_metric(folder: Path, metric: str) -> tuple[Steps, list[str]]:
    """The written steps of `metric`, and the names of the algorithms and of the channels that spoke.

    Raises InputError where there are none.
    """
    for path in sorted((folder / "scores").glob("*.parquet")):
        table = pq.read_table(path, filters=[("metric", "=", metric)])
        if table.num_rows:
            names = algorithms_among(table.column_names)
            fired = [pc.fill_null(table[name + SCORE], 0.0).to_numpy() > 1 for name in names]
            spoken = _spoken(table) if "channels" in table.column_names else {}
            steps = Steps(
                metric,
                table["timestamp"].to_numpy(),
                table["value"].to_numpy(),
                pc.fill_null(table["anomalous"], False).to_numpy(),
                pc.fill_null(table["votes"], 0).to_numpy(),
                np.stack([*fired, *spoken.values()], axis=1),
            )
            return steps, [*names, *spoken]
    raise InputError(f"{folder}/scores hold no step of {metric!r}: check the name, and that --no-scores was not given")


def _spoken(table: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """At which steps each channel spoke, of those that ever did: bool[n] by name."""
    channels = table["channels"].combine_chunks()
    words, steps = pc.list_flatten(channels), pc.list_parent_indices(channels).to_numpy()
    found = {}
    for name in SPOKEN:
        at = steps[pc.equal(words, name).to_numpy(zero_copy_only=False)]
        if len(at):
            found[name] = np.zeros(table.num_rows, np.bool_)
            found[name][at] = True
    return found
