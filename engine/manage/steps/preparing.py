"""What is done to series before they are judged: fills, and counters."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.manage.lists import Kept, MetricSet
from ridgeline.engine.manage.reading import older_than
from ridgeline.engine.manage.subject import Subject

ZERO_FILL: Final = "metrics_manager.zero_fill_metrics"
LAST_VALUE: Final = "metrics_manager.last_known_value_metrics"
NEVER: Final = "metrics_manager.non_derivative_metrics"
ALWAYS: Final = "metrics_manager.always_derivative_metrics"
COUNTERS: Final = "aet.metrics_manager.derivative_metrics"
LONG_TERM: Final = 88000  # seconds for which Skyline's check of a month's history holds


def fills(subject: Subject) -> list[Kept]:
    """The metrics of `[preparation]` that are filled, and those that never are counters."""
    preparation, matches, fleet = subject.config.preparation, subject.matches, subject.fleet
    return [
        MetricSet(LAST_VALUE, fleet, matches.any(preparation.last_known_value)),
        MetricSet(ZERO_FILL, fleet, matches.any(preparation.zero_fill)),
        MetricSet(NEVER, fleet, matches.any(preparation.non_derivative)),
    ]


def counters(subject: Subject) -> list[Kept]:
    """Metrics declared as counters; and those that runs take for counters now, whether declared or found."""
    preparation, matches, fleet = subject.config.preparation, subject.matches, subject.fleet
    never = matches.any(preparation.non_derivative)
    declared = matches.any(preparation.declared) & ~never
    told, namespace = subject.reading.long_term.fields, fleet.namespace
    refuted = told.keys() - older_than(subject.now - LONG_TERM)(told)
    found = subject.reading.counters.there & ~never
    found &= ~fleet.mask(key.removeprefix(namespace) for key in refuted)
    return [
        MetricSet(ALWAYS, fleet, declared, namespace),
        MetricSet(COUNTERS, fleet, declared | found, namespace),
    ]
