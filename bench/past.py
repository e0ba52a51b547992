"""Days before a fleet's stored points, as an archive holds them: walks learn from them before warm runs are measured."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ridgeline.engine.config.load import load_config
from ridgeline.engine.run.learning import learn, selection_of
from ridgeline.engine.run.place import place_of
from ridgeline.io.parquet.source import ParquetSource

DAY: Final = 86_400
DAYS: Final = 8  # walks of outages learn for five
STEP: Final = 900  # seconds: coarser than most fleets, since a slot of the day is no shorter


def write_past(
    path: Path, metrics: list[str], timestamps: NDArray[np.int64], values: NDArray[np.float64], step: int
) -> None:
    """Write what came before some series: day after day what they hold, every quarter of an hour.

    timestamps int64[n], `step` seconds apart, values float64[metrics, n].
    """
    apart = max(STEP // step, 1)
    many = DAYS * DAY // (apart * step)
    back = apart * np.arange(-many, 0)
    rows = np.repeat(np.arange(len(metrics), dtype=np.int32), many)
    names = pa.DictionaryArray.from_arrays(pa.array(rows), pa.array(metrics))
    stamps = np.tile(timestamps[0] + step * back, len(metrics))
    past = values[:, back % min(max(DAY // step, 1), len(timestamps))]
    pq.write_table(pa.table({"metric": names, "timestamp": stamps, "value": past.reshape(-1)}), path)


def teach(config: Path, past: Path, now: int) -> None:
    """Teach the memory of a configuration what is in the files of a folder, as `ridgeline memory learn` does."""
    loaded = load_config(config)
    place = place_of(loaded)
    if place is None:
        raise ValueError(f"{config} keeps no memory")
    source = ParquetSource(past, select=selection_of(loaded))
    try:
        learn(loaded, place, source, now)
    finally:
        source.close()
