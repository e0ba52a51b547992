"""What a run does for an archive: open it, gather what it lacks while series are read, and let go of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from ridgeline.engine.archive.archive import opened
from ridgeline.engine.archive.folder import Folder
from ridgeline.engine.archive.gathering import Gathering
from ridgeline.engine.config.model import Config
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series

if TYPE_CHECKING:
    from ridgeline.engine.memory.judging import Judging
    from ridgeline.engine.run.archive_follower import ArchiveFollower
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.turn import Turn

T = TypeVar("T")


@dataclass(slots=True)
class ArchiveSink:
    """Hands series to what gathers new points; they are written by a stage of its own, once the alerts are out."""

    gathering: Gathering
    wants_series: bool = True
    wants_all: bool = False
    _followed: ArchiveFollower | None = None

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Look for new points."""
        if matrix is not None:
            self.gathering.take(matrix.cleaned)

    def follow(self, memory: Remembered, judging: Judging) -> ArchiveFollower:  # noqa: ARG002 - the interface of followers
        """What finds the new points of metrics that are not read."""
        from ridgeline.engine.run.archive_follower import ArchiveFollower  # runs without memory do without

        self._followed = ArchiveFollower(memory, self.gathering)
        return self._followed

    def settle(self, settled: Settled) -> None:  # noqa: ARG002 - the follower has their points
        """Gather what is new in them."""
        if self._followed is not None:
            self._followed.gather()

    def finish(self, turn: Turn) -> None:
        """Nothing is written here."""


@dataclass(slots=True)
class Archiving:
    """The archive of one run. Work on it may be left behind on a thread: nobody else then gets it before that has ended.

    seconds    for opening it, on `clock`
    gathering  what is found new, once it is open
    """

    config: Config
    as_of: int
    clock: Callable[[], float]
    seconds: float
    gathering: Gathering | None = None
    _held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _given_up: bool = False
    _busy: bool = False
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> ArchiveSink:
        """Lock it and learn how far it goes. Raises LockHeld, OutputError, InputError, SourceUnavailable."""
        return self.during(self._open)

    def during(self, work: Callable[[], T]) -> T:
        """What the work returns; the archive stays locked until its end, whoever waits for it."""
        with self._alone:
            self._busy = True
        try:
            return work()
        finally:
            with self._alone:
                self._busy = False
                if self._given_up:
                    self._held.close()

    def abandon(self) -> None:
        """Let go of it, now or when the work on it has ended."""
        with self._alone:
            self._given_up = True
            if not self._busy:
                self._held.close()

    def _open(self) -> ArchiveSink:
        settings, memory = self.config.archive, self.config.run.max_memory
        assert settings.directory is not None
        window, end = self.config.analysis.full_duration, self.clock() + self.seconds

        def left() -> float:
            return end - self.clock()

        folder = Folder(settings.directory)
        archive = opened(folder, settings.keep, window, self.as_of, left=left, max_memory=memory)
        self.gathering = Gathering(self._held.enter_context(archive), self.as_of)
        return ArchiveSink(self.gathering)
