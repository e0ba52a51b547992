"""What every setting of a grid comes to, lot by lot: one pass over each backtest's scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.labels import Window
from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.tune.configured import Configured
from ridgeline.engine.tune.history import History, Piece
from ridgeline.engine.tune.lots import Lots
from ridgeline.engine.tune.ranks import Ranks
from ridgeline.engine.tune.setting import Column, Family, Grid
from ridgeline.engine.tune.truth import Truth, truth_of
from ridgeline.kernels.native import loader
from ridgeline.kernels.sweep.layout import JUDGED, LANES, NINE, PAGES, TALLIES, WALKS

TODAY: Final = Column(0)
Tallies = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """One backtest: its scores, and the configuration that it was judged by."""

    history: History
    configured: Configured


@dataclass(frozen=True, slots=True)
class Bench:
    """What all settings are held against: labels by metric, and the lots."""

    windows: Mapping[str, Sequence[Window]]
    lots: Lots
    threads: int


@dataclass(frozen=True, slots=True)
class Table:
    """A piece that is ready for the sweep: `strategies` int64[n], to how many each metric's alerts go."""

    piece: Piece
    truth: Truth
    strategies: NDArray[np.int64]
    lots: int

    def add(self, scores: NDArray[np.float32], row: int, judged: int, family: Family, tallies: Tallies) -> None:
        """Add what the settings of a family make of a row of scores float32[C, N] to tallies float64[settings, lots, TALLIES].

        `judged`: the row of facts that tells the judged steps apart.
        """
        truth, lanes, steps = self.truth, len(family.expirations), len(self.piece.timestamps)
        loader.entry("sweep")(
            self.piece.offsets,
            self.piece.timestamps,
            scores,
            row,
            truth.facts,
            judged,
            truth.spans,
            truth.windows,
            truth.window_lots,
            truth.worth,
            self.strategies,
            np.array(family.thresholds, np.float64),
            np.array(family.often, np.int64),
            np.array(family.expirations, np.int64),
            self.lots,
            np.empty(steps, np.int64),
            np.empty((LANES, lanes), np.int64),
            np.empty((2 * lanes, len(truth.window_lots)), np.int64),
            tallies.reshape(-1, TALLIES),
        )


def sweep(views: Sequence[View], grid: Grid, bench: Bench, told: Callable[[int], None]) -> Tallies:
    """float64[settings, lots, TALLIES] of the grid. `told` hears of the steps that are done."""
    found = np.zeros((len(grid), len(bench.lots), TALLIES))
    rooms = {
        family.column: (family, found[start : start + len(family)])
        for family, start in zip(grid.families, grid.starts, strict=False)
    }
    with ThreadPoolExecutor(bench.threads, thread_name_prefix="tune") as pool:
        for place, view in enumerate(views):
            for piece in view.history.pieces():
                metrics = list(piece.metrics)
                strategies = np.array(
                    [sum(lane.strategies for lane in ways) for ways in view.configured.lanes(metrics)]
                )
                table = Table(piece, truth_of(piece, bench.windows, bench.lots), strategies, len(bench.lots))
                for scores, judged, columns in _columns(place, view, piece, grid):
                    waiting = [
                        pool.submit(table.add, scores, row, judged, *rooms[column])
                        for row, column in enumerate(columns)
                        if column in rooms
                    ]
                    for one in waiting:
                        one.result()
                told(len(piece.timestamps))
    return found


def _columns(
    place: int, view: View, piece: Piece, grid: Grid
) -> Iterator[tuple[NDArray[np.float32], int, list[Column]]]:
    """Rows of scores float32[C, N], the row of facts that counts their judged steps, and what each row is."""
    algorithms, walks = view.history.algorithms, view.history.walks
    if walks:
        yield piece.walks, WALKS, [Column(place, rule) for rule in walks]
    ranks = Ranks(piece, algorithms, view.configured.policies(list(piece.metrics)))
    votes = range(1, len(algorithms) + 1)
    yield ranks.plain(), NINE, [Column(place, CONSENSUS, k) for k in votes]
    changed: dict[str, set[float]] = defaultdict(set)
    for family in grid.families:
        if family.column.view == place and family.column.cutoff is not None:
            changed[family.column.cutoff[0]].add(family.column.cutoff[1])
    for name, some in changed.items():
        cutoffs = sorted(some)
        for cutoff, scores in zip(cutoffs, ranks.changed(name, cutoffs), strict=True):
            yield scores, NINE, [Column(place, CONSENSUS, k, (name, cutoff)) for k in votes]


def today(view: View, bench: Bench) -> Tallies:
    """float64[lots, TALLIES] of the backtest's own verdicts, under its own rules of alerting.

    What is detected counts once, by the way to a strategy that alerts soonest; pages count for every strategy.
    """
    found: Tallies = np.zeros((1, len(bench.lots), TALLIES))
    for piece in view.history.pieces(scores=False):
        truth, ways = truth_of(piece, bench.windows, bench.lots), view.configured.lanes(list(piece.metrics))
        for lane in {lane for some in ways for lane in some}:
            strategies = np.full(len(ways), lane.strategies)
            table = Table(piece, truth, strategies, len(bench.lots))
            for soonest in (True, False):
                here = [lane in some and (some[0] == lane) == soonest for some in ways]
                more = np.zeros_like(found)
                scores = (piece.anomalous & np.repeat(here, np.diff(piece.offsets)))[None].astype(np.float32)
                table.add(scores, 0, JUDGED, Family(TODAY, (0.5,), (lane.m_of_n,), (lane.expiration,)), more)
                found[..., PAGES] += more[..., PAGES]
                if soonest:
                    found[..., PAGES + 1 :] += more[..., PAGES + 1 :]
    return np.asarray(found[0])


def clock(view: View, bench: Bench, period: int) -> Tallies:
    """float64[lots, TALLIES] of alarms at fixed times, whatever the series: one every `period` seconds."""
    found: Tallies = np.zeros((1, len(bench.lots), TALLIES))
    for piece in view.history.pieces(scores=False):
        truth = truth_of(piece, bench.windows, bench.lots)
        table = Table(piece, truth, np.ones(len(piece.metrics), np.int64), len(bench.lots))
        scores = np.ones((1, len(piece.timestamps)), np.float32)
        table.add(scores, 0, JUDGED, Family(TODAY, (0.5,), ((1, 1),), (period,)), found)
    return np.asarray(found[0])
