"""How alerts are brought to people: limits that `[delivery]` sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """`[delivery]`: how long and how often what could not be sent is tried again, and how alerts are grouped.

    retry_for           seconds after which an alert that could not be sent is dropped, which others are told of
    max_attempts        attempts after which it is dropped
    group_above         more metrics than this, of one rule in one run, are one message with the top ten
    no_data_expiration  seconds until an alert about Ridgeline itself (no data, undelivered) is repeated
    pictures            at most so many are drawn in one run, each in about a tenth of a second
    """

    retry_for: int = 86400
    max_attempts: int = 50
    group_above: int = 10
    no_data_expiration: int = 3600
    pictures: int = 10
