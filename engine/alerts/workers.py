"""Threads that send, so that a hanging receiver holds up neither the others nor the run."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from ridgeline.alerters import Alerter, Message, Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One attempt; `deadline` in seconds of the monotonic clock."""

    strategy: str
    message: Message
    deadline: float


class Workers(Protocol):
    """Starts attempts and hands back how they ended."""

    def submit(self, alerter: Alerter, job: Job) -> None:
        """Start an attempt and return at once."""
        ...

    def wait(self, timeout: float) -> deque[tuple[Job, Outcome]]:
        """Attempts that have ended, oldest first, waiting up to `timeout` seconds for the first.

        The caller removes each when it has dealt with it, so that a signal in between loses none.
        """
        ...

    def stop(self) -> None:
        """Take no more; what is in flight is abandoned."""
        ...


class Threads:
    """Per strategy as many daemon threads as are ever needed at once (sending never blocks the exit of the process)."""

    def __init__(self) -> None:
        self._ended: deque[tuple[Job, Outcome]] = deque()
        self._news = threading.Event()
        self._queues: dict[str, SimpleQueue[tuple[Alerter, Job] | None]] = {}
        self._threads: dict[str, int] = {}

    def submit(self, alerter: Alerter, job: Job) -> None:
        """Queue the attempt for its strategy's threads."""
        queue = self._queues.setdefault(job.strategy, SimpleQueue())
        if self._threads.setdefault(job.strategy, 0) < alerter.concurrency:
            self._threads[job.strategy] += 1
            threading.Thread(target=self._work, args=[queue], name=f"alert-{job.strategy}", daemon=True).start()
        queue.put((alerter, job))

    def wait(self, timeout: float) -> deque[tuple[Job, Outcome]]:
        """All that has ended, after the first."""
        if not self._ended:
            self._news.wait(max(timeout, 0.0))
        self._news.clear()  # what ended meanwhile is in the deque already
        return self._ended

    def stop(self) -> None:
        """Tell idle threads to end."""
        for strategy, queue in self._queues.items():
            for _ in range(self._threads[strategy]):
                queue.put(None)

    def _work(self, queue: SimpleQueue[tuple[Alerter, Job] | None]) -> None:
        while (task := queue.get()) is not None:
            alerter, job = task
            self._ended.append((job, attempt(alerter, job)))
            self._news.set()


def attempt(alerter: Alerter, job: Job) -> Outcome:
    """The outcome of one attempt; an alerter's bug is an outcome too, so that it silences no other channel."""
    try:
        return alerter.send(job.message, job.deadline)
    except Exception as error:  # noqa: BLE001 - whatever a channel raises; its text may hold secrets, its type does not
        return Outcome("rejected", f"the alerter failed with {type(error).__name__}: a bug, please report it")
