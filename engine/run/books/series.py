"""What a run learned of series themselves, for siblings: resolution, density, and which are counters.

A fleet's series do not change from one run to the next, so a run notes digests of what it told, a metric or a few at a time,
and tells only where a digest is another. Every half hour everything is told anew, which drops what has gone.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.density import FULL, density, look
from ridgeline.engine.prepare.plan import OFF
from ridgeline.engine.run.books.members import in_namespace, put_hash, put_set
from ridgeline.engine.run.books.named import Named
from ridgeline.engine.run.hosts import own_key
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.run.turn import Turn
from ridgeline.io.redis.ledger import Strings
from ridgeline.kernels.prepare.layout import DERIVED

RESOLUTIONS: Final = "analyzer.metrics_manager.resolutions"
SPARSITY: Final = "analyzer.metrics_manager.hash_key.metrics_data_sparsity"
POPULATED: Final = "analyzer.metrics_manager.metrics_fully_populated"
COUNTERS: Final = "derivative_metrics"
OTHERS: Final = "non_derivative_metrics"
TIMER: Final = "analyzer.derivative_metrics_expiry"
DIGESTS: Final = "ridgeline.series"
PERIOD: Final = 1800  # seconds
MARK: Final = "skyline_set_as_of_"
SHARING: Final = 4  # metrics to a digest, on average

Digests = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """What a run notes for the next: when all was told, epoch seconds, and digests of what has been told since."""

    since: int
    digests: Digests

    @classmethod
    def read(cls, text: str | None) -> Noted | None:
        """The notes; None where there are none, or none that make sense."""
        since, _, digests = (text or "").partition(" ")
        try:
            return cls(int(since), np.frombuffer(base64.b64decode(digests, validate=True), np.uint32))
        except ValueError:
            return None

    def text(self) -> str:
        """As it is stored."""
        return f"{self.since} {base64.b64encode(self.digests.tobytes()).decode()}"


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Of n metrics.

    naming   the names of some of them, by their places int64[k]; hashes uint64[n]: a number of each name
    resolution int64[n], seconds, 0 where there is none; sparsity float64[n], percent; counter bool[n]
    """

    naming: Callable[[NDArray[np.int64]], list[str]]
    hashes: NDArray[np.uint64]
    resolution: NDArray[np.int64]
    sparsity: NDArray[np.float64]
    counter: NDArray[np.bool_]

    @property
    def metrics(self) -> list[str]:
        """Their names."""
        return self.naming(np.arange(len(self.hashes)))

    def some(self, chosen: NDArray[np.bool_]) -> Facts:
        """Of the chosen ones, bool[n]."""
        if chosen.all():
            return self
        rows = np.flatnonzero(chosen)
        return Facts(
            lambda places: self.naming(rows[places]),
            self.hashes[rows],
            self.resolution[rows],
            self.sparsity[rows],
            self.counter[rows],
        )

    def keys(self, turn: Turn) -> list[str]:
        """The keys of the series."""
        namespace = turn.request.config.source.settings.namespace
        return [f"{namespace}{name}" for name in self.metrics]

    def resolutions(self) -> Iterator[tuple[str, str]]:
        """(metric, seconds) of those that have one."""
        return ((name, str(step)) for name, step in zip(self.metrics, self.resolution.tolist(), strict=True) if step)

    def densities(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(key, percent) of those that have a resolution."""
        columns = zip(keys, self.resolution.tolist(), self.sparsity.tolist(), strict=True)
        return ((key, repr(share)) for key, step, share in columns if step)

    def digests(self) -> tuple[Digests, NDArray[np.int64]]:
        """Digests of what there is to tell, and which of them each metric has a share in, int64[n]."""
        hashes = self.hashes & np.uint64(0xFFFFFFFF)
        size = 1 << max(len(hashes) // SHARING, 1).bit_length()
        told = self.resolution.astype(np.uint64) << np.uint64(20)
        told += np.minimum(np.rint(self.sparsity * 100), 2**19 - 1).astype(np.uint64) * np.uint64(2) + self.counter
        mixed = (hashes << np.uint64(32) ^ told) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xBF58476D1CE4E5B9)
        share = (hashes % np.uint64(size)).astype(np.int64)
        sums = np.zeros(size, np.uint32)
        np.add.at(sums, share, (mixed >> np.uint64(32)).astype(np.uint32))
        return sums, share


@dataclass(slots=True)
class SeriesBooks:
    """Looks at every series that is read; `window`: seconds that a fully populated series fills."""

    window: int
    wants_series: bool = True
    wants_all: bool = False
    _settled: list[Settled] = field(default_factory=list)
    _metrics: list[pa.StringArray] = field(default_factory=list)
    _facts: list[NDArray[np.int64]] = field(default_factory=list)
    _counters: list[NDArray[np.bool_]] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Keep three numbers of each series."""
        if matrix is None:
            return
        done = matrix.prepared.done
        self._metrics.append(matrix.cleaned.metrics)
        self._facts.append(look(matrix.cleaned, self.window))
        self._counters.append(np.zeros(len(matrix.cleaned), np.bool_) if done is None else (done & DERIVED) > 0)

    def settle(self, settled: Settled) -> None:
        """Keep the columns."""
        self._settled.append(settled)

    def finish(self, turn: Turn) -> None:
        """Tell what changed; all of it once in a while. A run that saw only a part of the fleet tells of that part."""
        if turn.ledger is None or not (self._facts or self._settled):
            return
        facts = self._gathered()
        key = own_key(turn.request.config.shards, DIGESTS)
        ((text,),) = turn.ledger.ask(Strings([key]))
        noted = Noted.read(text)
        if not (turn.whole and turn.of_the_fleet):
            _tell(turn, facts)
            turn.entries.unlink(key)
            return
        digests, share = facts.digests()
        if noted is None or turn.as_of >= noted.since + PERIOD or len(noted.digests) != len(digests):
            _tell_all(turn, facts)
            noted = Noted(turn.as_of, digests)
        elif not np.array_equal(noted.digests, digests):
            _tell(turn, facts.some((noted.digests != digests)[share]))
            noted = Noted(noted.since, digests)
        else:
            return
        turn.entries.set(key, noted.text(), PERIOD)

    def _gathered(self) -> Facts:
        """Of all metrics with a series."""
        settled = [np.column_stack((some.resolutions, _points(some, self.window))) for some in self._settled]
        found = density(np.concatenate([*settled, *self._facts]), self.window)
        counters = [*((some.done & DERIVED) > 0 for some in self._settled), *self._counters]
        named = Named([name for part in self._metrics for name in part.to_pylist()], self._settled)
        facts = Facts(named.some, named.hashes(), found.resolution, found.sparsity, np.concatenate(counters))
        return facts.some(found.there)


def _points(settled: Settled, window: int) -> NDArray[np.int64]:
    """Points in these seconds, int64[n], of metrics of which those in a window of their own are known.

    In a longer one they are taken to be the newest without a gap; in a shorter one to go on as dense as they are.
    """
    within = np.minimum(settled.points, -(-window // np.maximum(settled.resolutions, 1)))
    found: NDArray[np.int64] = np.where(
        settled.windows > window, within, -(-settled.points * window // settled.windows)
    )
    return found


def _tell(turn: Turn, facts: Facts) -> None:
    """Tell of these metrics, and leave the others as they are."""
    entries, keys = turn.entries, facts.keys(turn)
    entries.put_pairs(RESOLUTIONS, facts.resolutions())
    entries.put_pairs(SPARSITY, facts.densities(keys))
    sets = [(POPULATED, facts.sparsity >= FULL)]
    if _tells_counters(turn):
        sets += [(COUNTERS, facts.counter), (OTHERS, ~facts.counter)]
    for key, chosen in sets:
        entries.add(key, compress(keys, chosen))
        entries.remove(key, compress(keys, ~chosen))


def _tell_all(turn: Turn, facts: Facts) -> None:
    """Tell of the whole fleet: metrics that have gone are no members any more. Resolutions stay, as Skyline's do."""
    entries, keys = turn.entries, facts.keys(turn)
    entries.put_pairs(RESOLUTIONS, facts.resolutions())
    named = in_namespace(turn.request.config.source.settings.namespace)
    if turn.share.whole:
        entries.unlink(SPARSITY)  # nobody minds a moment without it
        entries.put_pairs(SPARSITY, facts.densities(keys))
    else:
        put_hash(turn, SPARSITY, dict(facts.densities(keys)), named)
    put_set(turn, POPULATED, compress(keys, facts.sparsity >= FULL), named)
    if _tells_counters(turn):
        marks = [f"{MARK}{turn.as_of}"] if turn.share.first else []
        put_set(turn, COUNTERS, chain(marks, compress(keys, facts.counter)), named)
        put_set(turn, OTHERS, chain(marks, compress(keys, ~facts.counter)), named)
        if turn.share.first:
            entries.set(TIMER, str(turn.as_of), PERIOD)


def _tells_counters(turn: Turn) -> bool:
    return turn.request.config.preparation.counters != OFF
