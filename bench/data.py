"""Fleets to measure on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ridgeline.bench.axes import Axes
from ridgeline.engine.demo.fleet import Fleet, build_fleet
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix

MIXES = ("mix", "noise", "walk", "integers")


def fleet_of(axes: Axes) -> Fleet:
    """The fleet that the axes describe, with one incident per hundred metrics."""
    if axes.mix == "mix":
        incidents = axes.metrics // 100
        return build_fleet(
            axes.metrics, points=axes.points, step=axes.step, end=axes.end, seed=axes.seed, incidents=incidents
        )
    random = np.random.default_rng(axes.seed)
    shape = (axes.metrics, axes.points)
    if axes.mix == "noise":
        values = random.normal(100.0, 5.0, shape)
    elif axes.mix == "walk":
        values = random.normal(0.0, 1.0, shape).cumsum(axis=1)
    elif axes.mix == "integers":
        values = random.poisson(3.0, shape).astype(float)
    else:
        raise InputError(f"unknown mix {axes.mix!r}: choose one of {', '.join(MIXES)}")
    timestamps = axes.end - axes.step * np.arange(axes.points - 1, -1, -1, dtype=np.int64)
    return Fleet([f"{axes.mix}.{row:06d}" for row in range(axes.metrics)], timestamps, values, ())


def matrix_of(fleet: Fleet) -> MetricMatrix:
    """The fleet as a prepared matrix."""
    rows, points = fleet.values.shape
    return MetricMatrix.from_columns(
        pa.array(fleet.metrics, pa.string()),
        np.arange(rows + 1, dtype=np.int64) * points,
        np.tile(fleet.timestamps, rows),
        fleet.values.ravel(),
    )
