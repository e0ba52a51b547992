"""What Skyline's three threads have in common: they work for as long as their parent lives."""

from __future__ import annotations

import operator
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from ridgeline.engine.score.pairs import shown
from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

WATCH: Final = 1.0  # seconds between two looks at the parent


class Worker(threading.Thread):
    """A thread for the process `parent_pid`. It is a daemon: it holds up no end of its own process."""

    def __init__(self, parent_pid: int) -> None:
        try:
            self.parent_pid = operator.index(parent_pid)
        except TypeError:
            self.parent_pid = 0
        if self.parent_pid < 1:  # 0 and below mean groups of processes
            raise InputError(f"parent_pid is {shown(parent_pid)}: give the number of a process")
        super().__init__(name=type(self).__name__, daemon=True)

    def check_if_parent_is_alive(self) -> None:
        """End this thread (SystemExit 0; on the main thread: this process) if the parent is gone."""
        if not self._has_parent():
            sys.exit(0)

    def repeat(self, work: Callable[[], None], period: float) -> None:
        """Do the work every `period` seconds, the remainder slept, until the parent is gone."""
        due = time.monotonic()
        while self._has_parent():
            left = due - time.monotonic()
            if left > 0:
                time.sleep(min(left, WATCH))
                continue
            due = time.monotonic() + period
            work()

    def _has_parent(self) -> bool:
        try:
            os.kill(self.parent_pid, 0)
        except PermissionError:
            return True  # another user's process, and there
        except (ProcessLookupError, OverflowError):
            return False
        return True


def say(sentence: object) -> None:
    """Tell people, on one line of standard error."""
    sys.stderr.write(f"ridgeline: {escape(sentence)}\n")
    sys.stderr.flush()


def lacking(what: str, needs: str) -> InputError:
    """The error of a name of Skyline's whose part of the engine is not in this version."""
    return InputError(f"{what} needs {needs}, which this version of Ridgeline does not have")
