"""By what rows are judged: what the entries are given for all of them, in one piece."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rules(NamedTuple):
    """Policies as `score` gets them, and tables by number of points. numba takes it apart: passing it is free."""

    as_of: int  # epoch seconds: the run's clock
    meanings: np.ndarray  # int64[n]: hash of what the sums of each row mean today (`layout.MEANING`)
    windows: np.ndarray  # int64[n]: seconds
    policy_of_row: np.ndarray  # int32[n]
    policies: np.ndarray  # int64[p, POLICY] (`score.layout`)
    thresholds: np.ndarray  # float64[p, 9]
    judgements: np.ndarray  # int64[p]: hash of each policy
    switches_of_row: np.ndarray  # int32[n]: 0, or switches that hold for rows of one resolution
    switches: np.ndarray  # int64[s, SWITCHES]: the profile; then the same, scaled to resolutions
    critical: np.ndarray  # float64[c, m]: grubbs' critical values by number of points, NaN where not known
    weights: np.ndarray  # float64[m]: exponential weights, newest (1) last
    totals: np.ndarray  # float64[m]: their sum by number of points
    scales: np.ndarray  # float64[m]: by number of points, what turns weighted squares about the mean into variance
