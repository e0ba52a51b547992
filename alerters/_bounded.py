"""Calls into libraries that keep no deadline of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def bounded(call: Callable[[], T], deadline: float) -> T:
    """What `call` returns or raises, or TimeoutError at `deadline` (seconds of `time.monotonic`).

    The call runs on a daemon thread, which is abandoned then: what it does may still arrive.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    ended: list[T] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            ended.append(call())
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits for it
            failed.append(error)

    thread = threading.Thread(target=work, name="alert", daemon=True)
    thread.start()
    thread.join(left)
    if failed:
        raise failed[0]
    if not ended:
        raise TimeoutError
    return ended[0]
