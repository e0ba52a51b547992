"""One run as a value: what was asked for, and what the stages have made of it so far."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from ridgeline.engine.config.model import Config
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.handoffs.desk import HandOffs
from ridgeline.engine.run.shedding import Places
from ridgeline.engine.run.sinks import Sink
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.errors import AuthenticationFailed, NoData, OutputError, SourceUnavailable
from ridgeline.io.shard import Share
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.alerts.item import Item
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.run.archiving import Archiving
    from ridgeline.engine.run.asking import Question
    from ridgeline.engine.run.external import Asking
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.scan import Scan
    from ridgeline.engine.run.shadow.shadowing import Shadowing
    from ridgeline.engine.run.skips import OperatorSkips
    from ridgeline.io.redis.entries import Entries
    from ridgeline.io.redis.ledger import Ledger
    from ridgeline.io.source import Source

S = TypeVar("S", bound=Sink)
BUG: Final = 1
PARTIAL: Final = 70
# Of several codes that apply, the run ends with the first of these.
GRAVEST_FIRST: Final = (
    BUG,
    AuthenticationFailed.exit_code,
    NoData.exit_code,
    OutputError.exit_code,
    SourceUnavailable.exit_code,
    PARTIAL,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What one run is asked to do. `as_of` None: now. `match` None: every metric. `json`: stdout is not for alerts.

    `progress` is told how many more metrics have been read. `check_airgaps_only`: series are looked at for airgaps and disorder,
    and not judged. `only`: base names; None: all that match. `archive`: new points are added to the archive.
    `shadow`: it stands beside a live Skyline, in a dry run. `full`: every series is read whole, whatever is remembered.
    """

    config: Config
    as_of: int | None = None
    match: str | None = None
    dry_run: bool = False
    json: bool = False
    check_airgaps_only: bool = False
    progress: Callable[[int], None] | None = None
    only: frozenset[str] | None = None
    archive: bool = False
    shadow: Shadowing | None = None
    full: bool = False

    @property
    def airgaps(self) -> bool:
        """Whether airgaps are looked for."""
        return self.check_airgaps_only or self.config.airgaps.identify

    @property
    def everything(self) -> bool:
        """Whether no metric is left aside that the configuration would have judged."""
        return self.match is None and self.only is None


@dataclass(slots=True)
class Turn:
    """One run on its way through its stages.

    wall      this machine's clock, epoch seconds; `now`: what it said when the run began
    cleanup   what is closed or released when it ends, however it ends
    sinks     where scored blocks go, in this order
    share     the metrics that are this host's
    external  the rules of others' services on their way, where any are asked
    selection which of the metrics that are listed are read; None: all
    source    where the metrics come from, once it is listed
    places    where a run before this one stopped for want of time; None: nowhere
    compiled  whether the kernels are ready
    scan      how reading went
    lacking   why there is no data, if there is none
    ledger    the keys that siblings and operators share with us, where there are any to be kept
    siblings  the same, where they are only asked
    waiting   alerts in the outbox by strategy; None where that is not known
    unkept    why some of it could not be read or written: one problem of the run's, however many there are
    operators knows which metrics operators of Skyline took out of the analysis
    rules     those that alerts went by
    arrived   the alerts that were sent
    faults    how many problems decide the exit code
    handoffs  what siblings are handed and what came from them
    archive   where new points are added, if they are to be
    memory    what runs remember of every metric, where they do
    question  what is asked of the metrics that are remembered, while the others are read
    settled   how many metrics were judged by that and their newest points
    """

    request: Request
    budget: Budget
    wall: Callable[[], float]
    now: int
    scorer: Scorer
    report: Report
    sinks: list[Sink]
    share: Share = field(default_factory=Share)
    external: Asking | None = None
    cleanup: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    selection: Selection | None = None
    source: Source | None = None
    places: Places | None = None
    compiled: bool = False
    scan: Scan | None = None
    lacking: NoData | None = None
    ledger: Ledger | None = None
    siblings: Ledger | None = None
    waiting: Counter[str] | None = None
    unkept: list[StateError] = field(default_factory=list)
    operators: OperatorSkips | None = None
    rules: Sequence[AlertRow] = ()
    arrived: list[Item] = field(default_factory=list)
    faults: int = 0
    handoffs: HandOffs = field(default_factory=HandOffs)
    archive: Archiving | None = None
    memory: Remembered | None = None
    question: Question | None = None
    settled: int = 0
    _codes: set[int] = field(default_factory=set)
    _broken_off: int | None = None
    _entries: Entries | None = None

    @classmethod
    def begin(cls, request: Request, budget: Budget, wall: Callable[[], float]) -> Turn:
        """Make ready for the first stage. Raises InputError for settings that cannot be scored with, or not by this host."""
        from ridgeline.engine.run.assembly import assemble

        now, share = int(wall()), request.config.shards.share()
        made = assemble(request, budget, now)
        return cls(request, budget, wall, now, made.scorer, made.report, made.sinks, share, handoffs=made.handoffs)

    @property
    def entries(self) -> Entries:
        """What is to be written to the keys of siblings once the alerts are out."""
        if self._entries is None:
            from ridgeline.io.redis.entries import Entries  # runs that keep no books do without

            self._entries = Entries()
        return self._entries

    def sink(self, kind: type[S]) -> S | None:
        """The sink of this kind, where the run has one."""
        return next((sink for sink in self.sinks if isinstance(sink, kind)), None)

    def break_off(self, code: int, problem: str) -> None:
        """Note what ends the run before its last stage: this exit code outweighs all that was found."""
        self._broken_off = code
        self.report.problems.append(problem)

    @property
    def as_of(self) -> int:
        """The run's clock, epoch seconds."""
        return self.now if self.request.as_of is None else self.request.as_of

    @property
    def whole(self) -> bool:
        """Whether everything that the source lists was read."""
        return self.scan is not None and self.scan.lost is None and not self.scan.late

    @property
    def kernels(self) -> tuple[str, ...]:
        """The compiled entries that reading and scoring need."""
        books = self.ledger is not None and not self.request.check_airgaps_only
        return (
            "decode",
            *(() if self.memory is None else self.memory.entries),
            *(() if self.request.check_airgaps_only else self.scorer.entries),
            *(("gaps",) if self.request.airgaps else ()),
            *(("density",) if books else ()),
            *(("members",) if books and self.memory is not None else ()),
        )

    @property
    def of_the_fleet(self) -> bool:
        """Whether it is asked to judge all that the source lists."""
        return self.request.match is None and not self.request.check_airgaps_only

    def find(self, code: int, problem: str) -> None:
        """Note something that went wrong: an exit code that applies, and a sentence for people."""
        self._codes.add(code)
        self.faults += 1
        self.report.problems.append(problem)

    def warn(self, problem: str) -> None:
        """Note something that people should know and that decides no exit code."""
        self.report.problems.append(problem)

    def release(self) -> None:
        """Let go of the fleet. Turns refer to themselves in circles, and a warm process would hold several fleets."""
        self.memory = self.scan = self.source = self.question = self._entries = None
        self.scorer = replace(self.scorer, confirm=None, ruling=None)
        self.sinks.clear()

    def exit_code(self) -> int:
        """The gravest of the codes found; 0 if there is none. That of a run that was broken off says why."""
        if self._broken_off is not None:
            return self._broken_off
        return next((code for code in GRAVEST_FIRST if code in self._codes), max(self._codes, default=0))
