"""Tells people: one module per channel, one method per alerter."""

from __future__ import annotations

from ridgeline.alerters._alert import Alert, Direction, dedup_key
from ridgeline.alerters._channel import Alerter, Channel, Groups, from_entry_point, from_module, load
from ridgeline.alerters._fates import Fates
from ridgeline.alerters._http import outcome_of, post
from ridgeline.alerters._message import TOP, Message, Status
from ridgeline.alerters._outcome import SENT, Outcome
from ridgeline.alerters._words import Fact, duration, facts, headline, lines, number, sentence, since, utc
from ridgeline.io.secret import Secret

__all__ = [
    "SENT",
    "TOP",
    "Alert",
    "Alerter",
    "Channel",
    "Direction",
    "Fact",
    "Fates",
    "Groups",
    "Message",
    "Outcome",
    "Secret",
    "Status",
    "dedup_key",
    "duration",
    "facts",
    "from_entry_point",
    "from_module",
    "headline",
    "lines",
    "load",
    "number",
    "outcome_of",
    "post",
    "sentence",
    "since",
    "utc",
]
