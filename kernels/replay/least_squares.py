"""least_squares from the moving sums, with a bound on what the subtraction may have lost."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, disjoint, exact_kernel, never_inline
from ridgeline.kernels.least_squares import NOISE_OF_FIT
from ridgeline.kernels.replay.sums_scores import GUARD, fraction, settled, sound, surely_apart
from ridgeline.kernels.score.layout import LEAST_SQUARES
from ridgeline.kernels.shared.noise import NEAR
from ridgeline.kernels.shared.switches import GUARDED, ROUND_GATE

UNIT: Final = 4e-16  # a few units in the last place of 1
FLAT: Final = 1e6  # f^2 above which the points lie too close together in time for these sums
FAR: Final = 1e150  # values whose squares overflow
CLOSE: Final = 1e-4  # more than rounding may do to a score under all these conditions
LOST: Final = 1e-7  # share of the residuals' squares that rounding may touch before they are computed directly


@exact_kernel
def _judge(o, s1, s2, stx, peak, count, su, suu, tail, seconds, n, share, free, squared, threshold, gate, stretch):
    """Return (score, residuals' squares, error of theirs, drift of the slope, sure, apart, still) of one step.

    sure: the sums have kept enough digits; apart: the newest points are further off than rounding; still: all points
    are equal.
    """
    always_inline()
    mean = s1 * share
    m2 = max(s2 - s1 * mean, 0.0)
    u = su * share
    inverse = 1.0 / (suu - su * u)
    cud = stx - u * s1
    slope = cud * inverse
    squares = m2 - slope * cud
    r = abs((tail - mean) - slope * (seconds - u))
    variance = squares * free
    s = np.sqrt(max(variance if gate else squared * variance, 0.0))
    plain = fraction(r, threshold * s if gate else s)
    score = min(plain, 2.0 * s, 2.0 * r) if gate else plain
    touched = UNIT * (count + 20.0)
    f2 = n * stretch * inverse
    error = (touched * (2.0 + f2) + UNIT * f2) * peak
    sure = (inverse > 0.0) & (f2 < FLAT) & (error <= LOST * squares) & sound(m2, s1) & (abs(o) < FAR)
    apart = (r > NEAR * NOISE_OF_FIT * np.sqrt(m2 * share)) & surely_apart(r, o, tail, r)
    return score, squares, error, touched * f2, sure, apart, (m2 == 0.0) & (s1 == 0.0)


@exact_kernel
def score(
    origins, s1s, s2s, stxs, peaks, counts, sts, stts, tails, tail_seconds, sizes, shares, frees,
    threshold, cutoff, switches, seconds, always, scores, doubt,
):  # fmt: skip
    """Score least_squares from `moments.walk`'s rows and shares; steps that are not analysed get no meaning.

    With u = t - T0 and d = x - origin: Cuu = Suu - Su^2/n, Cud = Sud - Su Sd/n, slope = Cud/Cuu and the residuals'
    squares = M2 - slope Cud. Rounding touches those by at most about `UNIT (operations (2 + f^2) + f^2) peak`,
    f^2 = n seconds^2 / Cuu. Where that is not small against them, or `always`, a direct computation has to do.
    """
    never_inline()
    disjoint()
    gate = switches[ROUND_GATE] != 0
    unguarded = switches[GUARDED] == 0
    squared = threshold * threshold
    stretch = float(seconds) * float(seconds)
    some = 0
    for j in range(scores.size):
        value, _, _, _, sure, apart, still = _judge(
            origins[j], s1s[j], s2s[j], stxs[j], peaks[j], counts[j], sts[j], stts[j], tails[j], tail_seconds[j],
            sizes[j], shares[j], frees[j], squared, threshold, gate, stretch,
        )  # fmt: skip
        scores[j] = 0.0 if still else value
        good = sure & (unguarded | apart) & (not always)
        doubt[j] |= (1 << LEAST_SQUARES) * ((not still) & (not good))
        some |= (not still) & good & (not settled(value, cutoff, CLOSE))
    if some == 0:
        return
    for j in range(scores.size):
        value, squares, error, drift, sure, _, still = _judge(
            origins[j], s1s[j], s2s[j], stxs[j], peaks[j], counts[j], sts[j], stts[j], tails[j], tail_seconds[j],
            sizes[j], shares[j], frees[j], squared, threshold, gate, stretch,
        )  # fmt: skip
        if sure and not still and not settled(value, cutoff, CLOSE):
            guard = GUARD + 2.0 * error / squares + drift * np.sqrt(peaks[j] / squares)
            if not settled(value, cutoff, guard):
                doubt[j] |= 1 << LEAST_SQUARES
