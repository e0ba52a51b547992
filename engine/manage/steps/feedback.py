"""Metrics about the monitoring itself, which Skyline leaves aside when it is busy."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.manage.lists import Kept, MetricSet
from ridgeline.engine.manage.subject import Subject, feedback

FEEDBACK: Final = "metrics_manager.analyzer.skyline_feedback_metrics"


def feedback_metrics(subject: Subject) -> list[Kept]:
    """Metrics that name this server or Graphite's host (`[statistics]`)."""
    return [MetricSet(FEEDBACK, subject.fleet, subject.matches.any(feedback(subject.config)))]
