"""External rules from where they are kept: asked for at a service, or as our state holds them from when it last answered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import Any, Final

from ridgeline.alerters import duration
from ridgeline.engine.alerts.external import ExternalAlerts, Reading, read_rows
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.io.net.transport import Endpoint, Limits, TransportError, request
from ridgeline.io.state.batch import Batch, from_json
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import external
from ridgeline.io.text import escape

FRESH: Final = 300  # seconds for which an answer is not asked for again
KEPT: Final = 30 * 86400  # seconds for which the last good one is kept
LARGEST: Final = 1 << 20  # bytes of an answer
LATE: Final = "it did not answer in time"


@dataclass(frozen=True, slots=True)
class Found:
    """Rules of all services, in the order of the configuration, what went wrong in sentences, and what is to be kept."""

    rows: tuple[AlertRow, ...] = ()
    problems: tuple[str, ...] = ()
    batch: Batch = field(default_factory=Batch)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a service said when it last answered, `at` epoch seconds."""

    reading: Reading
    at: float


def read_kept(sources: Sequence[ExternalAlerts], state: State) -> list[Any]:
    """What state holds of each service. Raises StateError."""
    return state.get_many([external(source.name) for source in sources])


def last_known(sources: Sequence[ExternalAlerts], known: Container[str], kept: Sequence[Any]) -> tuple[AlertRow, ...]:
    """The rules that a run would use if no service answered."""
    decoded = (_decode(source, value, known) for source, value in zip(sources, kept, strict=True))
    return tuple(row for one in decoded if one is not None for row in one.reading.rows)


def ask(
    sources: Sequence[ExternalAlerts],
    known: Container[str],
    kept: Sequence[Any],
    now: float,
    until: float,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """The rules of every service, those asked that have not answered lately, all side by side.

    known    the strategies that rules may name
    kept     what `read_kept` gave
    now      epoch seconds
    until    seconds of `clock`, by which it returns whatever the services do

    Where one does not answer, or nothing sensible, what it last said stands. Raises nothing.
    """
    before = [_decode(source, value, known) for source, value in zip(sources, kept, strict=True)]
    asked: dict[str, Future[Reading]] = {}
    for source, one in zip(sources, before, strict=True):
        if one is None or not 0 <= now - one.at < FRESH:
            asked[source.name] = _begin(partial(_fetched, source, known, until), source.name)
    wait(asked.values(), max(until - clock(), 0.0))
    rows: list[AlertRow] = []
    problems: list[str] = []
    batch = Batch()
    for source, one in zip(sources, before, strict=True):
        reading, failure = _outcome(asked.get(source.name))
        if reading is not None:
            batch.set(external(source.name), _encode(source, reading, now), KEPT)
        used = reading or (None if one is None else one.reading)
        if failure:
            old = "it has no rules yet" if one is None else f"its rules of {duration(int(now - one.at))} ago stand"
            problems.append(f'external alerts "{escape(source.name)}": {failure}; {old}')
        if used is not None:
            rows += used.rows
            problems += _remarks(source, used)
    return Found(tuple(rows), tuple(problems), batch)


def _begin(work: Callable[[], Reading], name: str) -> Future[Reading]:
    """Do it on a thread that keeps nobody waiting."""
    ended: Future[Reading] = Future()

    def run() -> None:
        try:
            ended.set_result(work())
        except Exception as error:  # noqa: BLE001 - whatever a service provokes; the rules that stand are used
            ended.set_exception(error)

    Thread(target=run, name=f"external-{name}", daemon=True).start()
    return ended


def _fetched(source: ExternalAlerts, known: Container[str], until: float) -> Reading:
    """What a service says now. Raises TransportError, and ValueError for nonsense."""
    headers = {"Accept": "application/json"}
    if source.token is not None:
        headers["Authorization"] = f"Bearer {source.token.reveal()}"
    body = b""
    if source.method == "POST":
        body, headers["Content-Type"] = b"{}", "application/json"
    endpoint = Endpoint.parse(source.url.reveal())
    reply = request(source.method, endpoint, body=body, headers=headers, deadline=until, limits=Limits(body=LARGEST))
    if reply.status != 200:
        raise ValueError(f"{endpoint} answered {reply.status}")
    if not reply.whole:
        raise ValueError(f"its answer broke off, came too slowly, or is larger than {LARGEST >> 20} MiB")
    value = from_json(reply.body.decode("utf-8", "replace"))
    if value is None:
        raise ValueError("its answer is no JSON")
    return read_rows(value, known)


def _outcome(asked: Future[Reading] | None) -> tuple[Reading | None, str]:
    """What a service said, if it was asked and did, and why not in words."""
    if asked is None:
        return None, ""
    if not asked.done():
        return None, LATE
    error = asked.exception()
    if error is None:
        return asked.result(), ""
    known = isinstance(error, TransportError | ValueError)
    return None, str(error) if known else f"reading its answer failed with {type(error).__name__}, a bug"


def _remarks(source: ExternalAlerts, reading: Reading) -> list[str]:
    if not reading.refused:
        return []
    many = f"{len(reading.refused):,} of its rules are" if len(reading.refused) > 1 else "1 of its rules is"
    return [f'external alerts "{escape(source.name)}": {many} not used: {reading.refused[0]}']


def _encode(source: ExternalAlerts, reading: Reading, now: float) -> dict[str, Any]:
    return {"of": _identity(source), "at": now, "data": reading.data}


def _decode(source: ExternalAlerts, value: Any, known: Container[str]) -> _Kept | None:
    """What was kept of this very service; None for none, and for what is damaged."""
    try:
        if value["of"] != _identity(source):
            return None
        return _Kept(read_rows(value, known), float(value["at"]))
    except (TypeError, ValueError, KeyError, OverflowError):
        return None


def _identity(source: ExternalAlerts) -> str:
    """Tells one service from another of the same name, without its address, which may be secret."""
    return hashlib.sha256(f"{source.method} {source.url.reveal()}".encode()).hexdigest()[:16]
