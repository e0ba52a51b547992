"""What every channel shares: the alert, the outcome of sending it, the one-method interface, and secrets."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, Protocol

from ridgeline.io.text import conceal, redact


@dataclass(frozen=True, slots=True)
class Alert:
    """One anomaly on its way to one strategy.

    `timestamp` is the anomaly's, in epoch seconds; `algorithms` are those that voted True, `algorithms_run` all that
    voted. `expiration` is the number of seconds until the next alert of this metric. `message`, if any, replaces the
    channel's own sentence (used for alerts about Ridgeline itself).
    """

    metric: str
    value: float
    timestamp: int
    algorithms: tuple[str, ...] = ()
    algorithms_run: tuple[str, ...] = ()
    full_duration: int = 86400
    expiration: int = 0
    strategy: str = ""
    context: str = "Analyzer"
    message: str = ""
    test: bool = False

    @property
    def votes(self) -> int:
        """How many algorithms voted True."""
        return len(self.algorithms)

    @property
    def source(self) -> str:
        """The context as siblings spell it in payloads."""
        return self.context.lower()

    @property
    def anomaly_score(self) -> float:
        """Share of the algorithms run that voted True; 1.0 where none is known, as Skyline reports it."""
        return self.votes / len(self.algorithms_run) if self.algorithms_run else 1.0

    @property
    def dedup_key(self) -> str:
        """The same for every alert of one metric from one source, so that a receiver can fold repeats."""
        identity = f"{self.source}\0{self.metric}".encode("utf-8", "surrogatepass")
        return f"ridgeline-{hashlib.sha256(identity).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt to send ended.

    `sent`: the receiver has it. `retry`: it may succeed later, not before `retry_after` seconds if that is given.
    `rejected`: trying the same again is useless. `reason` is one sentence without any secret.
    """

    kind: Literal["sent", "retry", "rejected"]
    reason: str = ""
    retry_after: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", redact(self.reason))


SENT = Outcome("sent")


class Alerter(Protocol):
    """A channel. It sends one alert once; matching, suppression, retries and recording are stages around it."""

    @property
    def concurrency(self) -> int:
        """How many alerts may be in flight at once."""
        ...

    def send(self, alert: Alert, deadline: float) -> Outcome:
        """Send before `deadline` (seconds of `time.monotonic`) and say how it went; a failure is an outcome, not an error."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """What a module of this folder declares as `CHANNEL`.

    `settings` is a frozen dataclass whose fields are the keys of `[alerters.NAME]`; it raises ValueError with one
    sentence for values it cannot use. `build` makes the alerter from it.
    """

    kind: str
    summary: str
    settings: type
    build: Callable[[Any], Alerter]


@dataclass(frozen=True, slots=True, eq=False)
class Secret:
    """A value that shows itself to nobody but the code that asks for it by `reveal()`.

    >>> Secret("hunter2")
    Secret(********)
    >>> f"{Secret('hunter2')}"
    '********'
    """

    _value: str = field(repr=False)

    def __post_init__(self) -> None:
        conceal(self._value)

    def reveal(self) -> str:
        """The value itself; only for handing it to its own endpoint."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(********)"

    def __str__(self) -> str:
        return "********"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into a file."""
        raise TypeError("a secret is not written anywhere")
