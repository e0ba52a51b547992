"""What all HTTP channels share: one POST as an outcome, by one table of statuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.alerters._outcome import SENT, Outcome
from ridgeline.io.secret import Secret

if TYPE_CHECKING:  # who looks at alerts and sends none does without
    from ridgeline.io.net.transport import Connection, Endpoint, Limits, Reply, TransportError

RETRY_STATUS: Final = {408, 425, 429}  # request timeout, too early, too many requests


def post(
    to: Endpoint | Connection,
    body: bytes,
    headers: Mapping[str, Secret | str],
    deadline: float,
    limits: Limits,
) -> tuple[Outcome, Reply | None]:
    """POST once, and say how it went by the status alone.

    The reply, where there is one, is for channels whose 200 can mean failure. An open Connection keeps to the deadline
    and limits it was made with.
    """
    from ridgeline.io.net.transport import Connection, TransportError, request

    plain = {name: reveal(value) for name, value in headers.items()}
    try:
        if isinstance(to, Connection):
            reply = to.request("POST", body, plain)
            endpoint = to.endpoint
        else:
            reply = request("POST", to, body=body, headers=plain, deadline=deadline, limits=limits)
            endpoint = to
    except TransportError as error:
        return failure(error), None
    return outcome_of(reply.status, endpoint, reply.retry_after), reply


def failure(error: TransportError) -> Outcome:
    """The outcome of an attempt that got no answer."""
    if not error.retry:
        return Outcome("rejected", str(error))
    return Outcome("unknown" if error.unknown else "retry", str(error))


def outcome_of(status: int, endpoint: Endpoint, retry_after: float | None = None) -> Outcome:
    """2xx sent; 408, 425, 429 and 5xx retry; everything else, redirects included, rejected."""
    if 200 <= status <= 299:
        return SENT
    reason = f"{endpoint} answered {status}{_phrase(status)}"
    if status in RETRY_STATUS or 500 <= status <= 599:
        return Outcome("retry", reason, retry_after)
    return Outcome("rejected", f"{reason}; redirects are not followed" if 300 <= status <= 399 else reason)


def reveal(value: Secret | str) -> str:
    """The text, for its own endpoint."""
    return value.reveal() if isinstance(value, Secret) else value


def fits_header(value: str) -> bool:
    """Whether a text can travel in a header: one line of ASCII, not empty."""
    return bool(value) and value.isascii() and value.isprintable()


def _phrase(status: int) -> str:
    """The status in words, from the registered ones; never the server's own."""
    from http import HTTPStatus

    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


def check_limits(timeout: float, ca_file: Path | None = None, concurrency: int = 1) -> None:
    """Refuse settings of a channel that could never send; ValueError is one sentence that begins with the field."""
    if not 0 < timeout < math.inf:
        raise ValueError(f"timeout must be a positive number of seconds, not {timeout}")
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")
    if ca_file is not None:
        check_authorities(ca_file)


def below(base: Endpoint, path: str) -> Endpoint:
    """The endpoint at `path` below the base of an API."""
    root, mark, query = base.target.partition("?")
    return replace(base, target=f"{root.rstrip('/')}{path}{mark}{query}")


def check_authorities(ca_file: Path) -> None:
    """Load the certificates now, so that a wrong file is a configuration error and not a lost alert."""
    from ridgeline.io.net.transport import trust

    try:
        trust(ca_file)
    except OSError as error:
        raise ValueError(f"ca_file {ca_file} holds no usable certificates: {error.strerror or error}") from error
