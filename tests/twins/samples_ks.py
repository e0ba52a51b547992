"""Samples that make a regression with lags hard: one function a kind, all seeded, named so that a failure names it."""

from collections.abc import Callable, Iterator

import numpy as np

Rng = np.random.Generator
Kind = Callable[[Rng, int], np.ndarray]


def _walk(rng, n):
    return np.cumsum(rng.normal(size=n))


def _ar(rng, n, phi):
    x = np.zeros(n)
    e = rng.normal(size=n)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + e[i]
    return x


def _lagged(rng, n, lag):
    x = rng.normal(size=n)
    for i in range(lag, n):
        x[i] += 0.9 * x[i - lag]
    return x


def _levels(rng, n, levels, stay):
    x = np.empty(n)
    now = 0
    for i in range(n):
        if rng.random() > stay:
            now = rng.integers(levels)
        x[i] = now
    return x


def _flat_after(rng, n, start):
    x = rng.normal(size=n)
    x[start:] = x[start]
    return x


def _flat_before(rng, n, end):
    x = rng.normal(size=n)
    x[: n - end] = x[n - end]
    return x


def _one_at(rng, n, place):
    x = np.zeros(n)
    x[place] = 1.0 + rng.random()
    return x


def _pattern(rng, n, period):
    return np.resize(rng.normal(size=period), n)


KINDS: dict[str, Kind] = {
    # Realistic.
    "noise": lambda rng, n: rng.normal(size=n),
    "noise with an offset": lambda rng, n: 1e3 + rng.normal(size=n),
    "walk": _walk,
    "walk with drift": lambda rng, n: _walk(rng, n) + 0.5 * np.arange(n),
    "AR 0.5": lambda rng, n: _ar(rng, n, 0.5),
    "AR 0.9": lambda rng, n: _ar(rng, n, 0.9),
    "AR 0.99": lambda rng, n: _ar(rng, n, 0.99),
    "AR -0.9": lambda rng, n: _ar(rng, n, -0.9),
    "AR 1.02": lambda rng, n: _ar(rng, n, 1.02),
    "lag 3": lambda rng, n: _lagged(rng, n, 3),
    "lag 10": lambda rng, n: _lagged(rng, n, 10),
    "trend and noise": lambda rng, n: np.arange(n) + rng.normal(size=n),
    "season": lambda rng, n: np.sin(np.arange(n) / 9) + 0.1 * rng.normal(size=n),
    "heavy tails": lambda rng, n: rng.standard_t(1.5, size=n),
    "lognormal": lambda rng, n: np.exp(2 * rng.normal(size=n)),
    "integers": lambda rng, n: rng.integers(0, 100, n).astype(float),
    "few integers": lambda rng, n: rng.integers(0, 3, n).astype(float),
    "counter": lambda rng, n: np.cumsum(rng.poisson(20, n)).astype(float),
    "two decimals": lambda rng, n: np.round(_ar(rng, n, 0.8), 2),
    "float32": lambda rng, n: _walk(rng, n).astype(np.float32).astype(float),
    "spikes": lambda rng, n: rng.normal(size=n) + 1e6 * (rng.random(n) < 0.02),
    "step": lambda rng, n: rng.normal(size=n) + 50.0 * (np.arange(n) > n // 2),
    # Singular and near-singular.
    "constant": lambda rng, n: np.full(n, rng.normal()),
    "zero": lambda rng, n: np.zeros(n),
    "sparse counts": lambda rng, n: (rng.random(n) < 0.05).astype(float),
    "very sparse counts": lambda rng, n: rng.poisson(1 / n, n).astype(float),
    "sparse sizes": lambda rng, n: np.where(rng.random(n) < 0.04, rng.lognormal(size=n), 0.0),
    "one in the middle": lambda rng, n: _one_at(rng, n, n // 2),
    "one at the start": lambda rng, n: _one_at(rng, n, 0),
    "one at ten": lambda rng, n: _one_at(rng, n, 10),
    "one at the end": lambda rng, n: _one_at(rng, n, n - 1),
    "one before the end": lambda rng, n: _one_at(rng, n, n - 2),
    "levels": lambda rng, n: _levels(rng, n, 3, 0.95),
    "two levels": lambda rng, n: _levels(rng, n, 2, 0.9),
    "one step": lambda rng, n: (np.arange(n) >= rng.integers(1, n)).astype(float),
    "ramp": lambda rng, n: np.arange(n).astype(float),
    "ramp of tenths": lambda rng, n: np.arange(n) * 0.1,
    "ramp down": lambda rng, n: 7.0 - 3.0 * np.arange(n),
    "quadratic": lambda rng, n: np.arange(n) ** 2.0,
    "cubic": lambda rng, n: np.arange(n) ** 3.0,
    "ramp and dust": lambda rng, n: np.arange(n) + 1e-9 * rng.normal(size=n),
    "flat after 10": lambda rng, n: _flat_after(rng, n, 10),
    "flat after 11": lambda rng, n: _flat_after(rng, n, 11),
    "flat after 15": lambda rng, n: _flat_after(rng, n, 15),
    "flat before 5": lambda rng, n: _flat_before(rng, n, 5),
    "flat before 12": lambda rng, n: _flat_before(rng, n, 12),
    "alternating": lambda rng, n: np.arange(n) % 2 + 0.0,
    "alternating tenths": lambda rng, n: 0.1 + 0.2 * (np.arange(n) % 2),
    "alternating and dust": lambda rng, n: np.arange(n) % 2 + 1e-9 * rng.normal(size=n),
    "period 3": lambda rng, n: _pattern(rng, n, 3),
    "period 5": lambda rng, n: _pattern(rng, n, 5),
    "period 12": lambda rng, n: _pattern(rng, n, 12),
    "period 24": lambda rng, n: _pattern(rng, n, 24),
    "sine": lambda rng, n: np.sin(np.arange(n) * 0.37),
    "geometric decay": lambda rng, n: 0.5 ** np.arange(n),
    "geometric growth": lambda rng, n: 1.1 ** np.arange(n),
    # Units and offsets.
    "1e9 +- 1": lambda rng, n: 1e9 + rng.choice([-1.0, 1.0], n),
    "1e12 and noise": lambda rng, n: 1e12 + rng.normal(size=n),
    "1e6 and walk": lambda rng, n: 1e6 + _walk(rng, n),
    "tiny": lambda rng, n: 1e-9 * rng.normal(size=n),
    "tiny walk": lambda rng, n: 1e-12 * _walk(rng, n),
    "huge": lambda rng, n: 1e15 * rng.normal(size=n),
    "constant and dust": lambda rng, n: 5.0 + 1e-14 * rng.normal(size=n),
}

HOSTILE_FROM = list(KINDS).index("constant")
REALISTIC = list(KINDS)[:HOSTILE_FROM]


def samples(seed: int, rounds: int, kinds: list[str] | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """`rounds` samples of every kind, 20 to 400 points each, the shortest usable lengths often."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        for kind in kinds or KINDS:
            n = int(rng.choice([rng.integers(20, 30), rng.integers(24, 100), 300, rng.integers(100, 401)]))
            yield kind, np.ascontiguousarray(KINDS[kind](rng, n))
