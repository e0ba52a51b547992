"""What every channel must do, whatever it sends by."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import ClassVar

from ridgeline.alerters._channel import Alerter
from ridgeline.alerters._message import TOP, Message
from ridgeline.alerters.testing.samples import ALERT, HOSTILE, SECRET, SELF_ALERT, group, hostile, storm

Received = Callable[[], list[str]]
VALUES = (math.inf, -math.inf, math.nan, 1e308, -0.0, 5e-324, 0.1)


class Contract:
    """Subclass it as `TestNAME`; say how to reach a receiver, and what is particular to the channel."""

    SECRET: ClassVar[str] = SECRET
    one_each: ClassVar[bool] = False  # the members of a message arrive as texts of their own
    says_why: ClassVar[bool] = True  # texts hold value, expected range, votes and rule
    keeps_time: ClassVar[bool] = True  # something waits for an answer, so a deadline can pass

    def receiver(self) -> AbstractContextManager[tuple[Alerter, Received]]:
        """An alerter, and a function that returns every text that has arrived so far, one for each message."""
        raise NotImplementedError

    def unreachable(self) -> Alerter:
        """An alerter whose receiver is not there."""
        raise NotImplementedError

    def test_one_alert_is_one_text_that_says_why(self) -> None:
        with self.receiver() as (alerter, received):
            outcome = alerter.send(Message.of(ALERT), soon())
            assert outcome.kind == "sent", outcome
            texts = received()
        assert alerter.concurrency >= 1
        assert 0 < alerter.timeout < math.inf
        assert len(texts) == 1, texts
        for word in [ALERT.metric, "1523", *(["900", "1100", "grubbs", "stats."] if self.says_why else [])]:
            assert word in texts[0], f"{word} is missing from {texts[0]!r}"

    def test_a_hostile_name_is_one_text_that_stays_one(self) -> None:
        with self.receiver() as (alerter, received):
            for alert in hostile():
                assert alerter.send(Message.of(alert), soon()).kind == "sent", repr(alert.metric)
            texts = received()
        assert len(texts) == len(HOSTILE), f"{len(HOSTILE)} alerts came as {len(texts)} texts"
        for text in texts:
            bad = {c for c in text if not c.isprintable() and c not in "\r\n\t"}
            assert not bad, f"{bad} in {text!r}"
            text.encode()

    def test_hostile_names_travel_together(self) -> None:
        alerts = tuple(hostile())
        with self.receiver() as (alerter, received):
            assert alerter.send(Message(ALERT.strategy, alerts, alerts[0].rule), soon()).kind == "sent"
            assert len(received()) == (len(alerts) if self.one_each else 1)

    def test_any_value_arrives(self) -> None:
        with self.receiver() as (alerter, received):
            for value in VALUES:
                alert = replace(ALERT, value=value, timestamp=2**53, expected=(value, value), rule_score=value)
                assert alerter.send(Message.of(alert), soon()).kind == "sent", value
            assert len(received()) == len(VALUES)

    def test_an_alert_about_ourselves_is_its_sentence(self) -> None:
        with self.receiver() as (alerter, received):
            assert alerter.send(Message.of(SELF_ALERT), soon()).kind == "sent"
            (text,) = received()
        assert "SAYS-IT" in text
        assert SELF_ALERT.metric in text

    def test_a_test_says_that_it_is_one(self) -> None:
        with self.receiver() as (alerter, received):
            alerter.send(Message.of(replace(ALERT, test=True)), soon())
            (text,) = received()
        assert "test" in text.lower()

    def test_a_group_names_every_member(self) -> None:
        message = group(TOP)
        with self.receiver() as (alerter, received):
            assert alerter.send(message, soon()).kind == "sent"
            texts = received()
        assert len(texts) == (message.count if self.one_each else 1)
        for alert in message.alerts:
            assert sum(alert.metric in text for text in texts) == 1, alert.metric

    def test_a_storm_says_how_many_it_is(self) -> None:
        message = storm()
        with self.receiver() as (alerter, received):
            assert alerter.send(message, soon(20)).kind == "sent"
            texts = received()
        if self.one_each:
            assert len(texts) == message.count
            return
        assert len(texts) == 1
        assert "1,000 of 2,000" in texts[0], texts[0][:500]
        for alert in message.shown:
            assert alert.metric in texts[0], alert.metric

    def test_a_receiver_that_is_not_there_is_an_outcome(self) -> None:
        outcome = self.unreachable().send(Message.of(ALERT), soon())
        assert outcome.kind in {"retry", "rejected"}, outcome
        assert outcome.reason
        assert outcome.reason.isprintable()

    def test_nothing_leaves_after_the_deadline(self) -> None:
        if not self.keeps_time:
            return
        with self.receiver() as (alerter, received):
            assert alerter.send(Message.of(ALERT), soon(-1)).again
            assert received() == []

    def test_no_secret_is_shown(self) -> None:
        with captured() as shown, self.receiver() as (alerter, _):
            outcome = alerter.send(Message.of(ALERT), soon())
            failure = self.unreachable().send(Message.of(ALERT), soon())
        for text in (repr(alerter), str(alerter), repr(outcome), repr(failure), shown()):
            assert self.SECRET not in text, text.replace(self.SECRET, "***")


def soon(seconds: float = 20.0) -> float:
    """A deadline so many seconds from now."""
    return time.monotonic() + seconds


@contextlib.contextmanager
def captured() -> Iterator[Callable[[], str]]:
    """All that is printed or logged, at any level, within the block."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield stream.getvalue
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
