"""Fetches from every peer what it has and we have not: training data, then features profiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.remote.answers import FileSet, profiles, training_sets
from ridgeline.engine.remote.backoff import Failures, peer_name
from ridgeline.engine.remote.marks import Marks, SharedMarks, StateMarks
from ridgeline.engine.remote.store import Store
from ridgeline.engine.remote.tally import PeerTally, Synced
from ridgeline.engine.remote.visit import Visit
from ridgeline.engine.report.text import number
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.engine.run.state import open_run_state
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import InputError
from ridgeline.io.net.peer import Peer, PeerError
from ridgeline.io.state.interface import State, StateError
from ridgeline.io.text import escape

LONGEST: Final = 60.0  # seconds of one sync, as in Skyline
GRACE: Final = 5.0  # seconds after that for noting what came of it
TRAINING_SHARE: Final = 0.5  # of them that training data may take while profiles are still to come
OWN: Final = 10.0  # seconds for this host's own web application
PROFILES_QUERY: Final = "api?expected_features_profiles_dir"


def sync_remotes(
    config: Config,
    name: str | None = None,
    *,
    seconds: float = LONGEST,
    told: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> Synced:
    """Fetch what is missing here from every `[[remote]]`, or from the one called `name`, within `seconds`.

    What failed is left alone for a while, unless the peer is named. The remote instance that bears this host's own name is
    asked only which features profiles there should be.

    told   called for every file that has come

    Raises InputError where there is nothing to ask or nowhere to put it, LockHeld, OutputError for the folder and StateError
    where what is known to be here cannot be read; whatever peers do is in the result.
    """
    began = clock()
    host = config.shards.host
    peers = _asked(config, name, host)
    store = Store(config.remote_files, told)
    with ExitStack() as opened:
        place = lock_path("remote", str(store.directory.resolve()), config.output.directory)
        opened.enter_context(lock(place))
        state = opened.enter_context(open_run_state(config))
        marks = opened.enter_context(_marks(config, state, store, lambda: began + seconds + GRACE - clock()))
        now = wall()
        failures = Failures.read(state, now)
        eager = name is not None
        waiting = [peer for peer in peers if not eager and failures.holds(peer_name(peer.name), now)]
        visits = [Visit(peer, failures, store, now, clock, eager) for peer in peers if peer not in waiting]
        rounds = Rounds(visits, marks, began + seconds, clock)
        try:
            rounds.fetch_training()
            here = next((peer for peer in config.remotes if peer.name == host), None)
            rounds.fetch_profiles(here, config.shards.owner)
        finally:
            problems = [*rounds.problems, *_settle(visits, marks, failures, state, now)]
        tallies = [*(PeerTally(peer.name, "waiting") for peer in waiting), *(visit.tally for visit in visits)]
        return Synced(tallies, problems, clock() - began)


@dataclass(slots=True)
class Rounds:
    """All visits, by turns. `end`: seconds of `clock`."""

    visits: Sequence[Visit]
    marks: Marks
    end: float
    clock: Callable[[], float]
    problems: list[str] = field(default_factory=list)

    def fetch_training(self) -> None:
        """Ask each peer for training data, and fetch what is not here."""
        query = "api?training_data&do_not_train=true" if self.marks.do_not_train else "api?training_data"
        for visit in self._by_turns(TRAINING_SHARE):
            here = {wanted for other in self.visits for wanted in other.whole}
            found = visit.ask(query, "metrics", training_sets, vital=True) or []
            for wanted in self.marks.missing([one for one in found if one not in here]):
                visit.fetch(wanted)

    def fetch_profiles(self, here: Peer | None, owner: Callable[[str], str]) -> None:
        """Fetch the features profiles that are not here: from the `owner` of each metric first, then from the others."""
        absent = dict.fromkeys(self.marks.missing(self._expected(here)), 0)  # at how many peers
        for first in (True, False):
            for visit in self._by_turns(1.0):
                for wanted in [one for one in absent if (owner(one.metric) == visit.peer.name) is first]:
                    outcome = visit.fetch(wanted)
                    absent[wanted] += outcome == "absent"
                    if outcome == "whole":
                        del absent[wanted]
        nowhere = [wanted for wanted, times in absent.items() if times and times == len(self.visits)]
        if nowhere:
            several = number(len(nowhere), "features profile")
            self.problems.append(f"no peer has {several} that there should be, such as {nowhere[0].number}")

    def _expected(self, here: Peer | None) -> list[FileSet]:
        """The profiles that there should be: as this host's own web application says, else the first that does."""
        if here is not None:
            try:
                until = min(self.end, self.clock() + OWN)
                return profiles(here.ask(PROFILES_QUERY, "features_profile_dirs", until, self.clock))[0]
            except (PeerError, ValueError) as error:
                self.problems.append(f"this host's own web application: {error}")
        for visit in self._by_turns(1.0):
            expected = visit.ask(PROFILES_QUERY, "features_profile_dirs", profiles, vital=False)
            if expected is not None:
                return expected
        return []

    def _by_turns(self, share: float) -> Iterator[Visit]:
        """Each visit that is not over, with its part of a share of the time left."""
        going = [visit for visit in self.visits if not visit.over]
        for at, visit in enumerate(going):
            now = self.clock()
            visit.until = now + (self.end - now) * share / (len(going) - at)
            yield visit


def _settle(visits: Sequence[Visit], marks: Marks, failures: Failures, state: State, now: float) -> Iterator[str]:
    """Note what is here and what failed; sentences of what could not be noted, which the next sync finds out again."""
    for visit in visits:
        visit.close()
    try:
        marks.keep((wanted for visit in visits for wanted in visit.whole), now)
    except StateError as error:
        yield str(error)
    try:
        with state.batch() as batch:
            failures.write(batch)
    except StateError as error:
        yield str(error)


def _asked(config: Config, name: str | None, host: str) -> list[Peer]:
    """The peers to be asked. Raises InputError where there are none."""
    known = [peer.name for peer in config.remotes]
    if name is not None and name not in known:
        listed = f"; there are {', '.join(known)}" if known else ""
        raise InputError(f'there is no [[remote]] named "{escape(name)}"{listed}')
    peers = [peer for peer in config.remotes if peer.name != host and name in {None, peer.name}]
    if not peers:
        raise InputError(
            f'"{host}" is this host itself: name another [[remote]]'
            if known
            else "there is no [[remote]] to fetch from"
        )
    return peers


@contextmanager
def _marks(config: Config, state: State, store: Store, left: Callable[[], float]) -> Iterator[Marks]:
    """What is known to be here: in Redis with a Redis source whose books are kept, else in our state."""
    if config.source.kind != "redis" or not config.analysis.bookkeeping:
        yield StateMarks(state, store.directory)
        return
    with closing(ledger_of(config.source.settings, left)) as ledger:
        yield SharedMarks.read(ledger, store.directory)
