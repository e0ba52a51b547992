"""Eight of the nine votes and their consensus as polars expressions: the fastest a careful user would write by hand."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from ridgeline.engine.demo.fleet import Fleet
from ridgeline.engine.score.tables import grubbs_critical

DAY: Final = 86400
EIGHT: Final = (
    "histogram_bins",
    "first_hour_average",
    "stddev_from_average",
    "grubbs",
    "mean_subtraction_cumulation",
    "median_absolute_deviation",
    "stddev_from_moving_average",
    "least_squares",
)


def frame_of(fleet: Fleet) -> pl.DataFrame:
    """The fleet in long format, sorted by metric."""
    rows, points = fleet.values.shape
    return pl.DataFrame(
        {
            "metric": np.repeat(np.arange(rows, dtype=np.int32), points),
            "t": np.tile(fleet.timestamps, rows),
            "v": fleet.values.ravel(),
        }
    )


def votes(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per metric: eight votes by the `earthgecko` rules, and whether six of them are True."""
    v, t = pl.col("v"), pl.col("t")
    n = pl.len()
    tail, last, mean, std = v.tail(3).mean(), v.last(), v.mean(), v.std()
    hour = v.filter((t > t.last() - DAY) & (t < t.last() - DAY + 3600))
    history = v.slice(0, n - 1)
    deviation = (v - v.median()).abs()
    x = (t - t.first()).cast(pl.Float64)
    dx = x - x.mean()
    residual = v - mean - dx * ((dx * (v - mean)).sum() / (dx * dx).sum())
    width = (v.max() - v.min()) / 15
    place = ((v - v.min()) * 15 / (v.max() - v.min())).cast(pl.Int32, strict=False).clip(0, 14)
    tail_place = ((tail - v.min()) / width).floor()
    lengths = frame.group_by("metric", maintain_order=True).len()["len"].to_numpy()
    inputs = frame.group_by("metric", maintain_order=True).agg(
        tail=tail, mean=mean, std=std, last=last,
        hour_mean=hour.mean(), hour_std=hour.std(), history_mean=history.mean(), history_std=history.std(0),
        mad=deviation.median(), newest=deviation.last(),
        ewm=v.ewm_mean(com=50).last(), ewm_std=v.ewm_std(com=50).last(),
        residual_std=residual.std(), residual_tail=residual.tail(3).mean(),
        in_bin=(place == tail_place).sum(), tail_place=tail_place,
    )  # fmt: skip
    critical = pl.Series("critical", grubbs_critical(lengths))
    c = pl.col
    away, three = (c("tail") - c("mean")).abs(), 3
    decided = inputs.with_columns(critical).select(
        (c("tail_place") >= 1).and_(c("tail_place") < 15, c("in_bin") <= 20).alias("histogram_bins"),
        ((c("tail") - c("hour_mean")).abs() > three * c("hour_std")).alias("first_hour_average"),
        (away > three * c("std")).alias("stddev_from_average"),
        ((c("tail") - c("mean")) / c("std") > c("critical")).alias("grubbs"),
        ((c("last") - c("history_mean")).abs() > three * c("history_std")).alias("mean_subtraction_cumulation"),
        (c("newest") / c("mad") > 6).and_(c("mad") > 0).alias("median_absolute_deviation"),
        ((c("last") - c("ewm")).abs() > three * c("ewm_std")).alias("stddev_from_moving_average"),
        (c("residual_tail").abs() > three * c("residual_std"))
        .and_(c("residual_std").round() != 0, c("residual_tail").round() != 0)
        .alias("least_squares"),
    )
    return decided.with_columns(anomalous=pl.sum_horizontal(EIGHT) >= 6)
