"""Between which values of the newest point an algorithm would not have voted: found by asking the algorithm itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.score.matrix import judge_rows
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.rows import OneMetric
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.ordered import distinct, median
from ridgeline.kernels.score.layout import TRUE

Floats = NDArray[np.float64]
Bounds = tuple[float | None, float | None]
Side = tuple[int, bool]  # an algorithm's place, and whether it is the upper bound

AT_ONCE: Final = 256  # values that are tried by one call of the kernel
WAYS: Final = 8  # parts that an interval is searched in at once
OWN: Final = 9  # of its values, from the least to the greatest
BINS: Final = 15  # of histogram_bins, whose vote may change wherever a value crosses one of their edges
TAIL: Final = 3
HALVINGS, DOUBLINGS = 12, 60  # of the series' own distance from the median, that are looked at
STEPS: Final = np.arange(1, 33) / 8  # of that distance, too
LIMIT: Final = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One series whose newest value may be any.

    rows     copies of the series, whose newest values are written anew for every question
    plan     with a policy for each algorithm of `names`, alone
    columns  the place of each among the plan's algorithms, int64[names]
    """

    rows: OneMetric
    plan: ScorePlan
    names: tuple[str, ...]
    columns: NDArray[np.int64]

    @classmethod
    def of(cls, matrix: MetricMatrix, scorer: Scorer, names: tuple[str, ...]) -> Self:
        """The trial of a matrix of one row."""
        base = scorer.overrides.policy(matrix.name(0))
        policies = tuple(replace(base, consensus=1, algorithms=(name,)) for name in names)
        plan = replace(scorer.plan, policies=policies, scores=False, all_votes=True)
        columns = np.array([plan.names.index(name) for name in names])
        return cls(OneMetric.copies(matrix, AT_ONCE), plan, names, columns)

    @property
    def values(self) -> Floats:
        """The series' values, float64[n]; the newest is one that was tried."""
        return self.rows.values[: self.rows.offsets[1]]

    def votes(self, values: Floats, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether algorithm `places[i]` of `names` votes True where the newest value is `values[i]`: bool[n]."""
        parts = [slice(at, at + AT_ONCE) for at in range(0, len(values), AT_ONCE)]
        return np.concatenate([self._votes(values[part], places[part]) for part in parts])

    def _votes(self, values: Floats, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        rows = self.rows.first(len(values))
        rows.values[rows.offsets[1:] - 1] = values
        judged = judge_rows(rows, self.plan, places.astype(np.int32))
        found: NDArray[np.bool_] = judged.votes[self.columns[places], np.arange(len(values))] == TRUE
        return found


def bounds(trial: Trial) -> Mapping[str, Bounds | None]:
    """(low, high) by algorithm: with a newest value from low to high, both included, it would not have voted True.

    None for a side without a bound. Of several such intervals it is the one nearest to the median of the other points;
    None where there is none. Exact to the last bit: the values next to the bounds are votes.
    """
    others = trial.values[:-1]
    middle = median(others) if len(others) else float(trial.values[-1])
    quiet: dict[Side, int] = {}
    voting: dict[Side, int] = {}
    found: dict[str, Bounds | None] = dict.fromkeys(trial.names)
    for places, grid in _grids(trial, middle, others):
        votes = trial.votes(np.tile(grid, len(places)), np.repeat(places, len(grid))).reshape(len(places), len(grid))
        with np.errstate(over="ignore"):
            nearest = np.argsort(np.abs(grid - middle), kind="stable")
        for place, fired in zip(places.tolist(), votes, strict=True):
            start = next((int(at) for at in nearest if not fired[at]), None)
            if start is not None:
                found[trial.names[place]] = (None, None)
                _bracket(place, grid, fired, start, quiet, voting)
    _narrow(trial, quiet, voting)
    for (place, up), rank in quiet.items():
        low, high = found[trial.names[place]] or (None, None)
        value = float(_values([rank])[0])
        found[trial.names[place]] = (low, value) if up else (value, high)
    return found


def _bracket(
    place: int, grid: Floats, fired: NDArray[np.bool_], start: int, quiet: dict[Side, int], voting: dict[Side, int]
) -> None:
    """Note, for each side, the last value of the grid without a vote as seen from `start`, and the first with one."""
    for up in (False, True):
        ahead = np.flatnonzero(fired[start:] if up else fired[start::-1])
        if len(ahead):
            first = start + int(ahead[0]) if up else start - int(ahead[0])
            quiet[place, up] = _rank(grid[first - 1 if up else first + 1])
            voting[place, up] = _rank(grid[first])


def _grids(trial: Trial, middle: float, others: Floats) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Algorithms, and the values at which their votes are asked for first, ascending."""
    by_bins = np.array([name == "histogram_bins" for name in trial.names], np.bool_)
    for places, edges in ((np.flatnonzero(~by_bins), np.empty(0)), (np.flatnonzero(by_bins), _edges(others))):
        if len(places):
            yield places, _grid(middle, others, edges)


def _narrow(trial: Trial, quiet: dict[Side, int], voting: dict[Side, int]) -> None:
    """Bring each pair of a value without a vote and one with it together, until no number lies between them."""
    while open_ := [side for side in quiet if abs(voting[side] - quiet[side]) > 1]:
        ranks = [_between(quiet[side], voting[side]) for side in open_]
        values = _values([rank for some in ranks for rank in some])
        places = np.repeat(np.array([place for place, _ in open_]), [len(some) for some in ranks])
        votes = iter(trial.votes(values, places).tolist())
        for side, some in zip(open_, ranks, strict=True):
            fired = [next(votes) for _ in some]
            first = fired.index(True) if True in fired else len(some)
            quiet[side], voting[side] = (
                some[first - 1] if first else quiet[side],
                some[first] if first < len(some) else voting[side],
            )


def _between(begin: int, end: int) -> list[int]:
    """Whole numbers between two, evenly spread, in the order from begin to end."""
    parts, way = min(WAYS, abs(end - begin)), 1 if end > begin else -1
    return [begin + way * (abs(end - begin) * part // parts) for part in range(1, parts)]


def _grid(middle: float, others: Floats, edges: Floats) -> Floats:
    """The median, values around it in steps of the series' spread and in doubling ones, its own, and `edges`."""
    with np.errstate(over="ignore", invalid="ignore"):
        far = min(float(np.abs(others - middle).max()), LIMIT) if len(others) else 0.0
        step = max(far, abs(middle), 1e-300)
        distances = np.concatenate([step * np.exp2(np.arange(-HALVINGS, DOUBLINGS, 2.0)), far * STEPS])
        own = np.sort(others)[np.linspace(0, max(len(others) - 1, 0), min(len(others), OWN)).astype(np.int64)]
        values = distinct(np.concatenate([[middle], middle + distances, middle - distances, own, edges]))
    return np.concatenate([[-LIMIT], values[np.abs(values) < LIMIT], [LIMIT]])


def _edges(others: Floats) -> Floats:
    """Between the values at which the newest point, or the tail that it is a third of, crosses an edge of a bin."""
    if len(others) < TAIL or not others.max() > others.min():
        return np.empty(0)
    shares = np.arange(BINS + 1) / BINS
    edges = others.min() * (1 - shares) + others.max() * shares
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number is left out of the grid
        crossings = np.sort(np.concatenate([edges, TAIL * edges - others[-1] - others[-2]]))
        return np.concatenate([(crossings[1:] + crossings[:-1]) / 2, crossings])


def _rank(value: float) -> int:
    """The place of a number among all of float64: as numbers grow, so do their ranks, one by one."""
    bits = int(np.float64(value).view(np.int64))
    return bits if bits >= 0 else -(bits & (2**63 - 1)) - 1


def _values(ranks: Sequence[int]) -> Floats:
    """The numbers at these places."""
    bits = np.array(ranks, np.int64)
    return np.where(bits >= 0, bits, -(bits + 1) | np.iinfo(np.int64).min).view(np.float64)


def around(bound: Bounds | None) -> Sequence[float | None]:
    """Low and high; neither where there is no interval."""
    return (None, None) if bound is None else bound
