"""The exponentially weighted mean and deviation of the moving window, the leaving point's weight removed exactly.

West's update (1979) about an origin of its own: the decay forgets rounding errors by itself, but not those that a
spike or a level change leaves for the next points; then the sums are taken again from the window.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.replay.moments import DRIFT
from ridgeline.kernels.shared.weights import DECAY

ORIGIN, MEAN, SQUARES, ERROR = range(4)
STATE: Final = 4
FAR: Final = 1e8  # mean offset squared / squares above which the origin has been left behind


@exact_kernel
def anchor(x, a, b, weights, state):
    """Take the weighted sums of x[a:b], b > a, afresh; weights float64[m], m >= b - a, newest (1) last."""
    never_inline()
    origin = x[b - 1]
    z = x[a:b]
    n = z.size
    w = weights[weights.size - n :]
    t0 = t1 = t2 = t3 = 0.0
    s0 = s1 = s2 = s3 = 0.0
    for i in range(n >> 2):
        k = i << 2
        t0 += w[k]
        t1 += w[k + 1]
        t2 += w[k + 2]
        t3 += w[k + 3]
        s0 += w[k] * (z[k] - origin)
        s1 += w[k + 1] * (z[k + 1] - origin)
        s2 += w[k + 2] * (z[k + 2] - origin)
        s3 += w[k + 3] * (z[k + 3] - origin)
    for k in range(n & -4, n):
        t0 += w[k]
        s0 += w[k] * (z[k] - origin)
    mean = ((s0 + s1) + (s2 + s3)) / ((t0 + t1) + (t2 + t3))
    q0 = q1 = q2 = q3 = 0.0
    for i in range(n >> 2):
        k = i << 2
        d0 = (z[k] - origin) - mean
        d1 = (z[k + 1] - origin) - mean
        d2 = (z[k + 2] - origin) - mean
        d3 = (z[k + 3] - origin) - mean
        q0 += w[k] * d0 * d0
        q1 += w[k + 1] * d1 * d1
        q2 += w[k + 2] * d2 * d2
        q3 += w[k + 3] * d3 * d3
    for k in range(n & -4, n):
        d0 = (z[k] - origin) - mean
        q0 += w[k] * d0 * d0
    state[ORIGIN] = origin
    state[MEAN] = mean
    state[SQUARES] = (q0 + q1) + (q2 + q3)
    state[ERROR] = 0.0


@exact_kernel
def walk(x, begin, end, lo, block, first, weights, totals, state, deviations, squares):
    """Move the window over the points begin..end-1 and note x_i - mean and the weighted squares at each.

    weights float64[m]: DECAY ** age, newest last; totals float64[m + 1]: their sum over the n newest. The outputs are
    float64[>= end - begin].
    """
    never_inline()
    o = state[ORIGIN]
    mean = state[MEAN]
    s = state[SQUARES]
    error = state[ERROR]
    newest = weights.size - 1
    z = x[begin:end]
    for j in range(end - begin):
        i = begin + j
        f = first[j]
        n = i - lo  # points held
        if (i & (block - 1)) == 0 or f >= i:
            n = 0
            lo = f
            if f < i:
                anchor(x, f, i, weights, state)
                n = i - f
            else:
                state[ORIGIN] = x[i]
                state[MEAN] = 0.0
                state[SQUARES] = 0.0
                state[ERROR] = 0.0
            o = state[ORIGIN]
            mean = state[MEAN]
            s = state[SQUARES]
            error = state[ERROR]
        while lo < f:
            weight = weights[newest - (n - 1)]
            d = (x[lo] - o) - mean
            rest = totals[n - 1]
            error += s
            mean -= weight * d / rest
            s -= weight * d * d * (totals[n] / rest)
            n -= 1
            lo += 1
        n += 1
        share = 1.0 / totals[n]
        d = (z[j] - o) - mean
        mean += share * d
        s = DECAY * s + (1.0 - share) * d * d
        error = DECAY * error + s
        if not (4.0 * error <= DRIFT * s and mean * mean <= FAR * s):
            anchor(x, f, i + 1, weights, state)
            o = state[ORIGIN]
            mean = state[MEAN]
            s = state[SQUARES]
            error = state[ERROR]
        deviations[j] = (z[j] - o) - mean
        squares[j] = s
    state[ORIGIN] = o
    state[MEAN] = mean
    state[SQUARES] = s
    state[ERROR] = error
