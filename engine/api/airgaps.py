"""The airgaps of one series, by the configuration that is found: looked for, and told to siblings."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ridgeline.engine.api.ensemble import instant
from ridgeline.engine.api.found import Kept
from ridgeline.engine.config.model import Config
from ridgeline.engine.prepare.airgaps import find_gaps
from ridgeline.engine.rules.airgaps import Airgaps
from ridgeline.engine.run.airgap_members import Airgap, read_airgap
from ridgeline.engine.score.pairs import TimeSeries, arrays
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.matrix import MetricMatrix

if TYPE_CHECKING:
    from ridgeline.engine.rules.matching import Patterns

PATIENCE: Final = 2.0  # seconds that telling siblings may take


@dataclass(frozen=True, slots=True)
class Looking:
    """What the configuration says of airgaps."""

    config: Config
    _patterns: list[Patterns] = field(default_factory=list)

    @property
    def settings(self) -> Airgaps:
        """`[airgaps]`."""
        return self.config.airgaps

    def wants(self, name: str) -> bool:
        """Whether airgaps of the metric are to be looked for."""
        if not self.settings.identify:
            return False
        if not self._patterns:
            from ridgeline.engine.rules.matching import Patterns  # who looks for none does without

            self._patterns.extend([Patterns(self.settings.check), Patterns(self.settings.skip)])
        check, skip = self._patterns
        return bool((not len(check) or check.any([name])[0]) and not skip.any([name])[0])

    def base_name(self, metric_name: str) -> str:
        """The name without the namespace."""
        return str(metric_name).removeprefix(self.config.source.each["redis"].namespace)


_LOOKING: Final = Kept(Looking)


def identify(
    metric_name: str, timeseries: TimeSeries, known: Iterable[Any], filled: Iterable[Any]
) -> tuple[list[Airgap], bool]:
    """The closed airgaps of a series that are neither known nor filled, and whether its points came out of order.

    known, filled   members of siblings' sets: texts, or lists of metric, step, first and last second

    Raises InputError for what is no series.
    """
    looking = _LOOKING.get()
    name = looking.base_name(metric_name)
    timestamps, values = arrays(timeseries)
    matrix = MetricMatrix.from_columns(strings([name]), np.array([0, len(values)]), timestamps, values)
    now = instant()
    gaps = find_gaps(matrix, np.array([now]), looking.settings.max_period)
    found = [Airgap(name, int(gaps.step[0]), start, end) for start, end in gaps.of(0)]
    if found:
        told = {_member(one) for one in (*known, *filled)}
        found = [one for one in found if one not in told]
    return found, bool(matrix.disordered[0])


def _member(one: Any) -> Airgap | None:
    if isinstance(one, bytes):
        one = one.decode("utf-8", "replace")
    if isinstance(one, str):
        return read_airgap(one)
    with contextlib.suppress(TypeError, ValueError):
        metric, step, start, end, *_ = one
        return Airgap(str(metric), int(step), int(start), int(end))
    return None


def look_and_tell(metric_name: str, timeseries: TimeSeries, known: Sequence[Any], filled: Sequence[Any]) -> None:
    """Tell siblings of what `identify` finds, where `[airgaps]` asks for it and books are kept in Redis.

    Raises StateError where they cannot be told.
    """
    looking = _LOOKING.get()
    if looking.wants(looking.base_name(metric_name)):
        found, disordered = identify(metric_name, timeseries, known, filled)
        if (found or disordered) and looking.config.source.kind == "redis" and looking.config.analysis.bookkeeping:
            _tell(looking, found, [metric_name] if disordered else [])


def _tell(looking: Looking, found: Collection[Airgap], disordered: Iterable[str]) -> None:
    from ridgeline.engine.run.airgaps import GAPS, UNORDERED
    from ridgeline.engine.run.stages.bookkeeping import ledger_of
    from ridgeline.io.redis.entries import Entries

    settings = looking.config.source.settings
    entries = Entries()
    entries.add(GAPS, [one.text for one in found])
    entries.add(UNORDERED, [f"{settings.namespace}{looking.base_name(name)}" for name in disordered])
    end = time.monotonic() + PATIENCE
    with contextlib.closing(ledger_of(settings, lambda: end - time.monotonic())) as ledger:
        ledger.write(entries)
