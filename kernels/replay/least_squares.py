"""least_squares from the moving sums, with a bound on what the subtraction may have lost."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.least_squares import NOISE_OF_FIT
from ridgeline.kernels.replay.sums_scores import GUARD, fraction, settled, sound, surely_apart
from ridgeline.kernels.score.layout import LEAST_SQUARES
from ridgeline.kernels.shared.noise import NEAR
from ridgeline.kernels.shared.switches import DDOF, GUARDED, ROUND_GATE

UNIT: Final = 4e-16  # a few units in the last place of 1
FLAT: Final = 1e6  # f^2 above which the points lie too close together in time for these sums
FAR: Final = 1e150  # values whose squares overflow
CLOSE: Final = 1e-4  # more than rounding may do to a score under all these conditions
LOST: Final = 1e-7  # share of the residuals' squares that rounding may touch before they are computed directly


@exact_kernel
def score(t, x, begin, end, live, first, rows, sums, threshold, cutoff, switches, seconds, always, table, doubt):
    """Score least_squares from `moments.walk`'s rows and time sums.

    With u = t - T0 and d = x - origin: Cuu = Suu - Su^2/n, Cud = Sud - Su Sd/n, slope = Cud/Cuu and the residuals'
    squares = M2 - slope Cud. Rounding touches those by at most about `UNIT (operations (2 + f^2) + f^2) peak`,
    f^2 = n seconds^2 / Cuu. Where that is not small against them, or `always`, a direct computation has to do.
    """
    never_inline()
    ddof = float(switches[DDOF])
    gate = switches[ROUND_GATE] != 0
    guarded = switches[GUARDED] != 0
    squared_threshold = threshold * threshold
    stretch = float(seconds) * float(seconds)
    size = 0
    n = share = free = 0.0
    for j in range(end - begin):
        if live[j] == 0:
            continue
        i = begin + j
        if i + 1 - first[j] != size:
            size = i + 1 - first[j]
            n = float(size)
            share = 1.0 / n
            free = 1.0 / (n - ddof)
        o = rows[0, j]
        s1 = rows[3, j]
        mean = s1 * share
        m2 = max(rows[4, j] - s1 * mean, 0.0)
        if m2 == 0.0 and s1 == 0.0:
            table[LEAST_SQUARES, j] = 0.0
            continue
        su = float(sums[0, j])
        u = su * share
        inverse = 1.0 / (float(sums[1, j]) - su * u)
        cud = rows[5, j] - u * s1
        slope = cud * inverse
        squares = m2 - slope * cud
        newest = rows[8, j] - float(2 * t[i] - t[i - 1] - t[i - 2]) * (1.0 / 3.0)
        tail = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
        r = abs((tail - mean) - slope * (newest - u))
        variance = squares * free
        if gate:
            s = np.sqrt(max(variance, 0.0))
            value = min(fraction(r, threshold * s), 2.0 * s, 2.0 * r)
        else:
            value = fraction(r, np.sqrt(max(squared_threshold * variance, 0.0)))
        table[LEAST_SQUARES, j] = value
        peak = rows[6, j]
        touched = UNIT * (rows[7, j] + 20.0)
        f2 = n * stretch * inverse
        error = (touched * (2.0 + f2) + UNIT * f2) * peak
        if always or not (inverse > 0.0 and f2 < FLAT and error <= LOST * squares and sound(m2, s1) and abs(o) < FAR):
            doubt[j] |= 1 << LEAST_SQUARES
        elif guarded and not (r > NEAR * NOISE_OF_FIT * np.sqrt(m2 * share) and surely_apart(r, o, tail, r)):
            doubt[j] |= 1 << LEAST_SQUARES
        elif not settled(value, cutoff, CLOSE):
            guard = GUARD + 2.0 * error / squares + touched * f2 * np.sqrt(peak / squares)
            if not settled(value, cutoff, guard):
                doubt[j] |= 1 << LEAST_SQUARES
