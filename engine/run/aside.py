"""Work that may hang, on a thread that can be left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Overdue(Exception):  # noqa: N818 - reads as the sentence it is
    """The work had not ended in time. Its thread goes on; nobody waits for it any more."""


def aside(work: Callable[[], T], seconds: float, name: str) -> T:
    """What `work` returns or raises, if it ends within `seconds`; else Overdue.

    The thread is a daemon, so that it cannot hold up the end of the process either. A signal reaches the waiting main
    thread at once, also while the work hangs in a library that looks at no signals.
    """
    ended: Future[T] = Future()

    def run() -> None:
        try:
            ended.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for it
            ended.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        return ended.result(max(seconds, 0.0))
    except TimeoutError:
        if ended.done():  # it was the work that raised
            raise
        raise Overdue from None
