"""What Skyline's three threads have in common: they work for as long as their parent lives."""

from __future__ import annotations

import operator
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from ridgeline.engine.api.found import found_config
from ridgeline.engine.score.pairs import shown
from ridgeline.io.errors import InputError, RidgelineError
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config

WATCH: Final = 1.0  # seconds between two looks at the parent


class Reported(Protocol):
    """What a cycle reports."""

    @property
    def problems(self) -> Sequence[str]:
        """Sentences for people."""
        ...


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
        self._config: Config | None = None

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

    def cycle(self, work: Callable[[Config], Reported]) -> None:
        """Work by the configuration as it is now, and tell people of problems; what goes wrong ends no other cycle."""
        try:
            report = work(self._latest())
        except RidgelineError as error:
            say(error)
        except Exception as error:  # noqa: BLE001 - one cycle that fails must not end the watch
            say(f"this cycle failed, a bug: {type(error).__name__}: {error}")
        else:
            for problem in report.problems:
                say(problem)

    def _latest(self) -> Config:
        """The configuration as it is now; where that cannot be read, the one of the cycle before."""
        try:
            self._config = found_config()
        except InputError as error:
            if self._config is None:
                raise
            say(f"{error}; the configuration of the cycle before stays in force")
        return self._config

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
