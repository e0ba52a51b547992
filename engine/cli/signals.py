"""Signals that end a command in order: locks, servers and temporary files are cleaned up on the way out."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def exit_on_signals(came: list[int] | None = None) -> Iterator[None]:
    """Turn SIGTERM, SIGINT and SIGHUP into SystemExit of 128 + their number, for the length of the block.

    What is ignored stays so: `nohup` and shells in the background mean it. Off the main thread nothing is done. The numbers of
    those that came are appended to `came`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's protocol
        if came is not None:
            came.append(number)
        for each in before:
            signal.signal(each, signal.SIG_DFL)  # a second one does not wait for the cleaning up
        raise SystemExit(128 + number)

    before = {
        number: signal.signal(number, leave) for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
