"""Series that algorithms find hard: ties, offsets, spikes, constants, lines, gaps, any length."""

import numpy as np
from hypothesis import strategies as st

START = 1_700_000_000
KINDS = ("noise", "integers", "walk", "two_levels", "line", "constant", "mostly_constant", "heavy", "lognormal")


def make_values(rng, kind, n):
    noise = rng.normal(size=n)
    return {
        "noise": lambda: noise,
        "integers": lambda: rng.integers(0, 6, n).astype(float),
        "walk": lambda: np.cumsum(noise),
        "two_levels": lambda: rng.integers(0, 2, n) * 10.0,
        "line": lambda: np.arange(n) * 0.5 + noise * rng.choice([0.0, 1e-3, 1.0]),
        "constant": lambda: np.full(n, 0.1),
        "mostly_constant": lambda: np.where(rng.random(n) < 0.1, noise, 0.1),
        "heavy": lambda: rng.standard_cauchy(n),
        "lognormal": lambda: np.exp(2 * noise),
    }[kind]()


def make_times(rng, kind, n):
    steps = {
        "minutes": lambda: np.full(n, 60),
        "seconds": lambda: np.full(n, 10),
        "days": lambda: np.full(n, 86400),
        "gaps": lambda: rng.choice([60, 60, 60, 4000], n),
        "uneven": lambda: rng.integers(1, 200, n),
    }[kind]()
    return START + np.cumsum(steps) - steps[0]


@st.composite
def series(draw, min_size=1, max_size=250):
    """(t int64[n] ascending, x float64[n]): drawn by kind from a seed, so that failures shrink to a short line."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(min_size, max_size))
    x = make_values(rng, draw(st.sampled_from(KINDS)), n)
    x = x * draw(st.sampled_from([1.0, 1.0, 1e-6, 1e6])) + draw(st.sampled_from([0.0, 0.0, 100.0, -1e9, 1e15]))
    spread = float(np.std(x)) or 1.0
    for _ in range(draw(st.integers(0, 3))):
        x[draw(st.sampled_from([n - 1, n - 1, n // 2, 0]))] += spread * draw(st.sampled_from([3.5, -6.0, 40.0, 1e12]))
    t = make_times(rng, draw(st.sampled_from(["minutes", "seconds", "days", "gaps", "uneven"])), n)
    return t.astype(np.int64), x.astype(np.float64)


@st.composite
def edge_series(draw, min_size=3, max_size=200):
    """(t, x) at the edges of numbers: of any size, jittered by rounding, with values of other magnitudes among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(min_size, max_size))
    x = make_values(rng, draw(st.sampled_from(("noise", "integers", "two_levels", "constant", "mostly_constant"))), n)
    with np.errstate(over="ignore", under="ignore"):
        x = x * 10.0 ** draw(st.sampled_from([0, 0, -162, 155, -200, 200, -280, 290, 306]))
    if draw(st.booleans()):  # what sums in another order make of it
        units = (
            rng.integers(-3, 4, n)
            * draw(st.sampled_from([0, 1, 4]))
            * (rng.random(n) < draw(st.sampled_from([0.05, 1.0])))
        )
        x = x + units * np.spacing(x)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.sampled_from([n - 1, n - 1, n - 2, n // 2, 0]))
        x[at] = draw(st.sampled_from([0.0, 1.0, -3.0, 1e155, -1e155, 1e-162, 1e300, -1.7e308, 1e-250]))
    t = make_times(rng, draw(st.sampled_from(["minutes", "seconds", "uneven"])), n)
    return t.astype(np.int64), np.clip(x, -1.7e308, 1.7e308)
