"""One pass of `batch` as a value: what was asked for, and what it has come to so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.batch.files import APP, tell_panorama, unwritten
from ridgeline.engine.batch.judging import Judging
from ridgeline.engine.batch.record import Entry, changes_of
from ridgeline.engine.batch.summary import Summary
from ridgeline.engine.config.model import Config
from ridgeline.engine.run.books.events import events_key
from ridgeline.engine.run.handoffs.batch_failing import Parked
from ridgeline.engine.run.handoffs.mirage import mirage_hours
from ridgeline.engine.run.handoffs.routing import ALIVE, QUEUE
from ridgeline.engine.run.hosts import own_key
from ridgeline.io.errors import OutputError
from ridgeline.io.redis.entries import Entries
from ridgeline.io.shard import Share, node

if TYPE_CHECKING:
    import pyarrow as pa

    from ridgeline.engine.batch.judging import Judged
    from ridgeline.engine.batch.results import Results
    from ridgeline.io.redis.ledger import Books

LIFE: Final = 900  # seconds that a pass without a period is taken to be at work
PERIODS: Final = 3  # of its own, after which one with a period is taken to be gone
RENEWED: Final = 3  # times in that long


@dataclass(frozen=True, slots=True)
class Request:
    """What one pass is asked to do.

    everything  every metric that is listed, not what is queued; so is it where `match` names some
    match       a pattern; None: every metric
    members     what is to be done instead, told as the queue would tell it
    reprocess   epoch seconds: what is that old or newer is judged once more, whatever was judged
    deadline    seconds
    dry_run     nothing is written, and nothing taken out of the queue
    progress    is told how many more metrics are done
    """

    config: Config
    everything: bool = False
    match: str | None = None
    members: tuple[str, ...] = ()
    reprocess: int | None = None
    deadline: float = 290.0
    dry_run: bool = False
    progress: Callable[[int], None] | None = None

    @property
    def listed(self) -> bool:
        """Whether the work is what is listed, not what is queued."""
        return self.everything or self.match is not None


@dataclass(slots=True)
class Turn:
    """One pass on its way.

    ledger    the keys that are shared with `run` and siblings
    now       epoch seconds of its beginning; `left`: seconds until it must end
    share     the metrics that are this host's
    failing   metrics that failed before, and in this pass
    given_up  those of them that this pass left alone for good
    results   where verdicts are kept as Parquet; None: nowhere
    unwritten metrics whose files could not be written, and `why` the first of them could not
    """

    request: Request
    judging: Judging
    ledger: Books
    now: int
    wall: Callable[[], float]
    left: Callable[[], float]
    summary: Summary = field(default_factory=Summary)
    share: Share = field(default_factory=Share)
    failing: dict[str, Parked] = field(default_factory=dict)
    given_up: list[Parked] = field(default_factory=list)
    host: str = field(default_factory=node)
    results: Results | None = None
    unwritten: int = 0
    why: str = ""
    _judged: list[tuple[pa.StringArray, Judged]] = field(default_factory=list)
    _renewed: float = float("-inf")

    @property
    def config(self) -> Config:
        """Its configuration."""
        return self.request.config

    @property
    def ours(self) -> dict[str, Parked]:
        """Those of the failing metrics that are this host's."""
        return {metric: self.failing[metric] for metric in self.share.among(self.failing)}

    @property
    def events(self) -> str:
        """The key of its day's events."""
        return events_key(APP, self.now)

    def stay_alive(self) -> None:
        """Tell `run` that batch is at work, now and then. Raises StateError."""
        every, now = self.config.agent.batch_every, self.wall()
        life = LIFE if every is None else max(round(PERIODS * every), 1)
        if self.request.dry_run or now - self._renewed < life / RENEWED:
            return
        changes = Entries()
        for key in dict.fromkeys([ALIVE, own_key(self.config.shards, ALIVE)]):
            changes.set(key, str(int(now)), life)
        self.ledger.write(changes)
        self._renewed = now

    def take(self, metrics: pa.StringArray, judged: Judged) -> None:
        """Hold on to verdicts until they are recorded, where they are to be kept."""
        if self.results is not None and not self.request.dry_run:
            self._judged.append((metrics, judged))

    def record(self, entries: Sequence[Entry]) -> set[str]:
        """Write the files of a judged piece, then all else of each metric in one instant; the metrics that this failed at.

        Raises StateError.
        """
        if not self.request.dry_run:
            entries, files = self._with_results(self._with_files(entries))
            self._write(entries)
            self._settle(files)
        for entry in entries:
            self._count(entry)
        return {entry.metric for entry in entries if entry.unwritten or entry.parked is not None}

    def _write(self, entries: Sequence[Entry]) -> None:
        """All that is in one instant of each metric in one go; where there are several, the first must be there before the next."""
        changes = Entries()
        changes.take_out(QUEUE, [member for entry in entries if entry.idle for member in entry.members])
        for entry in entries:
            if entry.idle:
                continue
            *first, last = changes_of(entry, self.events)
            for part in first:
                alone = Entries()
                alone.together(part)
                self.ledger.write(alone)
            changes.together(last)
        self.ledger.write(changes)

    def _with_files(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries, less what must not be recorded because its files could not be written.

        Panorama hears of Mirage's metrics from Mirage, or from the run that asks it and gets no answer.
        """
        folder = self.config.handoff.panorama_checks
        if folder is None:
            return list(entries)
        told = [entry.metric for entry in entries if entry.anomalies]
        theirs = () if self.config.handoff.mirage_checks is None else mirage_hours(self.config.alerts, told)
        return [entry if entry.metric in theirs else self._told(entry, folder) for entry in entries]

    def _told(self, entry: Entry, folder: Path) -> Entry:
        try:
            tell_panorama(entry, folder, self.now, self.host)
        except OutputError as error:
            self.unwritten += 1
            self.why = self.why or str(error)
            return unwritten(entry)
        return entry

    def _with_results(self, entries: Sequence[Entry]) -> tuple[Sequence[Entry], list[str]]:
        """The entries, and the files that hold their verdicts; less what must not be recorded without such a file."""
        judged, self._judged = self._judged, []
        if self.results is None:
            return entries, []
        kept = {entry.metric for entry in entries if not entry.unwritten}
        try:
            names = [self.results.put(metrics, some, kept) for metrics, some in judged]
        except OutputError as error:  # what was written remains announced: the next pass puts it right
            self.unwritten += len(kept)
            self.why = self.why or str(error)
            return [unwritten(entry) for entry in entries], []
        return entries, [name for name in names if name is not None]

    def _settle(self, files: Sequence[str]) -> None:
        """What cannot be put right now is put right by the next pass, which finds the file announced."""
        if self.results is None:
            return
        try:
            for name in files:
                self.results.settle(name)
        except OutputError as error:
            self.summary.find(error.exit_code, str(error))

    def _count(self, entry: Entry) -> None:
        summary = self.summary
        summary.points += entry.points
        summary.anomalies += len(entry.anomalies)
        summary.late += entry.late
        summary.metrics += entry.done
        if entry.parked is not None:
            if entry.parked.given_up and not self._is_given_up(entry.metric):
                self.given_up.append(entry.parked)
            self.failing[entry.metric] = entry.parked
        elif entry.was_parked:
            self.failing.pop(entry.metric, None)

    def _is_given_up(self, metric: str) -> bool:
        return metric in self.failing and self.failing[metric].given_up
