"""What metrics measure: for each kind a maker of functions that give the next value, point by point."""

from __future__ import annotations

import math

DAY = 86400


def gauge(rng):
    """Noise about a level, and one value in a hundred somewhere else."""
    level, width = 10.0 ** rng.uniform(-2, 6), rng.uniform(0.01, 0.2)

    def value(t):
        far = rng.uniform(-12, 12) if rng.random() < 0.01 else 0.0
        return level * (1 + width * (rng.normal() + far))

    return value


def season(rng):
    """A day's wave that crosses 0, with noise."""
    height = 10.0 ** rng.uniform(0, 3)
    return lambda t: height * (math.sin(2 * math.pi * t / DAY) + 0.1 * rng.normal())


def latency(rng):
    """Seldom far above what is usual."""
    return lambda t: float(rng.lognormal(-2, 1))


def quantised(rng):
    """Whole numbers of few values."""
    mean = rng.uniform(0.5, 300)
    return lambda t: float(rng.poisson(mean))


def errors(rng):
    """0, but for a few."""
    rate = rng.uniform(0.001, 0.05)
    return lambda t: float(rng.poisson(5) + 1) if rng.random() < rate else 0.0


def batch(rng):
    """A job's load: nothing, then for a while a plateau."""
    every, long, high = int(rng.integers(20, 300)) * 60, int(rng.integers(3, 15)) * 60, rng.uniform(10, 1000)
    return lambda t: high * (1 + 0.01 * rng.normal()) if t % every < long else 0.0


def constant(rng):
    """One value for hours, then another."""
    state = [rng.uniform(-5, 5)]

    def value(t):
        if rng.random() < 0.003:
            state[0] = float(rng.integers(-5, 5))
        return state[0]

    return value


def level(rng):
    """Small noise upon a height at which doubles have few digits left for it."""
    return lambda t: 1e15 + 8 * rng.normal()


def extremes(rng):
    """Values whose squares are no numbers, or 0."""
    unit = [1e200, 1e-200, 5e-324][rng.integers(3)]
    return lambda t: unit * float(rng.integers(-50, 50))


def rising(rng, *, rate, resets, back=(0.0,), unit=1.0):
    """A counter: rises of this rate, and now and then a fall to a part of what it was."""
    state = [float(rng.integers(0, 1000)) * unit]

    def value(t):
        state[0] += float(rng.poisson(rate)) * unit
        if rng.random() < resets:
            state[0] *= back[rng.integers(len(back))]
        return state[0]

    return value


def counter(rng):
    return rising(rng, rate=10.0 ** rng.uniform(0, 4), resets=0.002)


def slow_counter(rng):
    """One that hardly ever moves: its window has about as many rises as a counter must have."""
    return rising(rng, rate=0.008, resets=0.0005)


def doubtful_counter(rng):
    """One whose falls are sometimes resets and sometimes not, and nearly as many as a counter may have."""
    return rising(rng, rate=0.5, resets=rng.uniform(0.002, 0.12), back=(0.0, 0.0099, 0.0101, 0.5, 0.97), unit=0.37)


def dipping_counter(rng):
    """One that lies below 0 for a while."""
    count = rising(rng, rate=3, resets=0.001)
    return lambda t: count(t) - (1e7 if rng.random() < 0.0003 else 0.0)


def turning(rng):
    """A counter for some hours, a gauge for some."""
    first, second, every = counter(rng), gauge(rng), int(rng.integers(1, 9)) * 3600
    return lambda t: first(t) if t // every % 2 else second(t)


KINDS = {
    maker.__name__: maker
    for maker in (
        gauge, season, latency, quantised, errors, batch, constant, level, extremes,
        counter, slow_counter, doubtful_counter, dipping_counter, turning,
    )
}  # fmt: skip
