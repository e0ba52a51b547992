"""ks_test's scores from its distances: the second test only where the distance calls for it."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.layout import CRITICAL
from ridgeline.kernels.adf.statistic import adf_statistic
from ridgeline.kernels.ks_test import DAILY_PROBE, DAILY_REFERENCE, KOLMOGOROV, MIN_SAMPLE, is_constant, score_of
from ridgeline.kernels.score.layout import KS_TEST
from ridgeline.kernels.shared.ks import ks_distance, tolerant_distance
from ridgeline.kernels.shared.search import daily_gap, from_time
from ridgeline.kernels.shared.switches import DAILY, STANDARDISE


@exact_kernel
def settle_ks(
    t,
    x,
    begin,
    end,
    live,
    first,
    refs_from,
    probes_from,
    switches,
    close,
    threshold,
    distances,
    statistics,
    table,
    scratch,
):
    """Score ks_test at live steps as `kernels.ks_test.ks_score` does, from distances[j]; fill statistics[j].

    Exactly-daily steps, where the profile knows them, take samples of their own. A distance that was not computed,
    NaN, although both samples are large enough, is computed here. The augmented Dickey-Fuller statistic is computed
    wherever D > 0.5, whatever the threshold: sweeps over thresholds need it. close: values of the chunk differ by rounding
    only, and the profile guards against that.
    """
    never_inline()
    for j in range(end - begin):
        statistics[j] = np.nan
        if live[j] == 0:
            continue
        i = begin + j
        ref = refs_from[j]
        probe = probes_from[j]
        distance = distances[j]
        if switches[DAILY] != 0 and daily_gap(t[first[j] : i + 1]) > 0:
            ref = first[j] + from_time(t[first[j] : i + 1], t[i] - DAILY_REFERENCE)
            probe = first[j] + from_time(t[first[j] : i + 1], t[i] - DAILY_PROBE)
            distance = np.nan
        table[KS_TEST, j] = 0.0
        pairs = (probe - ref) * (i + 1 - probe)
        if probe - ref < MIN_SAMPLE or i + 1 - probe < MIN_SAMPLE:
            distances[j] = np.nan
            continue
        if np.isnan(distance):
            distance = ks_distance(x[ref:probe], x[probe : i + 1], scratch) / pairs
        distances[j] = distance
        if is_constant(x[ref:probe]):
            continue
        score = distance / threshold
        if score > 1.0 or distance > 0.5:
            statistics[j] = adf_statistic(x[ref:probe], switches[STANDARDISE], scratch)
            significant = distance * distance * pairs > KOLMOGOROV * (i + 1 - ref)
            if close and statistics[j] < CRITICAL:
                distance = tolerant_distance(x[ref:probe], x[probe : i + 1], scratch) / pairs
                distances[j] = distance
            score = score_of(distance, threshold, statistics[j] if significant else np.nan)
        table[KS_TEST, j] = score
