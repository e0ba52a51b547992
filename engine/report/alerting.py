"""Routes, what waits, silences and tests of alerters, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ridgeline.alerters import headline, utc
from ridgeline.engine.report.colour import PLAIN, Paint
from ridgeline.engine.report.rules import rule_words
from ridgeline.engine.units import spoken
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.alerts.incidents import Found
    from ridgeline.engine.alerts.route import Route
    from ridgeline.engine.alerts.silence import Silence
    from ridgeline.engine.alerts.trial import Trial
    from ridgeline.engine.alerts.waiting import Waiting


def trial_line(trial: Trial) -> str:
    """What was sent, by which rule, to whom; or why it was not."""
    message, outcome = trial.message, trial.outcome
    to = f" to {', '.join(message.recipients)}" if message.recipients else ""
    if trial.sent:
        rule = "no [[alert]] names it" if trial.rule is None else f"by {rule_words(trial.rule)}"
        return escape(f'sent by {message.strategy}{to} in {trial.seconds:.1f} s, {rule}: "{headline(message)}"')
    missed = [*outcome.refused, *outcome.deferred]
    to = f" to {', '.join(missed)}" if missed else to
    return escape(f"the test alert was not sent by {message.strategy}{to}: {outcome.reason}")


def route_lines(routes: Sequence[Route]) -> Iterator[str]:
    """One line for each strategy: whether an alert would go out now, and if not, why."""
    for route in routes:
        to = f" to {', '.join(route.recipients)}" if route.recipients else ""
        what = "would be sent now" if route.open else "; ".join(_obstacles(route))
        yield escape(f"{route.strategy}{to}, by {rule_words(route.rule)}: {what}")


def _obstacles(route: Route) -> Iterator[str]:
    if route.suppressed_until is not None:
        yield f"suppressed until {utc(route.suppressed_until)}, because it was sent lately"
    if route.muted:
        yield f"muted: {route.muted}"
    if not route.scheduled:
        yield "not at this hour, by the rule's schedule"


def waiting_lines(waiting: Sequence[Waiting], now: float) -> Iterator[str]:
    """One line for each alert that waits."""
    for one in waiting:
        since = "" if one.since is None else f"waits for {spoken(now - one.since)}, "
        tried = "1 attempt" if one.attempts == 1 else f"{one.attempts} attempts"
        due = "the next run" if one.next is None or one.next <= now else f"in {spoken(one.next - now)}"
        yield escape(
            f"{one.strategy}  {one.metric}  {since}{tried}, next: {due}{f'; {one.reason}' if one.reason else ''}"
        )


def silence_lines(silences: Sequence[Silence]) -> Iterator[str]:
    """One line for each silence."""
    return (escape(silence.words) for silence in silences)


def incident_lines(found: Sequence[Found], paint: Paint = PLAIN) -> Iterator[str]:
    """One line for each incident."""
    for one in found:
        when = f"since {utc(one.start)}" if one.ongoing else f"{utc(one.start)} to {utc(one.last)}"
        told = f"; told {', '.join(one.alerted)}" if one.alerted else ""
        lasted = f"{spoken(one.last - one.start)}, " if one.last > one.start else ""
        state = paint("ONGOING", "red") if one.ongoing else "over   "
        rest = escape(f"{one.metric}  {when}, {lasted}peak {one.peak_value:.6g}, {one.votes} votes{told}")
        yield f"{state}  {rest}"
