"""What the walks say of one metric: by what runs remember of it, and the points that came since."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ridgeline.engine.rules.judgement import CHANNELS, NEEDS_WALKS, OUTAGE, PAGES
from ridgeline.engine.rules.overrides import rules_of

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.score.scorer import Scorer
    from ridgeline.engine.walks.said import Said


@dataclass(frozen=True, slots=True)
class Channel:
    """What may speak of the metric: its score, above 1 where it does; low, high: where the newest value was expected."""

    name: str
    score: float
    low: float | None = None
    high: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `channels`."""
        return {name: getattr(self, name) for name in self.__slots__}


def channels_of(said: Said) -> list[Channel]:
    """The channels of a metric's rule; none where it goes by the algorithms."""
    if not said.walked[0]:
        return []
    low, high = said.bands[0].tolist()
    band = (low, high) if low <= high else (None, None)
    scores = zip(CHANNELS[PAGES], said.channels[0].tolist(), strict=True)
    return [Channel(name, score, *(band if name == OUTAGE else (None, None))) for name, score in scores]


@contextlib.contextmanager
def ruled(scorer: Scorer, config: Config, as_of: int) -> Iterator[tuple[Scorer, str]]:
    """The scorer, that judges by walks what a rule says is, for the length of the block; and why it knows nothing, if so.

    The memory is read and stays as it is.
    """
    if NEEDS_WALKS.isdisjoint(rules_of(config.analysis.rule, config.overrides)):
        yield scorer, ""
        return
    from ridgeline.engine.memory.sections import sections
    from ridgeline.engine.run.place import place_of
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.walking import Ruling, unlearned
    from ridgeline.engine.walks.kept import Kept
    from ridgeline.io.memory.file import MemoryFile
    from ridgeline.io.memory.unusable import Unusable

    unknown = replace(scorer, ruling=unlearned)
    place = place_of(config)
    if place is None:
        yield unknown, ""
        return
    with contextlib.ExitStack() as stack:
        opening = MemoryFile.open(place.path, place.owner, sections(walks=True), writing=False)
        try:
            file = stack.enter_context(opening)
        except Unusable as error:
            yield unknown, f"what walks know of it cannot be read: {error}"
            return
        memory = Remembered(file, place.owner.namespace, asks=False, walks=True)
        yield replace(scorer, ruling=Ruling(memory, Kept(file), as_of)), ""


def learning(said: Said | None) -> bool:
    """Whether some walk that judges the metric has not learned enough to speak."""
    return said is not None and bool(np.any(said.walked & said.learning))
