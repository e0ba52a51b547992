"""The native entry `ridgeline`: what the rule of that name makes of every point of one metric's history.

Formula: max(C, W), C = max((P + N) / 2, T / 3). P: the tail probability (`walks.tail`) of S, the mean of min(score, 3) of the
nine algorithms on the seasonal residual, over 28 days or 500 points. A channel that has not learned counts as 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Floats, Int, Ints, ShortFloatRows, signature_of
from ridgeline.kernels.ridgeline.layout import OUTAGE, PATTERN, RECORD, SCORE, SPIKE, TAIL
from ridgeline.kernels.walks import layout, record, tail
from ridgeline.kernels.walks.pages import SPIKE as SPEAKS


@exact_kernel
def run(timestamps: Ints, walked: ShortFloatRows, loudness: Floats, state: Floats, channels: ShortFloatRows) -> Int:
    """Judge the points of one metric, and return 0.

    timestamps int64[n], ascending; walked float32[n, walks.SCORES], of the same points
    loudness float64[n]: S, NaN where the nine do not judge: P is 0 there, and learns nothing
    state float64[TAIL_STATE], 0 at first; channels float32[n, CHANNELS]: results
    """
    state[:] = 0.0
    older, most, when = 0, 0.0, timestamps[0] if timestamps.size > 0 else 0
    pace = rare = np.float64(0.0)
    for i in range(timestamps.size):
        now, one = walked[i], channels[i]
        while timestamps[older] <= timestamps[i] - record.HOUR:
            faded = record.faded(most, np.float64(timestamps[older] - when))
            most, when = max(faded, np.float64(walked[older, layout.ERROR])), timestamps[older]
            older += 1
        p = 0.0
        if not np.isnan(loudness[i]):
            if now[layout.USUAL_STEP] != pace:
                pace = np.float64(now[layout.USUAL_STEP])
                rare = tail.rarest(pace)
            p = max(tail.step(state, loudness[i], rare), 0.0)
        spike = np.float64(now[layout.EXTRAPOLATION]) / SPEAKS
        one[OUTAGE] = now[layout.OUTAGE]
        one[PATTERN] = (p + np.float64(now[layout.NOVELTY])) / 2.0
        one[SPIKE] = spike
        record_before = record.faded(most, np.float64(timestamps[i] - when))
        one[RECORD] = record.behind(spike, np.float64(now[layout.ERROR]), record_before)
        one[SCORE] = max(one[PATTERN], one[SPIKE], one[OUTAGE])
        one[TAIL] = p
    return 0


SIGNATURE: Final = signature_of(run)
