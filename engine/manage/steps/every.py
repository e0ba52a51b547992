"""The steps of a pass, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ridgeline.engine.manage.lists import Kept
from ridgeline.engine.manage.reading import LONG_TERM
from ridgeline.engine.manage.steps.alerting import alert_classes, alert_rules, mirage_classes
from ridgeline.engine.manage.steps.batches import batch_namespaces
from ridgeline.engine.manage.steps.density import density
from ridgeline.engine.manage.steps.events import analysed_events
from ridgeline.engine.manage.steps.feedback import feedback_metrics
from ridgeline.engine.manage.steps.names import base_names, file_names
from ridgeline.engine.manage.steps.preparing import counters, fills
from ridgeline.engine.manage.steps.skipping import mutes, skipped_metrics
from ridgeline.engine.manage.steps.staleness import quiet_metrics, stale_periods
from ridgeline.engine.manage.steps.timestamps import timestamps
from ridgeline.engine.manage.subject import Subject
from ridgeline.engine.manage.trends import TRENDS
from ridgeline.engine.run.books.events import EVENTS
from ridgeline.engine.run.books.series import COUNTERS, SPARSITY
from ridgeline.engine.run.skips import SKIPS


@dataclass(frozen=True, slots=True)
class Step:
    """One family of lists, which change at one instant.

    needs   what they depend on in Redis: keys, or what keys begin with
    rules   whether they depend on the rules of alerts
    """

    lists: Callable[[Subject], list[Kept]]
    needs: tuple[str, ...] = ()
    rules: bool = False

    def can_be_known(self, subject: Subject) -> bool:
        """Whether all that they depend on could be read; else they stay as they are."""
        failed = subject.reading.failed
        lacking = any(key == need or key.startswith(f"{need}.") for need in self.needs for key in failed)
        return not lacking and not (self.rules and subject.rules is None)


STEPS: Final = (
    Step(base_names),
    Step(alert_rules, rules=True),
    Step(alert_classes, rules=True),
    Step(mirage_classes, rules=True),
    Step(feedback_metrics),
    Step(batch_namespaces),
    Step(skipped_metrics, (SKIPS,)),
    Step(stale_periods),
    Step(timestamps),
    Step(quiet_metrics),
    Step(fills),
    Step(file_names),
    Step(analysed_events, (EVENTS,)),
    Step(density, (SPARSITY, TRENDS)),
    Step(mutes),
    Step(counters, (COUNTERS, LONG_TERM)),
)
