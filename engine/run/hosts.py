"""Signs of life of the hosts that share a fleet: each run leaves one, for the others and for `ridgeline doctor`."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from ridgeline.engine.units import spoken
from ridgeline.io.redis.keys import OURS
from ridgeline.io.shard import Shards, Share, node
from ridgeline.io.small import read_small

SIGN_KEPT: Final = 7 * 86400  # seconds
QUIET: Final = 180.0  # seconds after which a host is taken for lost, at least
MACHINE: Final = Path("/etc/machine-id")


def sign_key(host: str) -> str:
    """Where a host leaves its sign."""
    return f"{OURS}host.{host}.sign"


def own_key(shards: Shards, key: str) -> str:
    """The key of what only this host reads, where several use one Redis: `ridgeline.host.<host>.<key>`."""
    return f"{OURS}host.{shards.name}.{key.removeprefix(OURS)}" if shards.name else key


@dataclass(frozen=True, slots=True)
class Sign:
    """What a host says of itself: the clock of its last run, epoch seconds; what it goes by; the machine that it is."""

    at: int
    hosts: tuple[str, ...]
    take_over: tuple[str, ...]
    machine: str

    @classmethod
    def of(cls, shards: Shards, at: int) -> Self:
        """That of this machine."""
        return cls(at, shards.hosts, shards.take_over, this_machine())

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """A sign as it is stored; None where there is none, or none that makes sense."""
        try:
            found: Any = json.loads(text or "")
            hosts, lost = (tuple(map(str, found[name])) for name in ("hosts", "take_over"))
            return cls(int(found["at"]), hosts, lost, str(found["machine"]))
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return None

    def text(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), separators=(",", ":"))


def owns(shards: Shards, share: Share, metric: str) -> bool:
    """Whether what waits to be sent for a metric is this host's to send; an alert about a host is that host's."""
    ours, _, about = metric.partition(".")[2].partition(".")
    if not metric.startswith(OURS) or not ours:
        return share.holds(metric)
    if not about:  # from before there were several hosts
        return share.first
    named = [host for host in shards.hosts if about == host or about.startswith(f"{host}.")]
    return max(named, key=len) in {shards.host, *shards.take_over} if named else share.holds(metric)


def this_machine() -> str:
    """Twelve digits that tell this machine from others, whatever they are called in the configuration."""
    try:
        number = read_small(MACHINE, 1024)
    except (OSError, ValueError):
        number = b""
    return hashlib.sha256(b"%b %b" % (number.strip(), node().encode())).hexdigest()[:12]


def disagreements(shards: Shards, signs: Mapping[str, Sign | None], now: float) -> Iterator[str]:
    """What is wrong among the hosts by their signs, `now` in epoch seconds: each would cost or double verdicts."""
    own = signs.get(shards.host)
    if own is not None and own.machine != this_machine() and age(own, now) < QUIET:
        yield f"another machine calls itself {shards.host} too, and was at work {spoken(age(own, now))} ago: its metrics are judged twice"
    for host in shards.take_over:
        sign = signs.get(host)
        if sign is not None and age(sign, now) < QUIET:
            yield (
                f"{host}, which is taken over here, was at work {spoken(age(sign, now))} ago: its metrics are judged twice "
                "until it is out of `[shards] take_over`"
            )


def quiet_after(period: float) -> float:
    """Seconds without a sign after which a host that runs once in `period` seconds is taken for lost."""
    return max(QUIET, 3 * period)


def age(sign: Sign | None, now: float) -> float:
    """Seconds since a sign; infinite without one."""
    return math.inf if sign is None else max(now - sign.at, 0.0)
