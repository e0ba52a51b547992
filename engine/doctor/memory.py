"""The memory that runs keep: there, theirs, and not forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.check import Check, green, yellow
from ridgeline.engine.report.memory import age, sized
from ridgeline.engine.report.text import number
from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.rules.overrides import rules_of
from ridgeline.engine.run.place import Place, place_of
from ridgeline.io.memory.place import check_usable
from ridgeline.io.memory.summary import look_at
from ridgeline.io.memory.unusable import Unusable

NAME: Final = "memory"
MANY: Final = 0.01  # of the metrics: beyond, what walks know is not what they would
OLD: Final = 3600  # seconds since the newest run that wrote it
MEND: Final = "mend that, or name another place in `[analysis] memory`: until then every run reads every series in full"


def look_at_memory(config: Config, now: Callable[[], float]) -> Iterator[Check]:
    """One check; none with files as the source. Nothing of it stops a run, so nothing is red."""
    place = place_of(config)
    if place is None:
        if config.analysis.memory is False and config.source.kind == "redis":
            yield green(NAME, "none, by `[analysis] memory`: every run reads every series in full")
        return
    try:
        check_usable(place.path)
        found = look_at(place.path)
    except Unusable as error:
        yield yellow(NAME, str(error), MEND)
        return
    if found is None:
        yield green(NAME, f"{place.path}: none yet, the next run makes it")
        return
    detail = f"{place.path}: {number(found.metrics, 'metric')}, {sized(found.disk_bytes)}, written {age(found.written, now())}"
    if found.owner != place.owner:
        yield yellow(NAME, f"{place.path} is the memory of another ({found.owner})", MEND)
    elif found.written + OLD < now():
        yield yellow(NAME, detail, "see whether runs take place, and what they say of their memory")
    else:
        yield green(NAME, detail)
        if not NEEDS_WALKS.isdisjoint(rules_of(config.analysis.rule, config.overrides)):
            yield _look_at_walks(place)


def _look_at_walks(place: Place) -> Check:
    """How far what walks know of the fleet goes."""
    from ridgeline.engine.run.remembered import WALKS
    from ridgeline.engine.walks.kept import HOT
    from ridgeline.io.memory.file import MemoryFile
    from ridgeline.kernels.paging.layout import UNRIPE
    from ridgeline.kernels.walks.layout import POINTS

    with MemoryFile.open(place.path, place.owner, (HOT,), writing=False) as memory:
        rows = memory.rows(HOT.name).view(np.float32)[memory.gone == 0]
        met = memory.notes.get(WALKS, {})
    walked = rows[rows[:, POINTS] > 0]
    learning = int(np.count_nonzero(walked[:, UNRIPE]))
    lost = sum(met.get(name, 0) for name in ("gaps", "late", "rewritten", "damaged"))
    told = f"{number(len(walked), 'metric')} walked, {learning:,} still learning"
    if lost > MANY * len(walked):
        told += f"; {lost:,} times the newest run missed points, met late or rewritten ones, or had lost what it knew"
        return yellow("walks", told, "see that runs come more often than Redis forgets, and that points come in order")
    return green("walks", told)
