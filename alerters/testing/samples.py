"""What the contract sends: an ordinary alert, groups, storms, and names that attack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._message import Message

SECRET: Final = "SENTINEL-7f3a"  # noqa: S105 - it stands for one
STRATEGY: Final = "pigeon"
VOTED: Final = ("grubbs", "ks_test")
RAN: Final = ("grubbs", "ks_test", "least_squares")

ALERT: Final = Alert(
    "stats.web01.requests",
    1523.0,
    1_700_000_000,
    (900.0, 1100.0),
    VOTED,
    RAN,
    rule="stats.",
    strategy=STRATEGY,
    expiration=60,
)
SELF_ALERT: Final = Alert(
    "ridgeline.no_data", 0.0, 1_700_000_000, strategy=STRATEGY, message="no metrics\nin Redis, SAYS-IT"
)

HOSTILE: Final = (
    "a\nERROR forged",
    "a\r\nSubject: x",
    "a\r\n.\r\nMAIL FROM:<x@example.org>",
    "a\x00b",
    "a\x1b[2Jb",
    "a\u202eb",
    "a\u2028b",
    "a\x85b",
    "\ud800",
    "a\udc80b",
    "../../etc/cron.d/x",
    "-rf",
    "",
    " ",
    '"><script>alert(1)</script>',
    "<!channel> <http://evil.example|click>",
    "&amp;*bold*_it_`code`",
    "%s%n{}{0}{metric}${HOME}",
    "=?utf-8?q?x?=",
    "e\u0301\u200d\U0001f600",
    "x" * 10_000,
    "\u00e5" * 3000,
    "\U000e0001tag",
)


def hostile() -> Iterator[Alert]:
    """An alert for each hostile name, as metric and in every other text that comes from outside."""
    for name in HOSTILE:
        yield replace(
            ALERT, metric=name, rule=name, algorithms=(name,), links=(("graph", "https://example.org/?m=%22"),)
        )


def group(size: int = 3) -> Message:
    """A message of so many alerts, top first."""
    alerts = [replace(ALERT, metric=f"stats.web{n:03}.requests", value=2000.0 - n) for n in range(size)]
    return Message(STRATEGY, tuple(alerts), "stats.", fleet=2000)


def storm(size: int = 1000) -> Message:
    """A message of more alerts than anybody reads."""
    return replace(group(size), storm=True)
