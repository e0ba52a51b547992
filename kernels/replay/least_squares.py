"""least_squares from the moving sums, with a bound on what the subtraction may have lost."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.least_squares import NOISE_OF_SPREAD, NOISE_OF_VALUE
from ridgeline.kernels.replay.sums_scores import GUARD, settled, sound
from ridgeline.kernels.score.row import LEAST_SQUARES
from ridgeline.kernels.shared.summary import ratio
from ridgeline.kernels.shared.switches import DDOF, FULL_DURATION, ROUND_GATE

UNIT: Final = 4e-16  # a few units in the last place of 1
LOST: Final = 1e-7  # share of the residuals' squares that rounding may touch before they are computed directly


@exact_kernel
def score(t, x, begin, end, live, first, rows, sums, threshold, switches, always, table, doubt):
    """Score least_squares from `moments.walk`'s rows and time sums.

    With u = t - T0 and d = x - origin: Cuu = Suu - Su^2/n, Cud = Sud - Su Sd/n, slope = Cud/Cuu and the residuals'
    squares = M2 - slope Cud. Rounding touches those by at most about `UNIT (operations (1 + 2f) + f^2) peak`,
    f^2 = n seconds^2 / Cuu. Where that is not small against them, or `always`, a direct computation has to do.
    """
    never_inline()
    ddof = float(switches[DDOF])
    gate = switches[ROUND_GATE] != 0
    seconds = float(switches[FULL_DURATION])
    for j in range(end - begin):
        if live[j] == 0:
            continue
        i = begin + j
        n = float(i + 1 - first[j])
        o = rows[0, j]
        s1 = rows[3, j]
        mean = s1 / n
        m2 = max(rows[4, j] - s1 * mean, 0.0)
        if m2 == 0.0 and s1 == 0.0:
            table[LEAST_SQUARES, j] = 0.0
            continue
        su = float(sums[0, j])
        u = su / n
        cuu = float(sums[1, j]) - su * u
        cud = rows[5, j] - u * s1
        slope = cud / cuu
        squares = m2 - slope * cud
        newest = rows[8, j] - float(2 * t[i] - t[i - 1] - t[i - 2]) / 3.0
        tail = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
        r = abs((tail - mean) - slope * (newest - u))
        s = np.sqrt(max(squares, 0.0) / (n - ddof))
        value = ratio(r, threshold * s)
        if gate:
            value = min(value, 2.0 * s, 2.0 * r)
        else:
            noise = max(NOISE_OF_SPREAD * np.sqrt(m2 / n), NOISE_OF_VALUE * abs(o + rows[1, j] / (n - 1.0)))
            value = min(value, ratio(r, noise))
        table[LEAST_SQUARES, j] = value
        peak = rows[6, j]
        touched = UNIT * (rows[7, j] + 20.0)
        f2 = n * seconds * seconds / cuu
        f = np.sqrt(f2)
        error = (touched * (1.0 + 2.0 * f) + UNIT * f2) * peak
        if always or not (cuu > 0.0 and error <= LOST * squares and sound(m2, s1)):
            doubt[j] |= 1 << LEAST_SQUARES
            continue
        guard = GUARD + 2.0 * error / squares + touched * f2 * np.sqrt(peak / n) / s
        if not settled(value, guard):
            doubt[j] |= 1 << LEAST_SQUARES
