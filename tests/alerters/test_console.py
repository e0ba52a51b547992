"""The console under the contract, and its lines."""

import contextlib
import dataclasses
import io

import pytest

from ridgeline import alerters
from ridgeline.alerters import Message
from ridgeline.alerters.console import Console, lines
from ridgeline.alerters.testing import ALERT, Contract, group, soon, storm


class TestConsole(Contract):
    keeps_time = False

    @contextlib.contextmanager
    def receiver(self):
        stream = io.StringIO()
        before = 0
        texts = []

        def send(message, deadline):
            nonlocal before
            outcome = console.send(message, deadline)
            texts.append(stream.getvalue()[before:].rstrip("\n"))
            before = len(stream.getvalue())
            return outcome

        console = Console(lambda: stream)
        spy = dataclasses.make_dataclass("Spy", [("concurrency", int, 1), ("timeout", float, 1.0)])()
        spy.send = send
        yield spy, lambda: texts

    def unreachable(self):
        stream = io.StringIO()
        stream.close()
        return Console(lambda: stream)


def test_the_console_line():
    assert list(lines(Message.of(ALERT))) == [
        (
            "ANOMALY stats.web01.requests at 2023-11-14 22:13:20 UTC: 1523, expected 900 to 1100 (above); "
            '2 of 3 algorithms: grubbs, ks_test; new; rule "stats."'
        )
    ]
    assert next(lines(Message.of(dataclasses.replace(ALERT, test=True)))).startswith("TEST ANOMALY ")
    assert next(lines(Message.of(ALERT, "resolved"))) == (
        "RESOLVED stats.web01.requests at 2023-11-14 22:13:20 UTC: 1523, expected 900 to 1100; normal again; "
        'rule "stats."'
    )


def test_a_group_is_a_line_for_each_and_a_storm_has_an_end():
    assert len(list(lines(group(3)))) == 3
    shown = list(lines(storm(25)))
    assert shown[0] == 'ANOMALY 25 of 2,000 metrics are anomalous (1.2 %), rule "stats."'
    assert len(shown) == 12
    assert shown[-1] == "... and 15 more"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_console_writes_where_it_is_told(stream, capsys):
    channel = alerters.load()["console"]
    channel.build(channel.settings(stream)).send(Message.of(ALERT), soon())
    captured = capsys.readouterr()
    assert getattr(captured, stream[3:]).count("\n") == 1
    assert captured.out + captured.err == getattr(captured, stream[3:])


def test_a_console_stream_that_is_none():
    with pytest.raises(ValueError, match="stream must be"):
        alerters.load()["console"].settings("printer")


def test_a_console_that_cannot_encode_a_name():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert (
        Console(lambda: stream).send(Message.of(dataclasses.replace(ALERT, metric="m\u00e5l")), soon()) == alerters.SENT
    )
