"""The names themselves: as base names, as names of files, and those that are not listed any more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ridgeline.engine.manage.fleet import Fleet
from ridgeline.engine.manage.lists import Hash, Kept, MetricSet, SmallHash, in_two
from ridgeline.engine.manage.subject import Subject
from ridgeline.engine.run.handoffs.names import sane

BASE_NAMES: Final = "analyzer.unique_base_names"
FILE_NAMES: Final = "metrics_manager.filesafe_base_names"
INACTIVE: Final = "ridgeline.inactive"
FORGOTTEN: Final = 90 * 86400  # seconds after which a metric that has not come back is not remembered
_SANE: Final = re.compile(r"[\w.-]+")


@dataclass(slots=True, eq=False)
class Inactive(SmallHash):
    """Metrics that were listed once and are no more: name -> JSON {"since": epoch}. Those that come back leave it."""

    listed: MetricSet
    fleet: Fleet
    now: int

    def difference(self) -> tuple[Mapping[str, str], list[str]]:
        """Those that have gone since the last pass; and those that are back, or were gone for long."""
        told = json.dumps({"since": self.now}, separators=(",", ":"))
        added = {name: told for name in self.listed.gone() if name not in self.there}
        over = (name for name, text in self.there.items() if name in self.fleet.places or self._is_forgotten(text))
        return added, sorted(self.fleet.share.among(over))

    def _is_forgotten(self, text: str) -> bool:
        try:
            return int(json.loads(text)["since"]) < self.now - FORGOTTEN
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return True


def base_names(subject: Subject) -> list[Kept]:
    """All base names, twice as Skyline has them, and the inactive metrics."""
    fleet = subject.fleet
    listed, copy = in_two(BASE_NAMES, fleet, np.ones(len(fleet), np.bool_))
    return [listed, copy, Inactive(INACTIVE, listed, fleet, subject.now)]


def file_names(subject: Subject) -> list[Kept]:
    """What files of a metric are called, where that is another name; of several metrics with one, the first in order."""
    fleet = subject.fleet
    plain: dict[str, str] = {}
    for name in fleet.names:
        if _SANE.fullmatch(name) is None and (safe := sane(name)):
            plain.setdefault(safe, name)

    def owned(strays: Mapping[str, str]) -> list[str]:
        mine = fleet.share.among(strays.values())
        return [safe for safe, name in strays.items() if name in mine]

    return [Hash(FILE_NAMES, plain, owned)]
