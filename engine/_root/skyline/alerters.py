"""Skyline's alerters, by its names, with its tuples: each sends one alert now, and says what became of it.

    from ridgeline.skyline.alerters import trigger_alert

    outcome = trigger_alert(("stats.web", "smtp|slack", 1800), (12.5, "stats.web01.requests", 1700000000), "Analyzer")

alert      (pattern, strategy, expiration), and in any order: hours of the second order, an external alert's settings,
           {'test alert': True}, ['anomaly_id', ID], ['anomalyScore', SCORE]; strategies are joined by |
metric     (value, name, timestamp), then the algorithms that voted and those that ran; or (count, [names], timestamp),
           the metrics that are newly stale
context    who found it: Analyzer, Mirage, ...

Channels and recipients are those of the configuration: the file that `RIDGELINE_CONFIG` names, else `ridgeline.toml` in
the working directory, else the defaults, which need no Redis. Nothing is suppressed, muted or repeated: as in Skyline,
the caller decides that. Each returns a `ridgeline.alerters.Outcome` (`kind`: sent, retry, unknown or rejected; `reason`),
within the timeout of its strategy, and raises `ridgeline.InputError` only for what is no alert and for a configuration
that cannot be read.
"""

from __future__ import annotations

import sys
from typing import Any

from ridgeline.alerters import Outcome
from ridgeline.engine.api.alerting import send_tuples
from ridgeline.io.text import escape

__all__ = [
    "LOCAL_DEBUG",
    "alert_hipchat",
    "alert_http",
    "alert_pagerduty",
    "alert_slack",
    "alert_sms",
    "alert_smtp",
    "alert_stale_digest",
    "alert_syslog",
    "trigger_alert",
]

LOCAL_DEBUG = False  # True: tell each outcome on standard error


def trigger_alert(alert: Any, metric: Any, context: Any) -> Outcome:
    """Send by every strategy that the alert names; one with an @ is an address to mail to.

    Of several strategies the outcome names those that have it, may have it later, and never will.
    """
    return _told(alert, send_tuples(alert, metric, context))


def alert_smtp(alert: Any, metric: Any, context: Any) -> Outcome:
    """Send a mail; an external alert's only where recipients are configured for the metric."""
    return _told(alert, send_tuples(alert, metric, context, "smtp"))


def alert_pagerduty(alert: Any, metric: Any, context: Any) -> Outcome:
    """Open an incident in PagerDuty."""
    return _told(alert, send_tuples(alert, metric, context, "pagerduty"))


def alert_hipchat(alert: Any, metric: Any, context: Any) -> Outcome:
    """Notify a HipChat room."""
    return _told(alert, send_tuples(alert, metric, context, "hipchat"))


def alert_syslog(alert: Any, metric: Any, context: Any) -> Outcome:
    """Write to syslog."""
    return _told(alert, send_tuples(alert, metric, context, "syslog"))


def alert_stale_digest(alert: Any, metric: Any, context: Any) -> Outcome:
    """Send one message about all metrics that `metric` lists as newly stale."""
    return _told(alert, send_tuples(alert, metric, context, "stale_digest"))


def alert_slack(alert: Any, metric: Any, context: Any) -> Outcome:
    """Post to Slack."""
    return _told(alert, send_tuples(alert, metric, context, "slack"))


def alert_http(alert: Any, metric: Any, context: Any) -> Outcome:
    """Post to the webhook that the alert names: `http_alerter-NAME`."""
    return _told(alert, send_tuples(alert, metric, context, "http"))


def alert_sms(alert: Any, metric: Any, context: Any) -> Outcome:
    """Send text messages."""
    return _told(alert, send_tuples(alert, metric, context, "sms"))


def _told(alert: Any, outcome: Outcome) -> Outcome:
    if LOCAL_DEBUG:
        reason = f" ({outcome.reason})" if outcome.reason else ""
        sys.stderr.write(f"ridgeline: alert by {escape(alert[1])}: {outcome.kind}{escape(reason)}\n")
    return outcome
