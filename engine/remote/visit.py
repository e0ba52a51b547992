"""One peer at a time: its sets fetched file by file, until it fails too often or its time is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal

from ridgeline.engine.remote.answers import FileSet, file_query, files_of
from ridgeline.engine.remote.backoff import LONGEST, Failures, peer_name, set_name
from ridgeline.engine.remote.places import place_of
from ridgeline.engine.remote.store import Full, Store
from ridgeline.engine.remote.tally import PeerTally
from ridgeline.io.disk.confined import Place, Refused
from ridgeline.io.errors import OutputError
from ridgeline.io.net.peer import Peer, PeerError
from ridgeline.io.text import escape, truncate

STRIKES: Final = 3  # failures to answer after which a peer is left
LEAST: Final = 0.5  # seconds that asking must at least have
SHOWN: Final = 120  # bytes of a peer's path in a sentence
Outcome = Literal["whole", "broken", "absent", "left", "waiting"]


@dataclass(slots=True)
class Visit:
    """A peer, what is known of its failures, where its files go, and what came of it.

    until   seconds of `clock`; whoever visits sets it, and again for another round
    now     epoch seconds
    eager   whether what failed before is asked for all the same
    whole   the sets that are here whole since this visit
    """

    peer: Peer
    failures: Failures
    store: Store
    now: float
    clock: Callable[[], float]
    eager: bool = False
    until: float = 0.0
    tally: PeerTally = field(init=False)
    whole: list[FileSet] = field(default_factory=list)
    over: bool = False
    _strikes: int = 0

    def __post_init__(self) -> None:
        self.tally = PeerTally(self.peer.name)

    def ask(
        self, query: str, wanted: str, read: Callable[[Any], tuple[list[FileSet], int]], *, vital: bool
    ) -> list[FileSet] | None:
        """The sets that it lists; None where it does not answer sensibly, and where that is `vital` the visit is over."""
        try:
            found, wrong = read(self.peer.ask(query, wanted, self.until, self.clock))
        except PeerError as error:
            self._fault(error)
        except ValueError as error:
            self.tally.fail("nonsense", f"{self.peer}: {error}")
        else:
            if wrong:
                self.tally.fail("malformed", f"{self.peer}: {wrong:,} items of its list are none of Skyline's", wrong)
            return found
        if vital:
            self._leave()
        return None

    def fetch(self, wanted: FileSet) -> Outcome:
        """Fetch what is missing of a set. It is `absent` where the peer lists none of its files."""
        name = set_name(self.peer.name, wanted)
        outcome = self._outcome(name, wanted)
        match outcome:
            case "waiting":
                self.tally.waiting += 1
            case "left":
                self.tally.left += 1
            case "whole":
                self.failures.succeed(name)
                self.tally.sets += 1
                self.whole.append(wanted)
            case _:
                self.failures.fail(name, self.now, LONGEST["set"])
        return outcome

    def close(self) -> None:
        """Note what came of it all."""
        self.tally.close()
        if not self.over:
            self.failures.succeed(peer_name(self.peer.name))

    def _outcome(self, name: str, wanted: FileSet) -> Outcome:
        if not self.eager and self.failures.holds(name, self.now):
            return "waiting"
        return "left" if self._has_no_time() else self._fetch_all(wanted)

    def _has_no_time(self) -> bool:
        return self.over or self.until - self.clock() < LEAST

    def _fetch_all(self, wanted: FileSet) -> Outcome:
        try:
            listed = files_of(self.peer.ask(wanted.listing, "files", self.until, self.clock))
        except PeerError as error:
            self._fault(error)
            return "broken"
        except ValueError as error:
            self.tally.fail("nonsense", f"{self.peer}: {error} for {escape(wanted.metric)} at {wanted.timestamp}")
            return "broken"
        if not listed:
            self.tally.absent += 1
            return "absent"
        outcome: Outcome = "whole"
        for name, path in listed:
            if self._has_no_time():
                return "left" if outcome == "whole" else outcome
            if not self._has(wanted, name, path):
                outcome = "broken"
        return outcome

    def _has(self, wanted: FileSet, name: str, path: Any) -> bool:
        """Whether a file is here, after it has been fetched where it was not."""
        try:
            place = place_of(wanted, name, path)
            if not self.store.holds(place):
                self._fetch_one(path, place)
        except Refused as refused:
            shown = truncate(escape(path), SHOWN)
            self.tally.refuse(refused.reason, f"{self.peer} lists {shown}, which is refused: {refused.reason}")
        except PeerError as error:
            self._fault(error)
        except Full as error:
            self.tally.fail("no_room", str(error))
        except OutputError as error:
            self.tally.fail("unwritable", str(error))
        else:
            return True
        return False

    def _fetch_one(self, path: str, place: Place) -> None:
        most = self.store.most()

        def write(fill: Callable[[BinaryIO], object]) -> int:
            return self.store.add(place, fill)

        try:
            size = self.peer.fetch(file_query(path), write, most, self.until, self.clock)
        except PeerError as error:
            if error.reason == "too_large" and most < self.store.files.max_file:
                raise Full(self.store.files) from error
            raise
        self.tally.files += 1
        self.tally.bytes += size
        self.store.told()

    def _fault(self, error: PeerError) -> None:
        self.tally.fail(error.reason, str(error))
        self._strikes += error.away
        if self._strikes >= STRIKES:
            self._leave()

    def _leave(self) -> None:
        """Ask it no more, in this sync and for a while."""
        if self.over:
            return
        self.over = True
        refused = self.tally.failed["unauthorised"]
        self.tally.gone("unauthorised" if refused else "unreachable")
        self.failures.fail(peer_name(self.peer.name), self.now, LONGEST["peer"])
