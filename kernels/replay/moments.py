"""Sums over the moving window, about an origin that moves when it has to.

Adding and removing points one by one accumulates rounding errors of about u * operations * (largest sum of squares
met). They are forgotten at every multiple of `block` points, and whenever they could reach 1e-11 of the sum of
squared deviations: when a spike leaves, when the level has moved far from the origin. No fixed number of steps would
protect the steps after a spike, hence the second trigger.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel, never_inline

DRIFT: Final = 3e4  # operations * peak / M2 above which the sums are taken again: error below 1e-11

# Slots of the state, float64[STATE]; T0 and the time sums are in an int64 array of their own.
ORIGIN, S1, S2, STX, PEAK, COUNT = range(6)
STATE: Final = 6
T0, ST, STT = range(3)
TIMES: Final = 3
# Rows that `walk` fills, float64[ROWS, steps]: the origin; the history's S1 and S2 (all points but the newest); S1, S2,
# STX, PEAK and COUNT of the window; ST and STT; the mean of the three newest points, from the origin, and that of their
# seconds, from T0: both 0 where there are not so many.
ORIGINS, HISTORY_S1, HISTORY_S2, S1S, S2S, STXS, PEAKS, COUNTS, STS, STTS, TAILS, TAIL_SECONDS = range(12)
ROWS: Final = 12


@exact_kernel
def mean_of(x, a, b):
    """Return the mean of x[a:b], b > a, added up as differences to x[a]; exact where all are equal."""
    never_inline()
    origin = x[a]
    z = x[a:b]
    n = z.size
    s0 = s1 = s2 = s3 = 0.0
    for i in range(n >> 2):
        k = i << 2
        s0 += z[k] - origin
        s1 += z[k + 1] - origin
        s2 += z[k + 2] - origin
        s3 += z[k + 3] - origin
    for k in range(n & -4, n):
        s0 += z[k] - origin
    return origin + ((s0 + s1) + (s2 + s3)) / n


@exact_kernel
def square_sums(x, a, b, origin):
    """Return the sums of d and d * d over x[a:b], d = x - origin."""
    never_inline()
    z = x[a:b]
    n = z.size
    s0 = s1 = s2 = s3 = 0.0
    q0 = q1 = q2 = q3 = 0.0
    for i in range(n >> 2):
        k = i << 2
        d0 = z[k] - origin
        d1 = z[k + 1] - origin
        d2 = z[k + 2] - origin
        d3 = z[k + 3] - origin
        s0 += d0
        s1 += d1
        s2 += d2
        s3 += d3
        q0 += d0 * d0
        q1 += d1 * d1
        q2 += d2 * d2
        q3 += d3 * d3
    for k in range(n & -4, n):
        d0 = z[k] - origin
        s0 += d0
        q0 += d0 * d0
    return (s0 + s1) + (s2 + s3), (q0 + q1) + (q2 + q3)


@exact_kernel
def time_sums(t, x, a, b, t0, origin):
    """Return the sums of u, u * u and u (x - origin) over the points a..b-1, u = t - t0."""
    never_inline()
    s, z = t[a:b], x[a:b]
    n = z.size
    st = 0
    stt = 0
    for k in range(n):
        u = s[k] - t0
        st += u
        stt += u * u
    p0 = p1 = p2 = p3 = 0.0
    for i in range(n >> 2):
        k = i << 2
        p0 += float(s[k] - t0) * (z[k] - origin)
        p1 += float(s[k + 1] - t0) * (z[k + 1] - origin)
        p2 += float(s[k + 2] - t0) * (z[k + 2] - origin)
        p3 += float(s[k + 3] - t0) * (z[k + 3] - origin)
    for k in range(n & -4, n):
        p0 += float(s[k] - t0) * (z[k] - origin)
    return st, stt, (p0 + p1) + (p2 + p3)


@exact_kernel
def anchor(t, x, a, b, state, times):
    """Take the sums of x[a:b] afresh, about their mean; seconds count from the newest of them, t[b - 1]."""
    never_inline()
    state[PEAK] = 0.0
    state[COUNT] = 0.0
    state[S1] = 0.0
    state[S2] = 0.0
    state[STX] = 0.0
    times[ST] = 0
    times[STT] = 0
    if b <= a:
        state[ORIGIN] = x[b]
        times[T0] = t[b]
        return
    origin = mean_of(x, a, b)
    s1, s2 = square_sums(x, a, b, origin)
    t0 = t[b - 1]
    st, stt, stx = time_sums(t, x, a, b, t0, origin)
    state[ORIGIN] = origin
    state[S1] = s1
    state[S2] = s2
    state[STX] = stx
    state[PEAK] = s2
    times[T0] = t0
    times[ST] = st
    times[STT] = stt


@exact_kernel
def walk(t, x, begin, end, lo, seconds, block, first, state, times, rows):
    """Move the window over the points begin..end-1 and note its sums at each in `rows`.

    `lo`: first[] of the point before `begin`; block: a power of two, points after which the sums are taken afresh.
    """
    never_inline()
    origins = rows[ORIGINS]
    history_s1 = rows[HISTORY_S1]
    history_s2 = rows[HISTORY_S2]
    window_s1 = rows[S1S]
    window_s2 = rows[S2S]
    window_stx = rows[STXS]
    peaks = rows[PEAKS]
    counts = rows[COUNTS]
    window_st = rows[STS]
    window_stt = rows[STTS]
    tails = rows[TAILS]
    tail_seconds = rows[TAIL_SECONDS]
    o = state[ORIGIN]
    s1 = state[S1]
    s2 = state[S2]
    stx = state[STX]
    peak = state[PEAK]
    count = state[COUNT]
    t0 = times[T0]
    st = times[ST]
    stt = times[STT]
    z = x[begin:end]
    for j in range(end - begin):
        i = begin + j
        f = first[j]
        afresh = (i & (block - 1)) == 0 or t[i] - t0 > seconds
        if not afresh:
            while lo < f:
                d = x[lo] - o
                u = t[lo] - t0
                s1 -= d
                s2 -= d * d
                stx -= float(u) * d
                st -= u
                stt -= u * u
                count += 1.0
                lo += 1
            n = float(i - f)
            afresh = not n * count * peak <= DRIFT * (n * s2 - s1 * s1)
        if afresh:
            anchor(t, x, f, i, state, times)
            lo = f
            o = state[ORIGIN]
            s1 = state[S1]
            s2 = state[S2]
            stx = state[STX]
            peak = state[PEAK]
            count = state[COUNT]
            t0 = times[T0]
            st = times[ST]
            stt = times[STT]
        origins[j] = o
        history_s1[j] = s1
        history_s2[j] = s2
        d = z[j] - o
        u = t[i] - t0
        s1 += d
        s2 += d * d
        stx += float(u) * d
        st += u
        stt += u * u
        count += 1.0
        peak = max(peak, s2)
        window_s1[j] = s1
        window_s2[j] = s2
        window_stx[j] = stx
        peaks[j] = peak
        counts[j] = count
        window_st[j] = float(st)
        window_stt[j] = float(stt)
        if i >= 2:
            tails[j] = (d + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
            tail_seconds[j] = float(u) - float(2 * t[i] - t[i - 1] - t[i - 2]) * (1.0 / 3.0)
        else:
            tails[j] = 0.0
            tail_seconds[j] = 0.0
    state[ORIGIN] = o
    state[S1] = s1
    state[S2] = s2
    state[STX] = stx
    state[PEAK] = peak
    state[COUNT] = count
    times[T0] = t0
    times[ST] = st
    times[STT] = stt
