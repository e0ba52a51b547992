"""What can be varied, and how much of it a run does."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Axes:
    """The sizes of one benchmark run.

    threads      thread counts to measure; chunk: keys a call to Redis; block: rows a kernel call
    mix          "mix" (the synthetic fleet), "noise", "walk" or "integers"
    redis        URL of a Redis to use instead of an embedded one (its database must be empty)
    oracle       tests/ of a checkout: adds our slow twins as a yardstick
    delta        new points of each metric from one warm run to the next
    spikes       share of all points of warm runs' fleets that stand out; counters: share of the metrics that count
    rule         by which warm runs judge beside "consensus": "pages" walks, "consensus": none
    warm_only    of `run`, leave out what reads every series, and needs the whole fleet in memory
    extra        "steps": of replay; "warm": leave out the first-ever start of cold-start
    yardsticks   measure polars, bottleneck + numbagg and pandas too, where they are installed
    """

    metrics: int = 4000
    points: int = 1440
    step: int = 60
    threads: tuple[int, ...] = (1, 2)
    chunk: tuple[int, ...] = (100,)
    block: tuple[int, ...] = (1024,)
    mix: str = "mix"
    runs: int = 7
    seed: int = 7
    end: int = 1_700_000_000
    redis: str | None = None
    oracle: str | None = None
    yardsticks: bool = True
    delta: int = 1
    spikes: float = 0.01
    counters: float = 0.3
    rule: str = "consensus"
    warm_only: bool = False
    extra: dict[str, str] = field(default_factory=dict)
