"""Threads that compute: those of `concurrent.futures` would be joined at the interpreter's exit, however long they hang."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

Task = tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]


class Workers:
    """So many daemon threads, started when there is work for them."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads, self._name = threads, name
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._started = 0

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Queue a call; its result or error is the future's."""
        future: Future[Any] = Future()
        self._tasks.put((future, function, arguments))
        if self._started < self._threads:
            self._started += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        return future

    def stop(self) -> None:
        """Begin nothing more. What is running is waited for by nobody."""
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task[0].cancel()
        for _ in range(self._started):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, function, arguments = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for it
                future.set_exception(error)
