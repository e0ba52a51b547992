"""What is known to be here already, so that no peer is asked for it: in the keys of Skyline's siblings, else in our state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from ridgeline.engine.remote.answers import PROFILES, FileSet, kept_here
from ridgeline.engine.remote.backoff import set_name
from ridgeline.engine.remote.places import folder_of, lies_in
from ridgeline.io.redis.entries import Entries
from ridgeline.io.redis.ledger import Fields, Ledger, Members, Strings
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import remote_here

TRAINING_SETS: Final = ("ionosphere.training_data_with_do_not_train", "ionosphere.training_data")
FETCHED: Final = "analyzer.metrics_manager.training_data_fetched"
FOLDERS: Final = "analyzer.metrics_manager.local_features_profile_dirs"
TO_UPDATE: Final = f"{FOLDERS}.to_update"
YOUNG: Final = 600  # seconds: more files may still be added to training data of that age
YOUNG_LIFE: Final = 900  # seconds that such a set is known to be here
LIFE: Final = 259200  # seconds for all others: as long as Skyline keeps training data


def life_of(wanted: FileSet, now: float) -> int:
    """For how many seconds a set that is here whole need not be asked for."""
    return YOUNG_LIFE if wanted.source != PROFILES and now - wanted.timestamp < YOUNG else LIFE


class Marks(Protocol):
    """Who knows which sets are here. Raises StateError where that cannot be read or written.

    `do_not_train`: whether peers are to list training data too that is not to be trained on.
    """

    do_not_train: bool

    def missing(self, wanted: Sequence[FileSet]) -> list[FileSet]:
        """Those of the sets that are not known to be here."""

    def keep(self, here: Iterable[FileSet], now: float) -> None:
        """Note that these are here whole."""


@dataclass(slots=True)
class StateMarks:
    """In our own state, where there is no Redis. `folder`: of all files."""

    state: State
    folder: Path
    do_not_train: bool = False

    def missing(self, wanted: Sequence[FileSet]) -> list[FileSet]:
        """As Marks."""
        known = self.state.get_many([remote_here(set_name("", one)) for one in wanted])
        return [one for one, mark in zip(wanted, known, strict=True) if mark is None or not lies_in(self.folder, one)]

    def keep(self, here: Iterable[FileSet], now: float) -> None:
        """As Marks."""
        with self.state.batch() as batch:
            for one in here:
                batch.set(remote_here(set_name("", one)), 1, life_of(one, now))


@dataclass(slots=True)
class SharedMarks:
    """In the keys that Skyline's metrics_manager keeps; what Ionosphere itself has here counts too. `folder`: of all files."""

    ledger: Ledger
    folder: Path
    do_not_train: bool = False
    _trained: set[tuple[str, int]] = field(default_factory=set)
    _folders: dict[str, str] = field(default_factory=dict)
    _to_update: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, ledger: Ledger, folder: Path) -> SharedMarks:
        """What is there now."""
        every, trained, folders, to_update = ledger.ask(
            *map(Members, TRAINING_SETS), Fields(FOLDERS), Fields(TO_UPDATE)
        )
        return cls(ledger, folder, bool(every), kept_here(every or trained), folders, to_update)

    def missing(self, wanted: Sequence[FileSet]) -> list[FileSet]:
        """As Marks."""
        asked = [one for one in wanted if not self._is_known(one)]
        training = [one for one in asked if one.source != PROFILES]
        marks = self.ledger.ask(Strings([_fetched(one) for one in training]))[0] if training else []
        here = {
            one for one, mark in zip(training, marks, strict=True) if mark is not None and lies_in(self.folder, one)
        }
        return [one for one in asked if one not in here]

    def keep(self, here: Iterable[FileSet], now: float) -> None:
        """As Marks: training data for a while, profiles with the folder that each lies in."""
        entries, folders, updated = Entries(), {}, []
        for one in here:
            if one.source == PROFILES:
                folders[one.expected] = str(self.folder.joinpath(*folder_of(one)))
                updated.append(one.number)
            else:
                entries.set(_fetched(one), str(int(now)), life_of(one, now))
        entries.put(FOLDERS, folders)
        entries.drop(TO_UPDATE, [number for number in updated if number in self._to_update])
        if entries.entries:
            self.ledger.write(entries)

    def _is_known(self, wanted: FileSet) -> bool:
        if wanted.source != PROFILES:
            return (wanted.metric, wanted.timestamp) in self._trained
        known = wanted.expected in self._folders and wanted.number not in self._to_update
        return known and lies_in(self.folder, wanted)


def _fetched(wanted: FileSet) -> str:
    return f"{FETCHED}.{wanted.metric}.{wanted.timestamp}"
