"""What every channel that sends by HTTP must do besides."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import ClassVar

from ridgeline.alerters._channel import Alerter
from ridgeline.alerters._message import Message
from ridgeline.alerters.testing.contract import Contract, Received, captured, soon
from ridgeline.alerters.testing.samples import ALERT, hostile, storm
from ridgeline.alerters.testing.server import Answer, Request, http_server
from ridgeline.alerters.testing.tls import Authority

NOWHERE = "http://127.0.0.1:1/"


class HttpContract(Contract):
    """Subclass it as `TestNAME` and give `make`.

    `success` is what a healthy endpoint answers; `errors_in_success` are answers with a good status that mean failure
    all the same, each with the outcome expected; `largest` bounds a request's body, in bytes.
    """

    success: ClassVar[Answer] = Answer()
    errors_in_success: ClassVar[tuple[tuple[Answer, str], ...]] = ()
    largest: ClassVar[int] = 64 << 20

    def make(self, url: str, ca_file: Path | None = None) -> Alerter:
        """An alerter that sends to `url`, with `self.SECRET` wherever a secret goes."""
        raise NotImplementedError

    def texts(self, request: Request) -> list[str]:
        """What one request says, a text for each message in it."""
        return [request.body.decode()]

    @contextlib.contextmanager
    def receiver(self) -> Iterator[tuple[Alerter, Received]]:
        with http_server(self.success) as server:
            yield self.make(server.url), lambda: [text for each in server.requests for text in self.texts(each)]

    def unreachable(self) -> Alerter:
        return self.make(NOWHERE)

    def test_every_status(self) -> None:
        statuses = iter(range(100, 600))
        with http_server(lambda _: replace(self.success, status=next(statuses))) as server:
            alerter = self.make(server.url)
            for status in range(100, 600):
                outcome = alerter.send(Message.of(ALERT), soon())
                assert outcome.kind in expected(status), f"{status}: {outcome}"
                if outcome.kind != "sent" and status >= 200:
                    assert str(status) in outcome.reason, outcome

    def test_redirects_are_not_followed(self) -> None:
        with http_server() as other, http_server(Answer(307, {"Location": other.url})) as server:
            assert self.make(server.url).send(Message.of(ALERT), soon()).kind == "rejected"
            assert other.connections == 0

    def test_errors_in_a_success_are_not_success(self) -> None:
        for answer, kind in self.errors_in_success:
            with http_server(answer) as server:
                outcome = self.make(server.url).send(Message.of(ALERT), soon())
            assert outcome.kind == kind, f"{answer}: {outcome}"
            assert outcome.reason
            assert outcome.reason.isprintable()

    def test_a_slow_receiver_costs_no_more_than_the_deadline(self) -> None:
        for answer in (Answer(silent=True), Answer(drip=0.05, headers={"X": "x" * 1000}), Answer(delay=20)):
            with http_server(answer) as server:
                started = time.monotonic()
                assert self.make(server.url).send(Message.of(ALERT), soon(0.3)).again, answer
                assert time.monotonic() - started < 15, answer

    def test_retry_after_in_all_its_forms(self) -> None:
        later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
        forms = (("7", 7.0), ("1000000000", 1e9), ("soon", None), ("-5", None), ("", None), (later, 3600.0))
        for status in (429, 503):
            for value, seconds in forms:
                with http_server(Answer(status, {"Retry-After": value})) as server:
                    outcome = self.make(server.url).send(Message.of(ALERT), soon())
                assert outcome.kind == "retry"
                found = outcome.retry_after
                right = found is None if seconds is None else found is not None and abs(found - seconds) < 60
                assert right, f"{value!r}: {found}"

    def test_an_answer_that_is_not_http_is_tried_again(self) -> None:
        for raw in (b"", b"\x00\xff", b"SSH-2.0-x\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000):
            with http_server(Answer(raw=raw)) as server:
                assert self.make(server.url).send(Message.of(ALERT), soon()).again, raw[:20]

    def test_requests_stay_within_their_size(self) -> None:
        messages = [storm(), *(Message.of(alert) for alert in hostile())]
        with http_server(self.success) as server:
            alerter = self.make(server.url)
            for message in messages:
                assert alerter.send(message, soon(20)).kind == "sent"
            assert max(len(request.body) for request in server.requests) <= self.largest

    def test_headers_hold_no_metric_name(self) -> None:
        with http_server(self.success) as server:
            alerter = self.make(server.url)
            for alert in hostile():
                alerter.send(Message.of(alert), soon())
            paths = {request.line for request in server.requests}
        assert all(line.isascii() and "passwd" not in line and "cron" not in line for line in paths), paths

    def test_certificates_are_verified(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(Path(folder))
            with http_server(self.success, context=authority.good()) as server:
                assert self.make(server.url, authority.ca_file).send(Message.of(ALERT), soon()).kind == "sent"
                assert self.make(server.url).send(Message.of(ALERT), soon()).kind == "rejected"
            for what, context in authority.bad().items():
                with http_server(self.success, context=context) as server:
                    outcome = self.make(server.url, authority.ca_file).send(Message.of(ALERT), soon())
                    assert outcome.kind == "rejected", f"{what}: {outcome}"
                    assert server.requests == [], what

    def test_no_secret_in_any_failure(self) -> None:
        for what, failure in FAILURES.items():
            with failure() as url, captured() as shown:
                alerter = self.make(f"{url}{self.SECRET}/hook?key={self.SECRET}")
                outcome = alerter.send(Message.of(ALERT), soon(0.5))
            assert outcome.kind != "sent", what
            for text in (repr(outcome), repr(alerter), str(alerter), shown()):
                assert self.SECRET not in text, f"{what}: {text.replace(self.SECRET, '***')}"


def expected(status: int) -> set[str]:
    """What a status may mean."""
    if 200 <= status <= 299:
        return {"sent"}
    if status < 200:  # only ever an interim answer: the final one never came
        return {"retry", "unknown"}
    return {"retry"} if status in {408, 425, 429} or status >= 500 else {"rejected"}


@contextlib.contextmanager
def _serving(answer: Answer | Callable[[Request], Answer], scheme: str = "http") -> Iterator[str]:
    with http_server(answer) as server:
        yield server.url.replace("http:", f"{scheme}:")


def _echo(request: Request) -> Answer:
    """All that was sent, sent back."""
    sent = " ".join([request.line, *request.headers.values()])
    return Answer(401, {"X": sent}, request.body + sent.encode())


FAILURES: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "refused": lambda: contextlib.nullcontext(NOWHERE),
    "no such host": lambda: contextlib.nullcontext("http://no-such-host.invalid/"),
    "metadata": lambda: contextlib.nullcontext("http://169.254.169.254/"),
    "plain where TLS": lambda: _serving(Answer(), "https"),
    "500": lambda: _serving(Answer(500)),
    "404": lambda: _serving(Answer(404)),
    "302": lambda: _serving(Answer(302, {"Location": "http://127.0.0.1/"})),
    "silent": lambda: _serving(Answer(silent=True)),
    "garbage": lambda: _serving(Answer(raw=b"garbage")),
    "echo": lambda: _serving(_echo),
}
