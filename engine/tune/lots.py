"""What a history is dealt into: lots, each wholly in one half or the other.

Metrics, where at least four of them have labels; the metrics of one prefix stay together where there are at least four
prefixes. Of fewer metrics, blocks of time, the same for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.labels import Window

Kind = Literal["prefix", "metric", "time"]
ENOUGH: Final = 4  # metrics with labels, and prefixes, from which halves of them are dealt
MOST: Final = 128  # lots: of more metrics several share one
BLOCKS: Final = 10  # of time
TRIES: Final = 100  # to deal a half that has a label


@dataclass(frozen=True, slots=True)
class Lots:
    """Which lot each step belongs to.

    first     the lot of each metric, by name; of blocks of time that of its first block
    edges     int64: where blocks of time begin, but for the first; empty where lots are metrics
    together  int64[lots]: lots of one number go into the same half
    prefixes  the prefix of each number in `together`; empty where lots are dealt by anything else
    """

    kind: Kind
    first: Mapping[str, int]
    edges: NDArray[np.int64]
    together: NDArray[np.int64]
    prefixes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.together)

    def of(self, metric: str, timestamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """The lot of each moment of a metric."""
        return self.first[metric] + np.searchsorted(self.edges, timestamps, side="right")


def lots_of(metrics: Sequence[str], windows: Mapping[str, Sequence[Window]], span: tuple[int, int], seed: int) -> Lots:
    """Lots of these metrics; `windows` of labels, empty where there are none; `span`: first and last moment of all."""
    labelled = {metric for metric in metrics if windows.get(metric)} if windows else set(metrics)
    if len(labelled) < ENOUGH:
        every = [window for metric in metrics for window in windows.get(metric, ())]
        edges = _edges(span, every)
        blocks = len(edges) + 1
        first = {metric: at * blocks for at, metric in enumerate(metrics)}
        return Lots("time", first, edges, np.tile(np.arange(blocks), len(metrics)))
    prefixes = _prefixes(metrics)
    if prefixes is None:
        return _dealt("metric", {metric: [metric] for metric in metrics}, labelled, seed)
    return _dealt("prefix", prefixes, labelled, seed)


def prefix_of(metric: str, depth: int) -> str:
    """The first `depth` dotted elements of a name that has more; else the name."""
    parts = metric.split(".")
    return ".".join(parts[:depth]) if len(parts) > depth else metric


def _prefixes(metrics: Sequence[str]) -> dict[str, list[str]] | None:
    """Metrics by the shortest prefix of which there are enough; None where no two of them share one."""
    deepest = max(metric.count(".") for metric in metrics)
    for depth in range(1, deepest + 1):
        found: dict[str, list[str]] = defaultdict(list)
        for metric in metrics:
            found[prefix_of(metric, depth)].append(metric)
        if len(found) >= ENOUGH:
            return dict(found) if len(found) < len(metrics) else None
    return None


def _dealt(kind: Kind, groups: Mapping[str, list[str]], labelled: Collection[str], seed: int) -> Lots:
    """Every metric a lot of its own while there are few; else they share, by chance, those with labels apart."""
    few = len(groups) <= MOST
    share = min(1.0, MOST / sum(map(len, groups.values())))
    generator = np.random.default_rng(seed)
    first: dict[str, int] = {}
    together: list[int] = []
    for number, members in enumerate(groups.values()):
        own = max(1, int(len(members) * share)) if few else 1
        base = len(together) if few else number % MOST
        ordered = [members[at] for at in generator.permutation(len(members))]
        ordered.sort(key=lambda metric: metric not in labelled)
        first.update((metric, base + at % own) for at, metric in enumerate(ordered))
        if base == len(together):
            together += [number] * own
    prefixes = tuple(groups) if kind == "prefix" and few else ()
    return Lots(kind, first, np.empty(0, np.int64), np.array(together), prefixes)


def _edges(span: tuple[int, int], windows: Sequence[Window]) -> NDArray[np.int64]:
    """Where blocks of equal length begin, put off to the end of a window that they would cut."""
    edges = np.linspace(span[0], span[1], BLOCKS + 1)[1:-1].astype(np.int64)
    for start, end in sorted(windows):
        edges = np.where((edges > start) & (edges <= end), end + 1, edges)
    return np.unique(edges[edges <= span[1]])


def halves(together: NDArray[np.int64], labelled: NDArray[np.bool_] | None, folds: int, seed: int) -> NDArray[np.bool_]:
    """Which lots are for training, bool[folds, lots]: a random half of the numbers in `together` each time.

    `labelled`: which lots have a label; both halves get one. Fewer folds, down to none, where that cannot be.
    """
    generator = np.random.default_rng(seed)
    numbers = np.unique(together)
    found: list[NDArray[np.bool_]] = []
    for _ in range(folds):
        for _ in range(TRIES):
            training = np.isin(together, generator.permutation(numbers)[: len(numbers) // 2])
            if not training.any() or training.all():
                break
            if labelled is None or (labelled[training].any() and labelled[~training].any()):
                found.append(training)
                break
    return np.array(found) if found else np.empty((0, len(together)), np.bool_)
