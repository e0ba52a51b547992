"""The process ends when its command should have: whether it stops when asked, refuses to, or holds the interpreter."""

import signal
import subprocess
import sys
import time

import pytest

from ridgeline.engine.cli.signals import exit_on_signals

SCRIPT = """
import re, sys, threading, time
from ridgeline.engine.cli.signals import exit_on_signals
from ridgeline.engine.cli.watchdog import Watchdog
from ridgeline.io.errors import SourceUnavailable

def work():
{body}

with exit_on_signals():
    with Watchdog(0.3) as watchdog:
        try:
            print(work(), flush=True)
        except SystemExit:
            print(watchdog.stopped, flush=True)
            raise SystemExit(watchdog.code(70) if watchdog.stopped else 143)
sys.exit(watchdog.code(5))
"""
STUBBORN = """
    while True:
        try:
            time.sleep(60)
        except SystemExit:
            pass
"""
CASES = {
    "quick": ("    return 1", 5, "1\n", 3),
    "stops when asked": ("    time.sleep(60)", 70, "True\n", 6),
    "refuses to stop": (STUBBORN, 70, "", 8),
    "holds the interpreter's lock": ('    re.match("(a+)+$", "a" * 60 + "b")', -signal.SIGALRM, "", 9),
    "leaves a thread that never ends": (
        "    threading.Thread(target=time.sleep, args=[60]).start()\n    return 2", 5, "2\n", 5,
    ),
}  # fmt: skip
SLACK = 8  # seconds: starting Python on a busy machine


@pytest.mark.parametrize("case", CASES)
def test_the_process_is_gone_in_time(case):
    body, code, out, seconds = CASES[case]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(body=body)], capture_output=True, text=True, timeout=60, check=False
    )
    assert time.monotonic() - began < seconds + SLACK
    assert (done.returncode, done.stdout) == (code, out), done.stderr
    assert ("the process was ended" in done.stderr) == (case == "refuses to stop")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_become_exit_codes(number):
    before = signal.getsignal(number)

    def meet_it():
        with exit_on_signals():
            signal.raise_signal(number)
            time.sleep(1)

    with pytest.raises(SystemExit) as stop:
        meet_it()
    assert stop.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with exit_on_signals():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


HANGING = """
import sys, time
from ridgeline.engine.cli import batch, main

batch.GRACE = 0.2
batch._pass = lambda args, request: time.sleep(60)
sys.argv[1:] = ["batch", "--input", "nowhere", "--state", "state.db", "--deadline", "1s"]
sys.exit(main.main())
"""


def test_a_pass_of_batch_that_hangs_where_no_deadline_holds_is_ended(tmp_path):
    """As a disk that no longer answers does."""
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=40, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert "the pass is partial, it did not end by its deadline and was stopped" in done.stderr
