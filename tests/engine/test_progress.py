"""The one progress meter: on a terminal only, and gone when the work is done."""

import io

from rigs.parts import Clock

from ridgeline.engine.report.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_share_rate_and_time_to_go():
    clock = Clock()
    progress = Progress("points", None, total=1000, done=200, clock=clock)
    clock.now += 10
    progress.add(100)
    assert progress.line() == " 30%  300 of 1,000 points  10/s  1:10 to go"
    clock.now += 7190
    assert progress.line() == " 30%  300 of 1,000 points  0/s  14:00:00 to go"
    assert Progress("points", None, total=10, clock=clock).line() == "  0%  0 of 10 points  0/s  ? to go"
    assert Progress("points", None, total=0, clock=clock).line() == "100%  0 of 0 points  0/s  ? to go"


def test_without_a_total():
    clock = Clock()
    progress = Progress("metrics", None, clock=clock)
    clock.now += 2
    progress.add(5000)
    assert progress.line() == "5,000 metrics  2,500/s"


def test_a_terminal_sees_one_line_now_and_then_and_the_end_and_then_nothing():
    clock, terminal = Clock(), Terminal()
    with Progress("metrics", terminal, total=100, clock=clock) as progress:
        for _ in range(100):
            clock.now += 0.01
            progress.add(1)
    shown = terminal.getvalue().split("\r")
    assert 10 <= len(shown) <= 14
    assert "100 of 100 metrics" in shown[-2]
    assert shown[-1] == "\x1b[K"


def test_anything_else_sees_nothing():
    for stream in (None, io.StringIO()):
        with Progress("metrics", stream, total=1) as progress:
            progress.add(1)
        assert stream is None or stream.getvalue() == ""


def test_work_that_never_began_leaves_no_trace():
    terminal = Terminal()
    with Progress("metrics", terminal):
        pass
    assert terminal.getvalue() == ""
