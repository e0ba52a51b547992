"""The newest ten minutes against the hour before."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import algorithm, exact_kernel, never_inline
from ridgeline.kernels.adf.layout import CRITICAL
from ridgeline.kernels.adf.statistic import adf_statistic
from ridgeline.kernels.shared.ks import ks_distance, tolerant_distance
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.search import daily_gap, from_time
from ridgeline.kernels.shared.switches import ANCHOR_AS_OF, DAILY, GUARDED, PROBE, REFERENCE, STANDARDISE

MIN_SAMPLE: Final = 20
DAY: Final = 86400
DAILY_PROBE, DAILY_REFERENCE = 30 * DAY, 90 * DAY
# Square of the 5 % point of Kolmogorov's distribution, 1.3581. With 20 points in each sample D > 0.5 implies p < 0.05
# anyway, so this has a say only under a threshold below 0.5.
KOLMOGOROV: Final = 1.8444396705877


@algorithm(min_points=2 * MIN_SAMPLE, threshold=0.5, cost=3, order=4, exact=True)
def ks_test(row: Row, threshold: float) -> float:
    """The newest ten minutes are distributed otherwise than the hour before, and that hour was stationary.

    D / threshold for the two-sample Kolmogorov-Smirnov distance D (`ks_score` has the rules), the windows ending at
    as_of or at the last timestamp. Exactly-daily series, where the profile knows them, take 30 and 90 days.
    """
    never_inline()
    anchor = row.as_of if row.switches[ANCHOR_AS_OF] != 0 else row.t[row.t.size - 1]
    return ks_score(row.t, row.x, anchor, row.switches, threshold, row.scratch[2:], row.scratch[0:2])


@exact_kernel
def ks_score(
    t: np.ndarray,
    x: np.ndarray,
    anchor: int,
    switches: np.ndarray,
    threshold: float,
    scratch: np.ndarray,
    detail: np.ndarray,
) -> float:
    """Score of ks_test as of `anchor`, D and the ADF statistic left in `detail`.

    t: int64[n], ascending, duplicates allowed; x: float64[n], finite. Probe: t >= anchor - 600; reference:
    anchor - 3600 <= t < anchor - 600, or what the switches PROBE and REFERENCE say; where the profile is DAILY and the newest gap is about a day, 30 and 90 days.
    scratch: float64[2 n + SCRATCH_FIXED] (`adf.layout`). detail: float64[2], receives D and the statistic, NaN where
    not computed.

    Returns D / threshold; but 1 where D exceeds the threshold without being significant at 5 %, or without the
    reference being stationary (augmented Dickey-Fuller, p < 0.05). 0 where there is nothing to compare: fewer than
    20 points in a sample, or a constant reference.

    Source: Skyline's `ks_test`; Smirnov (1939); Said and Dickey (1984).
    """
    never_inline()
    detail[0] = math.nan
    detail[1] = math.nan
    n = t.size
    if n < 2 * MIN_SAMPLE:
        return 0.0
    by_day = switches[DAILY] != 0 and daily_gap(t) > 0
    probe_start = anchor - (DAILY_PROBE if by_day else switches[PROBE])
    if t[n - MIN_SAMPLE] < probe_start:
        return 0.0
    start = anchor - (DAILY_REFERENCE if by_day else switches[REFERENCE])
    middle = from_time(t, probe_start)
    if middle < MIN_SAMPLE or t[middle - MIN_SAMPLE] < start:
        return 0.0
    reference = x[from_time(t, start) : middle]
    probe = x[middle:]
    if is_constant(reference):
        return 0.0
    distance = ks_distance(reference, probe, scratch) / (reference.size * probe.size)
    if distance / threshold > 1.0:
        detail[1] = statistic_of(reference, probe.size, distance, switches, scratch)
        if detail[1] < CRITICAL and switches[GUARDED] != 0:
            distance = tolerant_distance(reference, probe, scratch) / (reference.size * probe.size)
    detail[0] = distance
    return score_of(distance, threshold, detail[1])


@exact_kernel
def statistic_of(
    reference: np.ndarray, n_probe: int, distance: float, switches: np.ndarray, scratch: np.ndarray
) -> float:
    """ADF statistic of `reference`; NaN where its distance from a probe of so many points is not significant."""
    n = reference.size
    if not distance * distance * (n * n_probe) > KOLMOGOROV * (n + n_probe):
        return math.nan
    return adf_statistic(reference, switches[STANDARDISE], scratch)


@exact_kernel
def score_of(distance: float, threshold: float, statistic: float) -> float:
    """Score of a distance: above 1 only where the reference's statistic, NaN if there is none, is stationary."""
    score = distance / threshold
    if not score > 1.0:
        return score
    return score if statistic < CRITICAL else 1.0


@exact_kernel
def is_constant(x: np.ndarray) -> bool:
    """Whether all points are equal."""
    i = 1
    while i < x.size and x[i] == x[0]:
        i += 1
    return i >= x.size
