"""Sees to it that a process ends when its command should have, whatever hangs in it."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, NoReturn, Self

from ridgeline.io.errors import RidgelineError
from ridgeline.io.parquet.waiting import READING

# Seconds after the deadline: the command is told to stop; the process is ended; the system ends it, whoever holds what.
STOP: Final = 1.5
END: Final = 2.5
KILL: Final = 2.9
# Seconds after the command's end for the interpreter to wind up, which waits for threads that may never end; and for a
# library's winding up that lets nothing else run, which on a busy machine may take its time.
LINGER: Final = 1.0
LAST: Final = 20.0
PARTIAL: Final = 70


class Guard:
    """For the `with` block around work that may take `deadline` seconds, on the main thread of a process of ours.

    At first SIGTERM asks the work to stop, which records what is in flight (`stopped`). Then the process is left without
    winding up. A thread that holds the interpreter's lock for ever keeps even that from happening: there the system's
    timer, set beforehand, has the last word (SIGALRM). Once the work has ended, the process may go on.
    """

    def __init__(self, deadline: float) -> None:
        self.stopped = False
        self._end = time.monotonic() + deadline
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        signal.setitimer(signal.ITIMER_REAL, self._left(KILL))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the process go on. A signal that was on its way has come by then, as SystemExit."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._over.set()
        self._thread.join()

    def _left(self, after: float) -> float:
        return max(self._end + after - time.monotonic(), 0.01)

    def _watch(self) -> None:
        if not self._over.wait(self._left(STOP)):
            self.stopped = True
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            if not self._over.wait(self._left(END)):
                os.write(2, b"ridgeline: the command did not stop at its deadline; the process was ended\n")
                os._exit(PARTIAL)


class Watchdog(Guard):
    """The same around a command, in a process that is the command's own and ends with it, whatever it leaves behind."""

    def __init__(self, deadline: float) -> None:
        super().__init__(deadline)
        self._code = PARTIAL

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Grant what is left of the process a moment, then end it with the exit code that `error` or `code` stands for."""
        if error is not None:
            self._code = _code_of(error)
        # Last to be registered, first to be called: libraries' own winding up waits for what hangs in them (S3's does so
        # with the interpreter's lock in its hands).
        atexit.register(self._leave)
        signal.setitimer(signal.ITIMER_REAL, min(self._left(KILL), LAST))
        self._over.set()

    def code(self, code: int) -> int:
        """Say with which code the process is to end; returns it."""
        self._code = code
        return code

    def _leave(self) -> None:
        """End the process here and now if work was left behind."""
        if any(thread not in {threading.main_thread(), self._thread} for thread in threading.enumerate()):
            _end(self._code)

    def _watch(self) -> None:
        super()._watch()
        time.sleep(LINGER)
        os._exit(self._code)


def in_time(args: argparse.Namespace, deadline: float, work: Callable[[], int], what: str) -> int:
    """The exit code of a command's work, which ends in time where the process is the command's own.

    what: what it is called when it is cut short.
    """
    if not args.own_process:
        return work()
    with Watchdog(deadline) as watchdog:
        try:
            return watchdog.code(work())
        except SystemExit:
            if not watchdog.stopped:
                raise
            print(f"ridgeline: the {what} is partial, it did not end by its deadline and was stopped", file=sys.stderr)
            raise SystemExit(watchdog.code(PARTIAL)) from None


def end_if_reading_hangs(code: int) -> None:
    """End the process with this code if a thread that waits for a file was left behind: winding up would wait for it too."""
    if any(thread.name == READING for thread in threading.enumerate()):
        _end(code)


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _code_of(error: BaseException) -> int:
    if isinstance(error, RidgelineError):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1
